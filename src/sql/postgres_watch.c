/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_watch.c - see postgres_watch.h. */
#include "postgres_watch.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "os/thread.h"
#include "postgres_tell.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/banned.h"

#define ARENA_BYTES_MAX MIB(1)

/* What its own connection must not have of the pool's: it would hide what the server's owner set.
 */
static const char LISTEN[] = "LISTEN " SQL_CHANNEL;
static const char RESET[] = "RESET default_transaction_read_only; RESET statement_timeout";

SQL_OWN(PING, SQL_OWN_PING, ONE, 0, "SELECT 1", "SELECT 1");

struct postgres_watch {
	struct sql *db;
	struct postgres_servers *servers;
	struct sql_listener listener;
	pthread_t thread;
	int wake_fd; /* readable: time to stop */
	struct ctx ctx;
	struct arena arena;

	struct postgres_connection *connection;
	bool listening;
	struct postgres_tell_place place;
	enum sql_trust trust;
	int64_t lost_at_ns; /* when nobody answered any more; 0: somebody does */
};

/* --- telling ---------------------------------------------------------------------------------- */

static void tell_trust(struct postgres_watch *w, enum sql_trust trust)
{
	if (w->trust == trust)
		return;
	if (trust == SQL_TRUST_KEPT)
		LOG(LOG_INFO, "notifications of other nodes are heard");
	else if (w->trust == SQL_TRUST_KEPT)
		LOG(LOG_WARN, "notifications of other nodes are not heard: the database is asked");
	w->trust = trust;
	w->listener.trust(w->listener.arg, trust);
}

static void tell_notifications(struct postgres_watch *w)
{
	PGnotify *notify;
	while (w->connection && (notify = libpq.PQnotifies(w->connection->handle))) {
		w->listener.told(w->listener.arg, str_from(notify->extra));
		libpq.PQfreemem(notify);
	}
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* True when it is time to stop. `fd` -1: only that, or the time, ends the wait. */
static bool wait_for(const struct postgres_watch *w, int fd, int timeout_ms)
{
	struct pollfd sockets[] = { { .fd = w->wake_fd, .events = POLLIN },
				    { .fd = fd, .events = POLLIN } };
	(void)!poll(sockets, COUNT_OF(sockets), timeout_ms);
	return (sockets[0].revents & POLLIN) != 0;
}

static int64_t answer_until_ns(void)
{
	return clock_now_ns() + WATCH_ANSWER_MS * CLOCK_MS;
}

/* --- the connection --------------------------------------------------------------------------- */

static void let_go(struct postgres_watch *w)
{
	postgres_disconnect(w->connection);
	w->connection = NULL;
	w->listening = false;
	ctx_forgive(&w->ctx);
}

/* Listens if the server lets us: what was dropped before is not heard, all after is. */
static void try_to_listen(struct postgres_watch *w)
{
	w->listening = postgres_simple(&w->ctx, w->connection, LISTEN, answer_until_ns()) == OK;
	ctx_forgive(&w->ctx);
	tell_trust(w, w->listening ? SQL_TRUST_KEPT : SQL_TRUST_NONE);
}

static void take_connection(struct postgres_watch *w, struct postgres_connection *c)
{
	let_go(w);
	w->connection = c;
	w->place = (struct postgres_tell_place){ 0 };
	w->lost_at_ns = 0;
	if (postgres_simple(&w->ctx, c, RESET, answer_until_ns()) != OK)
		let_go(w);
	else
		try_to_listen(w);
}

/* Whether the pool still reaches a server, though we could not connect: there may be no room. A
 * pool of which all are in use has no time for us, which is no answer either way. */
static bool pool_answers(struct postgres_watch *w)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	struct ctx *ctx = &w->ctx;
	ctx_forgive(ctx);
	ctx->deadline_ns = answer_until_ns();
	err_t err = sql_begin(ctx, w->db, SQL_READ, &tx);
	bool answers = err != ERR_DATABASE;
	if (err == OK)
		answers = sql_one(ctx, &tx, &PING, SQL_NO_ARGS, &rows) == OK;
	ctx->deadline_ns = 0;
	ctx_forgive(ctx);
	return answers;
}

/* What is remembered may be served for a while, and then no more. */
static void suffer_loss(struct postgres_watch *w)
{
	int64_t now_ns = clock_now_ns();
	if (pool_answers(w)) {
		w->lost_at_ns = 0;
		tell_trust(w, SQL_TRUST_NONE);
		return;
	}
	if (!w->lost_at_ns)
		w->lost_at_ns = now_ns;
	postgres_servers_found(w->servers, SQL_REACH_NONE);
	bool stale = now_ns - w->lost_at_ns < w->listener.outage_max_ms * CLOCK_MS;
	tell_trust(w, stale ? SQL_TRUST_STALE : SQL_TRUST_NONE);
}

static void connect_again(struct postgres_watch *w)
{
	struct postgres_connection *c;
	if (postgres_servers_connect(&w->ctx, w->db, w->servers, false, &c) == OK)
		take_connection(w, c);
	else
		suffer_loss(w);
	ctx_forgive(&w->ctx);
}

/* --- the beat --------------------------------------------------------------------------------- */

/* Nobody here can write: perhaps somebody else can by now. */
static void look_for_primary(struct postgres_watch *w)
{
	struct postgres_connection *c;
	if (postgres_servers_connect(&w->ctx, w->db, w->servers, true, &c) == OK)
		take_connection(w, c);
	ctx_forgive(&w->ctx);
}

static void lose(struct postgres_watch *w)
{
	let_go(w);
	tell_trust(w, SQL_TRUST_NONE);
}

/* Of nodes that died. What cannot be told is not heard of, by us either. */
static void tell_what_is_left(struct postgres_watch *w)
{
	if (postgres_tell_left(&w->ctx, w->connection, &w->place, answer_until_ns()) != OK)
		lose(w);
}

static void beat(struct postgres_watch *w)
{
	bool writable;
	if (postgres_ask_writable(&w->ctx, w->connection, answer_until_ns(), &writable) != OK) {
		lose(w);
		return;
	}
	if (writable)
		postgres_servers_found(w->servers, SQL_REACH_ALL);
	else if (atomic_load(&w->servers->reach) == SQL_REACH_ALL)
		postgres_servers_found(w->servers, SQL_REACH_READ);
	if (writable && !w->listening)
		try_to_listen(w);
	else if (!writable)
		look_for_primary(w);
	if (writable && w->listening)
		tell_what_is_left(w);
}

/* Until something is heard, or the next beat is due. False when it is time to stop. */
static bool hear(struct postgres_watch *w, int64_t beat_at_ns)
{
	int64_t left_ms = MAX((beat_at_ns - clock_now_ns()) / CLOCK_MS, 0);
	if (wait_for(w, libpq.PQsocket(w->connection->handle), (int)left_ms))
		return false;
	if (!libpq.PQconsumeInput(w->connection->handle))
		lose(w);
	tell_notifications(w);
	return true;
}

static void *run(void *arg)
{
	struct postgres_watch *w = arg;
	int64_t beat_at_ns = 0;
	for (bool first = true;; first = false) {
		arena_reset(&w->arena);
		if (!w->connection && !first && wait_for(w, -1, WATCH_PAUSE_MS))
			return NULL;
		if (!w->connection)
			connect_again(w);
		if (!w->connection)
			continue;
		if (clock_now_ns() >= beat_at_ns) {
			beat(w);
			tell_notifications(w); /* what came with the answer */
			beat_at_ns = clock_now_ns() + WATCH_BEAT_MS * CLOCK_MS;
		}
		if (w->connection && !hear(w, beat_at_ns))
			return NULL;
	}
}

/* --- life ------------------------------------------------------------------------------------- */

static void watch_free(struct postgres_watch *w)
{
	postgres_disconnect(w->connection);
	arena_done(&w->arena);
	close(w->wake_fd);
	free(w);
}

err_t postgres_watch_start(struct ctx *ctx, struct sql *db, struct postgres_servers *servers,
			   const struct sql_listener *listener, struct postgres_watch **ret)
{
	int wake_fd = eventfd(0, EFD_CLOEXEC);
	if (wake_fd < 0)
		return fail_errno(ctx, ERR_BUSY, "eventfd");
	struct postgres_watch *w = NEW(struct postgres_watch);
	w->db = db;
	w->servers = servers;
	w->listener = *listener;
	w->wake_fd = wake_fd;
	w->trust = SQL_TRUST_NONE;
	arena_init(&w->arena, ARENA_BYTES_MAX);
	ctx_init(&w->ctx, &w->arena);
	listener->trust(listener->arg, SQL_TRUST_NONE);
	err_t err = thread_start(ctx, "notifications", run, w, &w->thread);
	if (err != OK) {
		watch_free(w);
		return err;
	}
	*ret = w;
	return OK;
}

void postgres_watch_stop(struct postgres_watch *watch)
{
	if (!watch)
		return;
	const uint64_t one = 1;
	CHECK(write(watch->wake_fd, &one, sizeof one) == (ssize_t)sizeof one);
	pthread_join(watch->thread, NULL);
	watch_free(watch);
}
