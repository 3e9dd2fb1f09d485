/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, values and errors of the sql facade, the same on both engines. */
#include "sql_fixture.h"

static str payload(struct sql_rows *rows)
{
	return sql_text(rows, 2);
}

SQL_TEST(sql, values_come_back_as_they_went)
{
	static const int64_t numbers[] = { 0, 1, -1, INT32_MAX, INT64_MAX, INT64_MIN };
	static const str texts[] = { STR_INIT(""), STR_INIT("a"),
				     STR_INIT("\xc3\xa9 'q' \"d\" \\") };
	static const str blobs[] = { STR_INIT(""), STR_INIT("a\0b"), STR_INIT("\0"),
				     STR_INIT("\xff\xfe\\x41") };
	for (size_t i = 0; i < 24; i++) {
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_READ, &tx));
		CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
		int64_t number = numbers[i % COUNT_OF(numbers)];
		str text = texts[i % COUNT_OF(texts)], blob = blobs[i % COUNT_OF(blobs)];
		EXPECT_OK(&f->ctx,
			  sql_one(&f->ctx, &tx, &ECHO_VALUES,
				  SQL_ARGS(SQL_I64(number), SQL_TEXT(text), SQL_BLOB(blob)),
				  &rows));
		cr_assert_eq(sql_i64(&rows, 0), number);
		cr_assert(!sql_is_null(&rows, 1) && str_eq(sql_text(&rows, 1), text));
		cr_assert(!sql_is_null(&rows, 2) && str_eq(sql_text(&rows, 2), blob));
	}
}

SQL_TEST(sql, null_is_not_empty)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_READ, &tx));
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	EXPECT_OK(&f->ctx, sql_one(&f->ctx, &tx, &ECHO_VALUES,
				   SQL_ARGS(SQL_NULL, SQL_TEXT_OR_NULL(STR("")), SQL_NULL), &rows));
	for (int column = 0; column < 3; column++)
		cr_assert(sql_is_null(&rows, column));
	cr_assert_eq(sql_i64(&rows, 0), 0);
	cr_assert_null(sql_text(&rows, 1).ptr);
	cr_assert_eq(sql_text(&rows, 2).len, 0);
}

SQL_TEST(sql, a_large_blob_is_kept)
{
	size_t len = MIB(3);
	char *bytes = malloc(len);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 31 + i / 256);
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	EXPECT_OK(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_INSERT,
				    SQL_ARGS(SQL_TEXT(STR("big")), SQL_NULL,
					     SQL_BLOB(((str){ bytes, len }))),
				    NULL));
	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
	{
		CLEANUP(sql_tx_done) struct sql_tx read = SQL_TX_INIT;
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_READ, &read));
		CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
		EXPECT_OK(&f->ctx, sql_one(&f->ctx, &read, &ITEM_FIND,
					   SQL_ARGS(SQL_TEXT(STR("big"))), &rows));
		cr_assert(str_eq(payload(&rows), (str){ bytes, len }));
	}
	free(bytes);
}

SQL_TEST(sql, text_must_be_text)
{
	static const str wrong[] = { STR_INIT("a\0b"), STR_INIT("\xff"), STR_INIT("\xed\xa0\x80") };
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
		EXPECT(&f->ctx,
		       sql_exec(&f->ctx, &tx, &ITEM_UPSERT, SQL_ARGS(SQL_TEXT(wrong[i])), NULL),
		       ERR_INTERNAL);
	}
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
}

SQL_TEST(sql, changes_are_counted)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	static const char *const names[] = { "a", "b", "a" };
	static const int64_t expected[] = { 1, 1, 0 };
	int64_t changed;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		EXPECT_OK(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_UPSERT,
					    SQL_ARGS(SQL_TEXT(str_from(names[i]))), &changed));
		cr_assert_eq(changed, expected[i]);
	}
	for (int64_t i = 0; i < 5; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%d", (int)i);
		EXPECT_OK(&f->ctx,
			  sql_exec(&f->ctx, &tx, &ITEM_INSERT,
				   SQL_ARGS(SQL_TEXT(str_from(name)), SQL_I64(i), SQL_NULL), NULL));
	}
	EXPECT_OK(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_DELETE, SQL_ARGS(SQL_I64(3)), &changed));
	cr_assert_eq(changed, 3);
	EXPECT_OK(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_DELETE, SQL_ARGS(SQL_I64(3)), &changed));
	cr_assert_eq(changed, 0);
	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
}

SQL_TEST(sql, rows_come_in_order_and_end)
{
	static const char *const names[] = { "b", "a", "B", "c" };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE_RELAXED, names[i]));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_READ, &tx));
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	EXPECT_OK(&f->ctx, sql_query(&f->ctx, &tx, &ITEM_NAMES, SQL_ARGS(SQL_I64(3)), &rows));
	char all[8] = "";
	size_t len = 0;
	bool has;
	for (;;) {
		EXPECT_OK(&f->ctx, sql_next(&f->ctx, &rows, &has));
		if (!has)
			break;
		all[len++] = sql_text(&rows, 0).ptr[0];
	}
	cr_assert_str_eq(all, "Bab", "bytes in the order of their values, on both");
}

SQL_TEST(sql, a_statement_runs_again_after_its_result_is_done)
{
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_READ, &tx));
	for (int i = 0; i < 3; i++) {
		CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
		EXPECT_OK(&f->ctx,
			  sql_one(&f->ctx, &tx, &ITEM_FIND, SQL_ARGS(SQL_TEXT(STR("a"))), &rows));
		cr_assert(str_eq(sql_text(&rows, 0), STR("a")));
	}
}

SQL_TEST(sql, an_absent_row_is_no_failure)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	err_t err = sql_one(&f->ctx, &tx, &ITEM_FIND, SQL_ARGS(SQL_TEXT(STR("none"))), &rows);
	cr_assert_eq(err, ERR_ABSENT);
	cr_assert_eq(f->ctx.failure.code, OK);
	cr_assert_not(rows.open);
	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
}

SQL_TEST(sql, a_second_of_what_is_unique_exists)
{
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
	EXPECT(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"), ERR_EXISTS);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "b"));
	cr_assert_eq(fixture_count(&f->ctx, f->db), 2);
}

SQL_TEST(sql, a_child_without_parent_is_absent)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	EXPECT(&f->ctx,
	       sql_exec(&f->ctx, &tx, &CHILD_INSERT, SQL_ARGS(SQL_TEXT(STR("none"))), NULL),
	       ERR_ABSENT);
}

SQL_TEST(sql, a_failed_transaction_can_only_go_back)
{
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	struct sql_args a = SQL_ARGS(SQL_TEXT(STR("a")), SQL_NULL, SQL_NULL);
	struct sql_args b = SQL_ARGS(SQL_TEXT(STR("b")), SQL_NULL, SQL_NULL);
	EXPECT_OK(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_INSERT, b, NULL));
	EXPECT(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_INSERT, a, NULL), ERR_EXISTS);
	EXPECT(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_INSERT, b, NULL), ERR_DATABASE);
	EXPECT(&f->ctx, sql_commit(&f->ctx, &tx), ERR_DATABASE);
	cr_assert_not(tx.open);
	cr_assert_not(fixture_has(&f->ctx, f->db, "b"));
}

SQL_TEST(sql, leaving_the_scope_rolls_back)
{
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
		cr_assert_eq(f->ctx.holds, 1);
		EXPECT_OK(&f->ctx,
			  sql_exec(&f->ctx, &tx, &ITEM_UPSERT, SQL_ARGS(SQL_TEXT(STR("a"))), NULL));
	}
	cr_assert_eq(f->ctx.holds, 0);
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
	CLEANUP(sql_tx_done) struct sql_tx never = SQL_TX_INIT;
	CLEANUP(sql_rows_done) struct sql_rows none = SQL_ROWS_INIT;
	cr_assert_not(never.open || none.open);
}

SQL_TEST(sql, a_reader_sees_what_is_committed_only)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	EXPECT_OK(&f->ctx,
		  sql_exec(&f->ctx, &tx, &ITEM_UPSERT, SQL_ARGS(SQL_TEXT(STR("a"))), NULL));
	cr_assert_not(fixture_has(&f->ctx, f->db, "a"));
	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
	cr_assert(fixture_has(&f->ctx, f->db, "a"));
}

SQL_TEST(sql, a_reader_cannot_write)
{
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_READ, &tx));
		EXPECT(&f->ctx,
		       sql_exec(&f->ctx, &tx, &ITEM_UPSERT, SQL_ARGS(SQL_TEXT(STR("a"))), NULL),
		       ERR_DATABASE);
	}
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
}

SQL_TEST(sql, a_statement_that_does_not_parse_names_itself)
{
	static const struct sql_statement *const all[] = { &ITEM_FIND, &BROKEN_SELECT };
	EXPECT_OK(&f->ctx, sql_prepare_all(&f->ctx, f->db, all, 1));
	err_t err = sql_prepare_all(&f->ctx, f->db, all, 2);
	cr_assert_eq(err, ERR_DATABASE);
	cr_assert_not_null(strstr(f->ctx.failure.detail, "BROKEN_SELECT"));
	ctx_forgive(&f->ctx);
	cr_assert_not(sql_should_retry(&f->ctx, err));
}

/* Waiting. */

SQL_TEST(sql, waiting_for_a_turn_ends_at_the_deadline)
{
	fixture_reopen(f, 1);
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));

	struct ctx hurried;
	ctx_init(&hurried, &f->arena);
	hurried.deadline_ns = clock_now_ns() + 50 * CLOCK_MS;
	struct sql_tx late = SQL_TX_INIT;
	EXPECT(&hurried, sql_begin(&hurried, f->db, SQL_WRITE, &late), ERR_DEADLINE);
	cr_assert_not(late.open);
	cr_assert_eq(hurried.holds, 0);

	_Atomic(bool) cancelled = true;
	struct ctx stopped;
	ctx_init(&stopped, &f->arena);
	stopped.cancelled = &cancelled;
	EXPECT(&stopped, sql_begin(&stopped, f->db, SQL_WRITE, &late), ERR_CANCELLED);

	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
}

SQL_TEST(sql, a_slow_read_ends_at_the_deadline)
{
	struct ctx hurried;
	ctx_init(&hurried, &f->arena);
	hurried.deadline_ns = clock_now_ns() + 100 * CLOCK_MS;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&hurried, sql_begin(&hurried, f->db, SQL_READ, &tx));
		CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
		EXPECT(&hurried, sql_one(&hurried, &tx, &SLOW_COUNT, SQL_NO_ARGS, &rows),
		       ERR_DEADLINE);
	}
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
}

static void *cancel(void *arg)
{
	atomic_store((_Atomic(bool) *)arg, true);
	return NULL;
}

SQL_TEST(sql, a_slow_read_ends_when_cancelled)
{
	_Atomic(bool) cancelled = false;
	struct ctx stopped;
	ctx_init(&stopped, &f->arena);
	stopped.cancelled = &cancelled;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&stopped, sql_begin(&stopped, f->db, SQL_READ, &tx));
	pthread_t thread;
	pthread_create(&thread, NULL, cancel, &cancelled);
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	EXPECT(&stopped, sql_one(&stopped, &tx, &SLOW_COUNT, SQL_NO_ARGS, &rows), ERR_CANCELLED);
	pthread_join(thread, NULL);
}

/* Migrations. */

static void *open_and_migrate(void *arg)
{
	struct sql_fixture *f = arg;
	struct arena arena;
	arena_init(&arena, MIB(1));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	struct sql *db = fixture_open(f, &ctx, 2);
	fixture_migrate(db, &ctx);
	sql_close(db);
	arena_done(&arena);
	return NULL;
}

SQL_TEST(sql_migrate, racing_programs_run_each_script_once)
{
	/* The fixture has migrated its own database: race in another one. A fork is no place for
	 * its threads. */
	sql_close(f->db);
	f->db = NULL;
	struct sql_fixture other = { .engine = f->engine };
	arena_init(&other.arena, MIB(1));
	ctx_init(&other.ctx, &other.arena);
	fixture_locate(&other);

	pid_t child = fork();
	if (child == 0) {
		open_and_migrate(&other);
		_exit(0);
	}
	pthread_t threads[3];
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_create(&threads[i], NULL, open_and_migrate, &other);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);

	other.db = fixture_open(&other, &other.ctx, 2);
	EXPECT_OK(&other.ctx, fixture_insert(&other.ctx, other.db, SQL_WRITE, "a"));
	fixture_clean(&other);
}

SQL_TEST(sql_migrate, a_database_newer_than_the_program_is_refused)
{
	EXPECT(&f->ctx, sql_migrate(&f->ctx, f->db, FIXTURE_MIGRATIONS, 1), ERR_CONFIG);
	EXPECT(&f->ctx, sql_migrate(&f->ctx, f->db, NULL, 0), ERR_CONFIG);
	fixture_migrate(f->db, &f->ctx);
}

SQL_TEST(sql_migrate, an_older_program_goes_on_with_what_is_compatible)
{
	const char *text = "CREATE TABLE more (x BIGINT);",
		   *other = "CREATE TABLE most (x BIGINT);";
	const struct sql_migration all[] = {
		FIXTURE_MIGRATIONS[0],
		FIXTURE_MIGRATIONS[1],
		{ 4, "more", text, text, .compatible = true },
		{ 5, "most", other, other },
	};
	struct sql_schema schema;
	EXPECT_OK(&f->ctx, sql_migrate(&f->ctx, f->db, all, 3));
	EXPECT_OK(&f->ctx, sql_schema_read(&f->ctx, f->db, all, 2, &schema));
	cr_assert(schema.latest == 4 && schema.applied == 2);
	EXPECT_OK(&f->ctx, sql_migrate(&f->ctx, f->db, all, 2));
	EXPECT_OK(&f->ctx, sql_schema_read(&f->ctx, f->db, all, 4, &schema));
	cr_assert_eq(schema.applied, 3);
	EXPECT_OK(&f->ctx, sql_migrate(&f->ctx, f->db, all, 4));
	EXPECT(&f->ctx, sql_migrate(&f->ctx, f->db, all, 2), ERR_CONFIG);
	EXPECT(&f->ctx, sql_schema_read(&f->ctx, f->db, all, 3, &schema), ERR_CONFIG);
}

SQL_TEST(sql_migrate, a_script_that_fails_leaves_nothing)
{
	struct sql_migration all[3] = { FIXTURE_MIGRATIONS[0], FIXTURE_MIGRATIONS[1] };
	const char *text = "CREATE TABLE half (x BIGINT); SELECT nothing FROM nowhere;";
	all[2] = (struct sql_migration){ 4, "half", text, text };
	err_t err = sql_migrate(&f->ctx, f->db, all, 3);
	cr_assert_eq(err, ERR_DATABASE);
	cr_assert_not_null(strstr(f->ctx.failure.detail, "0004_half"));
	ctx_forgive(&f->ctx);
	all[2].sqlite = all[2].postgres = "CREATE TABLE half (x BIGINT);";
	EXPECT_OK(&f->ctx, sql_migrate(&f->ctx, f->db, all, 3));
}

/* PostgreSQL's own troubles. */

SQL_TEST(sql_postgres, a_lost_connection_is_replaced)
{
	if (f->engine != SQL_POSTGRES)
		return;
	struct sql_tx several[3] = { SQL_TX_INIT };
	for (size_t i = 0; i < COUNT_OF(several); i++)
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_READ, &several[i]));
	for (size_t i = 0; i < COUNT_OF(several); i++)
		sql_tx_done(&several[i]);
	fixture_kill_connections(f);
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0, "idle connections died unnoticed");

	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	fixture_kill_connections(f);
	err_t err = sql_exec(&f->ctx, &tx, &ITEM_UPSERT, SQL_ARGS(SQL_TEXT(STR("a"))), NULL);
	cr_assert_eq(err, ERR_DATABASE);
	cr_assert(sql_should_retry(&f->ctx, err), "%s", f->ctx.failure.detail);
	ctx_forgive(&f->ctx);
	sql_tx_done(&tx);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
}

SQL_TEST(sql_postgres, a_commit_that_got_lost_is_not_repeated)
{
	if (f->engine != SQL_POSTGRES)
		return;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	fixture_kill_connections(f);
	err_t err = sql_commit(&f->ctx, &tx);
	cr_assert_eq(err, ERR_DATABASE);
	cr_assert_not(sql_should_retry(&f->ctx, err));
	ctx_forgive(&f->ctx);
}

SQL_TEST(sql_postgres, a_slow_write_ends_at_the_deadline)
{
	if (f->engine != SQL_POSTGRES)
		return;
	struct ctx hurried;
	ctx_init(&hurried, &f->arena);
	hurried.deadline_ns = clock_now_ns() + 100 * CLOCK_MS;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&hurried, sql_begin(&hurried, f->db, SQL_WRITE, &tx));
		CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
		EXPECT(&hurried, sql_one(&hurried, &tx, &SLOW_COUNT, SQL_NO_ARGS, &rows),
		       ERR_DEADLINE);
	}
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
}

SQL_TEST(sql_postgres, a_deadlock_is_worth_another_try)
{
	if (f->engine != SQL_POSTGRES)
		return;
	static const char text[] = "DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END$$";
	struct sql_migration all[3] = { FIXTURE_MIGRATIONS[0],
					FIXTURE_MIGRATIONS[1],
					{ 4, "deadlock", text, text } };
	err_t err = sql_migrate(&f->ctx, f->db, all, 3);
	cr_assert(sql_should_retry(&f->ctx, err));
	ctx_forgive(&f->ctx);
}

SQL_TEST(sql_postgres, an_unknown_server_is_an_error_at_once)
{
	if (f->engine != SQL_POSTGRES)
		return;
	struct sql_options options = { .engine = SQL_POSTGRES,
				       .location = "host=/nonexistent user=nobody" };
	struct sql *db = NULL;
	EXPECT(&f->ctx, sql_open(&f->ctx, &options, &db), ERR_DATABASE);
	cr_assert_null(db);
}
