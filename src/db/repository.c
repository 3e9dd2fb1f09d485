/* SPDX-License-Identifier: Apache-2.0 */
/* repository.c - see repository.h. */
#include "db/repository.h"
#include "base/clock.h"
#include "repository.sql.h"
#include "rows.h"

#include "base/banned.h"

err_t db_repository_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
			 struct repository *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_REPOSITORY_FIND, SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name)),
		    &rows));
	*ret = (struct repository){
		.id = sql_i64(&rows, 0),
		.project_id = sql_i64(&rows, 1),
		.is_public = sql_i64(&rows, 2) != 0,
	};
	return OK;
}

err_t db_repository_ensure(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str name)
{
	return sql_exec(ctx, tx, &SQL_REPOSITORY_INSERT,
			SQL_ARGS(SQL_I64(project_id), SQL_TEXT(name), SQL_I64(clock_wall_us())),
			NULL);
}

err_t db_repository_page(struct ctx *ctx, struct sql_tx *tx, const struct repository_query *query,
			 str **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_REPOSITORY_PAGE,
			    SQL_ARGS(SQL_I64(query->tenant_id), SQL_TEXT(query->last),
				     SQL_I64(query->all), SQL_I64((int64_t)query->max)),
			    &db_text_reader, (void **)ret, ret_count);
}
