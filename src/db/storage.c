/* SPDX-License-Identifier: Apache-2.0 */
/* storage.c - see storage.h. */
#include "db/storage.h"
#include "base/clock.h"
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
		.left = sql_i64(rows, 11) != 0,
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

err_t db_storage_lock(struct ctx *ctx, struct sql_tx *tx)
{
	int64_t id;
	return db_one_i64(ctx, tx, &SQL_STORAGE_LOCK, SQL_NO_ARGS, &id);
}

err_t db_storage_overlap(struct ctx *ctx, struct sql_tx *tx, str driver, str location)
{
	int64_t id;
	return db_one_i64(ctx, tx, &SQL_STORAGE_OVERLAP,
			  SQL_ARGS(SQL_TEXT(driver), SQL_TEXT(location)), &id);
}

err_t db_storage_insert(struct ctx *ctx, struct sql_tx *tx, struct storage_row *row)
{
	int64_t now_us = clock_wall_us();
	TRY(db_insert_id(ctx, tx, &SQL_STORAGE_INSERT,
			 SQL_ARGS(SQL_TEXT(row->name), SQL_TEXT(row->driver),
				  SQL_TEXT(row->location), SQL_TEXT(row->settings),
				  SQL_I64(row->encrypted), SQL_I64(now_us)),
			 &row->id));
	row->created_at_us = row->updated_at_us = now_us;
	return OK;
}

static err_t set_text(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		      int64_t id, str text)
{
	return db_exec_one(ctx, tx, statement,
			   SQL_ARGS(SQL_I64(id), SQL_TEXT(text), SQL_I64(clock_wall_us())));
}

err_t db_storage_set_settings(struct ctx *ctx, struct sql_tx *tx, int64_t id, str settings)
{
	return set_text(ctx, tx, &SQL_STORAGE_SET_SETTINGS, id, settings);
}

err_t db_storage_set_secrets(struct ctx *ctx, struct sql_tx *tx, int64_t id, str sealed)
{
	return set_text(ctx, tx, &SQL_STORAGE_SET_SECRETS, id, sealed);
}

err_t db_storage_set_data_key(struct ctx *ctx, struct sql_tx *tx, int64_t id, str sealed)
{
	return set_text(ctx, tx, &SQL_STORAGE_SET_DATA_KEY, id, sealed);
}

err_t db_storage_domain(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t **ret,
			size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_STORAGE_DOMAIN, SQL_ARGS(SQL_I64(id)), &db_i64_reader,
			    (void **)ret, ret_count);
}

err_t db_storage_erase(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_STORAGE_ERASE,
			   SQL_ARGS(SQL_I64(id), SQL_I64(clock_wall_us())));
}
