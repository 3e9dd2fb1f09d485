/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - see audit.h. */
#include "db/audit.h"
#include "audit.sql.h"
#include "audit_rows.h"
#include "rows.h"

#include "base/buf.h"

#include "base/banned.h"

#define PATTERN_MAX KIB(8)

err_t db_audit_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_row *row)
{
	return sql_exec_later(ctx, tx, &SQL_AUDIT_INSERT,
			      SQL_ARGS(SQL_I64(row->time_us), SQL_I64(row->tenant_id),
				       SQL_I64(row->project_id), SQL_TEXT(row->project),
				       SQL_TEXT(row->actor_type), SQL_I64(row->actor_id),
				       SQL_TEXT(row->actor), SQL_TEXT(row->operation),
				       SQL_TEXT(row->resource_type), SQL_TEXT(row->resource),
				       SQL_TEXT_OR_NULL(row->digest), SQL_TEXT(row->address),
				       SQL_TEXT_OR_NULL(row->request_id), SQL_I64(row->result),
				       SQL_TEXT(row->detail)));
}

void audit_row_read(struct ctx *ctx, const struct sql_rows *rows, struct audit_row *ret)
{
	int64_t result = sql_i64(rows, 14);
	*ret = (struct audit_row){
		.id = sql_i64(rows, 0),
		.time_us = sql_i64(rows, 1),
		.tenant_id = sql_i64(rows, 2),
		.project_id = sql_i64(rows, 3),
		.project = db_text(ctx, rows, 4),
		.actor_type = db_text(ctx, rows, 5),
		.actor_id = sql_i64(rows, 6),
		.actor = db_text(ctx, rows, 7),
		.operation = db_text(ctx, rows, 8),
		.resource_type = db_text(ctx, rows, 9),
		.resource = db_text(ctx, rows, 10),
		.digest = db_text(ctx, rows, 11),
		.address = db_text(ctx, rows, 12),
		.request_id = db_text(ctx, rows, 13),
		.result = result >= 0 && result < AUDIT_RESULT_COUNT ? (enum audit_result)result
								     : AUDIT_RESULT_COUNT,
		.detail = db_text(ctx, rows, 15),
	};
}

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	audit_row_read(ctx, rows, item);
}

static const struct row_reader row_reader = { sizeof(struct audit_row), read_row };

/* --- searching ------------------------------------------------------------------------------ */

enum leader {
	LEADER_REQUEST_ID,
	LEADER_DIGEST,
	LEADER_RESOURCE,
	LEADER_ACTOR_TYPE,
	LEADER_RESULT_TYPE,
	LEADER_PROJECT_ACTOR,
	LEADER_ACTOR,
	LEADER_PROJECT_TYPE,
	LEADER_ADDRESS,
	LEADER_RESULT,
	LEADER_TYPE,
	LEADER_PROJECT,
	LEADER_TENANT,
	LEADER_TIME,
	LEADER_COUNT,
};

/* What a filter asks for by equality; a leader stands for some of it. */
enum {
	ASKS_REQUEST_ID = 1 << 0,
	ASKS_DIGEST = 1 << 1,
	ASKS_RESOURCE = 1 << 2,
	ASKS_ACTOR = 1 << 3,
	ASKS_ADDRESS = 1 << 4,
	ASKS_RESULT = 1 << 5,
	ASKS_TYPE = 1 << 6, /* an operation on a kind of resource */
	ASKS_PROJECT = 1 << 7,
	ASKS_TENANT = 1 << 8,
	ASKS_OTHER = 1 << 9, /* parts of texts, half a type: no leader has it */
};

/* In the order in which they are chosen: what is likely to be the narrowest first. */
static const struct {
	const char *columns;
	unsigned asks;
	const struct sql_statement *newest, *oldest, *newest_edge, *oldest_edge, *count;
} leaders[LEADER_COUNT] = {
#define LEADER(columns_, NAME, asks_)                                                              \
	{                                                                                          \
		columns_, asks_, &SQL_AUDIT_NEWEST_BY_##NAME, &SQL_AUDIT_OLDEST_BY_##NAME,         \
			&SQL_AUDIT_NEWEST_EDGE_BY_##NAME, &SQL_AUDIT_OLDEST_EDGE_BY_##NAME,        \
			&SQL_AUDIT_COUNT_BY_##NAME                                                 \
	}
	[LEADER_REQUEST_ID] = LEADER("request_id", REQUEST_ID, ASKS_REQUEST_ID),
	[LEADER_DIGEST] = LEADER("digest", DIGEST, ASKS_DIGEST),
	[LEADER_RESOURCE] = LEADER("resource", RESOURCE, ASKS_RESOURCE),
	[LEADER_ACTOR_TYPE] = LEADER("actor, type", ACTOR_TYPE, ASKS_ACTOR | ASKS_TYPE),
	[LEADER_RESULT_TYPE] = LEADER("result, type", RESULT_TYPE, ASKS_RESULT | ASKS_TYPE),
	[LEADER_PROJECT_ACTOR] = LEADER("project, actor", PROJECT_ACTOR, ASKS_PROJECT | ASKS_ACTOR),
	[LEADER_ACTOR] = LEADER("actor", ACTOR, ASKS_ACTOR),
	[LEADER_PROJECT_TYPE] = LEADER("project, type", PROJECT_TYPE, ASKS_PROJECT | ASKS_TYPE),
	[LEADER_ADDRESS] = LEADER("address", ADDRESS, ASKS_ADDRESS),
	[LEADER_RESULT] = LEADER("result", RESULT, ASKS_RESULT),
	[LEADER_TYPE] = LEADER("type", TYPE, ASKS_TYPE),
	[LEADER_PROJECT] = LEADER("project", PROJECT_ID, ASKS_PROJECT),
	[LEADER_TENANT] = LEADER("tenant", TENANT_ID, ASKS_TENANT),
	[LEADER_TIME] = LEADER("time", TIME, 0),
#undef LEADER
};

static unsigned asks_for(const struct audit_match *match, unsigned what)
{
	if (!match->text.len)
		return 0;
	return match->part ? ASKS_OTHER : what;
}

static unsigned type_of(const struct audit_filter *filter)
{
	const struct audit_match *operation = &filter->operation,
				 *resource = &filter->resource_type;
	if (!operation->text.len && !resource->text.len)
		return 0;
	bool whole =
		operation->text.len && !operation->part && resource->text.len && !resource->part;
	return whole ? ASKS_TYPE : ASKS_OTHER;
}

static unsigned asked_by(const struct audit_filter *filter)
{
	return asks_for(&filter->request_id, ASKS_REQUEST_ID) |
	       asks_for(&filter->digest, ASKS_DIGEST) | asks_for(&filter->resource, ASKS_RESOURCE) |
	       asks_for(&filter->actor, ASKS_ACTOR) | asks_for(&filter->address, ASKS_ADDRESS) |
	       type_of(filter) | (filter->result != AUDIT_ANY ? ASKS_RESULT : 0) |
	       (filter->project_id != AUDIT_ANY ? ASKS_PROJECT : 0) |
	       (filter->tenant_id != AUDIT_ANY ? ASKS_TENANT : 0);
}

/* Nearly everything is allowed: that narrows nothing. */
static enum leader leader_of(const struct audit_filter *filter)
{
	unsigned asked = asked_by(filter);
	if (filter->result == AUDIT_ALLOWED)
		asked &= ~(unsigned)ASKS_RESULT;
	for (enum leader leader = 0; leader < LEADER_TIME; leader++)
		if (!(leaders[leader].asks & ~asked))
			return leader;
	return LEADER_TIME;
}

bool db_audit_is_led(const struct audit_filter *filter)
{
	return !(asked_by(filter) & ~leaders[leader_of(filter)].asks);
}

const char *db_audit_leader(const struct audit_filter *filter)
{
	return leaders[leader_of(filter)].columns;
}

/* The values of the leader's columns, in their statements' order; how many there are. */
static size_t leading_values(const struct audit_filter *filter, enum leader leader,
			     struct sql_value into[3])
{
	const struct {
		unsigned what;
		struct sql_value value;
	} order[] = {
		{ ASKS_REQUEST_ID, SQL_TEXT(filter->request_id.text) },
		{ ASKS_DIGEST, SQL_TEXT(filter->digest.text) },
		{ ASKS_RESOURCE, SQL_TEXT(filter->resource.text) },
		{ ASKS_ADDRESS, SQL_TEXT(filter->address.text) },
		{ ASKS_RESULT, SQL_I64(filter->result) },
		{ ASKS_TENANT, SQL_I64(filter->tenant_id) },
		{ ASKS_PROJECT, SQL_I64(filter->project_id) },
		{ ASKS_ACTOR, SQL_TEXT(filter->actor.text) },
		{ ASKS_TYPE, SQL_TEXT(filter->operation.text) },
		{ ASKS_TYPE, SQL_TEXT(filter->resource_type.text) },
	};
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(order); i++)
		if (leaders[leader].asks & order[i].what)
			into[count++] = order[i].value;
	return count;
}

/* A pattern for LIKE, with `\` as its escape; NULL for anything. */
static struct sql_value pattern(struct ctx *ctx, const struct audit_match *match)
{
	if (!match->text.len)
		return SQL_NULL;
	CLEANUP(buf_done) struct buf b = BUF_INIT(PATTERN_MAX);
	if (match->part)
		buf_add_byte(&b, '%');
	for (size_t i = 0; i < match->text.len; i++) {
		char c = match->text.ptr[i];
		if (c == '%' || c == '_' || c == '\\')
			buf_add_byte(&b, '\\');
		buf_add_byte(&b, c);
	}
	if (match->part)
		buf_add_byte(&b, '%');
	return SQL_TEXT(arena_copy(ctx->arena, buf_str(&b)));
}

static struct sql_value number_or_any(int64_t number)
{
	return number == AUDIT_ANY ? SQL_NULL : SQL_I64(number);
}

/* Where a walk begins, in the numbers of the statements. */
static struct audit_place start_of(const struct audit_filter *filter, const struct audit_page *page)
{
	bool begins = !page->after.time_us && !page->after.id;
	if (page->oldest_first)
		return begins ? (struct audit_place){ filter->from_us, 0 } : page->after;
	int64_t to_us = filter->to_us ? filter->to_us : INT64_MAX;
	if (begins || page->after.time_us > to_us)
		return (struct audit_place){ to_us, INT64_MAX };
	return page->after;
}

/* The other end of the walk, included. */
static struct audit_place end_of(const struct audit_filter *filter, const struct audit_page *page)
{
	if (page->until.time_us || page->until.id)
		return page->until;
	if (!page->oldest_first)
		return (struct audit_place){ filter->from_us, 0 };
	return (struct audit_place){ filter->to_us ? filter->to_us : INT64_MAX, INT64_MAX };
}

static struct sql_args keep_args(struct ctx *ctx, const struct audit_filter *filter,
				 enum leader leader, const struct sql_value *values, size_t count)
{
	struct sql_value *kept = ARENA_ARRAY(ctx->arena, struct sql_value, count + 3);
	for (size_t i = 0; i < count; i++)
		kept[i] = values[i];
	return (struct sql_args){ kept, count + leading_values(filter, leader, kept + count) };
}

static struct sql_args make_args(struct ctx *ctx, const struct audit_filter *filter,
				 const struct audit_page *page, enum leader leader)
{
	struct audit_place start = start_of(filter, page), end = end_of(filter, page);
	const struct sql_value values[] = {
		number_or_any(filter->tenant_id),
		number_or_any(filter->project_id),
		SQL_I64(end.time_us),
		pattern(ctx, &filter->operation),
		pattern(ctx, &filter->resource_type),
		pattern(ctx, &filter->resource),
		pattern(ctx, &filter->actor),
		pattern(ctx, &filter->digest),
		pattern(ctx, &filter->address),
		pattern(ctx, &filter->request_id),
		number_or_any(filter->result),
		SQL_I64(start.time_us),
		SQL_I64(start.id),
		SQL_I64((int64_t)page->max),
		SQL_I64((int64_t)page->skip),
		SQL_I64(end.id),
	};
	return keep_args(ctx, filter, leader, values, COUNT_OF(values));
}

err_t db_audit_page(struct ctx *ctx, struct sql_tx *tx, const struct audit_filter *filter,
		    const struct audit_page *page, struct audit_row **ret, size_t *ret_count)
{
	enum leader leader = leader_of(filter);
	const struct sql_statement *statement =
		page->oldest_first ? leaders[leader].oldest : leaders[leader].newest;
	return db_rows_read(ctx, tx, statement, make_args(ctx, filter, page, leader), &row_reader,
			    (void **)ret, ret_count);
}

err_t db_audit_edge(struct ctx *ctx, struct sql_tx *tx, const struct audit_filter *filter,
		    const struct audit_page *page, size_t rows, struct audit_place *ret)
{
	enum leader leader = leader_of(filter);
	struct audit_place start = start_of(filter, page), end = end_of(filter, page);
	const struct sql_value values[] = {
		SQL_I64(end.time_us),
		SQL_I64(start.time_us),
		SQL_I64(start.id),
		SQL_I64((int64_t)rows - 1),
	};
	CLEANUP(sql_rows_done) struct sql_rows found = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx,
		    page->oldest_first ? leaders[leader].oldest_edge : leaders[leader].newest_edge,
		    keep_args(ctx, filter, leader, values, COUNT_OF(values)), &found));
	*ret = (struct audit_place){ sql_i64(&found, 0), sql_i64(&found, 1) };
	return OK;
}

err_t db_audit_count(struct ctx *ctx, struct sql_tx *tx, const struct audit_filter *filter,
		     size_t max, struct audit_place until, size_t *ret)
{
	enum leader leader = leader_of(filter);
	const struct audit_page page = { .max = max, .until = until };
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, leaders[leader].count, make_args(ctx, filter, &page, leader), &rows));
	*ret = (size_t)sql_i64(&rows, 0);
	return OK;
}

/* --- actors --------------------------------------------------------------------------------- */

struct actor {
	str name; /* empty: there are more */
	int64_t number;
};

static void read_actor(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct actor *)item =
		(struct actor){ .name = db_text(ctx, rows, 0), .number = sql_i64(rows, 1) };
}

err_t db_audit_actor_list(struct ctx *ctx, struct sql_tx *tx, str part, size_t max, str **ret,
			  size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct actor), read_actor };
	const struct audit_match match = { .text = part, .part = true };
	struct actor *actors;
	size_t count;
	TRY(db_rows_read(ctx, tx, &SQL_AUDIT_ACTOR_LIST,
			 SQL_ARGS(pattern(ctx, &match), SQL_I64((int64_t)max)), &reader,
			 (void **)&actors, &count));
	*ret = ARENA_ARRAY(ctx->arena, str, count + 1);
	*ret_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (actors[i].name.len && actors[i].number > (int64_t)max)
			return ERR_ABSENT;
		if (actors[i].name.len)
			(*ret)[(*ret_count)++] = actors[i].name;
	}
	return OK;
}

/* --- erasing -------------------------------------------------------------------------------- */

err_t db_audit_erase_page(struct ctx *ctx, struct sql_tx *tx, str name, int64_t after_id,
			  size_t max, struct audit_row **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_AUDIT_ERASE_PAGE,
			    SQL_ARGS(SQL_TEXT(name), SQL_I64(after_id), SQL_I64((int64_t)max)),
			    &row_reader, (void **)ret, ret_count);
}

err_t db_audit_erase(struct ctx *ctx, struct sql_tx *tx, const struct audit_row *row)
{
	TRY(db_exec_one(ctx, tx, &SQL_AUDIT_ERASE_RECORD,
			SQL_ARGS(SQL_I64(row->id), SQL_I64(row->actor_id), SQL_TEXT(row->actor),
				 SQL_TEXT(row->resource), SQL_TEXT(row->address),
				 SQL_TEXT(row->detail))));
	return sql_exec(ctx, tx, &SQL_AUDIT_ERASE_SALT, SQL_ARGS(SQL_I64(row->id)), NULL);
}

err_t db_audit_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_AUDIT_DELETE, SQL_ARGS(SQL_I64(id)));
}
