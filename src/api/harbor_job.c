/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_job.c - queues, workers and schedules of all that happens by itself, in the words of
 * Harbor's job service. A pool is a node, a queue a kind of job, and a job's id is that of its row.
 */
#include "api/audit.h"
#include "api/background.h"
#include "api/handlers.h"

#include "base/banned.h"

#define ALL	   "all"
#define ACTION_MAX 16

static struct jobs *jobs_of(struct request *rq)
{
	return rq->api->options.jobs;
}

/* --- nodes and what they run ------------------------------------------------------------------ */

static void write_pool(struct json_writer *w, const struct job_node *node)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "worker_pool_id", node->owner);
	json_write_i64(w, "pid", node->pid);
	json_write_str(w, "host", node->host);
	json_write_i64(w, "concurrency", node->workers);
	json_write_time(w, "start_at", node->started_at_us);
	json_write_time(w, "heartbeat_at", node->seen_at_us);
	json_write_object_end(w);
}

err_t harbor_pool_list(struct ctx *ctx, struct request *rq)
{
	struct job_node *nodes;
	size_t count;
	TRY(jobs_nodes(ctx, jobs_of(rq), &nodes, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_pool(&w, &nodes[i]);
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}

/* Of how much, where that is known. */
static str progress_of(struct ctx *ctx, const struct job_row *row)
{
	long long done = row->progress_done, total = row->progress_total;
	return total ? arena_printf(ctx->arena, "%lld of %lld", done, total)
		     : arena_printf(ctx->arena, "%lld", done);
}

/* One that rests has no job. */
static void write_worker(struct ctx *ctx, struct json_writer *w, const struct job_node *node,
			 size_t at, const struct job_row *row)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "id", arena_printf(ctx->arena, STR_FMT "-%zu", STR_ARG(node->owner), at));
	json_write_str(w, "pool_id", node->owner);
	if (row) {
		json_write_str(w, "job_name", row->kind);
		json_write_str(w, "job_id", arena_printf(ctx->arena, "%lld", (long long)row->id));
		json_write_time(w, "start_at", row->started_at_us);
		if (row->progress_done || row->progress_total)
			json_write_str(w, "check_in", progress_of(ctx, row));
	}
	json_write_object_end(w);
}

static err_t write_workers(struct ctx *ctx, struct request *rq, struct json_writer *w,
			   const struct job_node *node)
{
	struct job_row *rows;
	size_t count, workers = (size_t)node->workers;
	TRY(jobs_running_at(ctx, jobs_of(rq), node->owner, &rows, &count));
	for (size_t i = 0; i < MAX(count, workers); i++)
		write_worker(ctx, w, node, i, i < count ? &rows[i] : NULL);
	return OK;
}

/* Of one node, or of all. */
err_t harbor_worker_list(struct ctx *ctx, struct request *rq)
{
	struct job_node *nodes;
	size_t count, found = 0;
	bool all = str_eq(rq->word, STR(ALL));
	TRY(jobs_nodes(ctx, jobs_of(rq), &nodes, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++) {
		if (!all && !str_eq(nodes[i].owner, rq->word))
			continue;
		TRY(write_workers(ctx, rq, &w, &nodes[i]));
		found++;
	}
	json_write_array_end(&w);
	if (!found && !all)
		return fail(ctx, ERR_NOT_FOUND, "there is no pool " STR_FMT, STR_ARG(rq->word));
	return answer_object(ctx, rq, &body);
}

static err_t find_job(struct ctx *ctx, struct request *rq, struct job_row *ret)
{
	uint64_t id;
	if (!str_to_u64(rq->word, INT64_MAX, &id))
		return fail(ctx, ERR_NOT_FOUND, "a job's id is a number");
	return jobs_get(ctx, jobs_of(rq), (int64_t)id, ret);
}

/* {word} "all": whatever runs. */
static err_t stop_all(struct ctx *ctx, struct request *rq)
{
	struct job_node *nodes;
	struct job_row *rows;
	size_t count, running;
	TRY(jobs_nodes(ctx, jobs_of(rq), &nodes, &count));
	for (size_t i = 0; i < count; i++) {
		TRY(jobs_running_at(ctx, jobs_of(rq), nodes[i].owner, &rows, &running));
		for (size_t at = 0; at < running; at++)
			TRY(background_end(ctx, rq, rows[at].id));
	}
	return OK;
}

err_t harbor_job_stop(struct ctx *ctx, struct request *rq)
{
	struct job_row row;
	if (str_eq(rq->word, STR(ALL))) {
		TRY(stop_all(ctx, rq));
		return answer_empty(rq, 200);
	}
	TRY(find_job(ctx, rq, &row));
	TRY(background_end(ctx, rq, row.id));
	return answer_empty(rq, 200);
}

err_t harbor_job_log(struct ctx *ctx, struct request *rq)
{
	struct job_row row;
	TRY(find_job(ctx, rq, &row));
	return background_log(ctx, rq, row.id);
}

/* --- queues ----------------------------------------------------------------------------------- */

static void write_queue(struct json_writer *w, const struct jobs_kind_stats *now)
{
	const struct job_count *ready = &now->counts[JOB_READY];
	int64_t waits_us = ready->ready_at_us ? MAX(ready->now_us - ready->ready_at_us, 0) : 0;
	json_write_object_begin(w, NULL);
	json_write_str(w, "job_type", str_from(now->title));
	json_write_i64(w, "count", ready->count + now->counts[JOB_ASLEEP].count);
	json_write_i64(w, "latency", waits_us / 1000000);
	json_write_bool(w, "paused", now->paused);
	json_write_object_end(w);
}

err_t harbor_queue_list(struct ctx *ctx, struct request *rq)
{
	struct jobs_kind_stats now;
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < jobs_kind_count(jobs_of(rq)); i++) {
		TRY(jobs_kind_stats(ctx, jobs_of(rq), i, &now));
		write_queue(&w, &now);
	}
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}

enum queue_action { QUEUE_STOP, QUEUE_PAUSE, QUEUE_RESUME, QUEUE_ACTION_COUNT };

static err_t read_action(struct ctx *ctx, struct request *rq, enum queue_action *ret)
{
	static const char *const names[QUEUE_ACTION_COUNT] = { "stop", "pause", "resume" };
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct wanted {
		str action;
	} wanted = { 0 };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct wanted, "action", action, ACTION_MAX),
	};
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &wanted));
	for (unsigned i = 0; i < QUEUE_ACTION_COUNT; i++)
		if (str_eq(wanted.action, str_from(names[i]))) {
			*ret = (enum queue_action)i;
			return OK;
		}
	return fail(ctx, ERR_UNPROCESSABLE, "action is one of stop, pause and resume");
}

static err_t act(struct ctx *ctx, struct request *rq, const char *kind, enum queue_action action)
{
	int64_t count;
	struct audit_event *event =
		audit_change(rq, action == QUEUE_STOP ? AUDIT_STOP_JOB : AUDIT_UPDATE_SCHEDULE);
	event->resource = str_from(kind);
	if (action == QUEUE_STOP)
		return jobs_cancel_waiting(ctx, jobs_of(rq), str_from(kind), &count);
	event->after = action == QUEUE_PAUSE ? STR("{\"paused\":true}") : STR("{\"paused\":false}");
	return jobs_pause(ctx, jobs_of(rq), str_from(kind), action == QUEUE_PAUSE);
}

err_t harbor_queue_act(struct ctx *ctx, struct request *rq)
{
	enum queue_action action;
	const struct job_kind *kind = jobs_kind_find(jobs_of(rq), rq->word);
	TRY(read_action(ctx, rq, &action));
	if (!kind && !str_eq(rq->word, STR(ALL)))
		return fail(ctx, ERR_NOT_FOUND, "there is no queue " STR_FMT, STR_ARG(rq->word));
	if (kind) {
		TRY(act(ctx, rq, kind->name, action));
		return answer_empty(rq, 200);
	}
	for (size_t i = 0; i < jobs_kind_count(jobs_of(rq)); i++)
		TRY(act(ctx, rq, jobs_kind_name(jobs_of(rq), i), action));
	return answer_empty(rq, 200);
}

/* --- schedules -------------------------------------------------------------------------------- */

static void write_schedule(struct request *rq, struct json_writer *w,
			   const struct job_schedule_row *row)
{
	const struct job_kind *kind = jobs_kind_find(jobs_of(rq), row->kind);
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_str(w, "vendor_type", kind && kind->title ? str_from(kind->title) : row->kind);
	json_write_i64(w, "vendor_id", 0);
	json_write_str(w, "cron", row->cron);
	json_write_time(w, "update_time", row->updated_at_us);
	json_write_object_end(w);
}

err_t harbor_schedule_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct job_schedule_row *rows;
	size_t count;
	int64_t total;
	TRY(list_begin(ctx, rq, &list));
	TRY(jobs_schedule_list(ctx, jobs_of(rq), list.page_size, list.offset, &rows, &count,
			       &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_schedule(rq, &w, &rows[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

/* Of one kind, or whether all are. */
err_t harbor_schedule_paused(struct ctx *ctx, struct request *rq)
{
	const struct job_kind *kind = jobs_kind_find(jobs_of(rq), rq->word);
	bool paused = true, found = str_eq(rq->word, STR(ALL));
	for (size_t i = 0; i < jobs_kind_count(jobs_of(rq)); i++) {
		struct jobs_kind_stats now;
		if (kind && !str_eq(str_from(kind->name), str_from(jobs_kind_name(jobs_of(rq), i))))
			continue;
		TRY(jobs_kind_stats(ctx, jobs_of(rq), i, &now));
		paused = paused && now.paused;
		found = found || kind;
	}
	if (!found)
		return fail(ctx, ERR_NOT_FOUND, "there is no queue " STR_FMT, STR_ARG(rq->word));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_bool(&w, "paused", paused);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
