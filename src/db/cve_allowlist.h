/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cve_allowlist.h - known vulnerabilities that do not count: one list for the system, one for each
 * project that wants its own. A row holds the whole list: it is read and replaced as one value.
 */
#pragma once

#include "sql/sql.h"

#define CVE_ALLOWLIST_SYSTEM INT64_C(0) /* as project_id */

struct cve_allowlist {
	int64_t id; /* 0: no row */
	int64_t project_id;
	int64_t expires_at_s; /* seconds since 1970; 0: never */
	const str *cve_ids;
	size_t count;
	int64_t created_at_us, updated_at_us;
};

/* ERR_ABSENT, unrecorded, when the project has none. */
err_t db_cve_allowlist_find(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			    struct cve_allowlist *ret);

/* Makes or replaces the one of `list->project_id`. No id holds a line feed. */
err_t db_cve_allowlist_put(struct ctx *ctx, struct sql_tx *tx, const struct cve_allowlist *list);

/* OK too when there is none. */
err_t db_cve_allowlist_delete(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);
