/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h - jobs that are asked for by the clock; see jobs.h.
 *
 * A schedule has a name, which is the subject of its jobs, and a cron line (codec/cron.h) in UTC
 * by the database's clock. At most one of its jobs is unfinished: a time that comes while the
 * last one runs lets that run once more.
 */
#pragma once

#include "jobs/jobs.h"

struct job_schedule {
	str name;
	str kind;
	int64_t tenant_id;
	str arguments;
	str cron;
	bool disabled;
};

/* Makes or changes it. What is the same already keeps its next time, so every node may say so when
 * it starts. ERR_REQUEST_INVALID, with where it is wrong, for a cron line that is none. */
err_t jobs_schedule(struct ctx *ctx, struct jobs *jobs, const struct job_schedule *wanted);

/* ERR_NOT_FOUND. Jobs that it asked for stay. */
err_t jobs_unschedule(struct ctx *ctx, struct jobs *jobs, str name);
