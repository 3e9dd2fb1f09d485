/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project.h - projects: the first path segment of every repository name. A name is one in its
 * tenant.
 *
 * A deleted project keeps its row under a name that nobody can ask for, so that its id is never
 * another's; no function here finds it.
 */
#pragma once

#include "db/sight.h"

struct project {
	int64_t id;
	int64_t tenant_id;
	str name;
	bool is_public;
	int64_t owner_id; /* whose account made it; 0: nobody's */
	str owner_name;	  /* of that account now, or who it was without one */
	int64_t created_at_us;
	int64_t updated_at_us;
};

/* By its name, or by one that it had and keeps as an alias. */
err_t db_project_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
		      struct project *ret);

err_t db_project_find_id(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			 struct project *ret);

/* Takes all but id and times, and fills the id. ERR_EXISTS, unrecorded, when the name is taken;
 * ERR_NAME_IS_ALIAS. */
err_t db_project_insert(struct ctx *ctx, struct sql_tx *tx, struct project *project);

/* Takes is_public. ERR_ABSENT, unrecorded, when there is no such project. */
err_t db_project_update(struct ctx *ctx, struct sql_tx *tx, const struct project *project);

/* Marks it; what belongs to it is the caller's to remove. ERR_ABSENT, unrecorded. */
err_t db_project_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);

struct project_name {
	int64_t id;
	str name;
};
/* At most `max` whose names begin so, by name. */
err_t db_project_names(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str prefix,
		       int64_t max, struct project_name **ret, size_t *ret_count);

/* --- lists --------------------------------------------------------------------------------------
 */

enum project_order {
	PROJECT_BY_NAME,
	PROJECT_BY_ID,
	PROJECT_BY_CREATION,
	PROJECT_BY_UPDATE,
	PROJECT_ORDER_COUNT,
};

struct project_query {
	const struct project_sight *sight;
	str name_like;	/* pattern for LIKE; empty: all */
	str names_json; /* a JSON array of names; empty: all */
	str owner;	/* exact; empty: all */
	bool has_public, is_public;
	enum project_order order;
	bool descending;
	int64_t limit, offset;
};
err_t db_project_count(struct ctx *ctx, struct sql_tx *tx, const struct project_query *query,
		       int64_t *ret);
err_t db_project_page(struct ctx *ctx, struct sql_tx *tx, const struct project_query *query,
		      struct project **ret, size_t *ret_count);

/* --- what is in it ------------------------------------------------------------------------------
 */

/* Repositories that hold something. */
err_t db_project_repository_count(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret);

/* At most `max` of all, also those in which there is nothing. */
err_t db_project_repositories(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t max,
			      struct project_name **ret, size_t *ret_count);

/* --- settings by name ---------------------------------------------------------------------------
 */

struct project_metadata {
	int64_t project_id;
	str name, value;
};
err_t db_project_metadata_list(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			       struct project_metadata **ret, size_t *ret_count);
/* Of several projects (a JSON array of their ids), by project. */
err_t db_project_metadata_of(struct ctx *ctx, struct sql_tx *tx, str project_ids,
			     struct project_metadata **ret, size_t *ret_count);
err_t db_project_metadata_put(struct ctx *ctx, struct sql_tx *tx, const struct project_metadata *m);
/* ERR_ABSENT, unrecorded. */
err_t db_project_metadata_delete(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str name);
err_t db_project_metadata_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);
