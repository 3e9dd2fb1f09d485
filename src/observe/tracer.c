/* SPDX-License-Identifier: Apache-2.0 */
/* tracer.c - see tracer.h. */
#include "observe/tracer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/otlp_answer.h"
#include "http/client.h"
#include "observe/metric.h"
#include "observe/span.h"
#include "os/thread.h"
#include "os/unique.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define ARENA_BYTES_MAX	   MIB(4)
#define BODY_BYTES_MAX	   MIB(2)
#define RESPONSE_BYTES_MAX KIB(64)
#define REQUEST_TIMEOUT_MS 10000
#define LAST_TIMEOUT_MS	   2000
#define PAUSE_MS	   1000 /* before the second try; twice as long before the third */
#define MILLION		   1000000
#define QUIET_NS	   (600 * CLOCK_S) /* after a line about what a collector answered */

struct tracer {
	struct tracer_options options;
	struct arena arena; /* the options' strs */
	struct span_service service;
	struct client *client;

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	struct span *ring;
	size_t first, count;
	bool started, stopping;
	pthread_t thread;
};

/* Steps know no tracer; there is one, for good. */
static struct tracer *the_tracer;

/* --- the queue -------------------------------------------------------------------------------- */

static void put(struct tracer *tracer, const struct span *span)
{
	pthread_mutex_lock(&tracer->lock);
	bool full = tracer->count == TRACER_QUEUE_SPANS;
	if (!full)
		tracer->ring[(tracer->first + tracer->count++) % TRACER_QUEUE_SPANS] = *span;
	if (tracer->count == TRACER_BATCH_SPANS)
		pthread_cond_signal(&tracer->wake);
	pthread_mutex_unlock(&tracer->lock);
	if (full)
		metric_add(METRIC_AT1(TRACE_DROPPED, METRIC_REASON_FULL), 1);
}

/* Waits for a batch, or for as long as one may wait; false when it is the last. */
static bool take_batch(struct tracer *tracer, struct span *into, size_t *ret_count)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&tracer->lock);
	int64_t until_ns = clock_now_ns() + tracer->options.flush_ms * CLOCK_MS;
	while (!tracer->stopping && tracer->count < TRACER_BATCH_SPANS)
		if (!thread_wait_until(&tracer->wake, &tracer->lock, until_ns))
			break;
	*ret_count = MIN(tracer->count, (size_t)TRACER_BATCH_SPANS);
	for (size_t i = 0; i < *ret_count; i++)
		into[i] = tracer->ring[(tracer->first + i) % TRACER_QUEUE_SPANS];
	tracer->first = (tracer->first + *ret_count) % TRACER_QUEUE_SPANS;
	tracer->count -= *ret_count;
	return !tracer->stopping || tracer->count;
}

size_t tracer_queued(struct tracer *tracer)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&tracer->lock);
	return tracer->count;
}

static bool is_stopping(struct tracer *tracer)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&tracer->lock);
	return tracer->stopping;
}

static void pause_for(struct tracer *tracer, int64_t ms)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&tracer->lock);
	int64_t until_ns = clock_now_ns() + ms * CLOCK_MS;
	while (!tracer->stopping && thread_wait_until(&tracer->wake, &tracer->lock, until_ns))
		;
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool is_for_later(int status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* `*ret_again`: it may be taken another time. `*ret_answer`: what a collector said that took it. */
static err_t send_body(struct ctx *ctx, struct tracer *tracer, str body, bool *ret_again,
		       str *ret_answer)
{
	const struct client_field fields[] = {
		{ STR("Content-Type"), STR("application/json") },
		{ STR("Authorization"), tracer->options.authorization },
	};
	const struct client_request request = {
		.method = "POST",
		.url = tracer->options.endpoint,
		.fields = fields,
		.field_count = tracer->options.authorization.len ? 2 : 1,
		.body = body,
		.response_bytes_max = RESPONSE_BYTES_MAX,
		.timeout_ms = is_stopping(tracer) ? LAST_TIMEOUT_MS : REQUEST_TIMEOUT_MS,
		.ca_pem = tracer->options.ca_pem,
	};
	struct client_response response;
	*ret_again = true;
	TRY(client_send(ctx, tracer->client, &request, &response));
	*ret_again = is_for_later(response.status);
	if (response.status < 200 || response.status > 299)
		return fail(ctx, ERR_UPSTREAM_INVALID, "the collector answers %d", response.status);
	*ret_answer = response.body;
	return OK;
}

/* What was said already. */
struct said {
	bool failing;
	int64_t quiet_until_ns;
};

/* How many of a batch the collector took and threw away. Collectors that reject go on rejecting:
 * one line in a while. An answer that says nothing of that is worth a line, too, and costs no span.
 */
static uint64_t read_answer(struct ctx *ctx, str text, uint64_t count, struct said *said)
{
	struct otlp_answer answer = { 0 };
	str problem = STR_NONE;
	bool understood = otlp_answer_parse(ctx->arena, text, &answer, &problem);
	int64_t now_ns = clock_now_ns();
	uint64_t rejected = MIN(answer.rejected_spans, count);
	bool silent = understood && !rejected && !answer.message.len;
	if (silent || now_ns < said->quiet_until_ns)
		return rejected;
	LOG(LOG_WARN,
	    !understood ? "the collector of traces gave an answer that is none of OTLP"
	    : rejected	? "the collector rejected spans"
			: "the collector of traces warns",
	    LOG_STR("detail", understood ? answer.message : problem),
	    LOG_I64("rejected", (int64_t)rejected), LOG_I64("sent", (int64_t)count));
	said->quiet_until_ns = now_ns + QUIET_NS;
	return rejected;
}

/* Says it once, until the next that gets there. */
static void say(struct ctx *ctx, err_t err, bool *failing)
{
	if (err != OK && !*failing)
		LOG(LOG_WARN, "traces do not reach the collector",
		    LOG_CSTR("detail", ctx->failure.detail));
	else if (err == OK && *failing)
		LOG(LOG_NOTICE, "traces reach the collector again");
	*failing = err != OK;
}

static void send_batch(struct ctx *ctx, struct tracer *tracer, const struct span *spans,
		       size_t count, struct said *said)
{
	bool again = true;
	err_t err = OK;
	str answer = STR_NONE;
	CLEANUP(buf_done) struct buf body = BUF_INIT(BODY_BYTES_MAX);
	span_write(&body, &tracer->service, spans, count);
	for (int tried = 0; tried < TRACER_TRIES && again; tried++) {
		if (tried)
			pause_for(tracer, PAUSE_MS << (tried - 1));
		ctx_forgive(ctx);
		err = send_body(ctx, tracer, buf_str(&body), &again, &answer);
		again = again && err != OK && !is_stopping(tracer);
	}
	say(ctx, err, &said->failing);
	if (err == OK) {
		uint64_t rejected = read_answer(ctx, answer, count, said);
		metric_add(METRIC_CELL_TRACE_SPANS, count - rejected);
		metric_add(METRIC_AT1(TRACE_DROPPED, METRIC_REASON_REJECTED), rejected);
	} else {
		bool refused = err == ERR_UPSTREAM_INVALID;
		metric_add(METRIC_AT1(TRACE_DROPPED,
				      refused ? METRIC_REASON_REFUSED : METRIC_REASON_UNREACHABLE),
			   count);
	}
	ctx_forgive(ctx);
	arena_reset(ctx->arena);
}

static void *tracer_main(void *arg)
{
	struct tracer *tracer = arg;
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, ARENA_BYTES_MAX);
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	CLEANUP(mem_done)
	struct span *batch = mem_new(TRACER_BATCH_SPANS * sizeof *batch);
	struct said said = { 0 };
	for (bool more = true; more;) {
		size_t count;
		more = take_batch(tracer, batch, &count);
		if (count)
			send_batch(&ctx, tracer, batch, count, &said);
	}
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

static void copy_options(struct tracer *tracer, const struct tracer_options *options)
{
	struct tracer_options *own = &tracer->options;
	*own = *options;
	own->endpoint = arena_copy(&tracer->arena, options->endpoint);
	own->authorization = arena_copy(&tracer->arena, options->authorization);
	own->ca_pem = arena_copy(&tracer->arena, options->ca_pem);
	own->flush_ms = options->flush_ms ? options->flush_ms : 1000;
	tracer->service = (struct span_service){
		.name = arena_copy(&tracer->arena, options->service),
		.instance = arena_copy(&tracer->arena, options->instance),
		.version = options->version,
	};
}

err_t tracer_new(struct ctx *ctx, const struct tracer_options *options, struct tracer **ret)
{
	const struct client_options client = { .purpose = CLIENT_FOR_TRACES,
					       .requests_max = 1,
					       .idle_max = 1,
					       .request_timeout_ms = REQUEST_TIMEOUT_MS };
	struct tracer *tracer = NEW(struct tracer);
	arena_init(&tracer->arena, MIB(1));
	copy_options(tracer, options);
	pthread_mutex_init(&tracer->lock, NULL);
	thread_condition_init(&tracer->wake);
	tracer->ring = mem_new(TRACER_QUEUE_SPANS * sizeof *tracer->ring);
	err_t err = client_new(ctx, &client, &tracer->client);
	if (err != OK) {
		tracer_free(tracer);
		return err;
	}
	the_tracer = tracer;
	*ret = tracer;
	return OK;
}

err_t tracer_start(struct ctx *ctx, struct tracer *tracer)
{
	TRY(thread_start(ctx, "traces", tracer_main, tracer, &tracer->thread));
	tracer->started = true;
	return OK;
}

void tracer_stop(struct tracer *tracer)
{
	if (!tracer || !tracer->started)
		return;
	pthread_mutex_lock(&tracer->lock);
	tracer->stopping = true;
	pthread_cond_broadcast(&tracer->wake);
	pthread_mutex_unlock(&tracer->lock);
	pthread_join(tracer->thread, NULL);
	tracer->started = false;
}

void tracer_free(struct tracer *tracer)
{
	if (!tracer)
		return;
	CHECK(!tracer->started);
	if (the_tracer == tracer)
		the_tracer = NULL;
	client_free(tracer->client);
	pthread_cond_destroy(&tracer->wake);
	pthread_mutex_destroy(&tracer->lock);
	free(tracer->ring);
	arena_done(&tracer->arena);
	free(tracer);
}

/* --- spans ------------------------------------------------------------------------------------ */

/* One that begins here. */
static struct trace begin(const struct tracer *tracer)
{
	struct trace trace = { .sampled = unique_u64() % MILLION < tracer->options.per_million };
	unique_bytes(trace.id, sizeof trace.id);
	return trace;
}

uint64_t tracer_open(struct tracer *tracer, str traceparent, str tracestate, struct trace *ret)
{
	uint64_t parent = 0;
	if (traceparent_parse(traceparent, ret)) {
		parent = ret->span;
		ret->sampled = ret->sampled && tracer->options.follow;
		ret->state = tracestate_is_valid(tracestate) ? tracestate : STR_NONE;
	} else {
		*ret = begin(tracer);
	}
	ret->span = ret->root = unique_u64();
	return parent;
}

static void fill(struct span *span, const struct trace *trace, int64_t took_ns)
{
	memcpy(span->trace, trace->id, sizeof span->trace);
	span->ended_ns = clock_wall_us() * CLOCK_US;
	span->began_ns = span->ended_ns - took_ns;
}

void tracer_close(struct tracer *tracer, const struct trace *trace, uint64_t parent,
		  const struct traced *what)
{
	struct span span = { .kind = SPAN_SERVER,
			     .id = trace->span,
			     .parent = parent,
			     .status = what->status,
			     .failed = what->status >= 500 };
	if (!trace->sampled)
		return;
	fill(&span, trace, what->took_ns);
	snprintf(span.name, sizeof span.name, "%s %s", what->method, what->route);
	snprintf(span.route, sizeof span.route, "%s", what->route);
	snprintf(span.method, sizeof span.method, "%s", what->method);
	snprintf(span.path, sizeof span.path, STR_FMT, STR_ARG(what->path));
	snprintf(span.request_id, sizeof span.request_id, STR_FMT, STR_ARG(what->request_id));
	put(tracer, &span);
}

void tracer_open_run(struct tracer *tracer, str asked, struct trace *ret, struct trace *ret_asked)
{
	*ret = begin(tracer);
	*ret_asked = (struct trace){ 0 };
	if (traceparent_parse(asked, ret_asked) && ret_asked->sampled)
		ret->sampled = true;
	ret->span = ret->root = unique_u64();
	ret->steps_max = TRACER_RUN_STEPS;
}

/* To what others may find recorded. */
static void link_to(struct span *span, const struct trace *other)
{
	if (!other || !other->sampled)
		return;
	memcpy(span->linked_trace, other->id, sizeof span->linked_trace);
	span->linked = other->span;
}

void tracer_close_run(struct tracer *tracer, const struct trace *trace,
		      const struct traced_run *what)
{
	struct span span = { .kind = SPAN_CONSUMER,
			     .id = trace->span,
			     .job = what->job,
			     .attempt = what->attempt,
			     .result = what->result,
			     .left_out = trace->steps_left_out,
			     .error = what->err == OK ? NULL : error_info(what->err)->name,
			     .failed = what->failed };
	if (!trace->sampled)
		return;
	fill(&span, trace, what->took_ns);
	link_to(&span, what->asked);
	snprintf(span.name, sizeof span.name, "job %s", what->kind);
	snprintf(span.request_id, sizeof span.request_id, STR_FMT, STR_ARG(what->request_id));
	put(tracer, &span);
}

/* Whether it is one too many. What was begun before stays, so none is without what it lies in. */
static bool is_left_out(struct trace *trace)
{
	bool full = trace->steps_max && trace->steps == trace->steps_max;
	trace->steps += !full;
	trace->steps_left_out += full;
	return full;
}

/* Others lie inside a transaction, and a request to another server names its own span. */
static bool is_around(const struct step *step)
{
	return step->kind == STEP_SQL_TRANSACTION || step->kind == STEP_UPSTREAM;
}

void tracer_step_began(struct ctx *ctx, struct step *step)
{
	if (!ctx->trace || !the_tracer || is_left_out(ctx->trace))
		return;
	step->id = unique_u64();
	step->outer = ctx->trace->span;
	if (is_around(step))
		ctx->trace->span = step->id;
}

void tracer_step_ended(struct ctx *ctx, const struct step *step, err_t err)
{
	static const char *const kinds[STEP_KIND_COUNT] = {
		[STEP_SQL_WAIT] = "sql wait", [STEP_SQL_TRANSACTION] = "sql transaction",
		[STEP_SQL_COMMIT] = "sql",    [STEP_SQL_STATEMENT] = "sql statement",
		[STEP_STORAGE] = "storage",   [STEP_UPSTREAM] = "upstream",
	};
	bool asks = step->kind == STEP_SQL_STATEMENT || step->kind == STEP_STORAGE ||
		    step->kind == STEP_UPSTREAM;
	if (!ctx->trace || !step->id || !the_tracer)
		return;
	if (is_around(step))
		ctx->trace->span = step->outer;
	if (!ctx->trace->sampled)
		return;
	struct span span = { .kind = asks ? SPAN_CLIENT : SPAN_INTERNAL,
			     .id = step->id,
			     .parent = step->outer,
			     .error = err == OK ? NULL : error_info(err)->name,
			     .failed = error_info(err)->status >= 500 };
	fill(&span, ctx->trace, step->spent_ns);
	link_to(&span, ctx->trace->by);
	snprintf(span.name, sizeof span.name, "%s %s", kinds[step->kind], step->name);
	put(the_tracer, &span);
}
