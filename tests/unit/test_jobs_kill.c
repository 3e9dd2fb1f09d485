/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that run jobs are killed, or stopped for longer than their leases, at any moment: no
 * job is lost, none runs twice at once, and nothing is written by one that holds it no more.
 *
 * Each node is a process with an engine. A handler takes an advisory lock of the job's number on a
 * connection of its own, which goes with its process: who does not get it runs beside another one.
 * What it writes is a row of `effect` with its fence beside the one that the job's row has at that
 * moment.
 */
#include "sql_fixture.h"

#include <fcntl.h>
#include <poll.h>

#include "db/db.h"
#include "jobs/jobs.h"

#define JOBS	 80
#define NODES	 3
#define LEASE_MS 1000 /* nobody who lives is to lose it, however much the machine has to do */
#define SHORT_MS 150  /* of who is stopped for longer */
#define ROUNDS	 25
#define LIMIT_S	 120

FIXTURE_STATEMENT(EFFECT, 4990, SQL_STATEMENT_EXEC, 2,
		  "INSERT INTO effect SELECT id, ?2, fence FROM job WHERE id = ?1",
		  "INSERT INTO effect SELECT id, $2, fence FROM job WHERE id = $1");
FIXTURE_STATEMENT(VIOLATE, 4991, SQL_STATEMENT_EXEC, 1, "INSERT INTO violation VALUES (?1)",
		  "INSERT INTO violation VALUES ($1)");

static struct sql_fixture f;
static bool
	stops; /* they are stopped, not killed: then two do run at once, and one of them writes */
static struct sql *node_db;

/* --- a node ----------------------------------------------------------------------------------- */

static int64_t fence_of(int64_t id)
{
	static _Thread_local struct arena arena;
	struct ctx ctx;
	struct job_row row = { 0 };
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	if (sql_begin(&ctx, node_db, SQL_READ, &tx) == OK)
		(void)!db_job_get(&ctx, &tx, id, &row);
	sql_tx_done(&tx);
	arena_done(&arena);
	return row.fence;
}

struct effect {
	int64_t id, fence;
};

static err_t effect_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct effect *effect = arg;
	return sql_exec(ctx, tx, &EFFECT, SQL_ARGS(SQL_I64(effect->id), SQL_I64(effect->fence)),
			NULL);
}

static err_t violate_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const int64_t *id = arg;
	return sql_exec(ctx, tx, &VIOLATE, SQL_ARGS(SQL_I64(*id)), NULL);
}

/* Whether nobody else runs it. */
static bool lock_job(PGconn *connection, int64_t id)
{
	char text[96];
	snprintf(text, sizeof text, "SELECT pg_try_advisory_lock(%lld)", (long long)id);
	PGresult *result = PQexec(connection, text);
	bool got = PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return got;
}

static err_t run_effects(struct ctx *ctx, struct job *job, void *arg)
{
	struct effect effect = { job_id(job), fence_of(job_id(job)) };
	PGconn *connection = NULL;
	err_t err = OK;
	if (f.engine == SQL_POSTGRES && !stops) {
		connection = PQconnectdb(getenv("BERTH_TEST_POSTGRES"));
		if (!lock_job(connection, effect.id))
			err = db_run(ctx, node_db, SQL_WRITE, violate_body, &effect.id);
	}
	for (int i = 0; i < 4 && err == OK; i++) {
		(void)poll(NULL, 0, 15);
		err = db_run(ctx, node_db, SQL_WRITE, effect_body, &effect);
	}
	PQfinish(connection);
	return err;
}

static struct sql *open_database(struct ctx *ctx)
{
	const struct sql_options options = { .engine = f.engine,
					     .location = f.location,
					     .connections_max = 8,
					     .statement_count = 5000 };
	struct sql *db = NULL;
	return sql_open(ctx, &options, &db) == OK ? db : NULL;
}

/* Never returns. */
static void be_node(void)
{
	static const struct job_kind kinds[] = {
		{ .name = "effects", .run = run_effects, .at_once_max = 8, .backoff_first_ms = 2 },
	};
	struct arena arena;
	struct ctx ctx;
	struct jobs *jobs = NULL;
	arena_init(&arena, MIB(4));
	ctx_init(&ctx, &arena);
	int sink =
		open("/dev/null", O_WRONLY); /* it says that jobs were lost, which is the point */
	dup2(sink, STDERR_FILENO);
	node_db = open_database(&ctx);
	const struct jobs_options options = { .db = node_db,
					      .kinds = kinds,
					      .kind_count = COUNT_OF(kinds),
					      .workers_max = 3,
					      .lease_ms = stops ? SHORT_MS : LEASE_MS,
					      .poll_ms = 20 };
	if (!node_db || jobs_new(&ctx, &options, &jobs) != OK || jobs_start(&ctx, jobs) != OK)
		_exit(1);
	for (;;)
		pause();
}

static pid_t start_node(void)
{
	pid_t pid = fork();
	if (pid == 0)
		be_node();
	return pid;
}

/* --- the story -------------------------------------------------------------------------------- */

FIXTURE_STATEMENT(ASK_UNFINISHED, 4992, SQL_STATEMENT_ONE, 0,
		  "SELECT COUNT(*) FROM job WHERE state < 3",
		  "SELECT COUNT(*) FROM job WHERE state < 3");
FIXTURE_STATEMENT(ASK_RUNNING, 4989, SQL_STATEMENT_ONE, 0,
		  "SELECT COUNT(*) FROM job WHERE state = 2",
		  "SELECT COUNT(*) FROM job WHERE state = 2");
FIXTURE_STATEMENT(ASK_DONE, 4993, SQL_STATEMENT_ONE, 0,
		  "SELECT COUNT(*) FROM job WHERE state = 3 OR (state = 4 AND losses = 3)",
		  "SELECT COUNT(*) FROM job WHERE state = 3 OR (state = 4 AND losses = 3)");
FIXTURE_STATEMENT(
	ASK_IDLE, 4994, SQL_STATEMENT_ONE, 0,
	"SELECT COUNT(*) FROM job WHERE state = 3 AND id NOT IN (SELECT job_id FROM effect)",
	"SELECT COUNT(*) FROM job WHERE state = 3 AND id NOT IN (SELECT job_id FROM effect)");
FIXTURE_STATEMENT(ASK_LATE, 4995, SQL_STATEMENT_ONE, 0,
		  "SELECT COUNT(*) FROM effect WHERE own <> fence",
		  "SELECT COUNT(*) FROM effect WHERE own <> fence");
FIXTURE_STATEMENT(ASK_VIOLATIONS, 4996, SQL_STATEMENT_ONE, 0, "SELECT COUNT(*) FROM violation",
		  "SELECT COUNT(*) FROM violation");
FIXTURE_STATEMENT(ASK_LOSSES, 4997, SQL_STATEMENT_ONE, 0,
		  "SELECT COUNT(*) FROM job WHERE losses > 0",
		  "SELECT COUNT(*) FROM job WHERE losses > 0");
FIXTURE_STATEMENT(MAKE_EFFECT, 4998, SQL_STATEMENT_EXEC, 0,
		  "CREATE TABLE effect (job_id INTEGER, own INTEGER, fence INTEGER)",
		  "CREATE TABLE effect (job_id BIGINT, own BIGINT, fence BIGINT)");
FIXTURE_STATEMENT(MAKE_VIOLATION, 4999, SQL_STATEMENT_EXEC, 0,
		  "CREATE TABLE violation (job_id INTEGER)",
		  "CREATE TABLE violation (job_id BIGINT)");

static int64_t number(const struct sql_statement *statement)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f.ctx, sql_begin(&f.ctx, f.db, SQL_READ, &tx));
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	EXPECT_OK(&f.ctx, sql_one(&f.ctx, &tx, statement, SQL_NO_ARGS, &rows));
	return sql_i64(&rows, 0);
}

/* The tables, and the jobs. The connection is closed: nodes are forked from here. */
static void prepare(void)
{
	f.db = open_database(&f.ctx);
	cr_assert_not_null(f.db);
	EXPECT_OK(&f.ctx, db_migrate(&f.ctx, f.db));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f.ctx, sql_begin(&f.ctx, f.db, SQL_WRITE, &tx));
	EXPECT_OK(&f.ctx, sql_exec(&f.ctx, &tx, &MAKE_EFFECT, SQL_NO_ARGS, NULL));
	EXPECT_OK(&f.ctx, sql_exec(&f.ctx, &tx, &MAKE_VIOLATION, SQL_NO_ARGS, NULL));
	for (int i = 0; i < JOBS; i++) {
		const struct job_request wanted = { .kind = STR("effects"), .tenant_id = i % 4 };
		EXPECT_OK(&f.ctx, jobs_enqueue(&f.ctx, &tx, &wanted, NULL));
	}
	EXPECT_OK(&f.ctx, sql_commit(&f.ctx, &tx));
	sql_close(take(f.db));
}

/* On a machine that has much to do, nodes may be struck before they have begun with anything. */
static void wait_for_work(void)
{
	int64_t until_ns = clock_now_ns() + LIMIT_S * CLOCK_S;
	f.db = open_database(&f.ctx);
	cr_assert_not_null(f.db);
	while (number(&ASK_UNFINISHED) && !number(&ASK_RUNNING) && clock_now_ns() < until_ns)
		(void)poll(NULL, 0, 5);
	sql_close(take(f.db));
}

static void strike(pid_t *node)
{
	if (stops) {
		kill(*node, SIGSTOP);
		(void)poll(NULL, 0, 2 * SHORT_MS);
		kill(*node, SIGCONT);
		return;
	}
	kill(*node, SIGKILL);
	waitpid(*node, NULL, 0);
	*node = start_node();
}

static void end(pid_t node)
{
	kill(node, SIGKILL);
	waitpid(node, NULL, 0);
}

static void tell_story(enum sql_engine engine, int nodes, bool with_stops)
{
	pid_t pids[NODES];
	if (!fixture_has_engine(engine))
		return;
	f.engine = engine;
	stops = with_stops;
	arena_init(&f.arena, MIB(32));
	ctx_init(&f.ctx, &f.arena);
	fixture_locate(&f);
	prepare();
	for (int i = 0; i < nodes; i++)
		pids[i] = start_node();
	unsigned chance = 7;
	int rounds = with_stops ? ROUNDS / 5 : ROUNDS;
	for (int i = 0; i < rounds; i++) {
		wait_for_work();
		(void)poll(NULL, 0, rand_r(&chance) % 60); /* any moment will do */
		strike(&pids[rand_r(&chance) % nodes]);
	}
	f.db = open_database(&f.ctx);
	int64_t until_ns = clock_now_ns() + LIMIT_S * CLOCK_S;
	while (number(&ASK_UNFINISHED) && clock_now_ns() < until_ns)
		(void)poll(NULL, 0, 10);
	for (int i = 0; i < nodes; i++)
		end(pids[i]);
	cr_assert_eq(number(&ASK_UNFINISHED), 0, "%lld are not finished",
		     (long long)number(&ASK_UNFINISHED));
	cr_assert_eq(number(&ASK_DONE), JOBS);
	cr_assert_eq(number(&ASK_IDLE), 0, "done, and did nothing");
	cr_assert_eq(number(&ASK_LATE), 0, "written by who held it no more");
	cr_assert_eq(number(&ASK_VIOLATIONS), 0, "two ran at once");
	cr_assert_gt(number(&ASK_LOSSES), 0, "nothing was ever lost");
	fixture_clean(&f);
}

Test(jobs_kill, nodes_are_killed_on_postgres)
{
	tell_story(SQL_POSTGRES, NODES, false);
}

Test(jobs_kill, nodes_are_stopped_beyond_their_leases_on_postgres)
{
	tell_story(SQL_POSTGRES, NODES, true);
}

Test(jobs_kill, the_one_node_is_killed_on_sqlite)
{
	tell_story(SQL_SQLITE, 1, false);
}
