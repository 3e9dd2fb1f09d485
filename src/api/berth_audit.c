/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_audit.c - the audit trail by our own API: whole records, pages by a cursor whose cost does
 * not grow, export, proof, and erasing a person.
 *
 * Queries are Harbor's (audit_query.h). A cursor is the place of the last record seen, "TIME-ID".
 */
#include "api/audit.h"
#include "api/audit_query.h"
#include "api/handlers.h"
#include "base/clock.h"
#include "notify/audit.h"
#include "notify/audit_check.h"
#include "notify/audit_erase.h"
#include "notify/audit_text.h"

#include <inttypes.h>

#include "base/banned.h"

#define PAGE_BYTES_MAX	 MIB(16)
#define USERNAME_MAX	 KIB(1)
#define EXPORT_ROWS	 200
#define LIST_WALK_MS	 20
#define EXPORT_WALK_MS	 1000
#define EXPORT_ARENA_MAX MIB(32)

static err_t read_cursor(struct ctx *ctx, struct request *rq, struct audit_place *ret)
{
	str text = request_query(rq, STR("cursor")), time_text, id_text;
	uint64_t time_us = 0, id = 0;
	if (text.len &&
	    (!str_cut(text, '-', &time_text, &id_text) ||
	     !str_to_u64(time_text, INT64_MAX, &time_us) || !str_to_u64(id_text, INT64_MAX, &id)))
		return fail(ctx, ERR_REQUEST_INVALID, "cursor is none of this registry's");
	*ret = (struct audit_place){ (int64_t)time_us, (int64_t)id };
	return OK;
}

static err_t read_query(struct ctx *ctx, struct request *rq, struct audit_query *query)
{
	TRY(audit_query_all(ctx, rq, query));
	query->search.page.skip = 0;
	return read_cursor(ctx, rq, &query->search.page.after);
}

/* --- searching ------------------------------------------------------------------------------ */

err_t berth_audit_list(struct ctx *ctx, struct request *rq)
{
	struct audit_query query;
	struct audit_found found;
	TRY(read_query(ctx, rq, &query));
	query.search.walk_ms = LIST_WALK_MS;
	TRY(audit_search(ctx, rq->api->options.audit, &query.search, &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(PAGE_BYTES_MAX);
	buf_add(&body, STR("{\"records\":["));
	for (size_t i = 0; i < found.count; i++) {
		if (i)
			buf_add_byte(&body, ',');
		audit_text_json(ctx, &body, &found.rows[i]);
	}
	buf_add_byte(&body, ']');
	if (found.more)
		buf_printf(&body, ",\"next\":\"%" PRId64 "-%" PRId64 "\"", found.next.time_us,
			   found.next.id);
	buf_add_byte(&body, '}');
	return answer_object(ctx, rq, &body);
}

/* --- exporting ------------------------------------------------------------------------------ */

struct export
{
	struct request *rq;
	struct audit_search *search;
	bool csv;
	struct ctx page; /* whose arena holds the page at hand */
	bool ended;
};

static err_t write_page(struct ctx *ctx, struct export *export, const struct audit_row *rows,
			size_t count)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIT_TEXT_BYTES_MAX);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&b);
		if (export->csv)
			audit_text_csv(&export->page, &b, &rows[i]);
		else
			audit_text_json(&export->page, &b, &rows[i]);
		if (!export->csv)
			buf_add_byte(&b, '\n');
		if (buf_overrun(&b))
			return fail(ctx, ERR_LIMIT, "record %" PRId64 " is too large", rows[i].id);
		TRY(exchange_write(export->rq->x, buf_str(&b)));
	}
	return OK;
}

static err_t export_page(struct ctx *ctx, struct export *export)
{
	struct audit_found found;
	arena_reset(export->page.arena);
	export->page.deadline_ns = ctx->deadline_ns;
	err_t err =
		audit_search(&export->page, export->rq->api->options.audit, export->search, &found);
	if (err != OK) {
		ctx->failure = export->page.failure;
		return err;
	}
	export->ended = !found.more;
	export->search->page.after = found.next;
	ctx_progress(ctx); /* it gets on, be there much to send or little */
	return write_page(ctx, export, found.rows, found.count);
}

static err_t read_format(struct ctx *ctx, struct request *rq, bool *ret_csv)
{
	str format = request_query(rq, STR("format"));
	*ret_csv = str_eq(format, STR("csv"));
	if (format.len && !*ret_csv && !str_eq(format, STR("jsonl")))
		return fail(ctx, ERR_UNPROCESSABLE, "format is jsonl or csv");
	return OK;
}

static err_t export_begin(struct export *export)
{
	CLEANUP(buf_done) struct buf head = BUF_INIT(KIB(4));
	struct exchange *x = export->rq->x;
	exchange_header(x, STR("Content-Type"),
			export->csv ? STR("text/csv; charset=utf-8; header=present")
				    : STR("application/jsonl"));
	exchange_header(x, STR("Content-Disposition"),
			export->csv ? STR("attachment; filename=\"audit.csv\"")
				    : STR("attachment; filename=\"audit.jsonl\""));
	TRY(exchange_begin(x, 200, HTTP_BODY_UNKNOWN));
	if (export->csv)
		audit_text_csv_head(&head);
	return head.len ? exchange_write(x, buf_str(&head)) : OK;
}

err_t berth_audit_export(struct ctx *ctx, struct request *rq)
{
	struct audit_query query;
	struct export export = { .rq = rq, .search = &query.search };
	TRY(read_query(ctx, rq, &query));
	TRY(read_format(ctx, rq, &export.csv));
	query.search.page.max = EXPORT_ROWS;
	query.search.walk_ms = EXPORT_WALK_MS;
	export.ended = rq->x->head->method == HTTP_HEAD;
	audit_change(rq, AUDIT_EXPORT_AUDIT)->resource = request_query(rq, STR("q"));
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, EXPORT_ARENA_MAX);
	ctx_init(&export.page, &arena);
	TRY(export_begin(&export));
	while (!export.ended)
		TRY(export_page(ctx, &export));
	return exchange_end(rq->x);
}

/* --- proof ---------------------------------------------------------------------------------- */

static void write_check(struct buf *b, const struct audit_check *check)
{
	static const char *const states[] = { "never", "running", "failed", "finished" };
	size_t state = !check->started_at_us ? 0 : check->running ? 1 : check->failed ? 2 : 3;
	struct json_writer w = JSON_WRITER(b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "state", str_from(states[state]));
	json_write_time(&w, "started_time", check->started_at_us);
	json_write_time(&w, "finished_time", check->finished_at_us);
	if (state == 3) {
		CLEANUP(buf_done) struct buf verdict = BUF_INIT(KIB(4));
		audit_verdict_write(&verdict, &check->verdict);
		json_write_raw(&w, "verdict", buf_str(&verdict));
	}
	json_write_object_end(&w);
}

err_t berth_audit_check_get(struct ctx *ctx, struct request *rq)
{
	struct audit_check check;
	audit_check_state(rq->api->options.audit, &check);
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(8));
	write_check(&body, &check);
	return answer_object(ctx, rq, &body);
}

err_t berth_audit_check_start(struct ctx *ctx, struct request *rq)
{
	TRY(audit_check_start(ctx, rq->api->options.audit));
	return berth_audit_check_get(ctx, rq);
}

err_t berth_audit_status(struct ctx *ctx, struct request *rq)
{
	struct audit_stats stats;
	audit_stats(rq->api->options.audit, &stats);
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(8));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "written", (int64_t)stats.written);
	json_write_i64(&w, "noted", (int64_t)stats.noted);
	json_write_i64(&w, "dropped", (int64_t)stats.dropped);
	json_write_i64(&w, "queued_bytes", (int64_t)stats.queued_bytes);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- forwarding ----------------------------------------------------------------------------- */

static void write_time(struct json_writer *w, const char *key, int64_t time_us)
{
	if (time_us)
		json_write_time(w, key, time_us);
}

static void write_report(struct json_writer *w, const struct forward_report *report)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "name", str_from(report->name));
	json_write_str(w, "kind", str_from(report->kind));
	json_write_str(w, "address", report->address);
	json_write_str(w, "state", str_from(forward_state_name(report->state)));
	json_write_i64(w, "queued", (int64_t)report->queued);
	json_write_i64(w, "queued_bytes", (int64_t)report->queued_bytes);
	json_write_i64(w, "queue_max", (int64_t)report->queue_max);
	json_write_i64(w, "queue_bytes_max", (int64_t)report->queue_bytes_max);
	json_write_i64(w, "sent", (int64_t)report->sent);
	json_write_i64(w, "dropped", (int64_t)report->dropped);
	write_time(w, "last_sent_time", report->last_sent_at_us);
	write_time(w, "last_error_time", report->last_error_at_us);
	if (report->last_error.len)
		json_write_str(w, "last_error", report->last_error);
	json_write_object_end(w);
}

err_t berth_audit_forwarding(struct ctx *ctx, struct request *rq)
{
	struct forward_report reports[FORWARD_TARGETS_MAX];
	size_t count = forward_list(ctx, audit_forward(rq->api->options.audit), reports);
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(32));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "targets");
	for (size_t i = 0; i < count; i++)
		write_report(&w, &reports[i]);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- erasing -------------------------------------------------------------------------------- */

struct erasure_body {
	str username;
};

static const struct json_field erasure_fields[] = {
	JSON_FIELD_STR(struct erasure_body, "username", username, USERNAME_MAX),
};

err_t berth_audit_erase(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct erasure_body asked = { 0 };
	struct audit_erased erased;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, erasure_fields, COUNT_OF(erasure_fields), &asked));
	if (!asked.username.len)
		return fail(ctx, ERR_UNPROCESSABLE, "username is empty");
	struct audit_event *by = audit_about(rq, AUDIT_ERASE_AUDIT);
	err_t err = audit_erase(ctx, rq->api->options.audit, asked.username, by, &erased);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "nobody of this name is in the trail");
	TRY(err);
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(1));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "pseudonym", erased.pseudonym);
	json_write_i64(&w, "records", erased.records);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
