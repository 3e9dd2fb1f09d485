/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_audit.c - the audit trail as Harbor's API shows it.
 *
 * Two shapes: the old one has no place for a result, so it shows what was done and nothing that was
 * refused; the extended one shows all. Totals are counted up to COUNT_MAX, because counting the
 * whole trail would cost more than any page; who pages further is always told of one more.
 *
 * A page has no place to go on from, so what is so rare that WALK_MS do not find a page of it is
 * refused; our own API has such places.
 */
#include "api/audit_query.h"
#include "api/handlers.h"
#include "notify/audit.h"

#include "base/banned.h"

#define COUNT_MAX 1000
#define WALK_MS	  5000

static void write_common(struct json_writer *w, const struct audit_row *row)
{
	json_write_i64(w, "id", row->id);
	json_write_str(w, "username", row->actor);
	json_write_str(w, "resource", row->resource);
	json_write_str(w, "resource_type", row->resource_type);
	json_write_str(w, "operation", row->operation);
	json_write_time(w, "op_time", row->time_us);
}

static void write_log(struct ctx *ctx, struct json_writer *w, const struct audit_row *row)
{
	json_write_object_begin(w, NULL);
	write_common(w, row);
	json_write_object_end(w);
}

static void write_log_ext(struct ctx *ctx, struct json_writer *w, const struct audit_row *row)
{
	enum audit_type type;
	str text = row->operation;
	if (audit_type_find_by(row->operation, row->resource_type, &type))
		text = audit_type_info(type)->text;
	json_write_object_begin(w, NULL);
	write_common(w, row);
	json_write_str(w, "operation_description",
		       arena_printf(ctx->arena, STR_FMT ": " STR_FMT, STR_ARG(text),
				    STR_ARG(row->resource)));
	json_write_bool(w, "operation_result", row->result == AUDIT_ALLOWED);
	json_write_object_end(w);
}

/* How many there are, as far as they are counted; never fewer than have been seen. */
static err_t find_total(struct ctx *ctx, struct request *rq, const struct audit_query *query,
			size_t seen, int64_t *ret)
{
	size_t counted;
	bool more;
	TRY(audit_search_count(ctx, rq->api->options.audit, &query->search, COUNT_MAX, &counted,
			       &more));
	int64_t known = query->list.offset + (int64_t)seen;
	if (seen == query->search.page.max && more)
		known++; /* so that there is a next page */
	*ret = MAX((int64_t)counted, seen ? known : 0);
	return OK;
}

typedef void write_row(struct ctx *ctx, struct json_writer *w, const struct audit_row *row);

static err_t answer(struct ctx *ctx, struct request *rq, struct audit_query *query,
		    write_row *write)
{
	struct audit_found found;
	int64_t total;
	query->search.walk_ms = WALK_MS;
	TRY(audit_search(ctx, rq->api->options.audit, &query->search, &found));
	if (found.late)
		return fail(ctx, ERR_UNPROCESSABLE,
			    "this would take too long to find; narrow it by op_time");
	TRY(find_total(ctx, rq, query, found.count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < found.count; i++)
		write(ctx, &w, &found.rows[i]);
	json_write_array_end(&w);
	return list_answer(rq, &query->list, total, &body);
}

err_t harbor_audit_logs(struct ctx *ctx, struct request *rq)
{
	struct audit_query query;
	TRY(audit_query_all(ctx, rq, &query));
	audit_query_successes(&query);
	return answer(ctx, rq, &query, write_log);
}

err_t harbor_audit_exts(struct ctx *ctx, struct request *rq)
{
	struct audit_query query;
	TRY(audit_query_all(ctx, rq, &query));
	return answer(ctx, rq, &query, write_log_ext);
}

err_t harbor_project_logs(struct ctx *ctx, struct request *rq)
{
	struct audit_query query;
	TRY(audit_query_project(ctx, rq, &query));
	audit_query_successes(&query);
	return answer(ctx, rq, &query, write_log);
}

err_t harbor_project_log_exts(struct ctx *ctx, struct request *rq)
{
	struct audit_query query;
	TRY(audit_query_project(ctx, rq, &query));
	return answer(ctx, rq, &query, write_log_ext);
}

/* The types that can be switched off. */
err_t harbor_audit_events(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++) {
		const struct audit_type_info *info = audit_type_info(type);
		if (!info->optional)
			continue;
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "event_type", info->name);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}
