/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cve_allowlist.h - known vulnerabilities that somebody decided to put up with: the system's list,
 * and the own one of a project that does not use the system's.
 */
#pragma once

#include "db/cve_allowlist.h"
#include "registry/registry.h"

#define CVE_ALLOWLIST_IDS_MAX 2000
#define CVE_ID_BYTES_MAX      128

/* The list of a project, CVE_ALLOWLIST_SYSTEM for the system's; an empty one when there is no row.
 */
err_t cve_allowlist_get(struct ctx *ctx, struct registry *registry, int64_t project_id,
			struct cve_allowlist *ret);

/* Makes or replaces the one of `list->project_id`, after cve_allowlist_check(). */
err_t cve_allowlist_put(struct ctx *ctx, struct registry *registry,
			const struct cve_allowlist *list);

/* ERR_REQUEST_INVALID for an id that is empty, too long, not printable ASCII, or there twice; for
 * too many of them; and for an expiry before 1970. For who puts a list in a transaction of his own
 * (db_cve_allowlist_put). */
err_t cve_allowlist_check(struct ctx *ctx, const struct cve_allowlist *list);

/* Whether the list lets a vulnerability through at that time. */
bool cve_allowlist_has(const struct cve_allowlist *list, str cve_id, int64_t now_s);
