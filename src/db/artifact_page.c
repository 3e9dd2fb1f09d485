/* SPDX-License-Identifier: Apache-2.0 */
/* artifact_page.c - lists of artifacts; see artifact.h. */
#include "artifact.sql.h"
#include "db/artifact.h"
#include "rows.h"

#include "base/banned.h"

static void read_artifact(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct artifact *)item = (struct artifact){
		.id = sql_i64(rows, 0),
		.repository_id = sql_i64(rows, 1),
		.project_id = sql_i64(rows, 2),
		.repository = db_text(ctx, rows, 3),
		.digest_text = db_text(ctx, rows, 4),
		.manifest_media_type = db_text(ctx, rows, 5),
		.artifact_type = db_text(ctx, rows, 6),
		.annotations_json = db_text(ctx, rows, 7),
		.type = db_text(ctx, rows, 8),
		.media_type = db_text(ctx, rows, 9),
		.size_bytes = sql_i64(rows, 10),
		.icon = db_text(ctx, rows, 11),
		.extra_attrs_json = db_text(ctx, rows, 12),
		.children_json = db_text(ctx, rows, 13),
		.accessory = db_text(ctx, rows, 14),
		.subject_text = db_text(ctx, rows, 15),
		.tag_count = sql_i64(rows, 16),
		.pushed_at_us = sql_i64(rows, 17),
		.pulled_at_us = sql_i64(rows, 18),
		.pull_count = sql_i64(rows, 19),
	};
}

static const struct row_reader artifact_reader = { sizeof(struct artifact), read_artifact };

bool artifact_query_is_plain(const struct artifact_query *query)
{
	return !query->all && !query->latest && !query->type.len && !query->media_type.len &&
	       !query->id && query->tagged == TAGGED_WHATEVER && query->pushed_from_us == 0 &&
	       query->pushed_until_us == INT64_MAX && !query->label_count;
}

/* By [of_project][ascending]. */
static const struct sql_statement *const plain_pages[2][2] = {
	{ &SQL_ARTIFACT_NEWEST_OF_REPOSITORY, &SQL_ARTIFACT_OLDEST_OF_REPOSITORY },
	{ &SQL_ARTIFACT_NEWEST_OF_PROJECT, &SQL_ARTIFACT_OLDEST_OF_PROJECT },
};

static const struct sql_statement *const fitting_pages[2][2][ARTIFACT_ORDER_COUNT] = {
	{ { &SQL_ARTIFACT_OF_REPOSITORY_BY_PUSHED_AT_US_DOWN,
	    &SQL_ARTIFACT_OF_REPOSITORY_BY_PULLED_AT_US_DOWN,
	    &SQL_ARTIFACT_OF_REPOSITORY_BY_SIZE_BYTES_DOWN },
	  { &SQL_ARTIFACT_OF_REPOSITORY_BY_PUSHED_AT_US_UP,
	    &SQL_ARTIFACT_OF_REPOSITORY_BY_PULLED_AT_US_UP,
	    &SQL_ARTIFACT_OF_REPOSITORY_BY_SIZE_BYTES_UP } },
	{ { &SQL_ARTIFACT_OF_PROJECT_BY_PUSHED_AT_US_DOWN,
	    &SQL_ARTIFACT_OF_PROJECT_BY_PULLED_AT_US_DOWN,
	    &SQL_ARTIFACT_OF_PROJECT_BY_SIZE_BYTES_DOWN },
	  { &SQL_ARTIFACT_OF_PROJECT_BY_PUSHED_AT_US_UP,
	    &SQL_ARTIFACT_OF_PROJECT_BY_PULLED_AT_US_UP,
	    &SQL_ARTIFACT_OF_PROJECT_BY_SIZE_BYTES_UP } },
};

#define FIT_COUNT 12

/* The parameters that pages and counts share; the page's own two come behind them. */
static struct sql_args fitting_args(struct ctx *ctx, const struct artifact_query *query)
{
	struct sql_value *values = ARENA_ARRAY(ctx->arena, struct sql_value, FIT_COUNT + 2);
	const struct sql_value fits[FIT_COUNT + 2] = {
		SQL_I64(query->of_id),
		SQL_I64(query->all),
		SQL_TEXT(query->type),
		SQL_TEXT(query->media_type),
		SQL_I64(query->id),
		SQL_I64(query->tagged),
		SQL_TEXT(query->tag_like),
		SQL_I64(query->pushed_from_us),
		SQL_I64(query->pushed_until_us),
		SQL_I64(query->latest),
		SQL_I64(query->label_count),
		SQL_TEXT(query->label_ids),
		SQL_I64(query->max),
		SQL_I64(query->offset),
	};
	for (size_t i = 0; i < COUNT_OF(fits); i++)
		values[i] = fits[i];
	return (struct sql_args){ values, COUNT_OF(fits) };
}

err_t db_artifact_page_from(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
			    const struct artifact_place *from, struct artifact **ret,
			    size_t *ret_count)
{
	struct sql_args args =
		SQL_ARGS(SQL_I64(query->of_id), SQL_I64(query->max), SQL_I64(query->offset),
			 SQL_I64(from->pushed_at_us), SQL_I64(from->id));
	if (query->ascending)
		args.count = 3;
	return db_rows_read(ctx, tx, plain_pages[query->of_project][query->ascending], args,
			    &artifact_reader, (void **)ret, ret_count);
}

err_t db_artifact_page(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
		       struct artifact **ret, size_t *ret_count)
{
	static const struct artifact_place beginning = ARTIFACT_BEGINNING;
	if (artifact_query_is_plain(query) && query->order == ARTIFACT_BY_PUSH)
		return db_artifact_page_from(ctx, tx, query, &beginning, ret, ret_count);
	const struct sql_statement *statement =
		query->id ? &SQL_ARTIFACT_NAMED
			  : fitting_pages[query->of_project][query->ascending][query->order];
	return db_rows_read(ctx, tx, statement, fitting_args(ctx, query), &artifact_reader,
			    (void **)ret, ret_count);
}

err_t db_artifact_count(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
			int64_t *ret)
{
	struct sql_args args = fitting_args(ctx, query);
	args.count = FIT_COUNT;
	const struct sql_statement *statement = query->id ? &SQL_ARTIFACT_FITTING_NAMED
						: query->of_project
							? &SQL_ARTIFACT_FITTING_OF_PROJECT
							: &SQL_ARTIFACT_FITTING_OF_REPOSITORY;
	return db_one_i64(ctx, tx, statement, args, ret);
}

err_t db_artifact_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct artifact *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_ARTIFACT_GET, SQL_ARGS(SQL_I64(id)), &rows));
	read_artifact(ctx, &rows, ret);
	return OK;
}

static void read_tag(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct artifact_tag *)item = (struct artifact_tag){
		.id = sql_i64(rows, 0),
		.repository_id = sql_i64(rows, 1),
		.artifact_id = sql_i64(rows, 2),
		.name = db_text(ctx, rows, 3),
		.pushed_at_us = sql_i64(rows, 4),
		.pulled_at_us = sql_i64(rows, 5),
	};
}

static const struct row_reader tag_reader = { sizeof(struct artifact_tag), read_tag };

err_t db_artifact_tags(struct ctx *ctx, struct sql_tx *tx, str ids, size_t max,
		       struct artifact_tag **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_ARTIFACT_TAGS,
			    SQL_ARGS(SQL_TEXT(ids), SQL_I64((int64_t)max)), &tag_reader,
			    (void **)ret, ret_count);
}

static void read_child(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct artifact_child *)item = (struct artifact_child){
		.parent_id = sql_i64(rows, 0),
		.id = sql_i64(rows, 1),
		.digest_text = db_text(ctx, rows, 2),
	};
}

err_t db_artifact_children(struct ctx *ctx, struct sql_tx *tx, str ids, size_t max,
			   struct artifact_child **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct artifact_child), read_child };
	return db_rows_read(ctx, tx, &SQL_ARTIFACT_CHILD_IDS,
			    SQL_ARGS(SQL_TEXT(ids), SQL_I64((int64_t)max)), &reader, (void **)ret,
			    ret_count);
}

err_t db_artifact_tag_page(struct ctx *ctx, struct sql_tx *tx, int64_t id, str like,
			   struct page page, struct artifact_tag **ret, size_t *ret_count)
{
	return db_rows_read(
		ctx, tx, &SQL_ARTIFACT_TAG_PAGE,
		SQL_ARGS(SQL_I64(id), SQL_TEXT(like), SQL_I64(page.max), SQL_I64(page.offset)),
		&tag_reader, (void **)ret, ret_count);
}

err_t db_artifact_tag_count(struct ctx *ctx, struct sql_tx *tx, int64_t id, str like, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_ARTIFACT_TAG_COUNT, SQL_ARGS(SQL_I64(id), SQL_TEXT(like)),
			  ret);
}

err_t db_artifact_accessories(struct ctx *ctx, struct sql_tx *tx, const struct artifact *subject,
			      str type, struct page page, struct artifact **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_ARTIFACT_ACCESSORIES,
			    SQL_ARGS(SQL_I64(subject->repository_id),
				     SQL_TEXT(subject->digest_text), SQL_TEXT(type),
				     SQL_I64(page.max), SQL_I64(page.offset)),
			    &artifact_reader, (void **)ret, ret_count);
}

err_t db_artifact_accessory_count(struct ctx *ctx, struct sql_tx *tx,
				  const struct artifact *subject, str type, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_ARTIFACT_ACCESSORY_COUNT,
			  SQL_ARGS(SQL_I64(subject->repository_id), SQL_TEXT(subject->digest_text),
				   SQL_TEXT(type)),
			  ret);
}

err_t db_artifact_icon_holders(struct ctx *ctx, struct sql_tx *tx, str digest_text, size_t max,
			       str **ret, size_t *ret_count)
{
	return db_rows_read(
		ctx, tx, &SQL_ARTIFACT_ICON_HOLDERS,
		SQL_ARGS(SQL_TEXT(digest_text), SQL_I64(ctx->tenant_id), SQL_I64((int64_t)max)),
		&db_text_reader, (void **)ret, ret_count);
}
