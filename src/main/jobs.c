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
#include "auth/keys.h"
#include "base/log.h"
#include "codec/json.h"
#include "jobs/schedule.h"
#include "notify/audit_purge.h"
#include "notify/webhook.h"
#include "observe/tracer.h"
#include "program.h"
#include "registry/collect.h"
#include "registry/retention.h"
#include "registry/event.h"
#include "registry/tag_history.h"
#include "registry/trash.h"
#include "registry/upload_sweep.h"

#include "base/banned.h"

#define EXPIRE_BATCH	1000
#define EXPIRE_EVERY_S	30
#define COLLECT_EVERY_S 60
#define PURGE_BATCH	1000
#define HOUR_S		3600
#define MINUTE_MS	60000
#define DAY_MS		(24 * 60 * MINUTE_MS)
#define RETRY_FIRST_MS	5000
#define RETRY_MAX_MS	60000

#define WEBHOOK_JOBS_OF_TENANT 2 /* receivers that hang take so many workers at most */
#define WEBHOOK_RETRY_FIRST_MS 2000

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

static err_t sweep_uploads(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	int64_t count;
	const struct upload_sweep sweep = { 0 };
	err_t err = registry_sweep_uploads(ctx, p->registry, &sweep, &count);
	tell(job, "remains of uploads removed", count);
	return err;
}

struct collection {
	struct program *program;
	struct job *job;
	int64_t due; /* when it began; 0: it cannot be said how much there is */
};

static void tell_collected(void *arg, const struct collected *so_far)
{
	const struct collection *own = arg;
	if (own->due) /* more may be let go of meanwhile */
		job_progress(own->job, so_far->looked, MAX(own->due, so_far->looked));
	else
		job_progress(own->job, so_far->blobs + so_far->artifacts, 0);
}

/* Untagged artifacts, and what would go, are found while it runs. */
static err_t count_due(struct ctx *ctx, struct program *p, const struct collecting *how,
		       int64_t *ret)
{
	struct garbage_count count = { 0 };
	if (!how->dry_run && !how->untagged)
		TRY(registry_garbage(ctx, p->registry, &count));
	*ret = count.due < GARBAGE_COUNT_MAX ? count.due : 0;
	return OK;
}

static err_t record_collected(struct ctx *ctx, struct sql_tx *tx,
			      const struct loose_artifact *artifact, void *arg)
{
	const struct collection *own = arg;
	struct retention_gone gone = { .project_id = artifact->project_id,
				       .repository = artifact->repository,
				       .reason = STR("untagged") };
	if (!digest_parse(artifact->digest_text, &gone.digest))
		return fail(ctx, ERR_CORRUPT, "a manifest's row has a malformed digest");
	return program_record_gone(ctx, tx, own->program, &gone, STR("gc"));
}

static err_t run_collect(struct ctx *ctx, struct job *job, struct program *p, struct collecting how)
{
	struct collected done;
	const char *what = how.dry_run ? "would be removed" : "removed";
	struct collection own = { .program = p, .job = job };
	how.job_id = job_id(job);
	how.tell = tell_collected;
	how.gone = record_collected;
	how.arg = &own;
	TRY(count_due(ctx, p, &how, &own.due));
	err_t err = registry_collect(ctx, p->registry, &how, &done);
	if (done.uploads)
		job_log(job, "%s: %lld uploads that were over", what, (long long)done.uploads);
	if (done.blobs || done.artifacts || done.failed)
		job_keep(job);
	if (done.blobs || done.artifacts || done.put_off || done.failed)
		job_log(job,
			"%s: %lld blobs (%lld bytes), %lld untagged artifacts; %lld put off, "
			"%lld could not be removed",
			what, (long long)done.blobs, (long long)done.bytes,
			(long long)done.artifacts, (long long)done.put_off, (long long)done.failed);
	return err;
}

static err_t collect(struct ctx *ctx, struct job *job, void *arg)
{
	const struct program *p = arg;
	return run_collect(
		ctx, job, arg,
		(struct collecting){ .per_second_max = p->config.garbage_per_second_max });
}

/* What an administrator asks for, with Harbor's parameters; api/harbor_gc.c has checked them. */
static err_t collect_asked(struct ctx *ctx, struct job *job, void *arg)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct program *p = arg;
	struct collecting how = { .per_second_max = p->config.garbage_per_second_max };
	int64_t workers = 1;
	if (!json_parse(job_arguments(job), JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_INTERNAL, JSON_PROBLEM_FMT, JSON_PROBLEM_ARG(problem));
	(void)json_get_bool(doc.root, "dry_run", &how.dry_run);
	(void)json_get_bool(doc.root, "delete_untagged", &how.untagged);
	(void)json_get_i64(doc.root, "per_second_max", &how.per_second_max);
	(void)json_get_i64(doc.root, "workers", &workers);
	how.workers = (unsigned)workers;
	how.uploads = true;
	job_log(job, "%s%s", how.dry_run ? "dry run" : "collecting",
		how.untagged ? ", untagged artifacts too" : "");
	err_t err = run_collect(ctx, job, arg, how);
	job_log(job, "%s", err == OK ? "done" : "not finished");
	return err;
}

static err_t empty_trash(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	int64_t count;
	TRY(trash_remove(ctx, p->registry, &count));
	tell(job, "deletions that cannot be undone any more", count);
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

static err_t tell_webhooks(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	return webhooks_run(ctx, job, p->webhooks);
}

static err_t purge_webhooks(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	int64_t count;
	TRY(webhooks_sweep(ctx, p->webhooks, &count));
	tell(job, "deliveries of webhooks that were stopped or parked given up", count);
	TRY(webhooks_purge(ctx, p->webhooks, &count));
	tell(job, "deliveries of webhooks removed", count);
	return OK;
}

static err_t purge_tag_history(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	int64_t sum = 0;
	for (bool more = true; more; arena_reset(ctx->arena)) {
		size_t count;
		TRY(ctx_check(ctx));
		TRY(tag_history_purge(ctx, p->registry, PURGE_BATCH, &count, &more));
		sum += (int64_t)count;
		job_progress(job, sum, 0);
	}
	tell(job, "old changes of tags removed", sum);
	return OK;
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Whatever the clock asks for again soon needs few attempts, and is of no interest for long. */
#define BY_THE_CLOCK                                                                               \
	.at_once_max = 1, .attempts_max = 3, .backoff_first_ms = RETRY_FIRST_MS,                   \
	.backoff_max_ms = RETRY_MAX_MS, .time_max_ms = 10 * MINUTE_MS, .keep_s = HOUR_S

static const struct job_kind kinds[] = {
	{ .name = "collect", .run = collect, BY_THE_CLOCK },
	{ .name = "gc",
	  .title = "GARBAGE_COLLECTION",
	  .run = collect_asked,
	  .at_once_max = 1,
	  .attempts_max = 3,
	  .time_max_ms = DAY_MS },
	{ .name = "empty_trash", .run = empty_trash, BY_THE_CLOCK },
	{ .name = "expire_uploads", .run = expire_uploads, BY_THE_CLOCK },
	{ .name = "sweep_uploads",
	  .run = sweep_uploads,
	  .at_once_max = 1,
	  .attempts_max = 3,
	  .time_max_ms = DAY_MS,
	  .keep_s = HOUR_S },
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
	{ .name = "purge_webhooks", .run = purge_webhooks, BY_THE_CLOCK },
	{ .name = "purge_tag_history", .run = purge_tag_history, BY_THE_CLOCK },
	{ .name = "rotate_keys", .run = rotate_keys, BY_THE_CLOCK },
	{ .name = "expire_tags", .run = program_expire_tags, BY_THE_CLOCK },
	{ .name = "expire_inventory", .run = program_expire_inventory, BY_THE_CLOCK },
	/* Who failed half-way has said so in each repository's task; the clock or people ask again.
	 */
	{ .name = "retention",
	  .title = "RETENTION",
	  .run = program_run_retention,
	  .at_once_max = 4,
	  .of_tenant_max = 2,
	  .attempts_max = 1,
	  .time_max_ms = 24 * HOUR_S * 1000,
	  .keep_s = 30 * 24 * HOUR_S },
	/* Of how long one is tried, the webhooks say themselves. */
	{ .name = WEBHOOK_JOB,
	  .title = "WEBHOOK",
	  .run = tell_webhooks,
	  .cleaned_by = "purge_webhooks",
	  .of_tenant_max = WEBHOOK_JOBS_OF_TENANT,
	  .of_lane_max = 1, /* a receiver that hangs takes one of those */
	  .backoff_first_ms = WEBHOOK_RETRY_FIRST_MS,
	  .backoff_max_ms = (int64_t)HOUR_S * 1000,
	  .time_max_ms = 10 * MINUTE_MS,
	  .keep_s = HOUR_S },
};

/* Their names are those of their kinds. */
static const struct {
	str kind;
	str cron; /* empty: see soon_enough() */
} schedules[] = {
	{ STR_INIT("empty_trash"), STR_INIT("@every 1m") },
	{ STR_INIT("expire_uploads"), STR_INIT("") },
	{ STR_INIT("sweep_uploads"), STR_INIT("@daily") },
	{ STR_INIT("collect"), STR_INIT("") },
	{ STR_INIT("purge_expired"), STR_INIT("@every 5m") },
	{ STR_INIT("purge_jobs"), STR_INIT("@every 10m") },
	{ STR_INIT("purge_webhooks"), STR_INIT("@every 10m") },
	{ STR_INIT("purge_tag_history"), STR_INIT("@every 10m") },
	{ STR_INIT("rotate_keys"), STR_INIT("@every 10m") },
	{ STR_INIT("expire_tags"), STR_INIT("@every 30s") },
	{ STR_INIT("expire_inventory"), STR_INIT("@every 10m") },
};

/* What expires sooner is looked for sooner. */
static str soon_enough(struct ctx *ctx, const struct program *p, str kind)
{
	bool uploads = str_eq(kind, STR("expire_uploads"));
	int64_t ms = uploads ? p->config.uploads_expiry_ms : p->config.garbage_window_ms;
	int64_t most = uploads ? EXPIRE_EVERY_S : COLLECT_EVERY_S;
	return arena_printf(ctx->arena, "@every %llds", (long long)MAX(MIN(most, ms / 1000), 1));
}

static const struct job_schedule *make_schedules(struct ctx *ctx, const struct program *p)
{
	struct job_schedule *list =
		ARENA_ARRAY(ctx->arena, struct job_schedule, COUNT_OF(schedules));
	for (size_t i = 0; i < COUNT_OF(schedules); i++)
		list[i] = (struct job_schedule){
			.name = schedules[i].kind,
			.kind = schedules[i].kind,
			.cron = schedules[i].cron.len ? schedules[i].cron
						      : soon_enough(ctx, p, schedules[i].kind),
		};
	return list;
}

/* --- who looks -------------------------------------------------------------------------------- */

static void run_began(struct ctx *ctx, struct job_run *run, void *arg)
{
	const struct program *p = arg;
	if (!p->tracer)
		return;
	tracer_open_run(p->tracer, run->asked_trace, &run->trace, &run->asked);
	ctx->trace = &run->trace;
}

/* A node that stops gives its jobs back, and somebody may stop one: neither is a failure. */
static bool has_failed(const struct job_run *run)
{
	return run->result == JOB_RESULT_FAILED || run->result == JOB_RESULT_LOST ||
	       (run->result == JOB_RESULT_RETRIED && run->err != ERR_CANCELLED);
}

static void run_ended(const struct job_run *run, void *arg)
{
	const struct program *p = arg;
	const struct traced_run traced = { .kind = run->kind,
					   .job = run->id,
					   .attempt = run->attempt,
					   .took_ns = run->took_ns,
					   .request_id = run->asked_request,
					   .asked = &run->asked,
					   .result = job_result_names[run->result],
					   .err = run->err,
					   .failed = has_failed(run) };
	if (p->tracer)
		tracer_close_run(p->tracer, &run->trace, &traced);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void wake(void *jobs)
{
	jobs_wake(jobs);
}

err_t program_open_jobs(struct ctx *ctx, struct program *p)
{
	static const struct job_watch watch = { run_began, run_ended };
	const struct jobs_options options = {
		.db = p->db,
		.kinds = kinds,
		.kind_count = COUNT_OF(kinds),
		.schedules = make_schedules(ctx, p),
		.schedule_count = COUNT_OF(schedules),
		.arg = p,
		.watch = &watch,
		.workers_max = (unsigned)p->config.jobs_workers,
		.lease_ms = p->config.jobs_lease_ms,
		.keep_s = p->config.jobs_keep_ms / 1000,
	};
	TRY_CTX(ctx, jobs_new(ctx, &options, &p->jobs), "jobs");
	registry_set_wake(p->registry, wake, p->jobs);
	return jobs_start(ctx, p->jobs);
}
