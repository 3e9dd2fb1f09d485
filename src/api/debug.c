/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debug.c - /debug: what this node does at this moment and what was slow of late, for
 * administrators.
 *
 *	/debug		all of it
 *	/debug/threads	which request each thread runs, and what it waits for
 *	/debug/queues	what waits to be written or passed on
 *	/debug/locks	places to wait at: who holds a transaction, who waits for one
 *	/debug/slow	the slowest requests, and the slowest calls of database, storage and others
 */
#include "api/harbor.h"
#include "api/handlers.h"
#include "observe/activity.h"
#include "observe/exposition.h"
#include "observe/meter.h"
#include "observe/slow.h"

#include "base/banned.h"

#define BODY_MAX KIB(512)

static void write_ms(struct json_writer *w, const char *key, int64_t ns)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(32);
	buf_printf(&text, "%.3f", (double)ns / 1e6);
	json_write_raw(w, key, buf_str(&text));
}

/* --- threads and locks ------------------------------------------------------------------------ */

static void write_thread(struct json_writer *w, const struct activity *now)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "thread", now->thread_id);
	if (now->route) {
		json_write_str(w, "method", str_from(now->method));
		json_write_str(w, "route", str_from(now->route));
		write_ms(w, "request_ms", now->request_ns);
	}
	if (now->transaction) {
		json_write_str(w, "transaction", str_from(now->transaction));
		write_ms(w, "transaction_ms", now->transaction_ns);
	}
	if (now->step) {
		json_write_str(w, "in", str_from(meter_step_name(now->kind)));
		json_write_str(w, "step", str_from(now->step));
		write_ms(w, "step_ms", now->step_ns);
	}
	json_write_object_end(w);
}

static bool is_at_a_lock(const struct activity *now)
{
	return now->transaction || (now->step && now->kind == STEP_SQL_WAIT);
}

static void write_threads_where(struct ctx *ctx, struct json_writer *w, const char *key,
				bool (*wanted)(const struct activity *now))
{
	struct activity *list = ARENA_ARRAY(ctx->arena, struct activity, ACTIVITY_THREADS_MAX);
	size_t count = activity_read(list, ACTIVITY_THREADS_MAX);
	json_write_array_begin(w, key);
	for (size_t i = 0; i < count; i++)
		if (!wanted || wanted(&list[i]))
			write_thread(w, &list[i]);
	json_write_array_end(w);
}

/* --- numbers that metrics have, too ----------------------------------------------------------- */

static void write_numbers(struct json_writer *w, const char *key, const struct samples *samples,
			  const enum metric_id *ids, size_t id_count)
{
	json_write_array_begin(w, key);
	for (size_t i = 0; i < samples->count; i++)
		for (size_t wanted = 0; wanted < id_count; wanted++) {
			const struct sample *sample = &samples->items[i];
			const struct metric *metric = &metric_table[ids[wanted]];
			if (sample->id != ids[wanted])
				continue;
			json_write_object_begin(w, NULL);
			json_write_str(w, "name", str_from(metric->name));
			for (size_t l = 0; l < COUNT_OF(sample->labels); l++)
				if (metric->labels[l]->name)
					json_write_str(w, metric->labels[l]->name,
						       sample->labels[l]);
			json_write_i64(w, "value", sample->value);
			json_write_object_end(w);
		}
	json_write_array_end(w);
}

static void collect(struct ctx *ctx, struct request *rq, struct samples *ret)
{
	*ret = (struct samples){ .arena = ctx->arena };
	if (rq->api->options.collect)
		rq->api->options.collect(ctx, rq->api->options.collect_arg, ret);
}

/* --- parts ------------------------------------------------------------------------------------ */

static void write_threads(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	(void)rq;
	write_threads_where(ctx, w, "threads", NULL);
}

static void write_queues(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	static const enum metric_id ids[] = {
		METRIC_ID_AUDIT_QUEUED,	   METRIC_ID_AUDIT_DROPPED, METRIC_ID_FORWARD_QUEUED,
		METRIC_ID_FORWARD_DROPPED, METRIC_ID_TRACE_QUEUED,  METRIC_ID_CONNECTIONS,
		METRIC_ID_TRANSFERS,	   METRIC_ID_JOBS,	    METRIC_ID_JOBS_WAITING,
		METRIC_ID_JOBS_FINISHED,
	};
	struct samples samples;
	collect(ctx, rq, &samples);
	write_numbers(w, "queues", &samples, ids, COUNT_OF(ids));
}

static void write_locks(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	static const enum metric_id ids[] = { METRIC_ID_POOL_SIZE, METRIC_ID_POOL_USED,
					      METRIC_ID_POOL_WAITING };
	struct samples samples;
	collect(ctx, rq, &samples);
	json_write_object_begin(w, "locks");
	write_numbers(w, "pools", &samples, ids, COUNT_OF(ids));
	write_threads_where(ctx, w, "threads", is_at_a_lock);
	json_write_object_end(w);
}

static void write_slow_list(struct json_writer *w, const char *key, const struct slow_call *calls,
			    size_t count)
{
	json_write_array_begin(w, key);
	for (size_t i = 0; i < count; i++) {
		json_write_object_begin(w, NULL);
		write_ms(w, "ms", calls[i].took_ns);
		json_write_str(w, "kind", str_from(calls[i].kind));
		json_write_str(w, "what", str_from(calls[i].what));
		if (calls[i].status)
			json_write_i64(w, "status", calls[i].status);
		if (calls[i].request_id[0])
			json_write_str(w, "request", str_from(calls[i].request_id));
		json_write_time(w, "ended", calls[i].ended_us);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_slow(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	(void)rq;
	struct slow_call *calls = ARENA_ARRAY(ctx->arena, struct slow_call, 2 * SLOW_MAX);
	json_write_object_begin(w, "slow");
	write_slow_list(w, "requests", calls, slow_read(&slow_requests, calls));
	write_slow_list(w, "calls", calls, slow_read(&slow_steps, calls));
	json_write_object_end(w);
}

static const struct {
	const char *name;
	void (*write)(struct ctx *ctx, struct request *rq, struct json_writer *w);
} parts[] = {
	{ "threads", write_threads },
	{ "queues", write_queues },
	{ "locks", write_locks },
	{ "slow", write_slow },
};

err_t debug_get(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	size_t written = 0;
	json_write_object_begin(&w, NULL);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (!rq->word.len || str_eq(rq->word, str_from(parts[i].name))) {
			parts[i].write(ctx, rq, &w);
			written++;
		}
	json_write_object_end(&w);
	if (!written)
		return fail(ctx, ERR_NOT_FOUND, "no such page");
	return answer_object(ctx, rq, &body);
}
