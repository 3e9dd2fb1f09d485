/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - see search.h. */
#include "db/search.h"
#include "rows.h"
#include "search.sql.h"

#include "base/banned.h"

static void read_project(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct found_project *)item = (struct found_project){
		.id = sql_i64(rows, 0),
		.name = db_text(ctx, rows, 1),
		.owner_name = db_text(ctx, rows, 2),
		.is_public = sql_i64(rows, 3) != 0,
		.created_at_us = sql_i64(rows, 4),
		.updated_at_us = sql_i64(rows, 5),
		.repository_count = sql_i64(rows, 6),
	};
}

err_t db_search_projects(struct ctx *ctx, struct sql_tx *tx, const struct project_sight *sight,
			 str like, size_t max, struct found_project **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct found_project), read_project };
	return db_rows_read(ctx, tx, &SQL_SEARCH_PROJECTS,
			    SQL_ARGS(SQL_SIGHT(sight), SQL_TEXT(like), SQL_I64((int64_t)max)),
			    &reader, (void **)ret, ret_count);
}

struct count_row {
	bool is_public;
	int64_t projects, repositories;
};

static void read_count(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct count_row *)item =
		(struct count_row){ sql_i64(rows, 0) != 0, sql_i64(rows, 1), sql_i64(rows, 2) };
}

err_t db_search_count(struct ctx *ctx, struct sql_tx *tx, const struct project_sight *sight,
		      struct seen_counts *ret)
{
	static const struct row_reader reader = { sizeof(struct count_row), read_count };
	struct seen_counts counts = { 0 };
	struct count_row *rows;
	size_t count;
	TRY(db_rows_read(ctx, tx, &SQL_SEARCH_COUNT, SQL_ARGS(SQL_SIGHT(sight)), &reader,
			 (void **)&rows, &count));
	for (size_t i = 0; i < count; i++) {
		counts.projects[rows[i].is_public] += rows[i].projects;
		counts.repositories[rows[i].is_public] += rows[i].repositories;
	}
	*ret = counts;
	return OK;
}

static void read_tally(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct project_tally *)item = (struct project_tally){
		.name = db_text(ctx, rows, 0),
		.is_public = sql_i64(rows, 1) != 0,
		.repositories = sql_i64(rows, 2),
		.people = sql_i64(rows, 3),
		.pulls = sql_i64(rows, 4),
	};
}

err_t db_search_tallies(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, size_t max,
			struct project_tally **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct project_tally), read_tally };
	return db_rows_read(ctx, tx, &SQL_SEARCH_TALLIES,
			    SQL_ARGS(SQL_I64(tenant_id), SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}

err_t db_search_stored_bytes(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_SEARCH_STORED_BYTES, SQL_ARGS(SQL_I64(tenant_id)), ret);
}
