/* SPDX-License-Identifier: Apache-2.0 */
/* tag.c - see tag.h. */
#include "db/tag.h"
#include "base/clock.h"
#include "rows.h"
#include "tag.sql.h"

#include "base/banned.h"

#define PUT_TRIES_MAX 8

err_t db_tag_find(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name, digest *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_TAG_FIND, SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(name)),
		    &rows));
	if (!digest_parse(sql_text(&rows, 0), ret))
		return fail(ctx, ERR_CORRUPT, "tag row points to a malformed digest");
	return OK;
}

static err_t read_one(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		      int64_t repository_id, str name, struct tag_state *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(name)), &rows));
	*ret = (struct tag_state){ name, sql_i64(&rows, 0), sql_i64(&rows, 1) };
	return OK;
}

err_t db_tag_lock(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		  struct tag_state *ret)
{
	return read_one(ctx, tx, &SQL_TAG_LOCK, repository_id, name, ret);
}

err_t db_tag_find_locked(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
			 digest *ret)
{
	struct tag_state state;
	TRY(db_tag_lock(ctx, tx, repository_id, name, &state));
	/* Only now: what it points to may have changed while we waited for the lock. */
	return db_tag_find(ctx, tx, repository_id, name, ret);
}

err_t db_tag_create(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		    int64_t manifest_id)
{
	err_t err = db_exec_one(ctx, tx, &SQL_TAG_INSERT,
				SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(name),
					 SQL_I64(manifest_id), SQL_I64(clock_wall_us())));
	return err == ERR_ABSENT ? ERR_EXISTS : err;
}

err_t db_tag_put(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		 int64_t manifest_id, int64_t *ret_before)
{
	for (int tries = 0; tries < PUT_TRIES_MAX; tries++) {
		struct tag_state before;
		err_t err = db_tag_lock(ctx, tx, repository_id, name, &before);
		if (err == ERR_ABSENT) {
			err = db_tag_create(ctx, tx, repository_id, name, manifest_id);
			if (err == ERR_EXISTS) /* somebody made it in between */
				continue;
			*ret_before = 0;
			return err;
		}
		TRY(err);
		*ret_before = before.manifest_id;
		return db_exec_one(ctx, tx, &SQL_TAG_MOVE,
				   SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(name),
					    SQL_I64(manifest_id), SQL_I64(clock_wall_us())));
	}
	return fail(ctx, ERR_BUSY, "tag is made and deleted again and again");
}

err_t db_tag_delete(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		    struct tag_state *ret)
{
	return read_one(ctx, tx, &SQL_TAG_DELETE, repository_id, name, ret);
}

/* Without the manifest: it is the one that was asked about. */
static void read_gone(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct tag_state *)item = (struct tag_state){ .name = db_text(ctx, rows, 0),
							.pushed_at_us = sql_i64(rows, 1) };
}

static void read_state(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	read_gone(ctx, rows, item);
	((struct tag_state *)item)->manifest_id = sql_i64(rows, 2);
}

err_t db_tag_delete_of_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
				struct tag_state **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct tag_state), read_gone };
	struct tag_state *gone;
	TRY(db_rows_read(ctx, tx, &SQL_TAG_DELETE_OF_MANIFEST, SQL_ARGS(SQL_I64(manifest_id)),
			 &reader, (void **)&gone, ret_count));
	for (size_t i = 0; i < *ret_count; i++)
		gone[i].manifest_id = manifest_id;
	*ret = gone;
	return OK;
}

err_t db_tag_state_page(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str last,
			size_t max, struct tag_state **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct tag_state), read_state };
	return db_rows_read(ctx, tx, &SQL_TAG_STATE_PAGE,
			    SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(last), SQL_I64((int64_t)max)),
			    &reader, (void **)ret, ret_count);
}

err_t db_tag_page(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str last, size_t max,
		  str **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_TAG_PAGE,
			    SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(last), SQL_I64((int64_t)max)),
			    &db_text_reader, (void **)ret, ret_count);
}
