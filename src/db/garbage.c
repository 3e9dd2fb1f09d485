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

static void read_link(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct blob_link *)item = (struct blob_link){ sql_i64(rows, 0), sql_i64(rows, 1) };
}

static const struct row_reader link_reader = { sizeof(struct blob_link), read_link };

static err_t read_links(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			struct sql_args args, struct blob_link **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, statement, args, &link_reader, (void **)ret, ret_count);
}

err_t db_garbage_take(struct ctx *ctx, struct sql_tx *tx, size_t max, struct blob_link **ret,
		      size_t *ret_count)
{
	return read_links(ctx, tx, &SQL_GARBAGE_TAKE, SQL_ARGS(SQL_I64((int64_t)max)), ret,
			  ret_count);
}

err_t db_garbage_links(struct ctx *ctx, struct sql_tx *tx, const struct blob_link *links,
		       size_t count, bool hold, struct blob_link **ret, size_t *ret_count)
{
	return read_links(ctx, tx, hold ? &SQL_GARBAGE_LOCK_LINKS : &SQL_GARBAGE_HAS_LINKS,
			  SQL_ARGS(db_links(ctx, links, count)), ret, ret_count);
}

static void read_unlinked(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct unlinked *unlinked = item;
	read_link(ctx, rows, &unlinked->link);
	unlinked->digest_text = db_text(ctx, rows, 2);
}

err_t db_garbage_unlink(struct ctx *ctx, struct sql_tx *tx, const struct blob_link *links,
			size_t count, struct unlinked **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct unlinked), read_unlinked };
	return db_rows_read(ctx, tx, &SQL_GARBAGE_UNLINK, SQL_ARGS(db_links(ctx, links, count)),
			    &reader, (void **)ret, ret_count);
}

err_t db_garbage_condemn(struct ctx *ctx, struct sql_tx *tx, const struct blob_link *blobs,
			 size_t count, str by, struct blob_link **ret, size_t *ret_count)
{
	struct sql_args all = SQL_ARGS(db_links(ctx, blobs, count));
	struct blob_link *held, *condemned;
	size_t held_count, condemned_count = 0;
	*ret_count = 0;
	TRY(read_links(ctx, tx, &SQL_GARBAGE_LOCK_BLOBS, all, &held, &held_count));
	if (held_count)
		TRY(read_links(ctx, tx, &SQL_GARBAGE_CONDEMN,
			       SQL_ARGS(db_links(ctx, held, held_count), SQL_TEXT(by)), &condemned,
			       &condemned_count));
	if (condemned_count == count)
		return OK;
	return read_links(ctx, tx, &SQL_GARBAGE_UNDECIDED, all, ret, ret_count);
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

err_t db_garbage_bury(struct ctx *ctx, struct sql_tx *tx, const struct garbage_burial *burial)
{
	struct sql_value blobs = db_links(ctx, burial->blobs, burial->count);
	if (burial->job_id)
		TRY(sql_exec(ctx, tx, &SQL_GARBAGE_REPORT_REMOVED,
			     SQL_ARGS(blobs, SQL_TEXT(burial->by), SQL_I64(burial->job_id),
				      SQL_TEXT(burial->why)),
			     NULL));
	return sql_exec(ctx, tx, &SQL_GARBAGE_BURY, SQL_ARGS(blobs, SQL_TEXT(burial->by)), NULL);
}

err_t db_garbage_doom(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t manifest_id,
		      bool *ret_new)
{
	struct sql_args args = SQL_ARGS(SQL_I64(job_id), SQL_I64(manifest_id));
	int64_t count;
	TRY(sql_exec(ctx, tx, &SQL_GARBAGE_DOOM_MANIFEST, args, &count));
	*ret_new = count > 0;
	return *ret_new ? sql_exec(ctx, tx, &SQL_GARBAGE_DOOM_LINKS, args, NULL) : OK;
}

static void read_follower(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct doomed_follower *)item =
		(struct doomed_follower){ sql_i64(rows, 0), sql_i64(rows, 1) };
}

err_t db_garbage_doom_followers(struct ctx *ctx, struct sql_tx *tx, int64_t job_id,
				int64_t manifest_id, struct doomed_follower **ret,
				size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct doomed_follower), read_follower };
	return db_rows_read(ctx, tx, &SQL_GARBAGE_DOOM_FOLLOWERS,
			    SQL_ARGS(SQL_I64(job_id), SQL_I64(manifest_id)), &reader, (void **)ret,
			    ret_count);
}

err_t db_garbage_forget_doomed(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, size_t max,
			       int64_t *ret_count)
{
	struct sql_args args = SQL_ARGS(SQL_I64(job_id), SQL_I64((int64_t)max));
	int64_t links;
	TRY(sql_exec(ctx, tx, &SQL_GARBAGE_FORGET_DOOMED_MANIFESTS, args, ret_count));
	TRY(sql_exec(ctx, tx, &SQL_GARBAGE_FORGET_DOOMED_LINKS, args, &links));
	*ret_count += links;
	return OK;
}

static void read_would_free(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct would_free *would = item;
	read_condemned(ctx, rows, &would->blob);
	would->with_doomed = sql_i64(rows, 5) != 0;
}

err_t db_garbage_would_free(struct ctx *ctx, struct sql_tx *tx,
			    const struct would_free_query *query, struct would_free **ret,
			    size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct would_free), read_would_free };
	return db_rows_read(ctx, tx,
			    query->only_doomed ? &SQL_GARBAGE_WOULD_FREE_DOOMED
					       : &SQL_GARBAGE_WOULD_FREE_DUE,
			    SQL_ARGS(SQL_I64(query->after_id), SQL_I64((int64_t)query->max),
				     SQL_I64(query->job_id)),
			    &reader, (void **)ret, ret_count);
}

static void read_loose(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct loose_artifact *)item = (struct loose_artifact){
		.id = sql_i64(rows, 0),
		.repository = db_text(ctx, rows, 1),
		.digest_text = db_text(ctx, rows, 2),
		.tenant_id = sql_i64(rows, 3),
		.size_bytes = sql_i64(rows, 4),
		.repository_id = sql_i64(rows, 5),
		.project_id = sql_i64(rows, 6),
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
	TRY(sql_one(ctx, tx, &SQL_GARBAGE_COUNT, SQL_ARGS(SQL_I64(GARBAGE_COUNT_MAX)), &rows));
	*ret = (struct garbage_count){ sql_i64(&rows, 0), sql_i64(&rows, 1) };
	return OK;
}
