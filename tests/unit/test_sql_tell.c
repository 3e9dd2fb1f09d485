/* SPDX-License-Identifier: Apache-2.0 */
/* What a transaction leaves to be told is told when sql_commit() returns, or by whoever finds it.
 */
#include "sql_fixture.h"
#include "db/statements.h"
#include "sql/listen.h"

#include <poll.h>

#define MIGRATION    46
#define WAIT_MAX_MS  20000
#define MANY	     2500
#define PAYLOADS_MAX 4096

FIXTURE_STATEMENT(ITEM_TELL, FIXTURE_TELL, SQL_STATEMENT_EXEC, 1, "SELECT ?1", "SELECT tell($1)");

/* A connection of nobody's: the schema, and what somebody else would hear. */
static PGconn *connect_to(struct sql_fixture *f)
{
	PGconn *c = PQconnectdb(f->location);
	cr_assert_eq(PQstatus(c), CONNECTION_OK, "%s", PQerrorMessage(c));
	PQsetNoticeReceiver(c, fixture_ignore_notice, NULL);
	return c;
}

static void run(PGconn *c, const char *text)
{
	PGresult *result = PQexec(c, text);
	ExecStatusType status = PQresultStatus(result);
	cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", text,
		  PQerrorMessage(c));
	PQclear(result);
}

static int count_untold(PGconn *c)
{
	PGresult *result = PQexec(c, "SELECT COUNT(*) FROM untold");
	cr_assert_eq(PQresultStatus(result), PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	int count = atoi(PQgetvalue(result, 0, 0));
	PQclear(result);
	return count;
}

/* The schemas of other tests are told on the same channel. */
static bool is_ours(const char *payload, const char *wanted)
{
	return strcmp(payload, wanted) == 0;
}

static bool heard(PGconn *c, const char *wanted, int wait_ms)
{
	for (int64_t end_ns = clock_now_ns() + wait_ms * CLOCK_MS;;) {
		PGnotify *notify;
		cr_assert(PQconsumeInput(c), "%s", PQerrorMessage(c));
		while ((notify = PQnotifies(c))) {
			bool ours = is_ours(notify->extra, wanted);
			PQfreemem(notify);
			if (ours)
				return true;
		}
		if (clock_now_ns() >= end_ns)
			return false;
		struct pollfd socket = { .fd = PQsocket(c), .events = POLLIN };
		(void)!poll(&socket, 1, 100);
	}
}

static bool prepare(struct sql_fixture *f)
{
	struct sql_migration all[COUNT_OF(FIXTURE_MIGRATIONS) + 1];
	memcpy(all, FIXTURE_MIGRATIONS, sizeof FIXTURE_MIGRATIONS);
	for (size_t i = 0; i < SQL_MIGRATION_COUNT; i++)
		if (SQL_MIGRATIONS[i].number == MIGRATION)
			all[COUNT_OF(FIXTURE_MIGRATIONS)] = SQL_MIGRATIONS[i];
	EXPECT_OK(&f->ctx, sql_migrate(&f->ctx, f->db, all, COUNT_OF(all)));
	return f->engine == SQL_POSTGRES;
}

static err_t insert_and_tell(struct sql_fixture *f, const char *payload, bool commits)
{
	struct ctx *ctx = &f->ctx;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(sql_begin(ctx, f->db, SQL_WRITE, &tx));
	TRY(sql_exec(ctx, &tx, &ITEM_UPSERT, SQL_ARGS(SQL_TEXT(str_from(payload))), NULL));
	TRY(sql_exec(ctx, &tx, &ITEM_TELL, SQL_ARGS(SQL_TEXT(str_from(payload))), NULL));
	return commits ? sql_commit(ctx, &tx) : OK;
}

SQL_TEST(sql_tell, a_commit_has_told_when_it_returns)
{
	bool tells = prepare(f);
	PGconn *other = tells ? connect_to(f) : NULL;
	if (tells)
		run(other, "LISTEN " SQL_CHANNEL);
	EXPECT_OK(&f->ctx, insert_and_tell(f, f->location, true));
	cr_assert(fixture_has(&f->ctx, f->db, f->location));
	if (!tells)
		return;
	cr_assert_eq(count_untold(other), 0);
	cr_assert(heard(other, f->location, WAIT_MAX_MS));
	PQfinish(other);
}

SQL_TEST(sql_tell, what_was_rolled_back_is_not_told)
{
	bool tells = prepare(f);
	EXPECT_OK(&f->ctx, insert_and_tell(f, "rolled back", false));
	cr_assert_not(fixture_has(&f->ctx, f->db, "rolled back"));
	if (!tells)
		return;
	PGconn *other = connect_to(f);
	run(other, "LISTEN " SQL_CHANNEL);
	/* The connection has nothing of it left: this one tells itself, and nothing else. */
	EXPECT_OK(&f->ctx, insert_and_tell(f, f->location, true));
	cr_assert_not(heard(other, "rolled back", 0));
	cr_assert_eq(count_untold(other), 0);
	PQfinish(other);
}

/* The server says that there is something to tell with the answer that nobody has waited for yet.
 */
SQL_TEST(sql_tell, what_a_statement_leaves_that_is_waited_for_later_is_told)
{
	bool tells = prepare(f);
	PGconn *other = tells ? connect_to(f) : NULL;
	struct sql_tx tx = SQL_TX_INIT;
	if (tells)
		run(other, "LISTEN " SQL_CHANNEL);
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	EXPECT_OK(&f->ctx, sql_exec_later(&f->ctx, &tx, &ITEM_TELL,
					  SQL_ARGS(SQL_TEXT(str_from(f->location)))));
	EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
	if (!tells)
		return;
	cr_assert_eq(count_untold(other), 0);
	cr_assert(heard(other, f->location, WAIT_MAX_MS));
	PQfinish(other);
}

SQL_TEST(sql_tell, a_committed_transaction_that_could_not_be_told_is_never_repeated)
{
	if (!prepare(f))
		return;
	PGconn *other = connect_to(f);
	run(other, "CREATE OR REPLACE FUNCTION tell_untold(own BIGINT) RETURNS void LANGUAGE "
		   "plpgsql AS $$ BEGIN RAISE 'no' USING ERRCODE = '40P01'; END $$");
	cr_assert_eq(insert_and_tell(f, "done", true), ERR_DATABASE);
	cr_assert_not(sql_should_retry(&f->ctx, ERR_DATABASE));
	cr_assert_not_null(strstr(f->ctx.failure.detail, "unknown"), "%s", f->ctx.failure.detail);
	ctx_forgive(&f->ctx);
	cr_assert(fixture_has(&f->ctx, f->db, "done"));
	cr_assert_eq(count_untold(other), 1);
	/* The connection goes on, and the next transaction is its own. */
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "next"));
	PQfinish(other);
}

SQL_TEST(sql_tell, a_transaction_that_the_server_rolls_back_in_its_commit_is_an_error)
{
	if (!prepare(f))
		return;
	PGconn *other = connect_to(f);
	run(other, "ALTER TABLE child ADD CONSTRAINT late FOREIGN KEY (item_name) REFERENCES item "
		   "(name) DEFERRABLE INITIALLY DEFERRED; "
		   "ALTER TABLE child DROP CONSTRAINT child_item_name_fkey");
	struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
	EXPECT_OK(&f->ctx,
		  sql_exec(&f->ctx, &tx, &CHILD_INSERT, SQL_ARGS(SQL_TEXT(STR("none"))), NULL));
	EXPECT_OK(&f->ctx,
		  sql_exec(&f->ctx, &tx, &ITEM_TELL, SQL_ARGS(SQL_TEXT(STR("never"))), NULL));
	EXPECT(&f->ctx, sql_commit(&f->ctx, &tx), ERR_ABSENT);
	cr_assert_eq(count_untold(other), 0);
	PQfinish(other);
}

SQL_TEST(sql_tell, who_does_not_say_that_he_tells_notifies_in_his_transaction)
{
	if (!prepare(f))
		return;
	PGconn *other = connect_to(f), *listener = connect_to(f);
	char text[600];
	run(listener, "LISTEN " SQL_CHANNEL);
	snprintf(text, sizeof text, "SELECT tell('%s')", f->schema);
	run(other, text);
	cr_assert_eq(count_untold(other), 0);
	cr_assert(heard(listener, f->schema, WAIT_MAX_MS));
	PQfinish(listener);
	PQfinish(other);
}

/* --- what others left ------------------------------------------------------------------------- */

struct hearing {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char payloads[PAYLOADS_MAX][80];
	size_t count;
	enum sql_trust trust;
};
#define HEARING_INIT                                                                               \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,            \
		.trust = SQL_TRUST_STALE                                                           \
	}

static void on_told(void *arg, str payload)
{
	struct hearing *h = arg;
	pthread_mutex_lock(&h->lock);
	if (h->count < PAYLOADS_MAX)
		snprintf(h->payloads[h->count++], sizeof h->payloads[0], STR_FMT, STR_ARG(payload));
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static void on_trust(void *arg, enum sql_trust trust)
{
	struct hearing *h = arg;
	pthread_mutex_lock(&h->lock);
	h->trust = trust;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static size_t count_locked(const struct hearing *h, const char *beginning)
{
	size_t found = 0;
	for (size_t i = 0; i < h->count; i++)
		found += strncmp(h->payloads[i], beginning, strlen(beginning)) == 0;
	return found;
}

static size_t count_heard(struct hearing *h, const char *beginning)
{
	pthread_mutex_lock(&h->lock);
	size_t found = count_locked(h, beginning);
	pthread_mutex_unlock(&h->lock);
	return found;
}

static struct timespec give_up_at(void)
{
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += WAIT_MAX_MS / 1000;
	return at;
}

static bool wait_heard(struct hearing *h, const char *beginning, size_t wanted)
{
	struct timespec until = give_up_at();
	int late = 0;
	pthread_mutex_lock(&h->lock);
	while (count_locked(h, beginning) < wanted && !late)
		late = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	size_t found = count_locked(h, beginning);
	pthread_mutex_unlock(&h->lock);
	return found == wanted;
}

static bool wait_trust(struct hearing *h, enum sql_trust wanted)
{
	struct timespec until = give_up_at();
	int late = 0;
	pthread_mutex_lock(&h->lock);
	while (h->trust != wanted && !late)
		late = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	bool is = h->trust == wanted;
	pthread_mutex_unlock(&h->lock);
	return is;
}

/* Commits, and tells nothing of it: what one that dies in between leaves. */
static void leave(struct sql_fixture *f, PGconn *c, int count)
{
	char text[256];
	snprintf(text, sizeof text,
		 "SET berth.tells = on; SELECT tell('%s ' || i) FROM generate_series(1, %d) i",
		 f->schema, count);
	run(c, text);
}

SQL_TEST(sql_tell, what_the_dead_left_is_told_by_who_finds_it)
{
	if (!prepare(f))
		return;
	static struct hearing h = HEARING_INIT;
	const struct sql_listener listener = { on_told, on_trust, &h, 1000 };
	PGconn *other = connect_to(f);
	leave(f, other, MANY); /* before anybody listens */
	EXPECT_OK(&f->ctx, sql_listen(&f->ctx, f->db, &listener));
	cr_assert(wait_heard(&h, f->schema, MANY), "%zu", count_heard(&h, f->schema));
	leave(f, other, 3); /* and while somebody does */
	cr_assert(wait_heard(&h, f->schema, MANY + 3), "%zu", count_heard(&h, f->schema));
	cr_assert_eq(count_untold(other), 0);
	sql_unlisten(f->db);
	PQfinish(other);
}

/* A transaction that goes on for long keeps what was committed after it began from being seen as
 * over; what is a second old is told all the same. */
SQL_TEST(sql_tell, a_long_transaction_holds_up_nothing_that_is_left)
{
	if (!prepare(f))
		return;
	static struct hearing h = HEARING_INIT;
	const struct sql_listener listener = { on_told, on_trust, &h, 1000 };
	PGconn *other = connect_to(f), *slow = connect_to(f);
	run(slow, "BEGIN; INSERT INTO item (name) VALUES ('slow')");
	EXPECT_OK(&f->ctx, sql_listen(&f->ctx, f->db, &listener));
	for (int i = 1; i <= 3; i++) {
		leave(f, other, 1);
		cr_assert(wait_heard(&h, f->schema, (size_t)i), "%d", i);
	}
	run(slow, "COMMIT");
	sql_unlisten(f->db);
	PQfinish(slow);
	PQfinish(other);
}

/* What a transaction left that took longer than anybody remembers is told when it is over. */
SQL_TEST(sql_tell, what_a_long_transaction_left_is_told_after_its_end)
{
	if (!prepare(f))
		return;
	static struct hearing h = HEARING_INIT;
	const struct sql_listener listener = { on_told, on_trust, &h, 1000 };
	PGconn *other = connect_to(f), *slow = connect_to(f);
	EXPECT_OK(&f->ctx, sql_listen(&f->ctx, f->db, &listener));
	run(slow, "BEGIN; SET LOCAL berth.tells = on; SELECT tell('late')");
	for (int i = 1; i <= 3; i++) { /* others come and go meanwhile */
		leave(f, other, 1);
		cr_assert(wait_heard(&h, f->schema, (size_t)i), "%d", i);
	}
	cr_assert_eq(count_heard(&h, "late"), 0);
	run(slow, "COMMIT");
	cr_assert(wait_heard(&h, "late", 1));
	sql_unlisten(f->db);
	PQfinish(slow);
	PQfinish(other);
}

SQL_TEST(sql_tell, who_cannot_tell_what_is_left_trusts_nothing)
{
	if (!prepare(f))
		return;
	static struct hearing h = HEARING_INIT;
	const struct sql_listener listener = { on_told, on_trust, &h, 1000 };
	PGconn *other = connect_to(f);
	EXPECT_OK(&f->ctx, sql_listen(&f->ctx, f->db, &listener));
	cr_assert(wait_trust(&h, SQL_TRUST_KEPT));
	run(other, "ALTER FUNCTION tell_left RENAME TO away");
	leave(f, other, 1);
	cr_assert(wait_trust(&h, SQL_TRUST_NONE));
	run(other, "ALTER FUNCTION away RENAME TO tell_left");
	cr_assert(wait_heard(&h, f->schema, 1));
	cr_assert(wait_trust(&h, SQL_TRUST_KEPT));
	sql_unlisten(f->db);
	PQfinish(other);
}
