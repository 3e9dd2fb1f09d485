/* SPDX-License-Identifier: Apache-2.0 */
/* trash.c - see trash.h. */
#include "db/trash.h"
#include "db/manifest.h"
#include "rows.h"
#include "trash.sql.h"

#include "base/banned.h"

#define CLAIM_TRIES_MAX 8
#define DUE_MAX		64

/* --- deleting --------------------------------------------------------------------------------- */

err_t db_trash_open(struct ctx *ctx, struct sql_tx *tx, const struct trash_opening *opening,
		    int64_t *ret_id)
{
	static const struct sql_statement *const statements[TRASH_KIND_COUNT] = {
		[TRASH_TAG] = &SQL_TRASH_OPEN_TAG,
		[TRASH_ARTIFACT] = &SQL_TRASH_OPEN,
		[TRASH_REPOSITORY] = &SQL_TRASH_OPEN,
		[TRASH_PROJECT] = &SQL_TRASH_OPEN_PROJECT,
	};
	const struct sql_value values[] = {
		SQL_I64(opening->window_us), SQL_I64(opening->kind),  SQL_TEXT(opening->by),
		SQL_I64(opening->id),	     SQL_TEXT(opening->what),
	};
	size_t count = opening->kind == TRASH_PROJECT ? 4 : 5;
	*ret_id = 0;
	err_t err = db_one_i64(ctx, tx, statements[opening->kind],
			       (struct sql_args){ values, count }, ret_id);
	return err == ERR_ABSENT ? OK : err;
}

static err_t run_two(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *const *steps,
		     size_t count, const int64_t ids[2])
{
	for (size_t i = 0; i < count; i++)
		TRY(sql_exec(ctx, tx, steps[i], SQL_ARGS(SQL_I64(ids[0]), SQL_I64(ids[1])), NULL));
	return OK;
}

err_t db_trash_take_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t manifest_id)
{
	static const struct sql_statement *const steps[] = { &SQL_TRASH_TAKE_OF_ID,
							     &SQL_TRASH_KEEP_BLOBS_OF_ID };
	return run_two(ctx, tx, steps, COUNT_OF(steps), (int64_t[]){ id, manifest_id });
}

err_t db_trash_take_repository(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			       int64_t repository_id)
{
	static const struct sql_statement *const steps[] = {
		&SQL_TRASH_TAKE_OF_REPOSITORY_ID, &SQL_TRASH_KEEP_BLOBS_OF_REPOSITORY_ID
	};
	return run_two(ctx, tx, steps, COUNT_OF(steps), (int64_t[]){ id, repository_id });
}

err_t db_trash_take_project(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t project_id)
{
	static const struct sql_statement *const steps[] = { &SQL_TRASH_KEEP_PROJECT,
							     &SQL_TRASH_KEEP_SETTINGS,
							     &SQL_TRASH_KEEP_MEMBERS };
	return run_two(ctx, tx, steps, COUNT_OF(steps), (int64_t[]){ id, project_id });
}

err_t db_trash_weigh(struct ctx *ctx, struct sql_tx *tx, int64_t id,
		     const struct trash_weight *weight)
{
	return sql_exec(ctx, tx, &SQL_TRASH_WEIGH,
			SQL_ARGS(SQL_I64(id), SQL_I64(weight->bytes), SQL_I64(weight->artifacts),
				 SQL_I64(weight->tags)),
			NULL);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void read_entry(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct trash_entry *)item = (struct trash_entry){
		.id = sql_i64(rows, 0),
		.project_id = sql_i64(rows, 1),
		.kind = (enum trash_kind)sql_i64(rows, 2),
		.deleted_by = db_text(ctx, rows, 3),
		.deleted_at_us = sql_i64(rows, 4),
		.ends_at_us = sql_i64(rows, 5),
		.repository_id = sql_i64(rows, 6),
		.repository = db_text(ctx, rows, 7),
		.digest = db_text(ctx, rows, 8),
		.name = db_text(ctx, rows, 9),
		.weight = { sql_i64(rows, 10), sql_i64(rows, 11), sql_i64(rows, 12) },
		.project = db_text(ctx, rows, 13),
		.project_deleted = sql_i64(rows, 14) != 0,
	};
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  const struct trash_place *place, struct trash_entry *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(
		ctx, tx, statement,
		SQL_ARGS(SQL_I64(place->tenant_id), SQL_I64(place->project_id), SQL_I64(place->id)),
		&rows));
	read_entry(ctx, &rows, ret);
	return OK;
}

err_t db_trash_find(struct ctx *ctx, struct sql_tx *tx, const struct trash_place *place,
		    struct trash_entry *ret)
{
	return find(ctx, tx, &SQL_TRASH_FIND, place, ret);
}

err_t db_trash_lock(struct ctx *ctx, struct sql_tx *tx, const struct trash_place *place,
		    struct trash_entry *ret)
{
	return find(ctx, tx, &SQL_TRASH_LOCK, place, ret);
}

/* Of what the list is: 0 a tenant, 1 a project, 2 a repository. */
static size_t scope_of(const struct trash_query *query)
{
	if (!query->project_id)
		return 0;
	return query->repository.len ? 2 : 1;
}

err_t db_trash_page(struct ctx *ctx, struct sql_tx *tx, const struct trash_query *query,
		    struct trash_entry **ret, size_t *ret_count)
{
	static const struct sql_statement *const statements[] = { &SQL_TRASH_PAGE_OF_TENANT,
								  &SQL_TRASH_PAGE_OF_PROJECT,
								  &SQL_TRASH_PAGE_OF_REPOSITORY };
	static const struct row_reader reader = { sizeof(struct trash_entry), read_entry };
	size_t scope = scope_of(query);
	const struct sql_value values[] = {
		SQL_I64(scope ? query->project_id : query->tenant_id),
		SQL_I64(query->kind),
		SQL_I64(query->limit),
		SQL_I64(query->offset),
		SQL_TEXT(query->repository),
	};
	return db_rows_read(ctx, tx, statements[scope],
			    (struct sql_args){ values, scope == 2 ? 5 : 4 }, &reader, (void **)ret,
			    ret_count);
}

err_t db_trash_count(struct ctx *ctx, struct sql_tx *tx, const struct trash_query *query,
		     int64_t *ret_entries, int64_t *ret_bytes)
{
	static const struct sql_statement *const statements[] = { &SQL_TRASH_COUNT_OF_TENANT,
								  &SQL_TRASH_COUNT_OF_PROJECT,
								  &SQL_TRASH_COUNT_OF_REPOSITORY };
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	size_t scope = scope_of(query);
	const struct sql_value values[] = {
		SQL_I64(scope ? query->project_id : query->tenant_id),
		SQL_I64(query->kind),
		SQL_TEXT(query->repository),
	};
	TRY(sql_one(ctx, tx, statements[scope], (struct sql_args){ values, scope == 2 ? 3 : 2 },
		    &rows));
	*ret_entries = sql_i64(&rows, 0);
	*ret_bytes = sql_i64(&rows, 1);
	return OK;
}

/* --- restoring -------------------------------------------------------------------------------- */

/* Numbers in rows, added up; -1 among them sets `*ret_vanished` (see project_content.sql). */
static err_t sum(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		 const struct trash_put *put, int64_t *into, bool *ret_vanished)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	bool has;
	*ret_vanished = false;
	TRY(sql_query(ctx, tx, statement, SQL_ARGS(SQL_I64(put->id), SQL_I64(put->repository_id)),
		      &rows));
	for (;;) {
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			return OK;
		int64_t number = sql_i64(&rows, 0);
		*ret_vanished |= number < 0;
		*into += number < 0 ? 0 : number;
	}
}

static err_t claim(struct ctx *ctx, struct sql_tx *tx, struct trash_put *put)
{
	bool vanished = true;
	for (int tries = 0; vanished && tries < CLAIM_TRIES_MAX; tries++)
		TRY(sum(ctx, tx, &SQL_TRASH_CLAIM_BLOBS, put, &put->bytes, &vanished));
	if (vanished)
		return fail(ctx, ERR_BUSY, "blobs are linked and freed again and again");
	return sum(ctx, tx, &SQL_TRASH_CLAIM_MANIFESTS, put, &put->bytes, &vanished);
}

static err_t step(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  const struct trash_put *put, int64_t *ret_rows)
{
	return sql_exec(ctx, tx, statement, SQL_ARGS(SQL_I64(put->id), SQL_I64(put->repository_id)),
			ret_rows);
}

err_t db_trash_put(struct ctx *ctx, struct sql_tx *tx, struct trash_put *put)
{
	TRY(step(ctx, tx, &SQL_TRASH_PUT_MANIFESTS, put, NULL));
	TRY(step(ctx, tx, &SQL_TRASH_PUT_REFERENCES, put, NULL));
	TRY(step(ctx, tx, &SQL_TRASH_PUT_LINKS, put, NULL));
	TRY(claim(ctx, tx, put));
	TRY(step(ctx, tx, &SQL_TRASH_PUT_ARTIFACTS, put, &put->artifacts));
	TRY(step(ctx, tx, &SQL_TRASH_PUT_LABELS, put, NULL));
	return step(ctx, tx, &SQL_TRASH_PUT_TAGS, put, &put->tags);
}

err_t db_trash_record_tags(struct ctx *ctx, struct sql_tx *tx, const struct trash_put *put,
			   str actor_type, str actor)
{
	return sql_exec(ctx, tx, &SQL_TRASH_RECORD_TAGS,
			SQL_ARGS(SQL_I64(put->id), SQL_I64(put->repository_id),
				 SQL_TEXT(actor_type), SQL_TEXT(actor)),
			NULL);
}

err_t db_trash_settle(struct ctx *ctx, struct sql_tx *tx, struct trash_put *put)
{
	int64_t before = 0, after = 0;
	bool ignored;
	TRY(sum(ctx, tx, &SQL_TRASH_LOCK_ARTIFACTS, put, &before, &ignored));
	TRY(step(ctx, tx, &SQL_TRASH_RECOUNT, put, NULL));
	TRY(sum(ctx, tx, &SQL_TRASH_RELIST, put, &after, &ignored));
	put->listed = after - before;
	return OK;
}

static void read_tag(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct trash_tag *)item = (struct trash_tag){ db_text(ctx, rows, 0), sql_i64(rows, 1) };
}

err_t db_trash_taken(struct ctx *ctx, struct sql_tx *tx, const struct trash_put *put, size_t max,
		     struct trash_tag **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct trash_tag), read_tag };
	return db_rows_read(
		ctx, tx, &SQL_TRASH_TAKEN_TAGS,
		SQL_ARGS(SQL_I64(put->id), SQL_I64(put->repository_id), SQL_I64((int64_t)max)),
		&reader, (void **)ret, ret_count);
}

err_t db_trash_put_repository(struct ctx *ctx, struct sql_tx *tx, const struct trash_put *put)
{
	return step(ctx, tx, &SQL_TRASH_PUT_REPOSITORY, put, NULL);
}

static err_t put_limits(struct ctx *ctx, struct sql_tx *tx, const struct trash_entry *entry)
{
	int64_t limit[QUOTA_RESOURCE_COUNT];
	{
		CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
		TRY(sql_one(ctx, tx, &SQL_TRASH_LIMITS, SQL_ARGS(SQL_I64(entry->id)), &rows));
		for (int i = 0; i < QUOTA_RESOURCE_COUNT; i++)
			limit[i] = sql_i64(&rows, i);
	}
	return db_quota_limit(ctx, tx, QUOTA_PROJECT, entry->project_id, limit);
}

err_t db_trash_put_project(struct ctx *ctx, struct sql_tx *tx, const struct trash_entry *entry,
			   int64_t tenant_id, str name)
{
	static const struct sql_statement *const steps[] = { &SQL_TRASH_PUT_SETTINGS,
							     &SQL_TRASH_PUT_ALLOWLIST,
							     &SQL_TRASH_PUT_MEMBERS };
	bool taken;
	TRY(db_has_row(ctx, tx, &SQL_TRASH_PROJECT_NAMED,
		       SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name)), &taken));
	if (taken)
		return ERR_EXISTS;
	TRY(db_exec_one(ctx, tx, &SQL_TRASH_PUT_PROJECT,
			SQL_ARGS(SQL_I64(entry->id), SQL_I64(entry->project_id), SQL_TEXT(name))));
	TRY(run_two(ctx, tx, steps, COUNT_OF(steps), (int64_t[]){ entry->id, entry->project_id }));
	return put_limits(ctx, tx, entry);
}

err_t db_trash_forget(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_TRASH_FORGET, SQL_ARGS(SQL_I64(id)));
}

/* --- the end ---------------------------------------------------------------------------------- */

err_t db_trash_end(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_TRASH_END, SQL_ARGS(SQL_I64(id)));
}

err_t db_trash_end_all(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id)
{
	return sql_exec(ctx, tx, &SQL_TRASH_END_ALL, SQL_ARGS(SQL_I64(tenant_id)), NULL);
}

err_t db_trash_end_storage(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id)
{
	return sql_exec(ctx, tx, &SQL_TRASH_END_STORAGE, SQL_ARGS(SQL_I64(storage_id)), NULL);
}

/* At most `max` rows of an entry; what has no more goes itself. */
static err_t remove_some(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t max,
			 int64_t *ret_rows)
{
	const struct sql_args args = SQL_ARGS(SQL_I64(id), SQL_I64(max));
	int64_t blobs, manifests;
	TRY(sql_exec(ctx, tx, &SQL_TRASH_LET_GO, args, NULL));
	TRY(sql_exec(ctx, tx, &SQL_TRASH_DROP_BLOBS, args, &blobs));
	TRY(sql_exec(ctx, tx, &SQL_TRASH_DROP_MANIFESTS, args, &manifests));
	*ret_rows = blobs + manifests;
	return blobs < max && manifests < max ? db_trash_forget(ctx, tx, id) : OK;
}

err_t db_trash_remove(struct ctx *ctx, struct sql_tx *tx, int64_t max, int64_t *ret_rows,
		      int64_t *ret_entries)
{
	int64_t *due, sum = 0, entries = 0;
	size_t count;
	TRY(db_rows_read(ctx, tx, &SQL_TRASH_DUE, SQL_ARGS(SQL_I64(DUE_MAX)), &db_i64_reader,
			 (void **)&due, &count));
	for (size_t i = 0; i < count && sum < max; i++) {
		int64_t rows;
		TRY(remove_some(ctx, tx, due[i], max - sum, &rows));
		sum += rows + 1;
		entries++;
	}
	*ret_rows = sum;
	*ret_entries = entries;
	return OK;
}

/* --- windows ---------------------------------------------------------------------------------- */

err_t db_trash_window(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t project_id,
		      int64_t *ret_us)
{
	return db_one_i64(ctx, tx, &SQL_TRASH_WINDOW_GET,
			  SQL_ARGS(SQL_I64(tenant_id), SQL_I64(project_id)), ret_us);
}

err_t db_trash_set_window(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t project_id,
			  int64_t window_us)
{
	if (window_us < 0)
		return sql_exec(ctx, tx, &SQL_TRASH_WINDOW_DELETE,
				SQL_ARGS(SQL_I64(tenant_id), SQL_I64(project_id)), NULL);
	return sql_exec(ctx, tx, &SQL_TRASH_WINDOW_PUT,
			SQL_ARGS(SQL_I64(tenant_id), SQL_I64(project_id), SQL_I64(window_us)),
			NULL);
}

/* --- proof ------------------------------------------------------------------------------------ */

static void read_manifest(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct manifest_of_repository *)item = (struct manifest_of_repository){
		.id = sql_i64(rows, 0),
		.repository = db_text(ctx, rows, 1),
		.digest_text = db_text(ctx, rows, 2),
		.content = db_text(ctx, rows, 3),
	};
}

err_t db_trash_manifests(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, str last_digest,
			 size_t max, struct manifest_of_repository **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct manifest_of_repository),
						  read_manifest };
	return db_rows_read(
		ctx, tx, &SQL_TRASH_MANIFEST_PAGE,
		SQL_ARGS(SQL_I64(last_id), SQL_TEXT(last_digest), SQL_I64((int64_t)max)), &reader,
		(void **)ret, ret_count);
}

err_t db_trash_wrong(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
		     struct artifact_wrong **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_TRASH_WRONG,
			    SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)),
			    &db_artifact_wrong_reader, (void **)ret, ret_count);
}
