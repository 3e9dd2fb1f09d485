/* SPDX-License-Identifier: Apache-2.0 */
/* artifact.c - the upkeep of artifact rows; artifact_page.c lists them. */
#include "db/artifact.h"
#include "artifact.sql.h"
#include "rows.h"

#include "base/banned.h"

err_t db_artifact_insert(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			 const struct artifact_facts *facts, int64_t tags, bool described,
			 bool *ret_listed)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_ARTIFACT_INSERT,
		    SQL_ARGS(SQL_I64(id), SQL_TEXT(facts->type), SQL_TEXT(facts->media_type),
			     SQL_I64(facts->size_bytes), SQL_TEXT_OR_NULL(facts->accessory),
			     SQL_TEXT_OR_NULL(facts->subject_text), SQL_I64(tags),
			     SQL_I64(described), SQL_TEXT_OR_NULL(facts->icon),
			     SQL_TEXT_OR_NULL(facts->extra_attrs_json),
			     SQL_TEXT_OR_NULL(facts->children_json)),
		    &rows));
	*ret_listed = sql_i64(&rows, 0) != 0;
	return OK;
}

err_t db_artifact_describe(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			   const struct artifact_facts *facts)
{
	return sql_exec(ctx, tx, &SQL_ARTIFACT_DESCRIBE,
			SQL_ARGS(SQL_I64(id), SQL_TEXT(facts->type), SQL_TEXT(facts->media_type),
				 SQL_I64(facts->size_bytes), SQL_TEXT_OR_NULL(facts->accessory),
				 SQL_TEXT_OR_NULL(facts->icon),
				 SQL_TEXT_OR_NULL(facts->extra_attrs_json),
				 SQL_TEXT_OR_NULL(facts->children_json)),
			NULL);
}

err_t db_artifact_count_tags(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t change)
{
	return sql_exec(ctx, tx, &SQL_ARTIFACT_COUNT_TAGS, SQL_ARGS(SQL_I64(id), SQL_I64(change)),
			NULL);
}

err_t db_artifact_still_untagged(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return sql_exec(ctx, tx, &SQL_ARTIFACT_STILL_UNTAGGED, SQL_ARGS(SQL_I64(id)), NULL);
}

err_t db_artifact_count_parents(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t change)
{
	return sql_exec(ctx, tx, &SQL_ARTIFACT_COUNT_PARENTS,
			SQL_ARGS(SQL_I64(id), SQL_I64(change)), NULL);
}

err_t db_artifact_mark_accessory(struct ctx *ctx, struct sql_tx *tx, int64_t id, str type,
				 str subject_text)
{
	return sql_exec(ctx, tx, &SQL_ARTIFACT_MARK_ACCESSORY,
			SQL_ARGS(SQL_I64(id), SQL_TEXT(type), SQL_TEXT(subject_text)), NULL);
}

static err_t change_listed(struct ctx *ctx, struct sql_tx *tx,
			   const struct sql_statement *statement, int64_t id, int sign,
			   int64_t *listed)
{
	int64_t changed;
	TRY(sql_exec(ctx, tx, statement, SQL_ARGS(SQL_I64(id)), &changed));
	*listed += sign * changed;
	return OK;
}

err_t db_artifact_list(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *listed)
{
	return change_listed(ctx, tx, &SQL_ARTIFACT_LIST, id, 1, listed);
}

err_t db_artifact_unlist(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *listed)
{
	return change_listed(ctx, tx, &SQL_ARTIFACT_UNLIST, id, -1, listed);
}

err_t db_artifact_unlist_children(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *listed)
{
	return change_listed(ctx, tx, &SQL_ARTIFACT_UNLIST_CHILDREN, id, -1, listed);
}

static err_t one_number(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			int64_t id, int64_t *ret)
{
	return db_one_i64(ctx, tx, statement, SQL_ARGS(SQL_I64(id)), ret);
}

err_t db_artifact_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *listed)
{
	int64_t was_listed;
	TRY(one_number(ctx, tx, &SQL_ARTIFACT_DELETE, id, &was_listed));
	*listed -= was_listed;
	return OK;
}

err_t db_artifact_parents(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret)
{
	return one_number(ctx, tx, &SQL_ARTIFACT_PARENT_COUNT, id, ret);
}

static void read_follower(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct artifact_follower *)item =
		(struct artifact_follower){ sql_i64(rows, 0), db_text(ctx, rows, 1) };
}

err_t db_artifact_followers(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			    struct artifact_follower **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct artifact_follower), read_follower };
	return db_rows_read(ctx, tx, &SQL_ARTIFACT_FOLLOWERS, SQL_ARGS(SQL_I64(id)), &reader,
			    (void **)ret, ret_count);
}

static void read_undescribed(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct artifact_undescribed *)item = (struct artifact_undescribed){
		.id = sql_i64(rows, 0),
		.repository_id = sql_i64(rows, 1),
		.repository = db_text(ctx, rows, 2),
		.digest_text = db_text(ctx, rows, 3),
		.media_type = db_text(ctx, rows, 4),
		.content = db_text(ctx, rows, 5),
	};
}

err_t db_artifact_undescribed(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			      struct artifact_undescribed **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct artifact_undescribed),
						  read_undescribed };
	return db_rows_read(ctx, tx, &SQL_ARTIFACT_UNDESCRIBED,
			    SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}

static void read_wrong(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct artifact_wrong *)item = (struct artifact_wrong){
		.id = sql_i64(rows, 0),
		.repository = db_text(ctx, rows, 1),
		.digest_text = db_text(ctx, rows, 2),
	};
}

const struct row_reader db_artifact_wrong_reader = { sizeof(struct artifact_wrong), read_wrong };

err_t db_artifact_wrong(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			struct artifact_wrong **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_ARTIFACT_WRONG,
			    SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)),
			    &db_artifact_wrong_reader, (void **)ret, ret_count);
}

err_t db_artifact_wrong_counts(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			       struct artifact_wrong **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_ARTIFACT_WRONG_COUNTS,
			    SQL_ARGS(SQL_I64(last_id), SQL_I64((int64_t)max)),
			    &db_artifact_wrong_reader, (void **)ret, ret_count);
}
