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

/* --- lists that an index leads through ---------------------------------------------------------
 */

/* What a query asks for; a lead stands for some of it. */
enum {
	ASKS_PROJECT = 1 << 0,
	ASKS_BY_PULL = 1 << 1,
	ASKS_BY_SIZE = 1 << 2,
	ASKS_TYPE = 1 << 3,
	ASKS_MEDIA_TYPE = 1 << 4,
	ASKS_UNTAGGED = 1 << 5,
	ASKS_LABEL = 1 << 6,
	ASKS_ALL = 1 << 7,
	ASKS_OTHER = 1 << 8, /* no lead has it */
};

/* `pages` by [ascending]; `count` NULL: counters know. */
static const struct lead {
	unsigned asks;
	const struct sql_statement *pages[2], *count;
} leads[] = {
	{ 0, { &SQL_ARTIFACT_NEWEST_OF_REPOSITORY, &SQL_ARTIFACT_OLDEST_OF_REPOSITORY }, NULL },
	{ ASKS_PROJECT,
	  { &SQL_ARTIFACT_NEWEST_OF_PROJECT, &SQL_ARTIFACT_OLDEST_OF_PROJECT },
	  NULL },
	{ ASKS_BY_PULL,
	  { &SQL_ARTIFACT_BY_PULLED_AT_US_DOWN, &SQL_ARTIFACT_BY_PULLED_AT_US_UP },
	  NULL },
	{ ASKS_BY_SIZE,
	  { &SQL_ARTIFACT_BY_SIZE_BYTES_DOWN, &SQL_ARTIFACT_BY_SIZE_BYTES_UP },
	  NULL },
	{ ASKS_TYPE,
	  { &SQL_ARTIFACT_NEWEST_OF_TYPE, &SQL_ARTIFACT_OLDEST_OF_TYPE },
	  &SQL_ARTIFACT_COUNT_OF_TYPE },
	{ ASKS_MEDIA_TYPE,
	  { &SQL_ARTIFACT_NEWEST_OF_MEDIA_TYPE, &SQL_ARTIFACT_OLDEST_OF_MEDIA_TYPE },
	  &SQL_ARTIFACT_COUNT_OF_MEDIA_TYPE },
	{ ASKS_UNTAGGED,
	  { &SQL_ARTIFACT_NEWEST_UNTAGGED, &SQL_ARTIFACT_OLDEST_UNTAGGED },
	  &SQL_ARTIFACT_COUNT_UNTAGGED },
	{ ASKS_LABEL,
	  { &SQL_ARTIFACT_NEWEST_LABELLED, &SQL_ARTIFACT_OLDEST_LABELLED },
	  &SQL_ARTIFACT_COUNT_LABELLED },
	{ ASKS_ALL,
	  { &SQL_ARTIFACT_NEWEST_OF_ALL, &SQL_ARTIFACT_OLDEST_OF_ALL },
	  &SQL_ARTIFACT_COUNT_OF_ALL },
};

static unsigned other_asks(const struct artifact_query *query)
{
	bool tags = query->tagged != TAGGED_WHATEVER && query->tagged != TAGGED_NOT;
	bool times = query->pushed_from_us != 0 || query->pushed_until_us != INT64_MAX;
	return query->id || query->latest || tags || times || query->label_count > 1 ? ASKS_OTHER
										     : 0;
}

static unsigned asked_by(const struct artifact_query *query)
{
	static const unsigned orders[ARTIFACT_ORDER_COUNT] = {
		[ARTIFACT_BY_PULL] = ASKS_BY_PULL,
		[ARTIFACT_BY_SIZE] = ASKS_BY_SIZE,
	};
	return (query->of_project ? ASKS_PROJECT : 0) | orders[query->order] |
	       (query->type.len ? ASKS_TYPE : 0) | (query->media_type.len ? ASKS_MEDIA_TYPE : 0) |
	       (query->tagged == TAGGED_NOT ? ASKS_UNTAGGED : 0) |
	       (query->label_count == 1 ? ASKS_LABEL : 0) | (query->all ? ASKS_ALL : 0) |
	       other_asks(query);
}

static const struct lead *find_lead(unsigned asked)
{
	for (size_t i = 0; i < COUNT_OF(leads); i++)
		if (leads[i].asks == asked)
			return &leads[i];
	return NULL;
}

bool artifact_query_is_led(const struct artifact_query *query)
{
	return find_lead(asked_by(query)) != NULL;
}

/* What is equal in all that the lead leads to. */
static struct sql_value led_value(const struct artifact_query *query, const struct lead *lead)
{
	if (lead->asks & ASKS_LABEL)
		return SQL_I64(query->label_id);
	return SQL_TEXT(lead->asks & ASKS_TYPE ? query->type : query->media_type);
}

static err_t read_led(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
		      struct artifact_place from, struct artifact **ret, size_t *ret_count)
{
	const struct lead *lead = find_lead(asked_by(query));
	const struct sql_statement *statement = lead->pages[query->ascending];
	struct sql_args args =
		SQL_ARGS(SQL_I64(query->of_id), SQL_I64(query->max), SQL_I64(query->offset),
			 SQL_I64(from.value), SQL_I64(from.id), led_value(query, lead));
	args.count = statement->parameters;
	return db_rows_read(ctx, tx, statement, args, &artifact_reader, (void **)ret, ret_count);
}

/* --- other lists -------------------------------------------------------------------------------
 */

#define BY(what, scope, direction)                                                                 \
	{                                                                                          \
		&SQL_ARTIFACT_##what##_OF_##scope##_BY_PUSHED_AT_US_##direction,                   \
			&SQL_ARTIFACT_##what##_OF_##scope##_BY_PULLED_AT_US_##direction,           \
			&SQL_ARTIFACT_##what##_OF_##scope##_BY_SIZE_BYTES_##direction,             \
	}
/* By [all][of_project][ascending][order]. */
static const struct sql_statement *const fitting_pages[2][2][2][ARTIFACT_ORDER_COUNT] = {
	{ { BY(LISTED, REPOSITORY, DOWN), BY(LISTED, REPOSITORY, UP) },
	  { BY(LISTED, PROJECT, DOWN), BY(LISTED, PROJECT, UP) } },
	{ { BY(WHATEVER, REPOSITORY, DOWN), BY(WHATEVER, REPOSITORY, UP) },
	  { BY(WHATEVER, PROJECT, DOWN), BY(WHATEVER, PROJECT, UP) } },
};
#undef BY

/* By [all]. */
static const struct sql_statement *const named_pages[2] = {
	&SQL_ARTIFACT_NAMED_LISTED,
	&SQL_ARTIFACT_NAMED_WHATEVER,
};
/* By [all][of_project]. */
static const struct sql_statement *const counts[2][2] = {
	{ &SQL_ARTIFACT_COUNT_LISTED_OF_REPOSITORY, &SQL_ARTIFACT_COUNT_LISTED_OF_PROJECT },
	{ &SQL_ARTIFACT_COUNT_WHATEVER_OF_REPOSITORY, &SQL_ARTIFACT_COUNT_WHATEVER_OF_PROJECT },
};
static const struct sql_statement *const named_counts[2] = {
	&SQL_ARTIFACT_COUNT_LISTED_NAMED,
	&SQL_ARTIFACT_COUNT_WHATEVER_NAMED,
};

#define FITTING_VALUES 15

/* What all of them take; a count does without the page and its place. */
static struct sql_args fitting_args(struct ctx *ctx, const struct artifact_query *query,
				    struct artifact_place from)
{
	struct sql_value *values = ARENA_ARRAY(ctx->arena, struct sql_value, FITTING_VALUES);
	const struct sql_value fits[FITTING_VALUES] = {
		SQL_I64(query->of_id),
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
		SQL_I64(from.value),
		SQL_I64(from.id),
	};
	for (size_t i = 0; i < FITTING_VALUES; i++)
		values[i] = fits[i];
	return (struct sql_args){ values, FITTING_VALUES };
}

/* --- pages and counts --------------------------------------------------------------------------
 */

struct artifact_place artifact_beginning(const struct artifact_query *query)
{
	int64_t most = query->ascending ? INT64_MIN : INT64_MAX;
	return (struct artifact_place){ most, most };
}

struct artifact_place artifact_place_of(const struct artifact_query *query,
					const struct artifact *row)
{
	const int64_t values[ARTIFACT_ORDER_COUNT] = {
		[ARTIFACT_BY_PUSH] = asked_by(query) == ASKS_ALL ? row->id : row->pushed_at_us,
		[ARTIFACT_BY_PULL] = row->pulled_at_us,
		[ARTIFACT_BY_SIZE] = row->size_bytes,
	};
	return (struct artifact_place){ values[query->order], row->id };
}

err_t db_artifact_page(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
		       struct artifact_place from, struct artifact **ret, size_t *ret_count)
{
	if (artifact_query_is_led(query))
		return read_led(ctx, tx, query, from, ret, ret_count);
	const struct sql_statement *statement =
		query->id ? named_pages[query->all]
			  : fitting_pages[query->all][query->of_project][query->ascending]
					 [query->order];
	struct sql_args args = fitting_args(ctx, query, from);
	args.count = statement->parameters;
	return db_rows_read(ctx, tx, statement, args, &artifact_reader, (void **)ret, ret_count);
}

err_t db_artifact_count(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
			int64_t *ret)
{
	const struct lead *lead = find_lead(asked_by(query) & ~(ASKS_BY_PULL | ASKS_BY_SIZE));
	if (lead && lead->count) {
		struct sql_args args = SQL_ARGS(SQL_I64(query->of_id), led_value(query, lead));
		args.count = lead->count->parameters;
		return db_one_i64(ctx, tx, lead->count, args, ret);
	}
	const struct sql_statement *statement =
		query->id ? named_counts[query->all] : counts[query->all][query->of_project];
	struct sql_args args = fitting_args(ctx, query, artifact_beginning(query));
	args.count = statement->parameters;
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
