/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turn.c - the engine's own thread. A turn: renew what is held, look what is to be done, fire
 * schedules, wake who slept long enough, take back what dead nodes held, and take what is ready.
 *
 * One question tells whether there is anything to do, so an idle turn is one read.
 */
#include "internal.h"

#include "base/log.h"
#include "jobs/schedule.h"

#include "base/banned.h"

#define WAKE_BATCH  1000
#define ARENA_BYTES MIB(16)
#define WAIT_MS_MIN 10
/* A lease is renewed when a third of it is over. */
#define TURN_MS_MIN 1000
#define RENEWALS    3

static int64_t lease_ns(const struct jobs *jobs)
{
	return jobs->options.lease_ms * CLOCK_MS;
}

/* --- renewing --------------------------------------------------------------------------------- */

struct renewal {
	const struct jobs *jobs;
	struct job_renewed *list;
	size_t count;
};

static err_t renew_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct renewal *renewal = arg;
	return db_job_renew(ctx, tx, renewal->jobs->owner, renewal->jobs->options.lease_ms * MS_US,
			    &renewal->list, &renewal->count);
}

static struct job_renewed *find(const struct renewal *renewal, const struct job_hold *hold)
{
	for (size_t i = 0; i < renewal->count; i++)
		if (renewal->list[i].id == hold->id && renewal->list[i].fence == hold->fence)
			return &renewal->list[i];
	return NULL;
}

/* What the rows say of the jobs that run here. Those that are found are crossed off the list. */
static void compare(struct jobs *jobs, struct renewal *renewal, int64_t asked_ns)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	for (unsigned i = 0; i < jobs->worker_count; i++) {
		struct worker *worker = &jobs->workers[i];
		if (!worker->busy)
			continue;
		struct job_renewed *row = find(renewal, &worker->job.hold);
		if (row) {
			atomic_store(&worker->job.leased_ns, asked_ns + lease_ns(jobs));
			if (row->cancel)
				jobs_end_it(&worker->job, JOB_CANCEL);
			row->id = 0;
		} else if (!worker->ending) {
			jobs_end_it(&worker->job, JOB_LOST);
		}
	}
}

struct orphan {
	struct job_hold hold;
	struct job_end end;
};

static err_t give_back_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct orphan *orphan = arg;
	enum job_state state;
	return db_job_end(ctx, tx, &orphan->hold, &orphan->end, &state);
}

/* Taken by a commit of which we never heard that it was done: they are ours and nobody runs them.
 */
static err_t give_back(struct ctx *ctx, struct jobs *jobs, const struct renewal *renewal)
{
	for (size_t i = 0; i < renewal->count; i++) {
		const struct job_renewed *row = &renewal->list[i];
		struct orphan orphan = {
			.hold = { row->id, jobs->owner, row->fence },
			.end = { .state = JOB_READY, .uncounted = 1 },
		};
		if (!row->id)
			continue;
		err_t err = db_run(ctx, jobs->options.db, SQL_WRITE, give_back_body, &orphan);
		if (err != ERR_ABSENT) /* it ended in between */
			TRY(err);
	}
	return OK;
}

static bool is_working(struct jobs *jobs)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	for (unsigned i = 0; i < jobs->worker_count; i++)
		if (jobs->workers[i].busy)
			return true;
	return false;
}

static err_t renew(struct ctx *ctx, struct jobs *jobs)
{
	struct renewal renewal = { .jobs = jobs };
	int64_t asked_ns = clock_now_ns();
	jobs->renewed_ns = asked_ns;
	TRY(db_run(ctx, jobs->options.db, SQL_WRITE, renew_body, &renewal));
	compare(jobs, &renewal, asked_ns);
	return give_back(ctx, jobs, &renewal);
}

/* Who could not be renewed in time is not to be relied on: another node may have it. */
static void drop_expired(struct jobs *jobs)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	int64_t now_ns = clock_now_ns();
	for (unsigned i = 0; i < jobs->worker_count; i++) {
		struct worker *worker = &jobs->workers[i];
		if (worker->busy && atomic_load(&worker->job.leased_ns) <= now_ns)
			jobs_end_it(&worker->job, JOB_LOST);
	}
}

/* --- others' ---------------------------------------------------------------------------------- */

struct reclaim {
	const struct jobs *jobs;
	int64_t keep_us;
	struct job_outcome *list;
	size_t count;
};

/* In the job's own log, behind what it said itself. */
static err_t tell_loss(struct ctx *ctx, struct sql_tx *tx, const struct job_outcome *lost)
{
	char time[CLOCK_RFC3339_MAX];
	struct job_log_part part;
	str when = clock_rfc3339(clock_wall_us(), time);
	TRY(db_job_log_last(ctx, tx, lost->id, &part.number));
	part.number++;
	part.text = arena_printf(ctx->arena, STR_FMT " its node went away while it ran%s\n",
				 STR_ARG(when),
				 lost->state == JOB_FAILED ? ", too often: it is parked" : "");
	return db_job_log_add(ctx, tx, lost->id, &part, JOB_LOG_PARTS_MAX);
}

static err_t reclaim_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct reclaim *reclaim = arg;
	TRY(db_job_reclaim(ctx, tx, JOB_LOSSES_MAX, reclaim->keep_us, &reclaim->list,
			   &reclaim->count));
	for (size_t i = 0; i < reclaim->count; i++) {
		const struct job_outcome *lost = &reclaim->list[i];
		TRY(tell_loss(ctx, tx, lost));
		TRY(jobs_clean_after(ctx, tx, reclaim->jobs, lost->kind, lost->state));
	}
	return OK;
}

static err_t reclaim(struct ctx *ctx, struct jobs *jobs)
{
	struct reclaim work = { .jobs = jobs, .keep_us = jobs->options.keep_s * SECOND_US };
	TRY(db_run(ctx, jobs->options.db, SQL_WRITE, reclaim_body, &work));
	for (size_t i = 0; i < work.count; i++)
		LOG(work.list[i].state == JOB_FAILED ? LOG_ERROR : LOG_WARN,
		    work.list[i].state == JOB_FAILED
			    ? "a job is parked: its nodes went away while it ran"
			    : "a job is taken back: its node went away while it ran",
		    LOG_STR("kind", work.list[i].kind), LOG_I64("job", work.list[i].id));
	return OK;
}

static err_t wake_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	(void)arg;
	return db_job_wake(ctx, tx, WAKE_BATCH);
}

struct looking {
	str owner;
	struct job_look *look;
};

static err_t look_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct looking *looking = arg;
	return db_job_look(ctx, tx, looking->owner, looking->look);
}

/* --- once ------------------------------------------------------------------------------------- */

static err_t kinds_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct jobs *jobs = arg;
	for (size_t i = 0; i < jobs->options.kind_count; i++)
		TRY(db_job_kind_put(ctx, tx, str_from(jobs->options.kinds[i].name)));
	return OK;
}

/* Not at the start of the program, which may be while the database can only be read. */
static err_t prepare(struct ctx *ctx, struct jobs *jobs)
{
	TRY(db_run(ctx, jobs->options.db, SQL_WRITE_RELAXED, kinds_body, jobs));
	for (size_t i = 0; i < jobs->options.schedule_count; i++)
		TRY(jobs_schedule(ctx, jobs, &jobs->options.schedules[i]));
	jobs->prepared = true;
	return OK;
}

/* --- turns ------------------------------------------------------------------------------------ */

static bool is_over(int64_t at_us, const struct job_look *look)
{
	return at_us && at_us <= look->now_us;
}

/* Until the next thing that is known of; in milliseconds. */
static int64_t pause_ms(const struct jobs *jobs, const struct job_look *look, bool working)
{
	int64_t ms = jobs->options.poll_ms;
	const int64_t times_us[] = { look->asleep_until_us, look->schedule_at_us };
	for (size_t i = 0; i < COUNT_OF(times_us); i++)
		if (times_us[i])
			ms = MIN(ms, (times_us[i] - look->now_us) / MS_US + 1);
	if (working)
		ms = MIN(ms, jobs->options.lease_ms / RENEWALS);
	return MAX(ms, WAIT_MS_MIN);
}

/* A turn that hangs must not be what leases are lost by. */
static int64_t turn_ms(const struct jobs *jobs)
{
	return MIN(jobs->options.turn_ms_max, MAX(jobs->options.lease_ms / RENEWALS, TURN_MS_MIN));
}

static err_t turn(struct ctx *ctx, struct jobs *jobs, struct job_look *look)
{
	int64_t due_ns = jobs->renewed_ns + lease_ns(jobs) / RENEWALS;
	struct looking looking = { jobs->owner, look };
	if (!jobs->prepared)
		TRY(prepare(ctx, jobs));
	TRY(jobs_node_say(ctx, jobs));
	if (is_working(jobs) && clock_now_ns() >= due_ns)
		TRY(renew(ctx, jobs));
	TRY(db_run(ctx, jobs->options.db, SQL_READ, look_body, &looking));
	TRY(jobs_watch_clock(ctx, jobs, look->now_us));
	if (look->cancels)
		TRY(renew(ctx, jobs)); /* which tells them */
	if (is_over(look->schedule_at_us, look))
		TRY(jobs_fire(ctx, jobs));
	if (is_over(look->asleep_until_us, look))
		TRY(db_run(ctx, jobs->options.db, SQL_WRITE_RELAXED, wake_body, NULL));
	if (is_over(look->lease_until_us, look))
		TRY(reclaim(ctx, jobs));
	return jobs_take(ctx, jobs);
}

/* Says so once, and again when it is over. */
static void tell(struct ctx *ctx, err_t err, bool *failing)
{
	if (err != OK && !*failing)
		LOG(LOG_WARN, "jobs could not be looked after, later again",
		    LOG_CSTR("detail", ctx->failure.detail));
	else if (err == OK && *failing)
		LOG(LOG_NOTICE, "jobs are looked after again");
	*failing = err != OK;
	ctx_forgive(ctx);
	arena_reset(ctx->arena);
}

/* False when it is time to stop. */
static bool wait_for_turn(struct jobs *jobs, int64_t ms)
{
	int64_t until_ns = clock_now_ns() + ms * CLOCK_MS;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	while (!jobs->stopping && !jobs->due &&
	       thread_wait_until(&jobs->wake, &jobs->lock, until_ns))
		;
	jobs->due = false;
	return !jobs->stopping;
}

void *jobs_turn_main(void *arg)
{
	struct jobs *jobs = arg;
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	bool failing = false;
	int64_t ms = 0;
	arena_init(&arena, ARENA_BYTES);
	ctx_init(&ctx, &arena);
	while (wait_for_turn(jobs, ms)) {
		struct job_look look = { 0 };
		if (sql_reach(jobs->options.db) == SQL_REACH_ALL) { /* else it has been said */
			ctx.deadline_ns = clock_now_ns() + turn_ms(jobs) * CLOCK_MS;
			tell(&ctx, turn(&ctx, jobs, &look), &failing);
		}
		drop_expired(jobs);
		ms = failing ? jobs->options.poll_ms : pause_ms(jobs, &look, is_working(jobs));
	}
	return NULL;
}
