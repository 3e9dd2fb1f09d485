/* SPDX-License-Identifier: Apache-2.0 */
/* garbage.c - see garbage.h. */
#include "db/garbage.h"
#include "garbage.sql.h"
#include "rows.h"

#include "base/banned.h"

err_t db_garbage_add_link(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			  int64_t blob_id, int64_t window_us)
{
	return sql_exec(ctx, tx, &SQL_GARBAGE_ADD_LINK,
			SQL_ARGS(SQL_I64(repository_id), SQL_I64(window_us), SQL_I64(blob_id)),
			NULL);
}

err_t db_garbage_add_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
			      int64_t window_us)
{
	return sql_exec(ctx, tx, &SQL_GARBAGE_ADD_MANIFEST,
			SQL_ARGS(SQL_I64(manifest_id), SQL_I64(window_us)), NULL);
}

err_t db_garbage_add_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
				int64_t window_us)
{
	return sql_exec(ctx, tx, &SQL_GARBAGE_ADD_REPOSITORY,
			SQL_ARGS(SQL_I64(repository_id), SQL_I64(window_us)), NULL);
}

err_t db_garbage_find(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		      int64_t *ret_left_us)
{
	return db_one_i64(ctx, tx, &SQL_GARBAGE_FIND,
			  SQL_ARGS(SQL_I64(repository_id), db_digest(ctx, d)), ret_left_us);
}

err_t db_garbage_put_off(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
			 int64_t window_us)
{
	return sql_exec(ctx, tx, &SQL_GARBAGE_PUT_OFF,
			SQL_ARGS(SQL_I64(repository_id), SQL_I64(window_us), db_digest(ctx, d)),
			NULL);
}

err_t db_garbage_is_condemned(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, digest d,
			      bool *ret, uint32_t *ret_edition)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	err_t err = sql_one(ctx, tx, &SQL_GARBAGE_IS_CONDEMNED,
			    SQL_ARGS(SQL_I64(storage_id), db_digest(ctx, d)), &rows);
	*ret = err == OK && !sql_is_null(&rows, 0);
	*ret_edition = err == OK ? (uint32_t)sql_i64(&rows, 1) : 0;
	return err == ERR_ABSENT ? OK : err;
}

static void read_garbage(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct garbage *)item = (struct garbage){ sql_i64(rows, 0), sql_i64(rows, 1) };
}

err_t db_garbage_take(struct ctx *ctx, struct sql_tx *tx, size_t max, struct garbage **ret,
		      size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct garbage), read_garbage };
	return db_rows_read(ctx, tx, &SQL_GARBAGE_TAKE, SQL_ARGS(SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}

/* Nobody has locked it, and it is there: OK, ERR_BUSY or ERR_ABSENT. */
static err_t lock_link(struct ctx *ctx, struct sql_tx *tx, struct sql_args args)
{
	bool has;
	TRY(db_has_row(ctx, tx, &SQL_GARBAGE_LOCK_LINK, args, &has));
	if (has)
		return OK;
	TRY(db_has_row(ctx, tx, &SQL_GARBAGE_HAS_LINK, args, &has));
	return has ? ERR_BUSY : ERR_ABSENT;
}

err_t db_garbage_unlink(struct ctx *ctx, struct sql_tx *tx, const struct garbage *garbage,
			str *ret_digest)
{
	struct sql_args args = SQL_ARGS(SQL_I64(garbage->repository_id), SQL_I64(garbage->blob_id));
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(lock_link(ctx, tx, args));
	err_t err = sql_one(ctx, tx, &SQL_GARBAGE_UNLINK, args, &rows);
	if (err == ERR_ABSENT)
		return ERR_EXISTS;
	TRY(err);
	*ret_digest = db_text(ctx, &rows, 0);
	return OK;
}

err_t db_garbage_condemn(struct ctx *ctx, struct sql_tx *tx, int64_t blob_id, str by)
{
	int64_t id;
	bool has;
	TRY(db_has_row(ctx, tx, &SQL_GARBAGE_LOCK_BLOB, SQL_ARGS(SQL_I64(blob_id)), &has));
	err_t err = ERR_ABSENT;
	if (has)
		err = db_one_i64(ctx, tx, &SQL_GARBAGE_CONDEMN,
				 SQL_ARGS(SQL_I64(blob_id), SQL_TEXT(by)), &id);
	if (err != ERR_ABSENT)
		return err;
	TRY(db_has_row(ctx, tx, &SQL_GARBAGE_IS_HAD, SQL_ARGS(SQL_I64(blob_id)), &has));
	if (has)
		return ERR_EXISTS;
	TRY(db_has_row(ctx, tx, &SQL_GARBAGE_WAITS, SQL_ARGS(SQL_I64(blob_id)), &has));
	return has ? ERR_BUSY : ERR_ABSENT;
}

static void read_condemned(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct condemned *)item =
		(struct condemned){ sql_i64(rows, 0), sql_i64(rows, 1), db_text(ctx, rows, 2),
				    sql_i64(rows, 3), (uint32_t)sql_i64(rows, 4) };
}

static const struct row_reader condemned_reader = { sizeof(struct condemned), read_condemned };

err_t db_garbage_condemned(struct ctx *ctx, struct sql_tx *tx, str by, struct condemned **ret,
			   size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_GARBAGE_CONDEMNED, SQL_ARGS(SQL_TEXT(by)),
			    &condemned_reader, (void **)ret, ret_count);
}

err_t db_garbage_inherit(struct ctx *ctx, struct sql_tx *tx, str by, int64_t age_us, size_t max,
			 int64_t *ret_count)
{
	TRY(sql_exec(ctx, tx, &SQL_GARBAGE_INHERIT,
		     SQL_ARGS(SQL_TEXT(by), SQL_I64(age_us), SQL_I64((int64_t)max)), ret_count));
	return *ret_count
		       ? sql_exec(ctx, tx, &SQL_GARBAGE_NEXT_EDITION, SQL_ARGS(SQL_TEXT(by)), NULL)
		       : OK;
}

err_t db_garbage_bury(struct ctx *ctx, struct sql_tx *tx, const struct condemned *condemned, str by)
{
	return sql_exec(
		ctx, tx, &SQL_GARBAGE_BURY,
		SQL_ARGS(SQL_I64(condemned->id), SQL_TEXT(by), SQL_I64(condemned->storage_id)),
		NULL);
}

err_t db_garbage_would_free(struct ctx *ctx, struct sql_tx *tx, int64_t after_id, size_t max,
			    struct condemned **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_GARBAGE_WOULD_FREE,
			    SQL_ARGS(SQL_I64(after_id), SQL_I64((int64_t)max)), &condemned_reader,
			    (void **)ret, ret_count);
}

static void read_loose(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct loose_artifact *)item = (struct loose_artifact){
		.id = sql_i64(rows, 0),
		.repository = db_text(ctx, rows, 1),
		.digest_text = db_text(ctx, rows, 2),
		.tenant_id = sql_i64(rows, 3),
		.size_bytes = sql_i64(rows, 4),
	};
}

err_t db_garbage_loose_page(struct ctx *ctx, struct sql_tx *tx, int64_t after_id, int64_t age_us,
			    size_t max, struct loose_artifact **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct loose_artifact), read_loose };
	return db_rows_read(ctx, tx, &SQL_GARBAGE_LOOSE_PAGE,
			    SQL_ARGS(SQL_I64(after_id), SQL_I64(age_us), SQL_I64((int64_t)max)),
			    &reader, (void **)ret, ret_count);
}

err_t db_garbage_is_loose(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id, int64_t age_us,
			  bool *ret)
{
	return db_has_row(ctx, tx, &SQL_GARBAGE_IS_LOOSE,
			  SQL_ARGS(SQL_I64(manifest_id), SQL_I64(age_us)), ret);
}

err_t db_garbage_report(struct ctx *ctx, struct sql_tx *tx, int64_t job_id,
			const struct garbage_freed *freed)
{
	return sql_exec(ctx, tx, &SQL_GARBAGE_REPORT,
			SQL_ARGS(SQL_I64(job_id), SQL_TEXT(freed->kind), SQL_I64(freed->tenant_id),
				 SQL_TEXT(freed->repository), SQL_TEXT(freed->digest_text),
				 SQL_I64(freed->size_bytes), SQL_TEXT(freed->why)),
			NULL);
}

static void read_freed(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct garbage_freed *)item = (struct garbage_freed){
		.id = sql_i64(rows, 0),
		.kind = db_text(ctx, rows, 1),
		.repository = db_text(ctx, rows, 2),
		.digest_text = db_text(ctx, rows, 3),
		.size_bytes = sql_i64(rows, 4),
		.why = db_text(ctx, rows, 5),
	};
}

err_t db_garbage_freed_page(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t after_id,
			    size_t max, struct garbage_freed **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct garbage_freed), read_freed };
	return db_rows_read(ctx, tx, &SQL_GARBAGE_FREED_PAGE,
			    SQL_ARGS(SQL_I64(job_id), SQL_I64(after_id), SQL_I64((int64_t)max)),
			    &reader, (void **)ret, ret_count);
}

err_t db_garbage_count(struct ctx *ctx, struct sql_tx *tx, struct garbage_count *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_GARBAGE_COUNT, SQL_NO_ARGS, &rows));
	*ret = (struct garbage_count){ sql_i64(&rows, 0), sql_i64(&rows, 1) };
	return OK;
}
