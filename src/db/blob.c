/* SPDX-License-Identifier: Apache-2.0 */
/* blob.c - see blob.h. */
#include "db/blob.h"
#include "base/clock.h"
#include "blob.sql.h"
#include "rows.h"

#include "base/banned.h"

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct blob *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	*ret = (struct blob){ sql_i64(&rows, 0), sql_i64(&rows, 1), (uint64_t)sql_i64(&rows, 2),
			      (uint32_t)sql_i64(&rows, 3) };
	return OK;
}

err_t db_blob_find(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, digest d,
		   struct blob *ret)
{
	return find(ctx, tx, &SQL_BLOB_FIND, SQL_ARGS(SQL_I64(storage_id), db_digest(ctx, d)), ret);
}

err_t db_blob_find_in_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
				 digest d, struct blob *ret)
{
	return find(ctx, tx, &SQL_BLOB_FIND_IN_REPOSITORY,
		    SQL_ARGS(SQL_I64(repository_id), db_digest(ctx, d)), ret);
}

err_t db_blob_hold_in_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
				 digest d, struct blob *ret)
{
	return find(ctx, tx, &SQL_BLOB_HOLD_IN_REPOSITORY,
		    SQL_ARGS(SQL_I64(repository_id), db_digest(ctx, d)), ret);
}

err_t db_blob_edition(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, digest d,
		      uint32_t *ret)
{
	int64_t edition;
	TRY(db_one_i64(ctx, tx, &SQL_BLOB_EDITION, SQL_ARGS(SQL_I64(storage_id), db_digest(ctx, d)),
		       &edition));
	*ret = (uint32_t)edition;
	return OK;
}

err_t db_blob_is_at(struct ctx *ctx, struct sql_tx *tx, const struct blob_bytes *bytes)
{
	int64_t id;
	return db_one_i64(ctx, tx, &SQL_BLOB_IS_AT,
			  SQL_ARGS(SQL_I64(bytes->storage_id), db_digest(ctx, bytes->digest),
				   SQL_I64(bytes->edition)),
			  &id);
}

err_t db_blob_ensure(struct ctx *ctx, struct sql_tx *tx, const struct blob_bytes *bytes,
		     struct blob *ret)
{
	TRY(sql_exec(ctx, tx, &SQL_BLOB_INSERT,
		     SQL_ARGS(SQL_I64(bytes->storage_id), db_digest(ctx, bytes->digest),
			      SQL_I64((int64_t)bytes->size_bytes), SQL_I64(clock_wall_us()),
			      SQL_I64(bytes->edition)),
		     NULL));
	return db_blob_find(ctx, tx, bytes->storage_id, bytes->digest, ret);
}

err_t db_blob_link(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, int64_t blob_id)
{
	return sql_exec(
		ctx, tx, &SQL_BLOB_LINK,
		SQL_ARGS(SQL_I64(repository_id), SQL_I64(blob_id), SQL_I64(clock_wall_us())), NULL);
}

err_t db_blob_unlink(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		     int64_t *ret_blob_id)
{
	return db_one_i64(ctx, tx, &SQL_BLOB_UNLINK,
			  SQL_ARGS(SQL_I64(repository_id), db_digest(ctx, d)), ret_blob_id);
}

err_t db_blob_holders(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, digest d, size_t max,
		      str **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_BLOB_HOLDERS,
			    SQL_ARGS(SQL_I64(tenant_id), db_digest(ctx, d), SQL_I64((int64_t)max)),
			    &db_text_reader, (void **)ret, ret_count);
}

static void read_blob_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct blob_row *)item =
		(struct blob_row){ db_text(ctx, rows, 0), (uint64_t)sql_i64(rows, 1),
				   (uint32_t)sql_i64(rows, 2) };
}

err_t db_blob_page(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, str last, size_t max,
		   struct blob_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct blob_row), read_blob_row };
	return db_rows_read(ctx, tx, &SQL_BLOB_PAGE,
			    SQL_ARGS(SQL_I64(storage_id), SQL_TEXT(last), SQL_I64((int64_t)max)),
			    &reader, (void **)ret, ret_count);
}
