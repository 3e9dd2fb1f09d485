/* SPDX-License-Identifier: Apache-2.0 */
/* upload.c - see upload.h. */
#include "db/upload.h"
#include "base/clock.h"
#include "rows.h"
#include "upload.sql.h"

#include "base/banned.h"

err_t db_upload_insert(struct ctx *ctx, struct sql_tx *tx, str id, int64_t repository_id,
		       enum digest_algorithm algorithm)
{
	return db_exec_one(ctx, tx, &SQL_UPLOAD_INSERT,
			   SQL_ARGS(SQL_TEXT(id), SQL_I64(repository_id), SQL_I64(algorithm),
				    SQL_I64(clock_wall_us())));
}

static err_t read_digest(struct ctx *ctx, const struct sql_rows *rows, int column, digest *ret)
{
	digest none = { 0 };
	if (sql_is_null(rows, column))
		*ret = none;
	else if (!digest_parse(sql_text(rows, column), ret))
		return fail(ctx, ERR_CORRUPT, "upload row has a malformed digest");
	return OK;
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct upload_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	struct upload_row row = { .repository_id = sql_i64(&rows, 0),
				  .storage_id = sql_i64(&rows, 1),
				  .algorithm = (enum digest_algorithm)sql_i64(&rows, 2) };
	row.reserved_bytes = sql_i64(&rows, 4);
	TRY(read_digest(ctx, &rows, 3, &row.publishing));
	*ret = row;
	return OK;
}

err_t db_upload_find(struct ctx *ctx, struct sql_tx *tx, str id, int64_t repository_id,
		     struct upload_row *ret)
{
	return find(ctx, tx, &SQL_UPLOAD_FIND, SQL_ARGS(SQL_TEXT(id), SQL_I64(repository_id)), ret);
}

err_t db_upload_get(struct ctx *ctx, struct sql_tx *tx, str id, struct upload_row *ret)
{
	return find(ctx, tx, &SQL_UPLOAD_GET, SQL_ARGS(SQL_TEXT(id)), ret);
}

err_t db_upload_exists(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, str id)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	return sql_one(ctx, tx, &SQL_UPLOAD_EXISTS, SQL_ARGS(SQL_TEXT(id), SQL_I64(storage_id)),
		       &rows);
}

err_t db_upload_touch(struct ctx *ctx, struct sql_tx *tx, str id)
{
	return db_exec_one(ctx, tx, &SQL_UPLOAD_TOUCH,
			   SQL_ARGS(SQL_TEXT(id), SQL_I64(clock_wall_us())));
}

err_t db_upload_set_publishing(struct ctx *ctx, struct sql_tx *tx, str id, digest d)
{
	if (digest_is_none(d))
		return db_exec_one(ctx, tx, &SQL_UPLOAD_CLEAR_PUBLISHING, SQL_ARGS(SQL_TEXT(id)));
	return db_exec_one(ctx, tx, &SQL_UPLOAD_SET_PUBLISHING,
			   SQL_ARGS(SQL_TEXT(id), db_digest(ctx, d)));
}

err_t db_upload_reserve(struct ctx *ctx, struct sql_tx *tx, str id, int64_t bytes)
{
	return db_exec_one(ctx, tx, &SQL_UPLOAD_RESERVE, SQL_ARGS(SQL_TEXT(id), SQL_I64(bytes)));
}

err_t db_upload_delete(struct ctx *ctx, struct sql_tx *tx, str id, int64_t *ret_reserved_bytes)
{
	return db_one_i64(ctx, tx, &SQL_UPLOAD_DELETE, SQL_ARGS(SQL_TEXT(id)), ret_reserved_bytes);
}

err_t db_upload_is_publishing(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, digest d)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	return sql_one(ctx, tx, &SQL_UPLOAD_IS_PUBLISHING,
		       SQL_ARGS(SQL_I64(storage_id), db_digest(ctx, d)), &rows);
}

err_t db_upload_publishing_page(struct ctx *ctx, struct sql_tx *tx, str last, size_t max, str **ret,
				size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_UPLOAD_PUBLISHING_PAGE,
			    SQL_ARGS(SQL_TEXT(last), SQL_I64((int64_t)max)), &db_text_reader,
			    (void **)ret, ret_count);
}

err_t db_upload_expired_page(struct ctx *ctx, struct sql_tx *tx, int64_t before_us, size_t max,
			     str **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_UPLOAD_EXPIRED_PAGE,
			    SQL_ARGS(SQL_I64(before_us), SQL_I64((int64_t)max)), &db_text_reader,
			    (void **)ret, ret_count);
}
