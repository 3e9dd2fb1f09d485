/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that nobody waits for one by one: all of them are there, or it is said why not. */
#include "sql_fixture.h"

#define MANY 1200 /* more than go together at once */

static err_t insert_later(struct sql_fixture *f, struct sql_tx *tx, const char *name)
{
	return sql_exec_later(&f->ctx, tx, &ITEM_INSERT,
			      SQL_ARGS(SQL_TEXT(str_from(name)), SQL_I64(1), SQL_NULL));
}

static int64_t count_in(struct sql_fixture *f, struct sql_tx *tx)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	EXPECT_OK(&f->ctx, sql_one(&f->ctx, tx, &ITEM_COUNT, SQL_NO_ARGS, &rows));
	return sql_i64(&rows, 0);
}

static uint64_t opened(struct sql_fixture *f)
{
	struct sql_stats stats;
	sql_stats(f->db, &stats);
	return stats.connections_opened;
}

SQL_TEST(sql_later, all_are_there_for_the_next_statement_and_after_the_commit)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	for (int i = 0; i < MANY; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", i);
		EXPECT_OK(&f->ctx, insert_later(f, &tx, name));
		if (i == MANY / 2)
			cr_assert_eq(count_in(f, &tx), i + 1);
	}
	int64_t changed;
	EXPECT_OK(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_DELETE, SQL_ARGS(SQL_I64(2)), &changed));
	cr_assert_eq(changed, MANY);
	EXPECT_OK(&f->ctx, insert_later(f, &tx, "last"));
	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
	cr_assert_eq(fixture_count(&f->ctx, f->db), 1);
	cr_assert(fixture_has(&f->ctx, f->db, "last"));
}

SQL_TEST(sql_later, more_than_the_socket_holds_goes_through)
{
	static char bytes[300000];
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < 40; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", i);
		EXPECT_OK(&f->ctx,
			  sql_exec_later(&f->ctx, &tx, &ITEM_INSERT,
					 SQL_ARGS(SQL_TEXT(str_from(name)), SQL_I64(1),
						  SQL_BLOB(((str){ bytes, sizeof bytes })))));
	}
	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
	cr_assert_eq(fixture_count(&f->ctx, f->db), 40);
}

/* Of two that are one too many; the engine that waits for nobody says it later. */
static void begin_with_a_failure(struct sql_fixture *f, struct sql_tx *tx)
{
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, tx));
	EXPECT_OK(&f->ctx, insert_later(f, tx, "a"));
	EXPECT(&f->ctx, insert_later(f, tx, "a"), f->engine == SQL_POSTGRES ? OK : ERR_EXISTS);
	EXPECT(&f->ctx, insert_later(f, tx, "b"), f->engine == SQL_POSTGRES ? OK : ERR_DATABASE);
}

SQL_TEST(sql_later, what_failed_is_said_by_the_next_that_is_waited_for)
{
	uint64_t before;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
		begin_with_a_failure(f, &tx);
		before = opened(f);
		EXPECT(&f->ctx, sql_one(&f->ctx, &tx, &ITEM_COUNT, SQL_NO_ARGS, &rows),
		       f->engine == SQL_POSTGRES ? ERR_EXISTS : ERR_DATABASE);
		EXPECT(&f->ctx, insert_later(f, &tx, "c"), ERR_DATABASE);
		EXPECT(&f->ctx, sql_commit(&f->ctx, &tx), ERR_DATABASE);
	}
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
	cr_assert_eq(opened(f), before, "the connection is as good as before");
}

SQL_TEST(sql_later, what_failed_is_said_by_the_commit)
{
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		begin_with_a_failure(f, &tx);
		EXPECT(&f->ctx, sql_commit(&f->ctx, &tx),
		       f->engine == SQL_POSTGRES ? ERR_EXISTS : ERR_DATABASE);
		cr_assert_not(tx.open);
	}
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
}

SQL_TEST(sql_later, what_is_on_its_way_is_rolled_back)
{
	uint64_t before;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
		EXPECT_OK(&f->ctx, insert_later(f, &tx, "a"));
		before = opened(f);
	}
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		begin_with_a_failure(f, &tx);
	}
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
	cr_assert_eq(opened(f), before, "the connection is as good as before");
}

SQL_TEST(sql_later, one_that_waits_for_a_lock_ends_at_the_deadline)
{
	if (f->engine != SQL_POSTGRES)
		return; /* one writer: nobody waits inside of a transaction */
	struct ctx hurried;
	ctx_init(&hurried, &f->arena);
	hurried.deadline_ns = clock_now_ns() + 100 * CLOCK_MS;
	CLEANUP(sql_tx_done) struct sql_tx before = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &before));
	EXPECT_OK(&f->ctx,
		  sql_exec(&f->ctx, &before, &ITEM_UPSERT, SQL_ARGS(SQL_TEXT(STR("a"))), NULL));
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&hurried, sql_begin(&hurried, f->db, SQL_WRITE, &tx));
		EXPECT_OK(&hurried, sql_exec_later(&hurried, &tx, &ITEM_UPSERT,
						   SQL_ARGS(SQL_TEXT(STR("a")))));
		EXPECT(&hurried, sql_commit(&hurried, &tx), ERR_DEADLINE);
	}
	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &before));
	cr_assert_eq(fixture_count(&f->ctx, f->db), 1);
}

SQL_TEST(sql_later, a_connection_lost_meanwhile_is_worth_another_try)
{
	if (f->engine != SQL_POSTGRES)
		return;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	EXPECT_OK(&f->ctx, insert_later(f, &tx, "a"));
	fixture_kill_connections(f);
	err_t err = sql_commit(&f->ctx, &tx); /* which has not been sent */
	cr_assert_eq(err, ERR_DATABASE);
	cr_assert(sql_should_retry(&f->ctx, err), "%s", f->ctx.failure.detail);
	ctx_forgive(&f->ctx);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
	cr_assert_eq(fixture_count(&f->ctx, f->db), 1);
}
