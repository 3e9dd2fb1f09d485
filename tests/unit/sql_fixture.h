/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql_fixture.h - an empty database for one test, on either engine.
 *
 * SQL_TEST(suite, name) { … f … } makes two tests of one body: on SQLite in a new directory, and on
 * PostgreSQL in a schema of its own where BERTH_TEST_POSTGRES says how to connect (skipped where it
 * does not).
 */
#pragma once

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/migrate.h"

struct sql_fixture {
	enum sql_engine engine;
	char directory[64]; /* SQLite */
	char schema[64];    /* PostgreSQL */
	char location[512];
	struct sql *db;
	struct arena arena;
	struct ctx ctx;
};

/* The statements of the tests, by index. */
enum {
	FIXTURE_INSERT,
	FIXTURE_COUNT,
	FIXTURE_FIND,
	FIXTURE_ECHO,
	FIXTURE_DELETE,
	FIXTURE_NAMES,
	FIXTURE_CHILD,
	FIXTURE_SLOW,
	FIXTURE_BROKEN,
	FIXTURE_UPSERT,
	FIXTURE_TELL,
	FIXTURE_STATEMENTS
};

#define FIXTURE_STATEMENT(symbol, at, how, count, sqlite_text, postgres_text)                      \
	static const struct sql_statement symbol UNUSED = {                                        \
		.name = #symbol,                                                                   \
		.sqlite = sqlite_text,                                                             \
		.postgres = postgres_text,                                                         \
		.parameters = count,                                                               \
		.index = at,                                                                       \
		.kind = how,                                                                       \
	}

FIXTURE_STATEMENT(ITEM_INSERT, FIXTURE_INSERT, SQL_STATEMENT_EXEC, 3,
		  "INSERT INTO item (name, number, payload) VALUES (?1, ?2, ?3)",
		  "INSERT INTO item (name, number, payload) VALUES ($1, $2, $3)");
FIXTURE_STATEMENT(ITEM_UPSERT, FIXTURE_UPSERT, SQL_STATEMENT_EXEC, 1,
		  "INSERT INTO item (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
		  "INSERT INTO item (name) VALUES ($1) ON CONFLICT (name) DO NOTHING");
FIXTURE_STATEMENT(ITEM_COUNT, FIXTURE_COUNT, SQL_STATEMENT_ONE, 0, "SELECT COUNT(*) FROM item",
		  "SELECT COUNT(*) FROM item");
FIXTURE_STATEMENT(ITEM_FIND, FIXTURE_FIND, SQL_STATEMENT_ONE, 1,
		  "SELECT name, number, payload FROM item WHERE name = ?1",
		  "SELECT name, number, payload FROM item WHERE name = $1");
FIXTURE_STATEMENT(ITEM_NAMES, FIXTURE_NAMES, SQL_STATEMENT_MANY, 1,
		  "SELECT name FROM item ORDER BY name LIMIT ?1",
		  "SELECT name FROM item ORDER BY name LIMIT $1");
FIXTURE_STATEMENT(ITEM_DELETE, FIXTURE_DELETE, SQL_STATEMENT_EXEC, 1,
		  "DELETE FROM item WHERE number < ?1", "DELETE FROM item WHERE number < $1");
FIXTURE_STATEMENT(CHILD_INSERT, FIXTURE_CHILD, SQL_STATEMENT_EXEC, 1,
		  "INSERT INTO child (item_name) VALUES (?1)",
		  "INSERT INTO child (item_name) VALUES ($1)");
FIXTURE_STATEMENT(ECHO_VALUES, FIXTURE_ECHO, SQL_STATEMENT_ONE, 3, "SELECT ?1, ?2, ?3",
		  "SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BYTEA)");
/* Longer than any test. */
FIXTURE_STATEMENT(SLOW_COUNT, FIXTURE_SLOW, SQL_STATEMENT_ONE, 0,
		  "WITH RECURSIVE c (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c WHERE x < "
		  "100000000000) SELECT COUNT(*) FROM c",
		  "SELECT 1 FROM pg_sleep(600)");
FIXTURE_STATEMENT(BROKEN_SELECT, FIXTURE_BROKEN, SQL_STATEMENT_ONE, 0,
		  "SELECT nothing FROM nowhere", "SELECT nothing FROM nowhere");

static const struct sql_migration FIXTURE_MIGRATIONS[] UNUSED = {
	{ 1, "item", "CREATE TABLE item (name TEXT PRIMARY KEY, number INTEGER, payload BLOB);",
	  "CREATE TABLE item (name TEXT COLLATE \"C\" PRIMARY KEY, number BIGINT, payload "
	  "BYTEA);" },
	{ 3, "child",
	  "CREATE TABLE child (item_name TEXT NOT NULL REFERENCES item (name));"
	  "CREATE INDEX child_item ON child (item_name);",
	  "CREATE TABLE child (item_name TEXT COLLATE \"C\" NOT NULL REFERENCES item (name));"
	  "CREATE INDEX child_item ON child (item_name);" },
};

static UNUSED void fixture_ignore_notice(void *arg, const PGresult *result)
{
}

/* Runs on a connection beside the pool. */
static UNUSED void fixture_run(const char *text)
{
	PGconn *connection = PQconnectdb(getenv("BERTH_TEST_POSTGRES"));
	PQsetNoticeReceiver(connection, fixture_ignore_notice, NULL);
	PGresult *result = PQexec(connection, text);
	ExecStatusType status = PQresultStatus(result);
	cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", text,
		  PQerrorMessage(connection));
	PQclear(result);
	PQfinish(connection);
}

static UNUSED void fixture_locate(struct sql_fixture *f)
{
	if (f->engine == SQL_SQLITE) {
		snprintf(f->directory, sizeof f->directory, "/tmp/berth-sql-XXXXXX");
		cr_assert_not_null(mkdtemp(f->directory));
		snprintf(f->location, sizeof f->location, "%s/berth.db", f->directory);
		return;
	}
	char text[128];
	snprintf(f->schema, sizeof f->schema, "test_%d_%lld", (int)getpid(),
		 (long long)clock_wall_us());
	snprintf(text, sizeof text, "CREATE SCHEMA %s", f->schema);
	fixture_run(text);
	const char *server = getenv("BERTH_TEST_POSTGRES");
	if (strstr(server, "://"))
		snprintf(f->location, sizeof f->location,
			 "%s%coptions=-csearch_path%%3D%s&application_name=%s", server,
			 strchr(server, '?') ? '&' : '?', f->schema, f->schema);
	else
		snprintf(f->location, sizeof f->location,
			 "%s options='-csearch_path=%s' application_name=%s", server, f->schema,
			 f->schema);
}

static UNUSED struct sql *fixture_open(struct sql_fixture *f, struct ctx *ctx,
				       unsigned connections_max)
{
	struct sql_options options = { .engine = f->engine,
				       .location = f->location,
				       .connections_max = connections_max,
				       .statement_count = FIXTURE_STATEMENTS };
	struct sql *db = NULL;
	err_t err = sql_open(ctx, &options, &db);
	cr_assert_eq(err, OK, "%s", ctx->failure.detail);
	return db;
}

static UNUSED void fixture_migrate(struct sql *db, struct ctx *ctx)
{
	err_t err = sql_migrate(ctx, db, FIXTURE_MIGRATIONS, COUNT_OF(FIXTURE_MIGRATIONS));
	cr_assert_eq(err, OK, "%s", ctx->failure.detail);
}

static UNUSED void fixture_reopen(struct sql_fixture *f, unsigned connections_max)
{
	sql_close(f->db);
	f->db = fixture_open(f, &f->ctx, connections_max);
}

/* The connections of this test: their application is called like the schema. */
static UNUSED void fixture_kill_connections(const struct sql_fixture *f)
{
	char text[256];
	snprintf(text, sizeof text,
		 "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
		 "WHERE application_name = '%s'",
		 f->schema);
	fixture_run(text);
}

static UNUSED void fixture_clean(struct sql_fixture *f)
{
	char text[160];
	sql_close(f->db);
	arena_done(&f->arena);
	if (f->engine == SQL_POSTGRES) {
		snprintf(text, sizeof text, "DROP SCHEMA %s CASCADE", f->schema);
		fixture_run(text);
		return;
	}
	static const char *const endings[] = { "", "-wal", "-shm" };
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		snprintf(text, sizeof text, "%s/berth.db%s", f->directory, endings[i]);
		unlink(text);
	}
	rmdir(f->directory);
}

/* Where it is not there, the test is skipped. */
static UNUSED bool fixture_has_engine(enum sql_engine engine)
{
	if (engine != SQL_POSTGRES || getenv("BERTH_TEST_POSTGRES"))
		return true;
	cr_skip_test("BERTH_TEST_POSTGRES is not set");
	return false;
}

static UNUSED void fixture_test(enum sql_engine engine, void (*body)(struct sql_fixture *f))
{
	if (!fixture_has_engine(engine))
		return;
	struct sql_fixture f = { .engine = engine };
	arena_init(&f.arena, MIB(16));
	ctx_init(&f.ctx, &f.arena);
	fixture_locate(&f);
	f.db = fixture_open(&f, &f.ctx, 8);
	fixture_migrate(f.db, &f.ctx);
	body(&f);
	cr_assert_eq(f.ctx.holds, 0);
	fixture_clean(&f);
}

#define SQL_TEST(suite, name)                                                                      \
	static void suite##_##name(struct sql_fixture *f);                                         \
	Test(suite, name##_on_sqlite)                                                              \
	{                                                                                          \
		fixture_test(SQL_SQLITE, suite##_##name);                                          \
	}                                                                                          \
	Test(suite, name##_on_postgres)                                                            \
	{                                                                                          \
		fixture_test(SQL_POSTGRES, suite##_##name);                                        \
	}                                                                                          \
	static void suite##_##name(struct sql_fixture *f)

/* Expects an error and forgives it. */
#define EXPECT(ctx, expression, expected)                                                          \
	do {                                                                                       \
		err_t expect_err_ = (expression);                                                  \
		cr_assert_eq(expect_err_, (expected), #expression " is %s: %s",                    \
			     error_info(expect_err_)->name, (ctx)->failure.detail);                \
		ctx_forgive(ctx);                                                                  \
	} while (0)
#define EXPECT_OK(ctx, expression) EXPECT(ctx, expression, OK)

/* One item in a transaction of its own. */
static UNUSED err_t fixture_insert(struct ctx *ctx, struct sql *db, enum sql_mode mode,
				   const char *name)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(sql_begin(ctx, db, mode, &tx));
	TRY(sql_exec(ctx, &tx, &ITEM_INSERT,
		     SQL_ARGS(SQL_TEXT(str_from(name)), SQL_I64(1), SQL_NULL), NULL));
	return sql_commit(ctx, &tx);
}

static UNUSED bool fixture_has(struct ctx *ctx, struct sql *db, const char *name)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(ctx, sql_begin(ctx, db, SQL_READ, &tx));
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	err_t err = sql_one(ctx, &tx, &ITEM_FIND, SQL_ARGS(SQL_TEXT(str_from(name))), &rows);
	cr_assert(err == OK || err == ERR_ABSENT, "%s", ctx->failure.detail);
	return err == OK;
}

static UNUSED int64_t fixture_count(struct ctx *ctx, struct sql *db)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(ctx, sql_begin(ctx, db, SQL_READ, &tx));
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	EXPECT_OK(ctx, sql_one(ctx, &tx, &ITEM_COUNT, SQL_NO_ARGS, &rows));
	return sql_i64(&rows, 0);
}
