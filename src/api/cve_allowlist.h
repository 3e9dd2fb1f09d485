/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cve_allowlist.h - Harbor's CVEAllowlist as JSON, for the system's list and for those inside of
 * projects:
 *
 *	{"id": 1, "project_id": 0, "expires_at": 1893456000, "items": [{"cve_id":
 * "CVE-2019-10164"}], "creation_time": …, "update_time": …}
 */
#pragma once

#include "api/harbor.h"
#include "registry/cve_allowlist.h"

/* One object, under `key` (NULL at the top). */
void cve_allowlist_write(struct json_writer *w, const char *key, const struct cve_allowlist *list);

/* Takes expires_at (absent or null: never) and items from an object; ids are in the arena. The
 * caller has set project_id. ERR_UNPROCESSABLE for a member of another type. */
err_t cve_allowlist_read(struct ctx *ctx, const struct json_value *object,
			 struct cve_allowlist *list);
