/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h - jobs that are asked for by the clock; see jobs.h.
 *
 * A schedule has a name, which is the subject of its jobs, and a cron line (codec/cron.h) in UTC
 * by the database's clock. At most one of its jobs is unfinished: a time that comes while the
 * last one runs lets that run once more.
 */
#pragma once

#include "db/job_schedule.h"
#include "jobs/jobs.h"

struct job_schedule {
	str name;
	str kind;
	int64_t tenant_id;
	str arguments;
	str cron;
	str shown_as; /* what its maker calls these times (Harbor: "Daily"); kept for him */
	bool disabled;
};

/* Makes or changes it. What is the same already keeps its next time, so every node may say so when
 * it starts. ERR_REQUEST_INVALID, with where it is wrong, for a cron line that is none. */
err_t jobs_schedule(struct ctx *ctx, struct jobs *jobs, const struct job_schedule *wanted);

/* ERR_NOT_FOUND. Jobs that it asked for stay. */
err_t jobs_unschedule(struct ctx *ctx, struct jobs *jobs, str name);

/* ERR_NOT_FOUND. */
err_t jobs_schedule_get(struct ctx *ctx, struct jobs *jobs, str name, struct job_schedule_row *ret);

/* The oldest first; `*ret_total` is how many there are. */
err_t jobs_schedule_list(struct ctx *ctx, struct jobs *jobs, int64_t max, int64_t offset,
			 struct job_schedule_row **ret, size_t *ret_count, int64_t *ret_total);
