/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - projects by a part of their name, and how much there is of what somebody may see. */
#pragma once

#include "db/repository.h"

struct found_project {
	int64_t id;
	str name;
	str owner_name;
	bool is_public;
	int64_t created_at_us, updated_at_us;
	int64_t repository_count;
};
/* `like` for LIKE; empty: all. */
err_t db_search_projects(struct ctx *ctx, struct sql_tx *tx, const struct project_sight *sight,
			 str like, size_t max, struct found_project **ret, size_t *ret_count);

/* By [is_public]. */
struct seen_counts {
	int64_t projects[2];
	int64_t repositories[2];
};
err_t db_search_count(struct ctx *ctx, struct sql_tx *tx, const struct project_sight *sight,
		      struct seen_counts *ret);

/* Of each project of a tenant; the first `max` by name. Reads the repositories of each. */
struct project_tally {
	str name;
	bool is_public;
	int64_t repositories; /* also those in which there is nothing */
	int64_t people;	      /* members that are accounts */
	int64_t pulls;
};
err_t db_search_tallies(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, size_t max,
			struct project_tally **ret, size_t *ret_count);

/* Of all blobs in the tenant's storage; reads one index from end to end. */
err_t db_search_stored_bytes(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t *ret);
