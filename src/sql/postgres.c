/* SPDX-License-Identifier: Apache-2.0 */
/* postgres.c - open, close, the pool, begin and commit. See postgres.h. */
#include "postgres.h"
#include "base/clock.h"
#include "base/mem.h"
#include "os/fault.h"
#include "postgres_servers.h"
#include "postgres_tell.h"
#include "postgres_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "base/banned.h"

/* "berth": the advisory lock under which migrations run. */
#define MIGRATION_LOCK "SELECT pg_advisory_xact_lock(422711424104)"
/* How long a commit may take, and a rollback: their outcome matters more than the caller's
 * deadline. */
#define COMMIT_MAX_NS	(30 * CLOCK_S)
#define ROLLBACK_MAX_NS (5 * CLOCK_S)

struct postgres {
	struct sql base;
	struct postgres_servers servers;
	struct postgres_watch *watch; /* NULL: nobody listens */
	struct gate gate;
	pthread_mutex_t idle_lock;
	struct postgres_connection *idle;
};

static err_t postgres_open(struct ctx *ctx, const struct sql_options *options, struct sql **ret)
{
	TRY(pq_open(ctx));
	CHECK(libpq.PQisthreadsafe());
	struct postgres *db = NEW(struct postgres);
	db->base = (struct sql){ .driver = &sql_driver_postgres,
				 .engine = SQL_POSTGRES,
				 .connections_max = options->connections_max,
				 .statement_count = options->statement_count };
	postgres_servers_init(&db->servers, options->location);

	/* One at once: a wrong address or password is found at the start. */
	err_t err = postgres_servers_connect(ctx, &db->base, &db->servers, false, &db->idle);
	if (err != OK) {
		postgres_servers_done(&db->servers);
		free(db);
		return err;
	}
	atomic_store(&db->base.connections_opened, 1);
	gate_init(&db->gate, options->connections_max);
	CHECK(pthread_mutex_init(&db->idle_lock, NULL) == 0);
	*ret = &db->base;
	return OK;
}

static void postgres_close(struct sql *base)
{
	struct postgres *db = CONTAINER_OF(base, struct postgres, base);
	postgres_watch_stop(db->watch);
	for (struct postgres_connection *c = db->idle, *next; c; c = next) {
		next = c->next;
		postgres_disconnect(c);
	}
	gate_done(&db->gate);
	pthread_mutex_destroy(&db->idle_lock);
	postgres_servers_done(&db->servers);
	free(db);
}

/* The pool. */

static struct postgres_connection *pop_idle(struct postgres *db)
{
	pthread_mutex_lock(&db->idle_lock);
	struct postgres_connection *c = db->idle;
	if (c)
		db->idle = c->next;
	pthread_mutex_unlock(&db->idle_lock);
	return c;
}

/* Nothing else has been found out of the servers since it was made. */
static bool is_current(const struct postgres *db, const struct postgres_connection *c)
{
	return c->generation == atomic_load(&db->servers.generation);
}

static void give(struct postgres *db, struct postgres_connection *c)
{
	if (c->broken || !is_current(db, c) ||
	    libpq.PQtransactionStatus(c->handle) != PQTRANS_IDLE) {
		postgres_disconnect(c);
	} else {
		pthread_mutex_lock(&db->idle_lock);
		c->next = db->idle;
		db->idle = c;
		pthread_mutex_unlock(&db->idle_lock);
	}
	gate_leave(&db->gate);
}

/* `*ret_fresh`: the connection was made just now, so a loss is news. */
static err_t take_connection(struct ctx *ctx, struct postgres *db, bool writes,
			     struct postgres_connection **ret, bool *ret_fresh)
{
	if (writes)
		TRY(postgres_servers_check_writes(ctx, &db->servers));
	struct postgres_connection *c;
	while ((c = pop_idle(db))) {
		if (is_current(db, c) && (c->writable || !writes) && postgres_is_quiet(c)) {
			*ret = c;
			*ret_fresh = false;
			return OK;
		}
		postgres_disconnect(c);
	}
	TRY(postgres_servers_connect(ctx, &db->base, &db->servers, writes, ret));
	atomic_fetch_add_explicit(&db->base.connections_opened, 1, memory_order_relaxed);
	*ret_fresh = true;
	return OK;
}

/* Begin. */

/* BEGIN and what belongs to it, in one round trip. */
static err_t send_begin(struct ctx *ctx, struct postgres_connection *c, enum sql_mode mode)
{
	char timeout[64] = "";
	int left_ms = ctx_left_ms(ctx, GATE_WAIT_MAX_S * 1000);
	if (left_ms < GATE_WAIT_MAX_S * 1000) /* what a connection is set up with */
		snprintf(timeout, sizeof timeout, "; SET LOCAL statement_timeout = %d",
			 MAX(left_ms, 1));
	char text[256];
	snprintf(text, sizeof text, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE%s%s", timeout,
		 mode == SQL_WRITE_RELAXED ? "; SET LOCAL synchronous_commit TO off" : "");
	return postgres_simple(ctx, c, text, postgres_until_ns(ctx));
}

static err_t begin_on_some(struct ctx *ctx, struct postgres *db, enum sql_mode mode,
			   struct postgres_connection **ret)
{
	for (;;) {
		struct postgres_connection *c;
		bool fresh;
		TRY(take_connection(ctx, db, mode != SQL_READ, &c, &fresh));
		/* At READ COMMITTED a transaction would give a reader nothing but two round trips.
		 */
		c->untold = 0;
		err_t err = mode == SQL_READ ? OK : send_begin(ctx, c, mode);
		if (err == OK) {
			*ret = c;
			return OK;
		}
		postgres_disconnect(c);
		/* An old connection may have died unnoticed. Nothing was done on it: take the next.
		 */
		if (fresh || !sql_should_retry(ctx, err))
			return err;
		ctx_forgive(ctx);
	}
}

static err_t postgres_begin(struct ctx *ctx, struct sql *base, enum sql_mode mode,
			    struct sql_tx *tx)
{
	struct postgres *db = CONTAINER_OF(base, struct postgres, base);
	TRY(gate_enter(ctx, &db->gate, "database connection"));
	struct postgres_connection *c;
	err_t err = begin_on_some(ctx, db, mode, &c);
	if (err != OK) {
		gate_leave(&db->gate);
		return err;
	}
	tx->connection = c;
	return OK;
}

/* End. */

static err_t send_commit(struct ctx *ctx, struct postgres_connection *c)
{
	TRY(ctx_check(ctx));
	if (FAULT("sql.commit"))
		return fail_errno(ctx, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_DATABASE,
				  "could not commit");
	/* Cancelling the wait would not take the COMMIT back. */
	struct ctx steadfast = *ctx;
	steadfast.cancelled = NULL;
	err_t err = postgres_tell_commit(&steadfast, c, clock_now_ns() + COMMIT_MAX_NS);
	ctx->failure = steadfast.failure;
	return err;
}

static void roll_back(struct postgres_connection *c)
{
	if (c->broken || libpq.PQtransactionStatus(c->handle) == PQTRANS_IDLE)
		return;
	/* Its failure is nobody's: the connection is closed, and that rolls back, too. */
	struct ctx own;
	int64_t until_ns = clock_now_ns() + ROLLBACK_MAX_NS;
	ctx_init(&own, NULL);
	postgres_later_drop(c, until_ns);
	if (!c->broken && libpq.PQtransactionStatus(c->handle) == PQTRANS_ACTIVE)
		postgres_load_drop(c, until_ns);
	if (c->broken || postgres_simple(&own, c, "ROLLBACK", until_ns) != OK)
		c->broken = true;
}

static err_t postgres_commit(struct ctx *ctx, struct sql_tx *tx)
{
	struct postgres *db = CONTAINER_OF(tx->db, struct postgres, base);
	struct postgres_connection *c = tx->connection;
	err_t err = OK;
	if (tx->mode != SQL_READ) {
		err = send_commit(ctx, c);
		roll_back(c);
	}
	if (err == OK && tx->mode != SQL_READ)
		atomic_fetch_add_explicit(&db->base.batches, 1, memory_order_relaxed);
	if (err == OK && (tx->mode == SQL_WRITE || tx->mode == SQL_WRITE_AHEAD))
		atomic_fetch_add_explicit(&db->base.syncs, 1, memory_order_relaxed);
	give(db, c);
	return err;
}

static void postgres_rollback(struct sql_tx *tx)
{
	struct postgres *db = CONTAINER_OF(tx->db, struct postgres, base);
	roll_back(tx->connection);
	give(db, tx->connection);
}

static enum sql_reach postgres_reach(struct sql *base)
{
	return atomic_load(&CONTAINER_OF(base, struct postgres, base)->servers.reach);
}

static err_t postgres_listen(struct ctx *ctx, struct sql *base, const struct sql_listener *listener)
{
	struct postgres *db = CONTAINER_OF(base, struct postgres, base);
	CHECK(!db->watch);
	return postgres_watch_start(ctx, base, &db->servers, listener, &db->watch);
}

static void postgres_unlisten(struct sql *base)
{
	struct postgres *db = CONTAINER_OF(base, struct postgres, base);
	postgres_watch_stop(take(db->watch));
}

/* Migrations. */

static err_t postgres_script(struct ctx *ctx, struct sql_tx *tx, const char *text)
{
	return postgres_simple(ctx, tx->connection, text, ctx->deadline_ns);
}

static err_t postgres_wait_for_writers(struct ctx *ctx, struct sql_tx *tx, const char *table)
{
	char text[128];
	snprintf(text, sizeof text, "LOCK TABLE %s IN SHARE MODE", table);
	return postgres_simple(ctx, tx->connection, text, postgres_until_ns(ctx));
}

static err_t postgres_lock_migrations(struct ctx *ctx, struct sql_tx *tx)
{
	/* Another node may be at work on a large table; and so may this one, on all of it. */
	TRY(postgres_script(ctx, tx,
			    "SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on; "
			    "SET LOCAL enable_mergejoin = on; SET LOCAL enable_hashjoin = on"));
	return postgres_script(ctx, tx, MIGRATION_LOCK);
}

static size_t postgres_pools(struct sql *base, struct sql_pool ret[SQL_POOLS_MAX])
{
	struct postgres *db = CONTAINER_OF(base, struct postgres, base);
	ret[0] = gate_pool(&db->gate, "all", base->connections_max);
	return 1;
}

const struct sql_driver sql_driver_postgres = {
	.open = postgres_open,
	.close = postgres_close,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.exec = postgres_exec,
	.later = postgres_later,
	.settle = postgres_settle,
	.query = postgres_query,
	.next = postgres_next,
	.rows_done = postgres_rows_done,
	.i64 = postgres_i64,
	.text = postgres_text,
	.is_null = postgres_is_null,
	.load_begin = postgres_load_begin,
	.load_bytes = postgres_load_bytes,
	.load_end = postgres_load_end,
	.prepare = postgres_prepare,
	.script = postgres_script,
	.wait_for_writers = postgres_wait_for_writers,
	.lock_migrations = postgres_lock_migrations,
	.pools = postgres_pools,
	.listen = postgres_listen,
	.unlisten = postgres_unlisten,
	.reach = postgres_reach,
};
