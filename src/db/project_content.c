/* SPDX-License-Identifier: Apache-2.0 */
/* project_content.c - see project_content.h. */
#include "db/project_content.h"
#include "project_content.sql.h"
#include "rows.h"

#include "base/banned.h"

#define CLAIM_TRIES_MAX 8

/* Sizes of rows that were made or deleted; `*ret_vanished` when one was neither there nor made. */
static err_t sum(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		 struct sql_args args, int64_t *bytes, bool *ret_vanished)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	bool has;
	*ret_vanished = false;
	TRY(sql_query(ctx, tx, statement, args, &rows));
	for (;;) {
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			return OK;
		int64_t size_bytes = sql_i64(&rows, 0);
		if (size_bytes < 0)
			*ret_vanished = true;
		else
			*bytes += size_bytes;
	}
}

static err_t claim(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		   struct sql_args args, int64_t *bytes)
{
	for (int tries = 0; tries < CLAIM_TRIES_MAX; tries++) {
		bool vanished;
		TRY(sum(ctx, tx, statement, args, bytes, &vanished));
		if (!vanished)
			return OK;
	}
	return fail(ctx, ERR_BUSY, "blobs are linked and freed again and again");
}

static err_t free_rows(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		       struct sql_args args, int64_t *bytes)
{
	int64_t freed = 0;
	bool vanished;
	TRY(sum(ctx, tx, statement, args, &freed, &vanished));
	*bytes -= freed;
	return OK;
}

/* Waits for those who hold the rows; what they did is seen by the next statement. */
static err_t lock(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args)
{
	int64_t ignored = 0;
	bool vanished;
	return sum(ctx, tx, statement, args, &ignored, &vanished);
}

err_t db_content_claim_link(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			    int64_t blob_id, int64_t *bytes)
{
	return claim(ctx, tx, &SQL_CONTENT_CLAIM_LINK,
		     SQL_ARGS(SQL_I64(repository_id), SQL_I64(blob_id)), bytes);
}

err_t db_content_claim_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
				int64_t *bytes)
{
	struct sql_args args = SQL_ARGS(SQL_I64(manifest_id));
	bool vanished;
	TRY(claim(ctx, tx, &SQL_CONTENT_CLAIM_REFERENCES, args, bytes));
	return sum(ctx, tx, &SQL_CONTENT_CLAIM_MANIFEST, args, bytes, &vanished);
}

static void read_freed(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct content_freed *)item =
		(struct content_freed){ sql_i64(rows, 0), sql_i64(rows, 1) };
}

err_t db_content_free_links(struct ctx *ctx, struct sql_tx *tx, const struct blob_link *links,
			    size_t count, struct content_freed **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct content_freed), read_freed };
	struct sql_args args = SQL_ARGS(db_links(ctx, links, count));
	TRY(lock(ctx, tx, &SQL_CONTENT_LOCK_LINKS, args));
	return db_rows_read(ctx, tx, &SQL_CONTENT_FREE_LINKS, args, &reader, (void **)ret,
			    ret_count);
}

err_t db_content_free_link(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			   int64_t blob_id, int64_t *bytes)
{
	const struct blob_link link = { blob_id, repository_id };
	struct content_freed *freed;
	size_t count;
	TRY(db_content_free_links(ctx, tx, &link, 1, &freed, &count));
	for (size_t i = 0; i < count; i++)
		*bytes -= freed[i].bytes;
	return OK;
}

err_t db_content_free_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
			       int64_t *bytes)
{
	struct sql_args args = SQL_ARGS(SQL_I64(manifest_id));
	TRY(lock(ctx, tx, &SQL_CONTENT_LOCK_REFERENCES, args));
	TRY(free_rows(ctx, tx, &SQL_CONTENT_FREE_REFERENCES, args, bytes));
	TRY(sql_exec(ctx, tx, &SQL_CONTENT_RELEASE_MANIFEST, args, NULL));
	return free_rows(ctx, tx, &SQL_CONTENT_FREE_MANIFEST, args, bytes);
}

err_t db_content_free_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
				 int64_t *bytes)
{
	struct sql_args args = SQL_ARGS(SQL_I64(repository_id));
	TRY(lock(ctx, tx, &SQL_CONTENT_LOCK_REPOSITORY, args));
	TRY(free_rows(ctx, tx, &SQL_CONTENT_FREE_REPOSITORY, args, bytes));
	TRY(sql_exec(ctx, tx, &SQL_CONTENT_RELEASE_REPOSITORY, args, NULL));
	return free_rows(ctx, tx, &SQL_CONTENT_FREE_REPOSITORY_MANIFESTS, args, bytes);
}

err_t db_content_has_blob(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
			  bool *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	err_t err = sql_one(ctx, tx, &SQL_CONTENT_HAS_BLOB,
			    SQL_ARGS(SQL_I64(repository_id), db_digest(ctx, d)), &rows);
	*ret = err == OK;
	return err == ERR_ABSENT && !tx->failed ? OK : err;
}

err_t db_content_mend(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_mended)
{
	static const struct sql_statement *const steps[] = {
		&SQL_CONTENT_MEND_SURPLUS,
		&SQL_CONTENT_MEND_MISSING,
		&SQL_CONTENT_MEND_MANIFESTS,
		&SQL_CONTENT_MEND_SURPLUS_MANIFESTS,
	};
	int64_t mended = 0;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		int64_t changed;
		TRY(sql_exec(ctx, tx, steps[i], SQL_NO_ARGS, &changed));
		mended += changed;
	}
	*ret_mended = mended;
	return OK;
}

static err_t wrong(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		   struct sql_args args, struct artifact_wrong **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, statement, args, &db_artifact_wrong_reader, (void **)ret,
			    ret_count);
}

err_t db_content_wrong_blobs(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			     struct artifact_wrong **ret, size_t *ret_count)
{
	return wrong(ctx, tx, &SQL_CONTENT_WRONG_BLOBS,
		     SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)), ret, ret_count);
}

err_t db_content_wrong_manifests(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
				 struct artifact_wrong **ret, size_t *ret_count)
{
	return wrong(ctx, tx, &SQL_CONTENT_WRONG_MANIFESTS,
		     SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)), ret, ret_count);
}

err_t db_content_wrong_projects(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
				struct artifact_wrong **ret, size_t *ret_count)
{
	return wrong(ctx, tx, &SQL_CONTENT_WRONG_PROJECTS,
		     SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)), ret, ret_count);
}
