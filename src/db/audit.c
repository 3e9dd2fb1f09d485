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
	return sql_exec(ctx, tx, &SQL_AUDIT_INSERT,
			SQL_ARGS(SQL_I64(row->time_us), SQL_I64(row->tenant_id),
				 SQL_I64(row->project_id), SQL_TEXT(row->project),
				 SQL_TEXT(row->actor_type), SQL_I64(row->actor_id),
				 SQL_TEXT(row->actor), SQL_TEXT(row->operation),
				 SQL_TEXT(row->resource_type), SQL_TEXT(row->resource),
				 SQL_TEXT_OR_NULL(row->digest), SQL_TEXT(row->address),
				 SQL_TEXT_OR_NULL(row->request_id), SQL_I64(row->result),
				 SQL_TEXT(row->detail)),
			NULL);
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
	LEADER_ACTOR,
	LEADER_ADDRESS,
	LEADER_RESULT,
	LEADER_RESOURCE_TYPE,
	LEADER_OPERATION,
	LEADER_PROJECT,
	LEADER_TENANT,
	LEADER_TIME,
};

static const struct {
	const char *column;
	const struct sql_statement *newest, *oldest, *count;
} leaders[] = {
#define LEADER(name, NAME)                                                                         \
	{                                                                                          \
		name, &SQL_AUDIT_NEWEST_BY_##NAME, &SQL_AUDIT_OLDEST_BY_##NAME,                    \
			&SQL_AUDIT_COUNT_BY_##NAME                                                 \
	}
	[LEADER_REQUEST_ID] = LEADER("request_id", REQUEST_ID),
	[LEADER_DIGEST] = LEADER("digest", DIGEST),
	[LEADER_RESOURCE] = LEADER("resource", RESOURCE),
	[LEADER_ACTOR] = LEADER("actor", ACTOR),
	[LEADER_ADDRESS] = LEADER("address", ADDRESS),
	[LEADER_RESULT] = LEADER("result", RESULT),
	[LEADER_RESOURCE_TYPE] = LEADER("resource_type", RESOURCE_TYPE),
	[LEADER_OPERATION] = LEADER("operation", OPERATION),
	[LEADER_PROJECT] = LEADER("project_id", PROJECT_ID),
	[LEADER_TENANT] = LEADER("tenant_id", TENANT_ID),
	[LEADER_TIME] = LEADER("time", TIME),
#undef LEADER
};

static bool leads(const struct audit_match *match)
{
	return match->text.len && !match->part;
}

/* Pulls and pushes of artifacts are most of any trail: whatever else is asked for is narrower. */
static bool is_rare(const struct audit_match *match)
{
	static const str common[] = { STR_INIT("pull"), STR_INIT("create"), STR_INIT("artifact"),
				      STR_INIT("issue"), STR_INIT("token") };
	for (size_t i = 0; i < COUNT_OF(common); i++)
		if (str_eq(match->text, common[i]))
			return false;
	return leads(match);
}

static enum leader leader_of(const struct audit_filter *filter)
{
	const struct {
		bool fits;
		enum leader leader;
	} order[] = {
		{ leads(&filter->request_id), LEADER_REQUEST_ID },
		{ leads(&filter->digest), LEADER_DIGEST },
		{ leads(&filter->resource), LEADER_RESOURCE },
		{ leads(&filter->actor), LEADER_ACTOR },
		{ leads(&filter->address), LEADER_ADDRESS },
		{ filter->result > AUDIT_ALLOWED, LEADER_RESULT },
		{ is_rare(&filter->resource_type), LEADER_RESOURCE_TYPE },
		{ is_rare(&filter->operation), LEADER_OPERATION },
		{ filter->project_id != AUDIT_ANY, LEADER_PROJECT },
		{ leads(&filter->operation), LEADER_OPERATION },
		{ leads(&filter->resource_type), LEADER_RESOURCE_TYPE },
		{ filter->tenant_id != AUDIT_ANY, LEADER_TENANT },
	};
	for (size_t i = 0; i < COUNT_OF(order); i++)
		if (order[i].fits)
			return order[i].leader;
	return LEADER_TIME;
}

const char *db_audit_leader(const struct audit_filter *filter)
{
	return leaders[leader_of(filter)].column;
}

static struct sql_value leading_value(const struct audit_filter *filter, enum leader leader)
{
	switch (leader) {
	case LEADER_REQUEST_ID:
		return SQL_TEXT(filter->request_id.text);
	case LEADER_DIGEST:
		return SQL_TEXT(filter->digest.text);
	case LEADER_RESOURCE:
		return SQL_TEXT(filter->resource.text);
	case LEADER_ACTOR:
		return SQL_TEXT(filter->actor.text);
	case LEADER_ADDRESS:
		return SQL_TEXT(filter->address.text);
	case LEADER_RESULT:
		return SQL_I64(filter->result);
	case LEADER_RESOURCE_TYPE:
		return SQL_TEXT(filter->resource_type.text);
	case LEADER_OPERATION:
		return SQL_TEXT(filter->operation.text);
	case LEADER_PROJECT:
		return SQL_I64(filter->project_id);
	case LEADER_TENANT:
		return SQL_I64(filter->tenant_id);
	case LEADER_TIME:
		break;
	}
	return SQL_NULL;
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

static struct sql_args make_args(struct ctx *ctx, const struct audit_filter *filter,
				 const struct audit_page *page, enum leader leader)
{
	int64_t end_us =
		page->oldest_first ? (filter->to_us ? filter->to_us : INT64_MAX) : filter->from_us;
	struct audit_place start = start_of(filter, page);
	const struct sql_value values[] = {
		number_or_any(filter->tenant_id),
		number_or_any(filter->project_id),
		SQL_I64(end_us),
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
		leading_value(filter, leader),
	};
	struct sql_value *kept = ARENA_ARRAY(ctx->arena, struct sql_value, COUNT_OF(values));
	for (size_t i = 0; i < COUNT_OF(values); i++)
		kept[i] = values[i];
	return (struct sql_args){ kept, COUNT_OF(values) - (leader == LEADER_TIME) };
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

err_t db_audit_count(struct ctx *ctx, struct sql_tx *tx, const struct audit_filter *filter,
		     size_t max, size_t *ret)
{
	enum leader leader = leader_of(filter);
	const struct audit_page page = { .max = max };
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, leaders[leader].count, make_args(ctx, filter, &page, leader), &rows));
	*ret = (size_t)sql_i64(&rows, 0);
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
