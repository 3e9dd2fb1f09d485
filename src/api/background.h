/* SPDX-License-Identifier: Apache-2.0 */
/*
 * background.h - Harbor's view of what happens by itself: an execution is a job, a schedule is a
 * schedule (jobs/jobs.h), and both look the same for every kind.
 *
 * A resource whose kind of job has Harbor's seven operations is a const struct, and the column
 * `background` of seven rows in routes.c, whose handlers are the last six functions below:
 *
 *	const struct background harbor_gc = {
 *		.kind = STR_INIT("gc"), .name = "GARBAGE_COLLECTION", .parameters = read_parameters,
 *	};
 *
 * The schedule has the kind's name. What it says under "parameters" becomes the arguments of its
 * jobs, as JSON, after `parameters` has looked at it; Harbor shows them as text in
 * "job_parameters".
 *
 * *Type.* Manual asks for a job now (201 with its path), None ends the schedule; Hourly, Daily and
 * Weekly are at their first second in UTC; Custom and Schedule have a cron line of six fields.
 * What is wrong in one is ERR_REQUEST_INVALID and says where.
 *
 * *Status.* Harbor's words: Pending, Scheduled (it waits for its next attempt), Running, Success,
 * Error, Stopped.
 *
 * Resources with a shape of their own (retention, webhooks) use the pieces: schedule_read(),
 * background_status(), background_log().
 */
#pragma once

#include "api/harbor.h"
#include "jobs/jobs.h"
#include "jobs/schedule.h"

struct background {
	str kind;
	const char *name; /* Harbor's vendor type */
	/* Whether these are parameters of such a job: ERR_REQUEST_INVALID, with the member's name.
	 * `given` is an object, or NULL where there is none; `*ret` is JSON, in the arena. */
	err_t (*parameters)(struct ctx *ctx, const struct json_value *given, str *ret);
};

extern const struct background harbor_gc;    /* harbor_gc.c */
extern const struct background harbor_purge; /* harbor_purge.c */

/* What Harbor's body {"schedule": {"type", "cron"}, "parameters": {}} wants. */
enum schedule_wish { SCHEDULE_NONE, SCHEDULE_NOW, SCHEDULE_BY_CLOCK };
struct schedule_body {
	enum schedule_wish wish;
	str type;			     /* as it is shown */
	str cron;			     /* checked; with SCHEDULE_BY_CLOCK only */
	const struct json_value *parameters; /* an object, or NULL */
};
/* From an object that has "schedule" as a member. */
err_t schedule_read(struct ctx *ctx, const struct json_value *object, struct schedule_body *ret);
void schedule_write(struct json_writer *w, const char *key, const struct job_schedule_row *row);

const char *background_status(const struct job_row *row);
const char *background_trigger(enum job_cause cause); /* "MANUAL", "SCHEDULE", "EVENT" */
int64_t background_updated_us(const struct job_row *row);

/* A job of that kind; ERR_NOT_FOUND when the id is another's. */
err_t background_find(struct ctx *ctx, struct request *rq, str kind, int64_t id,
		      struct job_row *ret);
/* All of its log as text/plain. */
err_t background_log(struct ctx *ctx, struct request *rq, int64_t id);
/* Asks for it to end; one that is over already stays as it is. */
err_t background_end(struct ctx *ctx, struct request *rq, int64_t id);
/* A job now, by whoever asks. */
err_t background_start(struct ctx *ctx, struct request *rq, const struct job_request *wanted,
		       int64_t *ret_id);

/* Handlers of Harbor's operations, about what the route's row says. {id} of the path is the job's.
 */
err_t background_history(struct ctx *ctx, struct request *rq);
err_t background_get(struct ctx *ctx, struct request *rq);
err_t background_stop(struct ctx *ctx, struct request *rq);
err_t background_get_log(struct ctx *ctx, struct request *rq);
err_t background_schedule_get(struct ctx *ctx, struct request *rq);
err_t background_schedule_put(struct ctx *ctx, struct request *rq);
