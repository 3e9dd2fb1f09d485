/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs.c - what happens by itself: the kinds of jobs, and those that the program's own schedules
 * ask for. One node of a cluster does each (jobs/jobs.h); what every node does for itself is in
 * serve.c.
 *
 * To add a kind: a handler, a row of `kinds`; if it is to happen by the clock, a row of
 * `schedules`.
 */
#include "jobs/jobs.h"
#include "base/log.h"
#include "jobs/schedule.h"
#include "notify/audit_purge.h"
#include "program.h"

#include "base/banned.h"

#define EXPIRE_BATCH   1000
#define EXPIRE_EVERY_S 30
#define HOUR_S	       3600
#define MINUTE_MS      60000
#define RETRY_FIRST_MS 5000
#define RETRY_MAX_MS   60000

/* --- handlers --------------------------------------------------------------------------------- */

static void tell(struct job *job, const char *what, int64_t count)
{
	if (!count)
		return;
	job_log(job, "%s: %lld", what, (long long)count);
	LOG(LOG_INFO, what, LOG_I64("count", count));
}

static err_t expire_uploads(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	size_t count = EXPIRE_BATCH;
	int64_t sum = 0;
	for (; count == EXPIRE_BATCH; arena_reset(ctx->arena)) {
		TRY(ctx_check(ctx));
		TRY(registry_expire_uploads(ctx, p->registry, EXPIRE_BATCH, &count));
		sum += (int64_t)count;
		job_progress(job, sum, 0);
	}
	tell(job, "abandoned uploads removed", sum);
	return OK;
}

static err_t purge_expired(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	int64_t count;
	TRY(auth_purge(ctx, p->auth, &count));
	tell(job, "expired sessions and tokens removed", count);
	return OK;
}

static err_t rotate_keys(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	(void)job;
	return auth_rotate_keys(ctx, p->auth);
}

static err_t purge_jobs(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	int64_t count;
	TRY(jobs_purge(ctx, p->jobs, &count));
	tell(job, "finished jobs removed", count);
	return OK;
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Whatever the clock asks for again soon needs few attempts, and is of no interest for long. */
#define BY_THE_CLOCK                                                                               \
	.at_once_max = 1, .attempts_max = 3, .backoff_first_ms = RETRY_FIRST_MS,                   \
	.backoff_max_ms = RETRY_MAX_MS, .time_max_ms = 10 * MINUTE_MS, .keep_s = HOUR_S

static const struct job_kind kinds[] = {
	{ .name = "expire_uploads", .run = expire_uploads, BY_THE_CLOCK },
	{ .name = AUDIT_PURGE_KIND,
	  .title = AUDIT_PURGE_TITLE,
	  .run = program_purge_audit,
	  .at_once_max = 1,
	  .attempts_max = 3,
	  .backoff_first_ms = RETRY_FIRST_MS,
	  .backoff_max_ms = RETRY_MAX_MS,
	  .time_max_ms = 6 * 60 * MINUTE_MS },
	{ .name = "purge_expired", .run = purge_expired, BY_THE_CLOCK },
	{ .name = "purge_jobs", .run = purge_jobs, BY_THE_CLOCK },
	{ .name = "rotate_keys", .run = rotate_keys, BY_THE_CLOCK },
};

/* Their names are those of their kinds. */
static const struct {
	str kind;
	str cron; /* empty: as often as uploads expire */
} schedules[] = {
	{ STR_INIT("expire_uploads"), STR_INIT("") },
	{ STR_INIT("purge_expired"), STR_INIT("@every 5m") },
	{ STR_INIT("purge_jobs"), STR_INIT("@every 10m") },
	{ STR_INIT("rotate_keys"), STR_INIT("@every 10m") },
};

/* What expires sooner is looked for sooner. */
static str expire_cron(struct ctx *ctx, const struct program *p)
{
	int64_t s = MIN(EXPIRE_EVERY_S, p->config.uploads_expiry_ms / 1000);
	return arena_printf(ctx->arena, "@every %llds", (long long)s);
}

static const struct job_schedule *make_schedules(struct ctx *ctx, const struct program *p)
{
	struct job_schedule *list =
		ARENA_ARRAY(ctx->arena, struct job_schedule, COUNT_OF(schedules));
	for (size_t i = 0; i < COUNT_OF(schedules); i++)
		list[i] = (struct job_schedule){
			.name = schedules[i].kind,
			.kind = schedules[i].kind,
			.cron = schedules[i].cron.len ? schedules[i].cron : expire_cron(ctx, p),
		};
	return list;
}

err_t program_open_jobs(struct ctx *ctx, struct program *p)
{
	const struct jobs_options options = {
		.db = p->db,
		.kinds = kinds,
		.kind_count = COUNT_OF(kinds),
		.schedules = make_schedules(ctx, p),
		.schedule_count = COUNT_OF(schedules),
		.arg = p,
		.workers_max = (unsigned)p->config.jobs_workers,
		.lease_ms = p->config.jobs_lease_ms,
	};
	TRY_CTX(ctx, jobs_new(ctx, &options, &p->jobs), "jobs");
	return jobs_start(ctx, p->jobs);
}
