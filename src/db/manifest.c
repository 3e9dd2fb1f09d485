/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - see manifest.h. */
#include "db/manifest.h"
#include "base/clock.h"
#include "db/repository.h"
#include "manifest.sql.h"
#include "rows.h"

#include "base/banned.h"

#define ENSURE_TRIES_MAX 8

err_t db_manifest_find(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		       struct manifest_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_MANIFEST_FIND,
		    SQL_ARGS(SQL_I64(repository_id), db_digest(ctx, d)), &rows));
	*ret = (struct manifest_row){ sql_i64(&rows, 0), d, db_text(ctx, &rows, 1),
				      db_text(ctx, &rows, 2) };
	return OK;
}

err_t db_manifest_find_by_tag(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str tag,
			      struct manifest_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_MANIFEST_FIND_BY_TAG,
		    SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(tag)), &rows));
	digest d;
	if (!digest_parse(sql_text(&rows, 3), &d))
		return fail(ctx, ERR_CORRUPT, "manifest row has a malformed digest");
	*ret = (struct manifest_row){ sql_i64(&rows, 0), d, db_text(ctx, &rows, 1),
				      db_text(ctx, &rows, 2) };
	return OK;
}

static err_t find_id(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     int64_t repository_id, digest d, int64_t *ret_id)
{
	return db_one_i64(ctx, tx, statement, SQL_ARGS(SQL_I64(repository_id), db_digest(ctx, d)),
			  ret_id);
}

err_t db_manifest_find_id(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
			  int64_t *ret_id)
{
	return find_id(ctx, tx, &SQL_MANIFEST_ID, repository_id, d, ret_id);
}

err_t db_manifest_lock(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		       int64_t *ret_id)
{
	return find_id(ctx, tx, &SQL_MANIFEST_LOCK, repository_id, d, ret_id);
}

static err_t insert(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
		    const struct manifest_row *row, const struct manifest *parsed, int64_t *ret_id,
		    int64_t *ret_project_id)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_MANIFEST_INSERT,
		    SQL_ARGS(SQL_I64(repository_id), db_digest(ctx, row->digest),
			     SQL_TEXT(row->media_type), SQL_TEXT_OR_NULL(parsed->artifact_type),
			     SQL_TEXT_OR_NULL(parsed->subject_text),
			     SQL_TEXT_OR_NULL(parsed->annotations_json),
			     SQL_I64((int64_t)row->content.len), SQL_I64(clock_wall_us()),
			     SQL_BLOB(row->content)),
		    &rows));
	*ret_id = sql_i64(&rows, 0);
	*ret_project_id = sql_i64(&rows, 1);
	return OK;
}

static err_t insert_references(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t project_id,
			       const struct manifest *parsed)
{
	for (size_t i = 0; i < parsed->reference_count; i++) {
		const struct manifest_reference *reference = &parsed->references[i];
		TRY(sql_exec(ctx, tx, &SQL_MANIFEST_REFERENCE_INSERT,
			     SQL_ARGS(SQL_I64(id), SQL_TEXT(reference->digest_text),
				      SQL_I64(reference->role), SQL_I64(project_id)),
			     NULL));
	}
	return OK;
}

/* The repository first, as who deletes it does. */
static err_t hold(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		  int64_t *ret_id)
{
	TRY(db_repository_hold(ctx, tx, repository_id));
	return find_id(ctx, tx, &SQL_MANIFEST_HOLD, repository_id, d, ret_id);
}

err_t db_manifest_ensure(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			 struct manifest_row *row, const struct manifest *parsed, bool *ret_made)
{
	for (int tries = 0; tries < ENSURE_TRIES_MAX; tries++) {
		int64_t id, project_id;
		err_t err = insert(ctx, tx, repository_id, row, parsed, &id, &project_id);
		*ret_made = err == OK;
		if (err == OK)
			err = insert_references(ctx, tx, id, project_id, parsed);
		else if (err == ERR_ABSENT && !tx->failed) /* somebody has it */
			err = hold(ctx, tx, repository_id, row->digest, &id);
		if (err == OK)
			row->id = id;
		if (err != ERR_ABSENT || tx->failed)
			return err;
		/* It was deleted in between: it is ours to insert. */
	}
	return fail(ctx, ERR_BUSY, "manifest is pushed and deleted again and again");
}

err_t db_manifest_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	TRY(sql_exec(ctx, tx, &SQL_MANIFEST_REFERENCE_DELETE, SQL_ARGS(SQL_I64(id)), NULL));
	return db_exec_one(ctx, tx, &SQL_MANIFEST_DELETE, SQL_ARGS(SQL_I64(id)));
}

static void read_referrer(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct referrer *)item = (struct referrer){
		.digest_text = db_text(ctx, rows, 0),
		.media_type = db_text(ctx, rows, 1),
		.artifact_type = db_text(ctx, rows, 2),
		.annotations_json = db_text(ctx, rows, 3),
		.size_bytes = sql_i64(rows, 4),
	};
}

err_t db_manifest_referrers(struct ctx *ctx, struct sql_tx *tx, const struct referrer_query *query,
			    struct referrer **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct referrer), read_referrer };
	const struct sql_value values[] = {
		SQL_I64(query->repository_id),	db_digest(ctx, query->subject),
		SQL_TEXT(query->last),		SQL_I64((int64_t)query->max),
		SQL_TEXT(query->artifact_type),
	};
	bool typed = query->artifact_type.len > 0;
	return db_rows_read(
		ctx, tx, typed ? &SQL_MANIFEST_REFERRERS_OF_TYPE : &SQL_MANIFEST_REFERRERS,
		(struct sql_args){ values, typed ? 5 : 4 }, &reader, (void **)ret, ret_count);
}

err_t db_manifest_subject(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			  str digest_text, str *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_MANIFEST_SUBJECT,
		    SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(digest_text)), &rows));
	*ret = db_text(ctx, &rows, 0);
	return OK;
}

static void read_page_item(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct manifest_of_repository *)item = (struct manifest_of_repository){
		.id = sql_i64(rows, 0),
		.repository = db_text(ctx, rows, 1),
		.digest_text = db_text(ctx, rows, 2),
		.content = db_text(ctx, rows, 3),
	};
}

err_t db_manifest_page(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
		       struct manifest_of_repository **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct manifest_of_repository),
						  read_page_item };
	return db_rows_read(ctx, tx, &SQL_MANIFEST_PAGE,
			    SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}
