/* SPDX-License-Identifier: Apache-2.0 */
/* access_token.c - see access_token.h. */
#include "db/access_token.h"
#include "access_token.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct access_token_row *)item = (struct access_token_row){
		.id = sql_i64(rows, 0),
		.account_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.hint = db_text(ctx, rows, 3),
		.created_at_us = sql_i64(rows, 4),
		.expires_at_us = sql_i64(rows, 5),
		.used_at_us = sql_i64(rows, 6),
	};
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct access_token_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

err_t db_access_token_insert(struct ctx *ctx, struct sql_tx *tx, struct access_token_row *row)
{
	return db_insert_id(ctx, tx, &SQL_ACCESS_TOKEN_INSERT,
			    SQL_ARGS(SQL_TEXT(row->hash), SQL_I64(row->account_id),
				     SQL_TEXT(row->name), SQL_TEXT(row->hint),
				     SQL_I64(row->created_at_us),
				     row->expires_at_us ? SQL_I64(row->expires_at_us) : SQL_NULL),
			    &row->id);
}

err_t db_access_token_find(struct ctx *ctx, struct sql_tx *tx, str hash,
			   struct access_token_row *ret)
{
	return find(ctx, tx, &SQL_ACCESS_TOKEN_FIND, SQL_ARGS(SQL_TEXT(hash)), ret);
}

err_t db_access_token_get(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t id,
			  struct access_token_row *ret)
{
	return find(ctx, tx, &SQL_ACCESS_TOKEN_GET, SQL_ARGS(SQL_I64(account_id), SQL_I64(id)),
		    ret);
}

err_t db_access_token_count(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_ACCESS_TOKEN_COUNT, SQL_ARGS(SQL_I64(account_id)), ret);
}

err_t db_access_token_page(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t limit,
			   int64_t offset, struct access_token_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct access_token_row), read_row };
	return db_rows_read(ctx, tx, &SQL_ACCESS_TOKEN_PAGE,
			    SQL_ARGS(SQL_I64(account_id), SQL_I64(limit), SQL_I64(offset)), &reader,
			    (void **)ret, ret_count);
}

err_t db_access_token_used(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t used_at_us)
{
	return sql_exec(ctx, tx, &SQL_ACCESS_TOKEN_USED, SQL_ARGS(SQL_I64(id), SQL_I64(used_at_us)),
			NULL);
}

err_t db_access_token_delete(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_ACCESS_TOKEN_DELETE,
			   SQL_ARGS(SQL_I64(account_id), SQL_I64(id)));
}

err_t db_access_token_delete_named(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, str name)
{
	return db_exec_one(ctx, tx, &SQL_ACCESS_TOKEN_DELETE_NAMED,
			   SQL_ARGS(SQL_I64(account_id), SQL_TEXT(name)));
}

err_t db_access_token_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t account_id)
{
	return sql_exec(ctx, tx, &SQL_ACCESS_TOKEN_DELETE_ALL, SQL_ARGS(SQL_I64(account_id)), NULL);
}

err_t db_access_token_delete_expired(struct ctx *ctx, struct sql_tx *tx, int64_t until_us,
				     int64_t limit, int64_t *ret_count)
{
	return sql_exec(ctx, tx, &SQL_ACCESS_TOKEN_DELETE_EXPIRED,
			SQL_ARGS(SQL_I64(until_us), SQL_I64(limit)), ret_count);
}
