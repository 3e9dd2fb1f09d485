/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - what a kind of job is, and what its handler may do.
 *
 * Kinds are a const table that main hands to the engine:
 *
 *	{ .name = "scan", .run = run_scan, .at_once_max = 4, .of_tenant_max = 2, … }
 *
 * A handler is an ordinary function with a ctx of its own: the arena is the job's, the deadline
 * the earlier one of the attempt's and the job's, `cancelled` is to be honoured, and each write
 * transaction is fenced (jobs.h). It returns OK when all is done, or the error of what failed.
 * It may be run again, from the start, at any time: what it did before it does again without
 * harm.
 */
#pragma once

#include "base/ctx.h"

struct job;

struct job_kind {
	const char *name;
	const char *title; /* what those who look at queues call it; NULL: its name */
	err_t (*run)(struct ctx *ctx, struct job *job, void *arg);
	unsigned at_once_max;	  /* in the cluster; 0: no limit but that of the workers */
	unsigned of_tenant_max;	  /* the same for each tenant */
	unsigned of_lane_max;	  /* and for each lane (jobs.h) */
	unsigned attempts_max;	  /* 0: without end */
	int64_t backoff_first_ms; /* before the second attempt; default 1 s */
	int64_t backoff_max_ms;	  /* default one hour */
	int64_t time_max_ms;	  /* of one attempt; default one hour */
	/* A kind of what looks after what this one leaves, by the subject of the same name: asked
	 * for in the transaction in which one was stopped, parked or failed for good. NULL:
	 * nothing. */
	const char *cleaned_by;
	int64_t keep_s; /* rows and logs of those that are finished; default: jobs_options' */
};

int64_t job_id(const struct job *job);
int64_t job_tenant_id(const struct job *job);
str job_subject(const struct job *job);
str job_arguments(const struct job *job);
str job_asked_by(const struct job *job);    /* empty: nobody in particular */
int64_t job_attempt(const struct job *job); /* 1 at first */

/* A line of its log. Cut at JOB_LINE_MAX bytes; what is no text in it is shown as `?`. Written now
 * or with the next lines, and surely when the job ends. */
#define JOB_LINE_MAX 1024
void job_log(struct job *job, const char *format, ...) PRINTF_LIKE(2, 3);

/* What this one did is of interest for as long as jobs_options' `keep_s`, if its kind's is shorter.
 */
void job_keep(struct job *job);

/* How far it is; `total` 0: unknown. Costs nothing worth mentioning, however often. */
void job_progress(struct job *job, int64_t done, int64_t total);
