/* SPDX-License-Identifier: Apache-2.0 */
/* storage_move.c - see storage_move.h. */
#include "db/storage_move.h"
#include "base/clock.h"
#include "rows.h"
#include "storage_move.sql.h"

#include "base/banned.h"

err_t db_storage_move_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
			  struct storage_move_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_STORAGE_MOVE_GET, SQL_ARGS(SQL_I64(tenant_id)), &rows));
	*ret = (struct storage_move_row){ sql_i64(&rows, 0), sql_i64(&rows, 1),
					  db_text(ctx, &rows, 2) };
	return OK;
}

err_t db_storage_move_begin(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t to_id)
{
	TRY(db_exec_one(ctx, tx, &SQL_STORAGE_MOVE_JOIN,
			SQL_ARGS(SQL_I64(tenant_id), SQL_I64(to_id))));
	return db_exec_one(ctx, tx, &SQL_STORAGE_MOVE_BEGIN,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_I64(to_id), SQL_I64(clock_wall_us())));
}

err_t db_storage_move_take(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str mover)
{
	TRY(sql_wait_for_writers(ctx, tx, "upload"));
	return db_exec_one(ctx, tx, &SQL_STORAGE_MOVE_TAKE,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(mover)));
}

err_t db_storage_move_blob(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str mover,
			   digest d)
{
	return db_exec_one(ctx, tx, &SQL_STORAGE_MOVE_BLOB,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(mover), db_digest(ctx, d)));
}

err_t db_storage_move_condemned(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str mover)
{
	return sql_exec(ctx, tx, &SQL_STORAGE_MOVE_CONDEMNED,
			SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(mover)), NULL);
}

err_t db_storage_move_sum(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t storage_id,
			  struct storage_move_sum *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_STORAGE_MOVE_SUM,
		    SQL_ARGS(SQL_I64(tenant_id), SQL_I64(storage_id)), &rows));
	*ret = (struct storage_move_sum){ (uint64_t)sql_i64(&rows, 0),
					  (uint64_t)sql_i64(&rows, 1) };
	return OK;
}

err_t db_storage_move_uploads(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_STORAGE_MOVE_UPLOADS, SQL_ARGS(SQL_I64(storage_id)), ret);
}

err_t db_storage_move_end(struct ctx *ctx, struct sql_tx *tx, const struct storage_move_end *end)
{
	int64_t now_us = clock_wall_us();
	TRY(db_exec_one(ctx, tx, &SQL_STORAGE_MOVE_END,
			SQL_ARGS(SQL_I64(end->tenant_id), SQL_TEXT(end->mover), SQL_I64(now_us))));
	return sql_exec(ctx, tx, &SQL_STORAGE_MOVE_RETIRE,
			SQL_ARGS(SQL_I64(end->from_id), SQL_I64(now_us), SQL_I64(end->keeps)),
			NULL);
}
