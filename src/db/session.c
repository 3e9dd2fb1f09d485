/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - see session.h. */
#include "db/session.h"
#include "rows.h"
#include "session.sql.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct session_row *)item = (struct session_row){
		.id = sql_i64(rows, 0),
		.account_id = sql_i64(rows, 1),
		.created_at_us = sql_i64(rows, 2),
		.touched_at_us = sql_i64(rows, 3),
		.expires_at_us = sql_i64(rows, 4),
		.address = db_text(ctx, rows, 5),
		.user_agent = db_text(ctx, rows, 6),
		.provider_id = sql_i64(rows, 7),
		.roles = db_text(ctx, rows, 8),
	};
}

err_t db_session_insert(struct ctx *ctx, struct sql_tx *tx, struct session_row *row)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_SESSION_INSERT,
		    SQL_ARGS(SQL_TEXT(row->hash), SQL_I64(row->account_id),
			     SQL_I64(row->created_at_us), SQL_I64(row->expires_at_us),
			     SQL_TEXT(row->address), SQL_TEXT(row->user_agent),
			     SQL_I64(row->provider_id), SQL_TEXT(row->provider_session),
			     SQL_TEXT(row->id_token), SQL_TEXT(row->roles)),
		    &rows));
	row->id = sql_i64(&rows, 0);
	row->touched_at_us = row->created_at_us;
	return OK;
}

err_t db_session_find(struct ctx *ctx, struct sql_tx *tx, str hash, struct session_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_SESSION_FIND, SQL_ARGS(SQL_TEXT(hash)), &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

err_t db_session_id_token(struct ctx *ctx, struct sql_tx *tx, int64_t id, str *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_SESSION_ID_TOKEN, SQL_ARGS(SQL_I64(id)), &rows));
	*ret = db_text(ctx, &rows, 0);
	return OK;
}

err_t db_session_touch(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t touched_at_us,
		       int64_t expires_at_us)
{
	return db_exec_one(ctx, tx, &SQL_SESSION_TOUCH,
			   SQL_ARGS(SQL_I64(id), SQL_I64(touched_at_us), SQL_I64(expires_at_us)));
}

err_t db_session_count(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t now_us,
		       int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_SESSION_COUNT,
			  SQL_ARGS(SQL_I64(account_id), SQL_I64(now_us)), ret);
}

err_t db_session_page(struct ctx *ctx, struct sql_tx *tx, const struct session_page *page,
		      struct session_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct session_row), read_row };
	return db_rows_read(ctx, tx, &SQL_SESSION_PAGE,
			    SQL_ARGS(SQL_I64(page->account_id), SQL_I64(page->now_us),
				     SQL_I64(page->limit), SQL_I64(page->offset)),
			    &reader, (void **)ret, ret_count);
}

/* --- the ends -------------------------------------------------------------------------------- */

static err_t delete_some(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			 struct sql_args args, str **ret_hashes, size_t *ret_count)
{
	return db_rows_read(ctx, tx, statement, args, &db_text_reader, (void **)ret_hashes,
			    ret_count);
}

err_t db_session_delete(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t id,
			str **ret_hashes, size_t *ret_count)
{
	return delete_some(ctx, tx, &SQL_SESSION_DELETE, SQL_ARGS(SQL_I64(account_id), SQL_I64(id)),
			   ret_hashes, ret_count);
}

err_t db_session_delete_hash(struct ctx *ctx, struct sql_tx *tx, str hash)
{
	return db_exec_one(ctx, tx, &SQL_SESSION_DELETE_HASH, SQL_ARGS(SQL_TEXT(hash)));
}

err_t db_session_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t keep_id,
			    str **ret_hashes, size_t *ret_count)
{
	return delete_some(ctx, tx, &SQL_SESSION_DELETE_ALL,
			   SQL_ARGS(SQL_I64(account_id), SQL_I64(keep_id)), ret_hashes, ret_count);
}

err_t db_session_delete_oldest(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t keep,
			       str **ret_hashes, size_t *ret_count)
{
	return delete_some(ctx, tx, &SQL_SESSION_DELETE_OLDEST,
			   SQL_ARGS(SQL_I64(account_id), SQL_I64(keep)), ret_hashes, ret_count);
}

err_t db_session_delete_elsewhere(struct ctx *ctx, struct sql_tx *tx,
				  const struct session_elsewhere *which, str **ret_hashes,
				  size_t *ret_count)
{
	return delete_some(ctx, tx, &SQL_SESSION_DELETE_PROVIDER,
			   SQL_ARGS(SQL_I64(which->provider_id), SQL_TEXT(which->session),
				    SQL_TEXT(which->subject), SQL_TEXT(which->issuer)),
			   ret_hashes, ret_count);
}

err_t db_session_delete_expired(struct ctx *ctx, struct sql_tx *tx, int64_t now_us, int64_t limit,
				int64_t *ret_count)
{
	return sql_exec(ctx, tx, &SQL_SESSION_DELETE_EXPIRED,
			SQL_ARGS(SQL_I64(now_us), SQL_I64(limit)), ret_count);
}
