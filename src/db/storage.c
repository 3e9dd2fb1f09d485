/* SPDX-License-Identifier: Apache-2.0 */
/* storage.c - see storage.h. */
#include "db/storage.h"
#include "rows.h"
#include "storage.sql.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct storage_row *)item = (struct storage_row){
		.id = sql_i64(rows, 0),
		.name = db_text(ctx, rows, 1),
		.driver = db_text(ctx, rows, 2),
		.location = db_text(ctx, rows, 3),
		.settings = db_text(ctx, rows, 4),
		.secrets = db_text(ctx, rows, 5),
		.encrypted = sql_i64(rows, 6) != 0,
		.data_key = db_text(ctx, rows, 7),
		.erased_at_us = sql_i64(rows, 8),
		.created_at_us = sql_i64(rows, 9),
		.updated_at_us = sql_i64(rows, 10),
	};
}

err_t db_storage_find(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct storage_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_STORAGE_FIND, SQL_ARGS(SQL_I64(id)), &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

err_t db_storage_page(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
		      struct storage_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct storage_row), read_row };
	return db_rows_read(ctx, tx, &SQL_STORAGE_PAGE,
			    SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}
