/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - one run of a job, for who records it. The engine knows nothing of who looks: main gives
 * it a watch (jobs_options), which makes a trace of each run (main/jobs.c).
 *
 * All happens in the thread that runs the job. What nobody took is no run: an engine that finds
 * nothing to do tells no watch.
 */
#pragma once

#include "base/ctx.h"
#include "codec/traceparent.h"

enum job_result {
	JOB_RESULT_DONE,
	JOB_RESULT_RETRIED,
	JOB_RESULT_FAILED,
	JOB_RESULT_CANCELLED,
	JOB_RESULT_LOST, /* its lease was, here */
	JOB_RESULT_COUNT
};
extern const char *const job_result_names[JOB_RESULT_COUNT];

struct job_run {
	const char *kind;
	int64_t id, attempt;
	str asked_request, asked_trace; /* of what asked for it first (db/job.h); may be empty */
	struct trace trace, asked;	/* the watch's */

	/* At its end. */
	enum job_result result;
	err_t err; /* the handler's */
	int64_t took_ns;
};

struct job_watch {
	/* Before anything of it; may let ctx->trace be run->trace, for the handler and the end of
	 * its row. */
	void (*began)(struct ctx *ctx, struct job_run *run, void *arg);
	/* After the end of its row. */
	void (*ended)(const struct job_run *run, void *arg);
};
