/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracer.h - traces: who asked whom, and how long each part took, sent to a collector by OTLP.
 *
 * A request that is recorded is a span, a run of a job is one, and so is each of their steps
 * (base/step.h). Spans go into a queue of fixed size, and a thread sends them in batches: OTLP/HTTP
 * as JSON. Nobody ever waits for the collector: a full queue drops what comes, and counts it. What
 * the collector does not take now is tried TRACER_TRIES times, then dropped and counted.
 *
 * A trace that comes with a request (W3C traceparent) goes on here, recorded if it is recorded
 * there and `follow` says so; of the others `per_million` are begun. What is asked of other servers
 * carries the trace on, recorded or not (http/client.h).
 *
 *	struct trace trace;
 *	uint64_t parent = tracer_open(tracer, traceparent, tracestate, &trace);
 *	ctx->trace = &trace;
 *	…
 *	tracer_close(tracer, &trace, parent, &what);
 */
#pragma once

#include "base/step.h"
#include "codec/traceparent.h"

#define TRACER_TRIES	   3
#define TRACER_QUEUE_SPANS 8192
#define TRACER_BATCH_SPANS 256
#define TRACER_RUN_STEPS   1000 /* of one run of a job: it may take millions */

struct tracer_options {
	str endpoint;	   /* http://127.0.0.1:4318/v1/traces */
	str authorization; /* value of Authorization; empty: none */
	str service;	   /* service.name */
	str instance;	   /* service.instance.id: which node */
	const char *version;
	str ca_pem; /* trust these instead of the system's; empty: the system's */
	unsigned per_million;
	bool follow;
	int64_t flush_ms; /* how long a span waits at most; default 1,000 */
};

struct tracer;

/* All strs are copied. */
err_t tracer_new(struct ctx *ctx, const struct tracer_options *options, struct tracer **ret);
err_t tracer_start(struct ctx *ctx, struct tracer *tracer);
/* Sends what waits, once, and ends the thread; NULL is fine. */
void tracer_stop(struct tracer *tracer);
void tracer_free(struct tracer *tracer); /* stopped or never started; NULL is fine */

/* The trace of a request, with a span of its own running; returns the span it is part of, or 0. */
uint64_t tracer_open(struct tracer *tracer, str traceparent, str tracestate, struct trace *ret);

/* What a request was, for its span. */
struct traced {
	const char *method;
	const char *route; /* its pattern */
	str path;
	str request_id;
	int status;
	int64_t took_ns;
};
void tracer_close(struct tracer *tracer, const struct trace *trace, uint64_t parent,
		  const struct traced *what);

/*
 * A run of a job is a trace of its own: it may happen hours later, and again. It is recorded if
 * what asked for it is (`asked`, a traceparent that we wrote; may be empty), which it is linked to,
 * and so are `per_million` of the others: its first TRACER_RUN_STEPS steps, and how many more there
 * were.
 */
void tracer_open_run(struct tracer *tracer, str asked, struct trace *ret, struct trace *ret_asked);

struct traced_run {
	const char *kind;
	int64_t job, attempt, took_ns;
	str request_id;		   /* of who asked for it; may be empty */
	const struct trace *asked; /* as tracer_open_run() gave it */
	const char *result;	   /* a literal */
	err_t err;
	bool failed;
};
void tracer_close_run(struct tracer *tracer, const struct trace *trace,
		      const struct traced_run *what);

/* For the watch over steps: a span begins and ends inside ctx->trace. */
void tracer_step_began(struct ctx *ctx, struct step *step);
void tracer_step_ended(struct ctx *ctx, const struct step *step, err_t err);

/* How many spans wait. */
size_t tracer_queued(struct tracer *tracer);
