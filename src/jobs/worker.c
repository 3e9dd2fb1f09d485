/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c - a thread that runs one job at a time: its handler, and then the end of its row.
 */
#include "internal.h"

#include "os/backoff.h"

#include "base/banned.h"

#define BACKOFF_FIRST 1000
#define BACKOFF_MAX   3600000
#define TIME_MAX_MS   3600000
#define END_ARENA     MIB(1)
#define RETRY_MS      500

/* --- being given a job ------------------------------------------------------------------------ */

struct worker *jobs_free_worker(struct jobs *jobs)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	for (unsigned i = 0; i < jobs->worker_count; i++)
		if (!jobs->workers[i].busy)
			return &jobs->workers[i];
	return NULL;
}

/* Nothing but what the handler may read is of use to it. */
static void copy_row(struct arena *arena, const struct job_row *from, struct job_row *ret)
{
	*ret = *from;
	ret->kind = arena_copy(arena, from->kind);
	ret->subject = arena_copy(arena, from->subject);
	ret->arguments = arena_copy(arena, from->arguments);
	ret->asked_by = arena_copy(arena, from->asked_by);
	ret->asked_request = arena_copy(arena, from->asked_request);
	ret->asked_trace = arena_copy(arena, from->asked_trace);
	ret->owner = ret->error = ret->lane = STR_NONE;
}

static err_t agree(struct ctx *ctx, struct sql_tx *tx, struct tx_guard *guard)
{
	struct job *job = CONTAINER_OF(guard, struct job, guard);
	err_t err = db_job_hold(ctx, tx, &job->hold);
	if (err != ERR_ABSENT)
		return err;
	return fail(ctx, ERR_CANCELLED, "job %lld is held by another node by now",
		    (long long)job->hold.id);
}

void jobs_give(struct worker *worker, const struct job_row *row, int64_t leased_ns, int64_t now_us)
{
	struct jobs *jobs = worker->jobs;
	struct job *job = &worker->job;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	arena_reset(&worker->arena);
	*job = (struct job){ .jobs = jobs, .kind = jobs_kind_find(jobs, row->kind) };
	copy_row(&worker->arena, row, &job->row);
	job->hold = (struct job_hold){ row->id, jobs->owner, row->fence };
	job->guard.agree = agree;
	if (row->deadline_at_us)
		job->deadline_ns = clock_now_ns() + (row->deadline_at_us - now_us) * CLOCK_US;
	atomic_store(&job->leased_ns, leased_ns);
	worker->busy = true;
	worker->ending = false;
	if (jobs->stopping)
		jobs_end_it(job, JOB_STOP);
	pthread_cond_broadcast(&jobs->given);
}

void jobs_end_it(struct job *job, enum job_why why)
{
	int goes_on = JOB_GOES_ON;
	if (why == JOB_LOST) /* whatever it was before, nothing more can be written */
		atomic_store(&job->why, why);
	else
		atomic_compare_exchange_strong(&job->why, &goes_on, why);
	atomic_store(&job->cancelled, true);
}

/* --- its end ---------------------------------------------------------------------------------- */

static int64_t pause_ms(const struct job_kind *kind, int64_t attempt)
{
	return backoff_ms((unsigned)attempt,
			  kind->backoff_first_ms ? kind->backoff_first_ms : BACKOFF_FIRST,
			  kind->backoff_max_ms ? kind->backoff_max_ms : BACKOFF_MAX);
}

static bool is_out_of_time(const struct job *job, int64_t delay_ms)
{
	return job->deadline_ns && clock_now_ns() + delay_ms * CLOCK_MS >= job->deadline_ns;
}

static int64_t keep_s(const struct job *job)
{
	int64_t of_kind = job->kind->keep_s, of_all = job->jobs->options.keep_s;
	if (!of_kind)
		return of_all;
	return job->kept ? MAX(of_kind, of_all) : of_kind;
}

/* What comes of the handler's `err`. */
static struct job_end judge(const struct job *job, err_t err, const char *detail,
			    enum job_result *ret)
{
	const struct job_kind *kind = job->kind;
	int64_t delay_ms = pause_ms(kind, job->row.attempts);
	struct job_end end = { .state = JOB_FAILED, .error = str_from(detail) };
	end.keep_us = keep_s(job) * SECOND_US;
	*ret = JOB_RESULT_FAILED;
	if (err == OK) {
		end.state = JOB_DONE;
		end.error = STR_NONE;
		*ret = JOB_RESULT_DONE;
	} else if (atomic_load(&job->why) == JOB_CANCEL) {
		end.state = JOB_CANCELLED;
		*ret = JOB_RESULT_CANCELLED;
	} else if (atomic_load(&job->why) == JOB_STOP) {
		end.state = JOB_READY;
		end.uncounted = 1;
		*ret = JOB_RESULT_RETRIED;
	} else if ((!kind->attempts_max || job->row.attempts < kind->attempts_max) &&
		   !is_out_of_time(job, delay_ms)) {
		end.state = JOB_ASLEEP;
		end.delay_us = delay_ms * MS_US;
		*ret = JOB_RESULT_RETRIED;
	}
	return end;
}

struct ending {
	const struct job *job;
	struct job_end end;
	enum job_state state;
};

static err_t end_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct ending *ending = arg;
	const struct job *job = ending->job;
	TRY(db_job_end(ctx, tx, &job->hold, &ending->end, &ending->state));
	return jobs_clean_after(ctx, tx, job->jobs, job->row.kind, ending->state);
}

/* False when the engine stops. */
static bool pause_before_retry(struct jobs *jobs)
{
	int64_t until_ns = clock_now_ns() + RETRY_MS * CLOCK_MS;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	while (!jobs->stopping && thread_wait_until(&jobs->given, &jobs->lock, until_ns))
		;
	return !jobs->stopping;
}

/* Tried as long as it is ours. Then it is as if it had been killed: another node does it again. */
static err_t write_end(struct ctx *ctx, struct job *job, struct ending *ending)
{
	struct jobs *jobs = job->jobs;
	for (;;) {
		ctx_forgive(ctx);
		ctx->deadline_ns = clock_now_ns() + JOB_WRITE_S * CLOCK_S;
		err_t err = db_run(ctx, jobs->options.db, SQL_WRITE, end_body, ending);
		if (err == OK || err == ERR_ABSENT ||
		    clock_now_ns() >= atomic_load(&job->leased_ns) || !pause_before_retry(jobs))
			return err;
	}
}

static void tell(const struct job *job, const struct ending *ending, enum job_result result)
{
	str kind = str_from(job->kind->name);
	if (result == JOB_RESULT_FAILED)
		LOG(LOG_ERROR, "a job failed", LOG_STR("kind", kind), LOG_I64("job", job->hold.id),
		    LOG_I64("attempt", job->row.attempts), LOG_STR("detail", ending->end.error));
	else if (result == JOB_RESULT_RETRIED && ending->end.state == JOB_ASLEEP)
		LOG(LOG_WARN, "a job failed, later again", LOG_STR("kind", kind),
		    LOG_I64("job", job->hold.id), LOG_I64("attempt", job->row.attempts),
		    LOG_I64("in_ms", ending->end.delay_us / MS_US),
		    LOG_STR("detail", ending->end.error));
	else if (result == JOB_RESULT_LOST)
		LOG(LOG_WARN, "a job was lost to another node", LOG_STR("kind", kind),
		    LOG_I64("job", job->hold.id));
}

/* Another one may have said so, or the clock. */
static bool is_lost(const struct job *job)
{
	return atomic_load(&job->why) == JOB_LOST;
}

static void end_job(struct job *job, err_t err, const char *detail)
{
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	struct ending ending = { .job = job };
	enum job_result result = JOB_RESULT_LOST;
	arena_init(&arena, END_ARENA);
	ctx_init(&ctx, &arena);
	ctx.request_id = job->name;
	ctx.trace = job->trace;
	ending.end = judge(job, err, detail, &result);
	if (err != OK)
		job_log(job, "ended: %s", detail);
	job_log_close(job);
	if (is_lost(job) || write_end(&ctx, job, &ending) != OK)
		result = JOB_RESULT_LOST;
	jobs_count_result(job->jobs, job->kind, result);
	tell(job, &ending, result);
	job->run.result = result;
	job->run.err = err;
}

/* --- being seen ------------------------------------------------------------------------------- */

static void run_begin(struct ctx *ctx, struct job *job)
{
	const struct jobs_options *options = &job->jobs->options;
	job->began_ns = clock_now_ns();
	job->run = (struct job_run){ .kind = job->kind->name,
				     .id = job->row.id,
				     .attempt = job->row.attempts,
				     .asked_request = job->row.asked_request,
				     .asked_trace = job->row.asked_trace };
	job->name = arena_printf(ctx->arena, "job-%lld", (long long)job->row.id);
	ctx->request_id = job->name;
	if (options->watch)
		options->watch->began(ctx, &job->run, options->arg);
	job->trace = ctx->trace;
	str trace = trace_id_text(ctx->arena, ctx->trace);
	job->about[0] = (struct log_field)LOG_I64("job", job->row.id);
	job->about[1] = (struct log_field)LOG_STR(trace.len ? "trace" : NULL, trace);
	job->about[2] = (struct log_field)LOG_STR(job->row.asked_request.len ? "request" : NULL,
						  job->row.asked_request);
	log_about(job->about, JOB_LOG_ABOUT);
}

static void run_end(struct job *job)
{
	const struct jobs_options *options = &job->jobs->options;
	job->run.took_ns = clock_now_ns() - job->began_ns;
	if (options->watch)
		options->watch->ended(&job->run, options->arg);
	log_about(NULL, 0);
}

/* --- running ---------------------------------------------------------------------------------- */

static int64_t deadline_of(const struct job *job)
{
	int64_t ms = job->kind->time_max_ms ? job->kind->time_max_ms : TIME_MAX_MS;
	int64_t at_ns = clock_now_ns() + ms * CLOCK_MS;
	return job->deadline_ns ? MIN(at_ns, job->deadline_ns) : at_ns;
}

static void set_ending(struct worker *worker)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&worker->jobs->lock);
	worker->ending = true;
}

static void run_job(struct worker *worker)
{
	struct job *job = &worker->job;
	struct ctx ctx;
	ctx_init(&ctx, &worker->arena);
	run_begin(&ctx, job);
	job_log_open(&ctx, job);
	ctx.cancelled = &job->cancelled;
	ctx.guard = &job->guard;
	job->work = &ctx;
	ctx.deadline_ns = deadline_of(job);
	ctx.tenant_id = job->row.tenant_id;
	err_t err = ctx_check(&ctx);
	if (err == OK)
		err = job->kind->run(&ctx, job, job->jobs->options.arg);
	CHECK(ctx.holds == 0);
	job->work = NULL;
	set_ending(worker);
	end_job(job, err, err == OK ? "" : ctx.failure.detail);
	run_end(job);
}

/* NULL when it is time to stop. */
static struct job *wait_for_job(struct worker *worker)
{
	struct jobs *jobs = worker->jobs;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	while (!worker->busy && !jobs->stopping)
		pthread_cond_wait(&jobs->given, &jobs->lock);
	return worker->busy ? &worker->job : NULL;
}

/* And somebody else may be waiting for its place. */
static void set_free(struct worker *worker)
{
	struct jobs *jobs = worker->jobs;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	worker->busy = false;
	jobs->due = true;
	pthread_cond_signal(&jobs->wake);
}

void *jobs_worker_main(void *arg)
{
	struct worker *worker = arg;
	while (wait_for_job(worker)) {
		run_job(worker);
		set_free(worker);
	}
	return NULL;
}

/* --- what a handler asks ---------------------------------------------------------------------- */

int64_t job_id(const struct job *job)
{
	return job->row.id;
}

int64_t job_tenant_id(const struct job *job)
{
	return job->row.tenant_id;
}

str job_subject(const struct job *job)
{
	return job->row.subject;
}

str job_arguments(const struct job *job)
{
	return job->row.arguments;
}

str job_asked_by(const struct job *job)
{
	return job->row.asked_by;
}

int64_t job_attempt(const struct job *job)
{
	return job->row.attempts;
}
