/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.c - see jobs.h: the engine's life, and what others ask of it. */
#include "internal.h"

#include "base/mem.h"
#include "os/unique.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define PURGE_BATCH 1000
#define LEASE_MS    30000
#define POLL_MS	    2000
#define TURN_MS_MAX 10000
#define HOST_MAX    63

const char *const job_result_names[JOB_RESULT_COUNT] = {
	[JOB_RESULT_DONE] = "done",	[JOB_RESULT_RETRIED] = "retried",
	[JOB_RESULT_FAILED] = "failed", [JOB_RESULT_CANCELLED] = "cancelled",
	[JOB_RESULT_LOST] = "lost",
};

const char *const job_state_names[JOB_STATE_COUNT] = {
	[JOB_ASLEEP] = "asleep", [JOB_READY] = "ready",	  [JOB_RUNNING] = "running",
	[JOB_DONE] = "done",	 [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
};

/* --- its life --------------------------------------------------------------------------------- */

static const char *kind_title(const struct job_kind *kind)
{
	return kind->title ? kind->title : kind->name;
}

const struct job_kind *jobs_kind_find(const struct jobs *jobs, str name)
{
	for (size_t i = 0; i < jobs->options.kind_count; i++)
		if (str_eq(name, str_from(jobs->options.kinds[i].name)) ||
		    str_eq(name, str_from(kind_title(&jobs->options.kinds[i]))))
			return &jobs->options.kinds[i];
	return NULL;
}

void jobs_count_result(struct jobs *jobs, const struct job_kind *kind, enum job_result result)
{
	size_t at = (size_t)(kind - jobs->options.kinds);
	atomic_fetch_add_explicit(&jobs->results[at][result], 1, memory_order_relaxed);
}

/* A name for this run of this node: no other run ever has it. */
static void name_owner(struct jobs *jobs)
{
	char host[HOST_MAX + 1] = "";
	(void)gethostname(host, sizeof host - 1);
	if (!str_is_utf8(str_from(host)))
		host[0] = '\0';
	int len = snprintf(jobs->owner_text, sizeof jobs->owner_text, "%s-%016llx", host,
			   (unsigned long long)unique_u64());
	jobs->owner = (str){ jobs->owner_text, (size_t)len };
}

/* An embedded database has one server at a time: what an earlier one left is nobody's. */
static err_t expire_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct jobs *jobs = arg;
	return db_job_expire_others(ctx, tx, jobs->owner);
}

static void jobs_done(struct jobs **jobs)
{
	jobs_free(*jobs);
}

err_t jobs_new(struct ctx *ctx, const struct jobs_options *options, struct jobs **ret)
{
	CLEANUP(jobs_done) struct jobs *jobs = NEW(struct jobs);
	CHECK(options->kind_count <= JOB_KINDS_MAX && options->workers_max <= JOB_WORKERS_MAX);
	jobs->options = *options;
	struct jobs_options *o = &jobs->options;
	o->lease_ms = o->lease_ms ? o->lease_ms : LEASE_MS;
	o->poll_ms = o->poll_ms ? o->poll_ms : POLL_MS;
	o->keep_s = o->keep_s ? o->keep_s : JOB_KEEP_S;
	o->turn_ms_max = o->turn_ms_max ? o->turn_ms_max : TURN_MS_MAX;
	pthread_mutex_init(&jobs->lock, NULL);
	thread_condition_init(&jobs->wake);
	thread_condition_init(&jobs->given);
	jobs->workers = mem_new((options->workers_max + 1) * sizeof *jobs->workers);
	name_owner(jobs);
	if (sql_engine_of(o->db) == SQL_SQLITE)
		TRY(db_run(ctx, o->db, SQL_WRITE_RELAXED, expire_body, jobs));
	*ret = take(jobs);
	return OK;
}

static err_t start_workers(struct ctx *ctx, struct jobs *jobs)
{
	for (; jobs->worker_count < jobs->options.workers_max; jobs->worker_count++) {
		struct worker *worker = &jobs->workers[jobs->worker_count];
		worker->jobs = jobs;
		arena_init(&worker->arena, JOB_ARENA_BYTES_MAX);
		err_t err = thread_start(ctx, "job", jobs_worker_main, worker, &worker->thread);
		if (err == OK)
			continue;
		arena_done(&worker->arena);
		return err;
	}
	return OK;
}

err_t jobs_start(struct ctx *ctx, struct jobs *jobs)
{
	TRY(start_workers(ctx, jobs));
	jobs->renewed_ns = clock_now_ns(); /* nothing was taken before */
	TRY(thread_start(ctx, "jobs", jobs_turn_main, jobs, &jobs->thread));
	jobs->started = true;
	return OK;
}

static void tell_to_stop(struct jobs *jobs)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	jobs->stopping = true;
	for (unsigned i = 0; i < jobs->worker_count; i++)
		if (jobs->workers[i].busy)
			jobs_end_it(&jobs->workers[i].job, JOB_STOP);
	pthread_cond_signal(&jobs->wake);
	pthread_cond_broadcast(&jobs->given);
}

void jobs_stop(struct jobs *jobs)
{
	if (!jobs)
		return;
	tell_to_stop(jobs);
	if (jobs->started)
		pthread_join(jobs->thread, NULL);
	if (jobs->said_ns)
		jobs_node_leave(jobs);
	jobs->started = false;
	jobs->said_ns = 0;
	for (; jobs->worker_count; jobs->worker_count--) {
		struct worker *worker = &jobs->workers[jobs->worker_count - 1];
		pthread_join(worker->thread, NULL);
		arena_done(&worker->arena);
	}
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	jobs_stop(jobs);
	free(jobs->workers);
	pthread_cond_destroy(&jobs->given);
	pthread_cond_destroy(&jobs->wake);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

/* --- asking for jobs -------------------------------------------------------------------------- */

err_t jobs_enqueue(struct ctx *ctx, struct sql_tx *tx, const struct job_request *wanted,
		   int64_t *ret_id)
{
	char trace[TRACEPARENT_LEN + 1];
	const struct job_insert insert = {
		.kind = wanted->kind,
		.subject = wanted->subject,
		.arguments = wanted->arguments,
		.tenant_id = wanted->tenant_id,
		.delay_us = wanted->delay_ms * MS_US,
		.timeout_us = wanted->timeout_ms * MS_US,
		.cause = wanted->cause,
		.asked_by = wanted->asked_by,
		.lane = wanted->lane,
		.asked_request = ctx->request_id,
		.asked_trace = traceparent_of_all(ctx->trace, trace),
	};
	int64_t id;
	TRY(db_job_insert(ctx, tx, &insert, &id));
	if (ret_id)
		*ret_id = id;
	return OK;
}

void jobs_wake(struct jobs *jobs)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	jobs->due = true;
	pthread_cond_signal(&jobs->wake);
}

err_t jobs_clean_after(struct ctx *ctx, struct sql_tx *tx, const struct jobs *jobs, str kind,
		       enum job_state state)
{
	const struct job_kind *of = jobs_kind_find(jobs, kind);
	if ((state != JOB_CANCELLED && state != JOB_FAILED) || !of || !of->cleaned_by)
		return OK;
	str cleaner = str_from(of->cleaned_by);
	const struct job_request wanted = { .kind = cleaner, .subject = cleaner };
	return jobs_enqueue(ctx, tx, &wanted, NULL);
}

struct asking {
	const struct job_request *wanted;
	int64_t *id;
};

static err_t ask_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct asking *asking = arg;
	return jobs_enqueue(ctx, tx, asking->wanted, asking->id);
}

err_t jobs_ask(struct ctx *ctx, struct jobs *jobs, const struct job_request *wanted,
	       int64_t *ret_id)
{
	struct asking asking = { wanted, ret_id };
	TRY(db_run(ctx, jobs->options.db, SQL_WRITE, ask_body, &asking));
	jobs_wake(jobs);
	return OK;
}

struct asked {
	int64_t id;
	str kind;
	bool paused;
	struct job_outcome outcome;
	struct job_row *row;
	int64_t after, max, count, keep_us;
	const struct jobs *jobs;
	struct job_log_part **parts;
	size_t *part_count;
};

static err_t cancel_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct asked *asked = arg;
	TRY(db_job_cancel(ctx, tx, asked->id, asked->keep_us, &asked->outcome));
	return jobs_clean_after(ctx, tx, asked->jobs, asked->outcome.kind, asked->outcome.state);
}

/* Where it runs here. */
static void cancel_here(struct jobs *jobs, int64_t id)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	for (unsigned i = 0; i < jobs->worker_count; i++)
		if (jobs->workers[i].busy && jobs->workers[i].job.hold.id == id)
			jobs_end_it(&jobs->workers[i].job, JOB_CANCEL);
}

err_t jobs_cancel(struct ctx *ctx, struct jobs *jobs, int64_t id)
{
	struct asked asked = { .id = id,
			       .jobs = jobs,
			       .keep_us = jobs->options.keep_s * SECOND_US };
	err_t err = db_run(ctx, jobs->options.db, SQL_WRITE, cancel_body, &asked);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "no job %lld is under way", (long long)id);
	TRY(err);
	if (asked.outcome.state == JOB_RUNNING)
		cancel_here(jobs, id);
	jobs_wake(jobs);
	return OK;
}

static err_t pause_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct asked *asked = arg;
	return db_job_kind_pause(ctx, tx, asked->kind, asked->paused);
}

err_t jobs_pause(struct ctx *ctx, struct jobs *jobs, str kind, bool paused)
{
	struct asked asked = { .kind = kind, .paused = paused };
	if (!jobs_kind_find(jobs, kind))
		return fail(ctx, ERR_NOT_FOUND, "no kind of job is called " STR_FMT, STR_ARG(kind));
	TRY(db_run(ctx, jobs->options.db, SQL_WRITE, pause_body, &asked));
	if (!paused)
		jobs_wake(jobs);
	return OK;
}

static err_t cancel_waiting_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct asked *asked = arg;
	TRY(db_job_cancel_waiting(ctx, tx, asked->kind, asked->keep_us, PURGE_BATCH,
				  &asked->count));
	return jobs_clean_after(ctx, tx, asked->jobs, asked->kind, JOB_CANCELLED);
}

err_t jobs_cancel_waiting(struct ctx *ctx, struct jobs *jobs, str kind, int64_t *ret_count)
{
	struct asked asked = { .kind = kind,
			       .jobs = jobs,
			       .count = PURGE_BATCH,
			       .keep_us = jobs->options.keep_s * SECOND_US };
	*ret_count = 0;
	for (; asked.count == PURGE_BATCH; *ret_count += asked.count) {
		TRY(ctx_check(ctx));
		TRY(db_run(ctx, jobs->options.db, SQL_WRITE, cancel_waiting_body, &asked));
	}
	jobs_wake(jobs);
	return OK;
}

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct asked *asked = arg;
	return db_job_get(ctx, tx, asked->id, asked->row);
}

err_t jobs_get(struct ctx *ctx, struct jobs *jobs, int64_t id, struct job_row *ret)
{
	struct asked asked = { .id = id, .row = ret };
	err_t err = db_run(ctx, jobs->options.db, SQL_READ, get_body, &asked);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "there is no job %lld", (long long)id);
	return err;
}

struct looking {
	const struct job_page *page;
	struct job_row **rows;
	size_t *count;
	int64_t *total;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct looking *looking = arg;
	TRY(db_job_total(ctx, tx, looking->page, looking->total));
	return db_job_page(ctx, tx, looking->page, looking->rows, looking->count);
}

err_t jobs_list(struct ctx *ctx, struct jobs *jobs, const struct job_page *page,
		struct job_row **ret, size_t *ret_count, int64_t *ret_total)
{
	struct looking looking = { page, ret, ret_count, ret_total };
	return db_run(ctx, jobs->options.db, SQL_READ, list_body, &looking);
}

static err_t log_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct asked *asked = arg;
	return db_job_log_page(ctx, tx, asked->id, asked->after, asked->max, asked->parts,
			       asked->part_count);
}

err_t jobs_read_log(struct ctx *ctx, struct jobs *jobs, int64_t id, int64_t after, size_t max,
		    struct job_log_part **ret, size_t *ret_count)
{
	struct asked asked = {
		.id = id, .after = after, .max = (int64_t)max, .parts = ret, .part_count = ret_count
	};
	return db_run(ctx, jobs->options.db, SQL_READ, log_body, &asked);
}

static err_t purge_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct asked *asked = arg;
	return db_job_purge(ctx, tx, PURGE_BATCH, &asked->count);
}

err_t jobs_purge(struct ctx *ctx, struct jobs *jobs, int64_t *ret_count)
{
	struct asked asked = { .count = PURGE_BATCH };
	int64_t sum = 0;
	while (asked.count == PURGE_BATCH) {
		TRY(ctx_check(ctx));
		TRY(db_run(ctx, jobs->options.db, SQL_WRITE_RELAXED, purge_body, &asked));
		sum += asked.count;
	}
	*ret_count = sum;
	return OK;
}

/* --- metrics ---------------------------------------------------------------------------------- */

size_t jobs_kind_count(const struct jobs *jobs)
{
	return jobs->options.kind_count;
}

const char *jobs_kind_name(const struct jobs *jobs, size_t at)
{
	return jobs->options.kinds[at].name;
}

static err_t stats_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct jobs_kind_stats *stats = arg;
	err_t err = db_job_kind_paused(ctx, tx, str_from(stats->kind), &stats->paused);
	if (err != ERR_ABSENT) /* no node has made its row yet */
		TRY(err);
	for (enum job_state state = JOB_ASLEEP; state <= JOB_RUNNING; state++)
		TRY(db_job_count(ctx, tx, str_from(stats->kind), state, &stats->counts[state]));
	return OK;
}

err_t jobs_kind_stats(struct ctx *ctx, struct jobs *jobs, size_t at, struct jobs_kind_stats *ret)
{
	const struct job_kind *kind = &jobs->options.kinds[at];
	struct jobs_kind_stats stats = { .kind = kind->name, .title = kind_title(kind) };
	TRY(db_run(ctx, jobs->options.db, SQL_READ, stats_body, &stats));
	for (size_t i = 0; i < JOB_RESULT_COUNT; i++)
		stats.results[i] =
			atomic_load_explicit(&jobs->results[at][i], memory_order_relaxed);
	*ret = stats;
	return OK;
}
