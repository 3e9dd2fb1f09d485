/* SPDX-License-Identifier: Apache-2.0 */
/* project.c - see project.h. */
#include "db/project.h"
#include "base/clock.h"
#include "project.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_project(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct project *)item = (struct project){
		.id = sql_i64(rows, 0),
		.name = db_text(ctx, rows, 1),
		.is_public = sql_i64(rows, 2) != 0,
		.created_at_us = sql_i64(rows, 3),
		.updated_at_us = sql_i64(rows, 4),
	};
}

err_t db_project_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
		      struct project *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_PROJECT_FIND, SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name)),
		    &rows));
	read_project(ctx, &rows, ret);
	return OK;
}

err_t db_project_find_id(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			 struct project *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_PROJECT_FIND_ID, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)),
		    &rows));
	read_project(ctx, &rows, ret);
	return OK;
}

err_t db_project_insert(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
			bool is_public)
{
	err_t err = db_exec_one(ctx, tx, &SQL_PROJECT_INSERT,
				SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name), SQL_I64(is_public),
					 SQL_I64(clock_wall_us())));
	return err == ERR_ABSENT ? ERR_EXISTS : err;
}

err_t db_project_set_public(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
			    bool is_public)
{
	return db_exec_one(ctx, tx, &SQL_PROJECT_SET_PUBLIC,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name), SQL_I64(is_public),
				    SQL_I64(clock_wall_us())));
}

err_t db_project_page(struct ctx *ctx, struct sql_tx *tx, const struct project_query *query,
		      struct project **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct project), read_project };
	return db_rows_read(ctx, tx, &SQL_PROJECT_PAGE,
			    SQL_ARGS(SQL_I64(query->tenant_id), SQL_TEXT(query->last),
				     SQL_I64(query->all), SQL_I64((int64_t)query->max)),
			    &reader, (void **)ret, ret_count);
}
