/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on both engines: asked for with what they follow from, taken in turns, held by one, run
 * again, ended, told in order; and what a late holder writes is not written. */
#include "sql_fixture.h"

#include <poll.h>

#include "base/buf.h"
#include "db/db.h"
#include "db/job_schedule.h"
#include "jobs/internal.h"
#include "jobs/outbox.h"
#include "jobs/schedule.h"

#define OWN_STATEMENTS 5000 /* those of the tests begin at 4990 */
#define LIMIT_S	       60

FIXTURE_STATEMENT(EXPIRE, 4990, SQL_STATEMENT_EXEC, 1,
		  "UPDATE job SET lease_until_us = 1 WHERE id = ?1",
		  "UPDATE job SET lease_until_us = 1 WHERE id = $1");
FIXTURE_STATEMENT(LATE, 4991, SQL_STATEMENT_EXEC, 2,
		  "UPDATE job_schedule SET next_at_us = ?2 WHERE name = ?1",
		  "UPDATE job_schedule SET next_at_us = $2 WHERE name = $1");
FIXTURE_STATEMENT(BREAK_CRON, 4992, SQL_STATEMENT_EXEC, 1,
		  "UPDATE job_schedule SET cron = 'x', next_at_us = 1 WHERE name = ?1",
		  "UPDATE job_schedule SET cron = 'x', next_at_us = 1 WHERE name = $1");
FIXTURE_STATEMENT(DREAM, 4996, SQL_STATEMENT_EXEC, 2,
		  "UPDATE job SET state = 0, due_at_us = ?2, started_at_us = ?2 WHERE id = ?1",
		  "UPDATE job SET state = 0, due_at_us = $2, started_at_us = $2 WHERE id = $1");
FIXTURE_STATEMENT(HOLD, 4997, SQL_STATEMENT_EXEC, 2,
		  "UPDATE job SET state = 2, owner = 'x', lease_until_us = ?2 WHERE id = ?1",
		  "UPDATE job SET state = 2, owner = 'x', lease_until_us = $2 WHERE id = $1");
FIXTURE_STATEMENT(OVER, 4993, SQL_STATEMENT_EXEC, 1,
		  "UPDATE job SET keep_until_us = 1 WHERE id = ?1",
		  "UPDATE job SET keep_until_us = 1 WHERE id = $1");
FIXTURE_STATEMENT(OUTBOX_COUNT, 4994, SQL_STATEMENT_ONE, 0, "SELECT COUNT(*) FROM outbox",
		  "SELECT COUNT(*) FROM outbox");
FIXTURE_STATEMENT(FORGET, 4998, SQL_STATEMENT_EXEC, 0, "DELETE FROM job", "DELETE FROM job");
FIXTURE_STATEMENT(LOSE, 4999, SQL_STATEMENT_EXEC, 0, "UPDATE job SET losses = 1",
		  "UPDATE job SET losses = 1");

static struct world {
	struct sql_fixture f;
	_Atomic(int) runs, at_once, at_once_seen, failures_left, laned;
	_Atomic(bool) open; /* the gate at which handlers wait */
	_Atomic(err_t) late;
	int64_t order[64]; /* tenants, or letters */
	_Atomic(size_t) ordered;
	_Atomic(int) dropped, stopped; /* letters; those of stopped jobs among them */
	_Atomic(int64_t) left;	       /* letters when number 9 was told */
} world;

#define CTX (&world.f.ctx)

static void note(int64_t what)
{
	size_t at = atomic_fetch_add(&world.ordered, 1);
	cr_assert_lt(at, COUNT_OF(world.order));
	world.order[at] = what;
}

static bool soon(bool (*is_so)(int64_t of), int64_t of)
{
	for (int64_t until_ns = clock_now_ns() + LIMIT_S * CLOCK_S; clock_now_ns() < until_ns;) {
		if (is_so(of))
			return true;
		(void)poll(NULL, 0, 1);
	}
	return false;
}

/* --- handlers --------------------------------------------------------------------------------- */

static void begin_one(void)
{
	int now = atomic_fetch_add(&world.at_once, 1) + 1;
	for (int seen = atomic_load(&world.at_once_seen);
	     now > seen && !atomic_compare_exchange_weak(&world.at_once_seen, &seen, now);)
		;
}

static err_t run_count(struct ctx *ctx, struct job *job, void *arg)
{
	begin_one();
	note(job_tenant_id(job));
	job_log(job, "counted \x01 " STR_FMT, STR_ARG(job_arguments(job)));
	job_progress(job, 3, 7);
	(void)poll(NULL, 0, 2);
	atomic_fetch_sub(&world.at_once, 1);
	atomic_fetch_add(&world.runs, 1);
	return OK;
}

static err_t run_fail(struct ctx *ctx, struct job *job, void *arg)
{
	atomic_fetch_add(&world.runs, 1);
	return fail(ctx, ERR_STORAGE, "no luck at attempt %lld", (long long)job_attempt(job));
}

/* Until the gate is open, or it is told to end. */
static err_t run_wait(struct ctx *ctx, struct job *job, void *arg)
{
	atomic_fetch_add(&world.runs, 1);
	for (; !atomic_load(&world.open); (void)poll(NULL, 0, 1))
		TRY(ctx_check(ctx));
	return OK;
}

/* Its argument is its lane. */
static err_t run_lane(struct ctx *ctx, struct job *job, void *arg)
{
	if (!str_eq(job_arguments(job), STR("slow"))) {
		atomic_fetch_add(&world.laned, 1);
		return OK;
	}
	begin_one();
	err_t err = run_wait(ctx, job, arg);
	atomic_fetch_sub(&world.at_once, 1);
	return err;
}

static err_t nothing_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const str *kind = arg;
	return db_job_kind_put(ctx, tx, *kind);
}

/* Deaf to all but the gate; then it writes. */
static err_t run_late(struct ctx *ctx, struct job *job, void *arg)
{
	str kind = STR("written late");
	atomic_fetch_add(&world.runs, 1);
	while (job_attempt(job) == 1 && !atomic_load(&world.open))
		(void)poll(NULL, 0, 1);
	if (job_attempt(job) > 1)
		return OK;
	ctx->cancelled = NULL;
	err_t err = db_run(ctx, world.f.db, SQL_WRITE_RELAXED, nothing_body, &kind);
	atomic_store(&world.late, err);
	return err;
}

static err_t left_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &OUTBOX_COUNT, SQL_NO_ARGS, &rows));
	atomic_store(&world.left, sql_i64(&rows, 0));
	return OK;
}

static err_t tell(struct ctx *ctx, const struct outbox_row *letter, void *arg)
{
	uint64_t number;
	cr_assert(str_to_u64(letter->payload, 1000, &number));
	if (number == 9)
		TRY(db_run(ctx, world.f.db, SQL_READ, left_body, NULL));
	if ((number == 2 || number == 4) && atomic_fetch_sub(&world.failures_left, 1) > 0)
		return fail(ctx, ERR_UPSTREAM_UNREACHABLE, "nobody there");
	note((int64_t)number);
	atomic_store(&world.failures_left, 3); /* for the next one that fails */
	return OK;
}

static err_t run_tell(struct ctx *ctx, struct job *job, void *arg)
{
	return outbox_drain(ctx, job, &(struct outbox_teller){ tell, NULL });
}

static err_t dropped(struct ctx *ctx, struct sql_tx *tx, const struct outbox_row *letter, str why)
{
	atomic_fetch_add(&world.dropped, 1);
	if (str_eq(why, STR("stopped")))
		atomic_fetch_add(&world.stopped, 1);
	return OK;
}

static err_t run_sweep(struct ctx *ctx, struct job *job, void *arg)
{
	const struct outbox_sweep sweep = { STR("tell"), dropped };
	int64_t count;
	TRY(outbox_sweep(ctx, world.f.db, &sweep, &count));
	atomic_fetch_add(&world.runs, 1);
	return OK;
}

static err_t run_talk(struct ctx *ctx, struct job *job, void *arg)
{
	char line[JOB_LINE_MAX + 500];
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	job_log(job, "the first line");
	for (int i = 0; i < 3000; i++)
		job_log(job, "%d %s", i, line);
	return OK;
}

static err_t talk_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	str kind = STR("in a transaction");
	TRY(db_job_kind_put(ctx, tx, kind));
	job_log(arg, "said in a transaction");
	job_progress(arg, 1, 1);
	return OK;
}

static err_t run_talk_inside(struct ctx *ctx, struct job *job, void *arg)
{
	return db_run(ctx, world.f.db, SQL_WRITE, talk_body, job);
}

static const struct job_kind kinds[] = {
	{ .name = "count", .run = run_count },
	{ .name = "few", .run = run_count, .at_once_max = 2 },
	{ .name = "fair", .run = run_count, .at_once_max = 1 },
	{ .name = "one_each", .run = run_count, .of_tenant_max = 1 },
	{ .name = "fail", .run = run_fail, .attempts_max = 3, .backoff_first_ms = 2 },
	{ .name = "slow", .run = run_wait, .attempts_max = 1, .time_max_ms = 20 },
	{ .name = "wait", .run = run_wait, .attempts_max = 1 },
	{ .name = "late", .run = run_late },
	{ .name = "tell",
	  .run = run_tell,
	  .cleaned_by = "sweep",
	  .attempts_max = 5,
	  .backoff_first_ms = 2,
	  .backoff_max_ms = 4 },
	{ .name = "talk", .run = run_talk },
	{ .name = "talk_inside", .run = run_talk_inside, .attempts_max = 1 },
	{ .name = "lanes", .run = run_lane, .of_tenant_max = 2, .of_lane_max = 1 },
	{ .name = "sweep", .run = run_sweep, .at_once_max = 1 },
};

/* --- the house -------------------------------------------------------------------------------- */

static struct jobs *engine(unsigned workers, int64_t lease_ms)
{
	const struct jobs_options options = { .db = world.f.db,
					      .kinds = kinds,
					      .kind_count = COUNT_OF(kinds),
					      .workers_max = workers,
					      .lease_ms = lease_ms,
					      .poll_ms = 20 };
	struct jobs *jobs = NULL;
	EXPECT_OK(CTX, jobs_new(CTX, &options, &jobs));
	return jobs;
}

static void start(struct jobs *jobs)
{
	EXPECT_OK(CTX, jobs_start(CTX, jobs));
}

static struct jobs *started(unsigned workers)
{
	struct jobs *jobs = engine(workers, 30000);
	start(jobs);
	return jobs;
}

static void open_world(enum sql_engine engine)
{
	struct sql_fixture *f = &world.f;
	f->engine = engine;
	arena_init(&f->arena, MIB(32));
	ctx_init(&f->ctx, &f->arena);
	fixture_locate(f);
	const struct sql_options options = { .engine = engine,
					     .location = f->location,
					     .connections_max = 8,
					     .statement_count = OWN_STATEMENTS };
	EXPECT_OK(CTX, sql_open(CTX, &options, &f->db));
	EXPECT_OK(CTX, db_migrate(CTX, f->db));
}

static void run_test(enum sql_engine engine, void (*body)(void))
{
	if (!fixture_has_engine(engine))
		return;
	open_world(engine);
	body();
	fixture_clean(&world.f);
}

#define JOB_TEST(name)                                                                             \
	static void name(void);                                                                    \
	Test(jobs, name##_on_sqlite)                                                               \
	{                                                                                          \
		run_test(SQL_SQLITE, name);                                                        \
	}                                                                                          \
	Test(jobs, name##_on_postgres)                                                             \
	{                                                                                          \
		run_test(SQL_POSTGRES, name);                                                      \
	}                                                                                          \
	static void name(void)

static err_t change(const struct sql_statement *statement, struct sql_args args)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(sql_begin(CTX, world.f.db, SQL_WRITE, &tx));
	TRY(sql_exec(CTX, &tx, statement, args, NULL));
	return sql_commit(CTX, &tx);
}

static int64_t ask(const struct job_request *wanted, bool commit)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	int64_t id = 0;
	EXPECT_OK(CTX, sql_begin(CTX, world.f.db, SQL_WRITE, &tx));
	EXPECT_OK(CTX, jobs_enqueue(CTX, &tx, wanted, &id));
	if (commit)
		EXPECT_OK(CTX, sql_commit(CTX, &tx));
	return id;
}

static int64_t ask_for(const char *kind, int64_t tenant_id)
{
	return ask(&(struct job_request){ .kind = str_from(kind),
					  .tenant_id = tenant_id,
					  .arguments = STR("{\"a\":1}") },
		   true);
}

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct job_row *row = arg;
	return db_job_get(ctx, tx, row->id, row);
}

static struct job_row row_of(int64_t id)
{
	struct job_row row = { .id = id };
	EXPECT_OK(CTX, db_run(CTX, world.f.db, SQL_READ, get_body, &row));
	return row;
}

static bool is_done(int64_t id)
{
	return row_of(id).state == JOB_DONE;
}

static bool is_failed(int64_t id)
{
	return row_of(id).state == JOB_FAILED;
}

static bool is_cancelled(int64_t id)
{
	return row_of(id).state == JOB_CANCELLED;
}

static bool is_ready(int64_t id)
{
	return row_of(id).state == JOB_READY;
}

static bool has_run(int64_t times)
{
	return atomic_load(&world.runs) >= times;
}

static str log_of(struct jobs *jobs, int64_t id, size_t *ret_parts)
{
	CLEANUP(buf_done) struct buf all = BUF_INIT(MIB(4));
	struct job_log_part *parts;
	EXPECT_OK(CTX, jobs_read_log(CTX, jobs, id, 0, 1000, &parts, ret_parts));
	for (size_t i = 0; i < *ret_parts; i++)
		buf_add(&all, parts[i].text);
	return arena_copy(CTX->arena, buf_str(&all));
}

static bool says(str log, const char *what)
{
	size_t at;
	return str_find(log, str_from(what), &at);
}

/* --- asking and running ----------------------------------------------------------------------- */

JOB_TEST(what_is_asked_for_is_done_and_what_was_rolled_back_is_not)
{
	struct jobs *jobs = started(2);
	const struct job_request wanted = { .kind = STR("count"), .arguments = STR("never") };
	size_t parts;
	ask(&wanted, false);
	int64_t id = ask_for("count", 3);
	jobs_wake(jobs);
	cr_assert(soon(is_done, id));
	struct job_row row = row_of(id);
	cr_assert_eq(atomic_load(&world.runs), 1);
	cr_assert_eq(row.attempts, 1);
	cr_assert_eq(row.progress_done, 3);
	cr_assert_eq(row.progress_total, 7);
	cr_assert_eq(row.owner.len, 0);
	cr_assert(row.finished_at_us >= row.started_at_us &&
		  row.started_at_us >= row.created_at_us);
	str log = log_of(jobs, id, &parts);
	cr_assert(says(log, "Z counted ? {\"a\":1}\n"), STR_FMT, STR_ARG(log));
	EXPECT(CTX, jobs_cancel(CTX, jobs, id), ERR_NOT_FOUND);
	EXPECT(CTX, jobs_get(CTX, jobs, id + 100, &row), ERR_NOT_FOUND);
	struct jobs_kind_stats stats;
	jobs_stop(jobs); /* a result is counted after its row says so */
	EXPECT_OK(CTX, jobs_kind_stats(CTX, jobs, 0, &stats));
	cr_assert_eq(stats.results[JOB_RESULT_DONE], 1);
	cr_assert_eq(stats.counts[JOB_READY].count, 0);
	jobs_free(jobs);
}

JOB_TEST(what_fails_is_run_again_and_then_has_failed)
{
	struct jobs *jobs = started(1);
	size_t parts;
	int64_t id = ask_for("fail", 0);
	jobs_wake(jobs);
	cr_assert(soon(is_failed, id));
	cr_assert_eq(atomic_load(&world.runs), 3);
	cr_assert(says(row_of(id).error, "no luck at attempt 3"));
	str log = log_of(jobs, id, &parts);
	cr_assert(says(log, "ended: no luck at attempt 1") && says(log, "attempt 2\n"));
	jobs_free(jobs);
}

JOB_TEST(time_is_limited)
{
	struct jobs *jobs = started(2);
	int64_t slow = ask_for("slow", 0);
	int64_t late =
		ask(&(struct job_request){ .kind = STR("fail"), .delay_ms = 30, .timeout_ms = 10 },
		    true);
	jobs_wake(jobs);
	cr_assert(soon(is_failed, slow));
	cr_assert(soon(is_failed, late));
	cr_assert_eq(atomic_load(&world.runs), 1, "its time was over before it began");
	jobs_free(jobs);
}

JOB_TEST(cancelling_ends_what_waits_and_what_runs)
{
	struct jobs *jobs = started(1), *other = engine(0, 30000);
	int64_t runs = ask_for("wait", 0);
	jobs_wake(jobs);
	cr_assert(soon(has_run, 1));
	int64_t waits = ask_for("wait", 0);
	EXPECT_OK(CTX, jobs_cancel(CTX, jobs, waits));
	cr_assert(is_cancelled(waits));
	EXPECT_OK(CTX, jobs_cancel(CTX, other, runs)); /* at another node than it runs at */
	cr_assert(soon(is_cancelled, runs));
	jobs_free(other);
	jobs_free(jobs);
}

JOB_TEST(a_node_that_stops_gives_its_jobs_back)
{
	struct jobs *jobs = started(1);
	int64_t id = ask_for("wait", 0);
	jobs_wake(jobs);
	cr_assert(soon(has_run, 1));
	jobs_stop(jobs);
	struct job_row row = row_of(id);
	cr_assert_eq(row.state, JOB_READY);
	cr_assert_eq(row.attempts, 0);
	jobs_free(jobs);
	atomic_store(&world.open, true);
	jobs = started(1);
	cr_assert(soon(is_done, id));
	jobs_free(jobs);
}

JOB_TEST(a_paused_kind_is_not_taken)
{
	struct jobs *jobs = started(1);
	EXPECT(CTX, jobs_pause(CTX, jobs, STR("none"), true), ERR_NOT_FOUND);
	EXPECT_OK(CTX, jobs_pause(CTX, jobs, STR("few"), true));
	int64_t paused = ask_for("few", 0), other = ask_for("count", 0);
	jobs_wake(jobs);
	cr_assert(soon(is_done, other));
	cr_assert(is_ready(paused));
	EXPECT_OK(CTX, jobs_pause(CTX, jobs, STR("few"), false));
	cr_assert(soon(is_done, paused));
	jobs_free(jobs);
}

/* --- holding ---------------------------------------------------------------------------------- */

static err_t lock_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const str *kind = arg;
	struct job_turn turn;
	return db_job_kind_lock(ctx, tx, *kind, &turn);
}

/* The first holder is asleep beyond its lease; the second one does the work. */
JOB_TEST(a_late_holder_writes_nothing)
{
	struct jobs *first = engine(1, 3600000), *second = engine(1, 3600000);
	int64_t id = ask_for("late", 0);
	start(first);
	cr_assert(soon(has_run, 1));
	EXPECT_OK(CTX, change(&EXPIRE, SQL_ARGS(SQL_I64(id))));
	start(second);
	cr_assert(soon(is_done, id));
	struct job_row before = row_of(id);
	cr_assert_eq(before.attempts, 2);
	cr_assert_eq(before.fence, 2);
	cr_assert_eq(before.losses, 1);
	atomic_store(&world.open, true);
	jobs_stop(first);
	cr_assert_eq(atomic_load(&world.late), ERR_CANCELLED);
	str written = STR("written late");
	EXPECT(CTX, db_run(CTX, world.f.db, SQL_WRITE, lock_body, &written), ERR_ABSENT);
	struct job_row after = row_of(id);
	cr_assert_eq(after.finished_at_us, before.finished_at_us);
	struct jobs_kind_stats stats;
	EXPECT_OK(CTX, jobs_kind_stats(CTX, first, 7, &stats));
	cr_assert_str_eq(stats.kind, "late");
	cr_assert_eq(stats.results[JOB_RESULT_LOST], 1);
	jobs_free(first);
	jobs_free(second);
}

JOB_TEST(a_lease_is_renewed_while_the_work_goes_on)
{
	struct jobs *jobs = engine(1, 60), *other = engine(1, 60);
	int64_t id = ask_for("wait", 0);
	start(jobs);
	cr_assert(soon(has_run, 1));
	start(other);
	int64_t first_us = row_of(id).lease_until_us, until_us = first_us + 300000;
	while (row_of(id).lease_until_us < until_us)
		(void)poll(NULL, 0, 1);
	cr_assert_eq(atomic_load(&world.runs), 1);
	atomic_store(&world.open, true);
	cr_assert(soon(is_done, id));
	cr_assert_eq(row_of(id).attempts, 1);
	jobs_free(jobs);
	jobs_free(other);
}

struct taking {
	const struct job_taker *taker;
	struct job_row *row;
};

static err_t take_for_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct taking *taking = arg;
	return db_job_take(ctx, tx, taking->taker, taking->row);
}

static err_t take_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct job_taker taker = { STR("count"), STR("a node that died"), 0, -1 };
	return db_job_take(ctx, tx, &taker, arg);
}

JOB_TEST(what_takes_three_nodes_with_it_is_parked)
{
	struct jobs *jobs = started(0); /* it takes back, and takes none */
	struct job_row row;
	int64_t id = ask_for("count", 0);
	for (int i = 0; i < 3; i++) {
		EXPECT_OK(CTX, db_run(CTX, world.f.db, SQL_WRITE, take_body, &row));
		cr_assert(soon(i < 2 ? is_ready : is_failed, id));
	}
	cr_assert(says(row_of(id).error, "its node went away"));
	size_t parts;
	str log = log_of(jobs, id, &parts);
	cr_assert_eq(parts, 3);
	cr_assert(says(log, "its node went away while it ran, too often: it is parked"));
	jobs_free(jobs);
}

/* --- limits and turns ------------------------------------------------------------------------- */

JOB_TEST(so_many_of_a_kind_run_in_all_nodes_together)
{
	struct jobs *nodes[2] = { engine(4, 30000), engine(4, 30000) };
	int64_t last = 0;
	for (int i = 0; i < 20; i++)
		last = ask_for("few", i % 3);
	start(nodes[0]);
	start(nodes[1]);
	cr_assert(soon(has_run, 20));
	cr_assert(soon(is_done, last));
	jobs_free(nodes[0]);
	jobs_free(nodes[1]);
	cr_assert_eq(atomic_load(&world.runs), 20);
	cr_assert_leq(atomic_load(&world.at_once_seen), 2);
}

JOB_TEST(tenants_take_turns)
{
	for (int i = 0; i < 10; i++)
		ask_for("fair", 1);
	ask_for("fair", 2);
	ask_for("fair", 3);
	struct jobs *jobs = started(4);
	cr_assert(soon(has_run, 12));
	jobs_free(jobs);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(world.order[i], i + 1, "tenant %d at turn %d", (int)world.order[i], i);
}

JOB_TEST(so_many_of_a_tenant_run)
{
	for (int i = 0; i < 8; i++)
		ask_for("one_each", 5);
	struct jobs *jobs = started(4);
	cr_assert(soon(has_run, 8));
	jobs_free(jobs);
	cr_assert_eq(atomic_load(&world.at_once_seen), 1);
}

static void ask_in_lane(const char *lane, int64_t tenant_id)
{
	ask(&(struct job_request){ .kind = STR("lanes"),
				   .tenant_id = tenant_id,
				   .arguments = str_from(lane),
				   .lane = str_from(lane) },
	    true);
}

static bool has_gone_on(int64_t count)
{
	return atomic_load(&world.laned) >= count;
}

/* Jobs of the lane "slow" wait at the gate, so each that was taken holds a worker. */
JOB_TEST(a_lane_that_hangs_takes_one_worker_and_its_tenants_other_lanes_go_on)
{
	for (int i = 0; i < 20; i++)
		ask_in_lane("slow", 5);
	for (int i = 0; i < 10; i++) {
		ask_in_lane("fast", 5);
		ask_in_lane("quick", 5);
		ask_in_lane("", 6);
	}
	struct jobs *jobs = started(4);
	cr_assert(soon(has_gone_on, 30), "%d", atomic_load(&world.laned));
	cr_assert(soon(has_run, 1));
	cr_assert_eq(atomic_load(&world.runs), 1, "the others of its lane wait");
	atomic_store(&world.open, true);
	cr_assert(soon(has_run, 20));
	jobs_free(jobs);
	cr_assert_eq(atomic_load(&world.runs), 20);
	cr_assert_eq(atomic_load(&world.at_once_seen), 1, "one after the other");
}

JOB_TEST(a_lane_has_its_limit_in_all_nodes_together)
{
	struct jobs *nodes[2] = { engine(4, 30000), engine(4, 30000) };
	for (int i = 0; i < 20; i++)
		ask_in_lane("slow", 5);
	atomic_store(&world.open, true);
	start(nodes[0]);
	start(nodes[1]);
	cr_assert(soon(has_run, 20));
	jobs_free(nodes[0]);
	jobs_free(nodes[1]);
	cr_assert_eq(atomic_load(&world.at_once_seen), 1);
}

/* --- subjects and the outbox ------------------------------------------------------------------ */

JOB_TEST(a_subject_has_one_job_at_a_time)
{
	const struct job_request wanted = { .kind = STR("wait"), .subject = STR("it") };
	int64_t id = ask(&wanted, true);
	cr_assert_eq(ask(&wanted, true), id, "it waits, so it will do");
	struct jobs *jobs = started(2);
	cr_assert(soon(has_run, 1));
	cr_assert_eq(ask(&wanted, true), id);
	cr_assert_eq(ask(&wanted, true), id, "however many ask while it runs");
	atomic_store(&world.open, true);
	cr_assert(soon(is_done, id));
	cr_assert_eq(atomic_load(&world.runs), 2);
	cr_assert_neq(ask(&wanted, true), id);
	jobs_free(jobs);
}

static void post(const char *subject, const char *payload)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	const struct outbox_letter letter = { .kind = STR("tell"),
					      .subject = str_from(subject),
					      .payload = str_from(payload) };
	EXPECT_OK(CTX, sql_begin(CTX, world.f.db, SQL_WRITE, &tx));
	EXPECT_OK(CTX, outbox_add(CTX, &tx, &letter));
	EXPECT_OK(CTX, sql_commit(CTX, &tx));
}

static bool is_told(int64_t count)
{
	return (int64_t)atomic_load(&world.ordered) >= count;
}

static bool is_outbox_empty(int64_t none)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(CTX, sql_begin(CTX, world.f.db, SQL_READ, &tx));
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	EXPECT_OK(CTX, sql_one(CTX, &tx, &OUTBOX_COUNT, SQL_NO_ARGS, &rows));
	return sql_i64(&rows, 0) == 0;
}

JOB_TEST(letters_about_a_subject_are_told_in_their_order)
{
	atomic_store(&world.failures_left, 3);
	post("a", "1");
	post("a",
	     "2"); /* which fails three times, as the fourth does: more than the attempts of one */
	post("a", "3");
	post("b", "10");
	struct jobs *jobs = started(2);
	post("a", "4");
	cr_assert(soon(is_told, 5));
	cr_assert(soon(is_outbox_empty, 0));
	jobs_free(jobs);
	int64_t last = 0;
	for (size_t i = 0; i < 5; i++) {
		if (world.order[i] == 10)
			continue;
		cr_assert_eq(world.order[i], ++last);
	}
}

/* Many who write, one who tells meanwhile: nothing is left, nothing is told twice. */
static void *post_many(void *arg)
{
	static _Thread_local struct ctx ctx;
	struct arena arena;
	arena_init(&arena, MIB(4));
	ctx_init(&ctx, &arena);
	for (int i = 0; i < 12; i++) {
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		const struct outbox_letter letter = { .kind = STR("tell"),
						      .subject = STR("busy"),
						      .payload = STR("7") };
		EXPECT_OK(&ctx, sql_begin(&ctx, world.f.db, SQL_WRITE, &tx));
		EXPECT_OK(&ctx, outbox_add(&ctx, &tx, &letter));
		EXPECT_OK(&ctx, sql_commit(&ctx, &tx));
	}
	arena_done(&arena);
	return NULL;
}

JOB_TEST(no_letter_stays_behind_when_a_job_ends)
{
	struct jobs *jobs = started(2);
	pthread_t threads[4];
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_create(&threads[i], NULL, post_many, NULL);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	cr_assert(soon(is_told, 48));
	cr_assert(soon(is_outbox_empty, 0));
	jobs_free(jobs);
	cr_assert_eq(atomic_load(&world.ordered), 48);
}

JOB_TEST(a_letter_whose_job_failed_for_good_is_dropped_and_those_behind_it_are_told)
{
	atomic_store(&world.failures_left, 1000);
	post("a", "2");
	post("a", "3");
	post("a", "5");
	struct jobs *jobs = started(2);
	cr_assert(soon(is_told, 2));
	cr_assert(soon(is_outbox_empty, 0));
	jobs_free(jobs);
	cr_assert_eq(world.order[0], 3);
	cr_assert_eq(world.order[1], 5);
	cr_assert_eq(atomic_load(&world.dropped), 1);
	cr_assert_eq(atomic_load(&world.stopped), 0);
}

JOB_TEST(letters_of_a_node_that_went_away_three_times_lose_the_first_and_are_told)
{
	const struct job_taker taker = { STR("tell"), STR("a node that died"), 0, -1 };
	struct jobs *jobs = started(0);
	struct job_row row = { .id = 0 };
	post("a", "1");
	post("a", "3");
	for (int i = 0; i < 3; i++) {
		EXPECT_OK(CTX, db_run(CTX, world.f.db, SQL_WRITE, take_for_body,
				      &(struct taking){ &taker, &row }));
		cr_assert(soon(i < 2 ? is_ready : is_failed, row.id));
	}
	jobs_free(jobs);
	jobs = started(2);
	cr_assert(soon(is_outbox_empty, 0));
	jobs_free(jobs);
	cr_assert_eq(atomic_load(&world.ordered), 1);
	cr_assert_eq(world.order[0], 3);
	cr_assert_eq(atomic_load(&world.dropped), 1);
}

JOB_TEST(what_took_a_node_along_is_told_alone)
{
	post("a", "1");
	post("a", "3");
	post("a", "9");
	post("a", "5");
	EXPECT_OK(CTX, change(&LOSE, SQL_NO_ARGS));
	struct jobs *jobs = started(1);
	cr_assert(soon(is_outbox_empty, 0));
	jobs_free(jobs);
	cr_assert_eq(atomic_load(&world.left), 2, "those before it are written down");
}

JOB_TEST(letters_of_stopped_jobs_are_dropped)
{
	struct jobs *jobs = engine(2, 30000);
	int64_t count;
	for (int i = 0; i < 1001; i++) /* more than one step drops */
		post("a", "1");
	post("b", "3");
	EXPECT_OK(CTX, jobs_cancel_waiting(CTX, jobs, STR("tell"), &count));
	cr_assert_eq(count, 2);
	post("c", "5");
	start(jobs);
	cr_assert(soon(is_outbox_empty, 0));
	jobs_free(jobs);
	cr_assert_eq(atomic_load(&world.stopped), 1002);
	cr_assert_eq(atomic_load(&world.ordered), 1, "what came later is told");
}

JOB_TEST(letters_without_any_job_get_one)
{
	post("a", "1");
	post("b", "3");
	EXPECT_OK(CTX, change(&FORGET, SQL_NO_ARGS));
	ask_for("sweep", 0);
	struct jobs *jobs = started(2);
	cr_assert(soon(is_outbox_empty, 0));
	jobs_free(jobs);
	cr_assert_eq(atomic_load(&world.ordered), 2);
	cr_assert_eq(atomic_load(&world.dropped), 0);
}

/* --- schedules -------------------------------------------------------------------------------- */

static err_t schedule_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct job_schedule_row *row = arg;
	return db_job_schedule_get(ctx, tx, row->name, row);
}

static struct job_schedule_row schedule(const char *name)
{
	struct job_schedule_row row = { .name = str_from(name) };
	EXPECT_OK(CTX, db_run(CTX, world.f.db, SQL_READ, schedule_body, &row));
	return row;
}

static bool is_off(int64_t none)
{
	return !schedule("broken").enabled;
}

JOB_TEST(a_schedule_fires_once_whoever_looks)
{
	struct jobs *nodes[3] = { engine(2, 30000), engine(2, 30000), engine(0, 30000) };
	struct job_schedule daily = { .name = STR("daily"),
				      .kind = STR("count"),
				      .cron = STR("@daily") };
	EXPECT_OK(CTX, jobs_schedule(CTX, nodes[0], &daily));
	/* Missed for months, at all nodes. */
	EXPECT_OK(CTX, change(&LATE, SQL_ARGS(SQL_TEXT(daily.name), SQL_I64(1000000))));
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		start(nodes[i]);
	cr_assert(soon(has_run, 1));
	struct job_schedule_row row = schedule("daily");
	cr_assert_gt(row.fired_at_us, 0);
	cr_assert_gt(row.next_at_us, row.fired_at_us);
	cr_assert_leq(row.next_at_us - row.fired_at_us, INT64_C(86400000000));
	cr_assert_eq(row.next_at_us % INT64_C(86400000000), 0);
	/* Who says the same again changes nothing; something else counts from now. */
	EXPECT_OK(CTX, jobs_schedule(CTX, nodes[1], &daily));
	cr_assert_eq(schedule("daily").next_at_us, row.next_at_us);
	daily.cron = STR("@yearly");
	EXPECT_OK(CTX, jobs_schedule(CTX, nodes[1], &daily));
	cr_assert_geq(schedule("daily").next_at_us, row.next_at_us);
	EXPECT_OK(CTX, jobs_unschedule(CTX, nodes[0], daily.name));
	EXPECT(CTX, jobs_unschedule(CTX, nodes[0], daily.name), ERR_NOT_FOUND);
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		jobs_free(nodes[i]);
	cr_assert_eq(atomic_load(&world.runs), 1);
}

#define DAY_US INT64_C(86400000000)

static bool is_near(int64_t from_us)
{
	return schedule("far").next_at_us <= from_us + DAY_US;
}

/* The clock was months ahead once, and what was to happen then would not happen for months. */
JOB_TEST(a_clock_that_was_set_back_is_gone_by)
{
	struct jobs *jobs = engine(0, 30000);
	struct job_schedule far = { STR("far"), STR("count"), .cron = STR("@daily") };
	struct job_schedule soon_again = { STR("near"), STR("count"), .cron = STR("@hourly") };
	EXPECT_OK(CTX, jobs_schedule(CTX, jobs, &far));
	EXPECT_OK(CTX, jobs_schedule(CTX, jobs, &soon_again));
	int64_t now_us = schedule("near").next_at_us, waits_us = now_us + DAY_US / 2;
	EXPECT_OK(CTX, change(&LATE, SQL_ARGS(SQL_TEXT(far.name), SQL_I64(now_us + 90 * DAY_US))));
	EXPECT_OK(CTX, change(&LATE, SQL_ARGS(SQL_TEXT(soon_again.name), SQL_I64(waits_us))));
	int64_t sleeps = ask_for("count", 0), leased = ask_for("count", 0);
	EXPECT_OK(CTX, change(&DREAM, SQL_ARGS(SQL_I64(sleeps), SQL_I64(now_us + 90 * DAY_US))));
	EXPECT_OK(CTX, change(&HOLD, SQL_ARGS(SQL_I64(leased), SQL_I64(now_us + 90 * DAY_US))));
	start(jobs);
	cr_assert(soon(is_near, now_us));
	cr_assert(soon(is_ready, sleeps));
	cr_assert_leq(row_of(leased).lease_until_us, now_us + DAY_US);
	cr_assert_eq(schedule("near").next_at_us, waits_us, "by half a day: it waits");
	/* While it runs, too. */
	EXPECT_OK(CTX, change(&LATE, SQL_ARGS(SQL_TEXT(far.name), SQL_I64(now_us + 90 * DAY_US))));
	atomic_store(&jobs->seen_us, now_us + 90 * DAY_US);
	cr_assert(soon(is_near, now_us));
	jobs_free(jobs);
}

JOB_TEST(a_line_that_is_none_is_refused_and_one_in_a_row_is_off)
{
	struct jobs *jobs = engine(0, 30000);
	struct job_schedule wanted = { .name = STR("broken"),
				       .kind = STR("count"),
				       .cron = STR("0 0 * *") };
	cr_assert_eq(jobs_schedule(CTX, jobs, &wanted), ERR_REQUEST_INVALID);
	cr_assert(says(str_from(CTX->failure.detail), "near byte 7"), "%s", CTX->failure.detail);
	ctx_forgive(CTX);
	wanted.cron = STR("@hourly");
	EXPECT_OK(CTX, jobs_schedule(CTX, jobs, &wanted));
	EXPECT_OK(CTX, change(&BREAK_CRON, SQL_ARGS(SQL_TEXT(wanted.name))));
	start(jobs);
	cr_assert(soon(is_off, 0));
	jobs_free(jobs);
}

/* --- logs ------------------------------------------------------------------------------------- */

JOB_TEST(a_log_is_bounded_and_goes_with_its_row)
{
	struct jobs *jobs = started(1);
	size_t parts;
	int64_t id = ask_for("talk", 0), removed;
	jobs_wake(jobs);
	cr_assert(soon(is_done, id));
	str log = log_of(jobs, id, &parts);
	cr_assert_eq(parts, 64);
	cr_assert_leq(log.len, MIB(1));
	cr_assert(says(log, "the first line"));
	cr_assert(says(log, " 2999 xxx"));
	cr_assert(!says(log, " 1000 xxx"));
	EXPECT_OK(CTX, jobs_purge(CTX, jobs, &removed));
	cr_assert_eq(removed, 0);
	EXPECT_OK(CTX, change(&OVER, SQL_ARGS(SQL_I64(id))));
	EXPECT_OK(CTX, jobs_purge(CTX, jobs, &removed));
	cr_assert_eq(removed, 1);
	log_of(jobs, id, &parts);
	cr_assert_eq(parts, 0);
	jobs_free(jobs);
}

JOB_TEST(what_is_said_in_a_transaction_waits_for_its_end)
{
	struct jobs *jobs = started(1);
	size_t parts;
	int64_t id = ask_for("talk_inside", 0);
	jobs_wake(jobs);
	cr_assert(soon(is_done, id));
	cr_assert(says(log_of(jobs, id, &parts), "said in a transaction"));
	cr_assert_eq(row_of(id).progress_done, 1);
	jobs_free(jobs);
}
