/* SPDX-License-Identifier: Apache-2.0 */
/* sql.c - the facade: checks, books, and the call into the engine. See sql.h and driver.h. */
#include "driver.h"
#include "os/backoff.h"
#include "os/fault.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/banned.h"

#define CONNECTIONS_DEFAULT 8
#define RETRY_FIRST_MS	    4
#define RETRY_MOST_MS	    100

err_t sql_open(struct ctx *ctx, const struct sql_options *options, struct sql **ret)
{
	struct sql_options complete = *options;
	if (!complete.connections_max)
		complete.connections_max = CONNECTIONS_DEFAULT;
	const struct sql_driver *driver =
		options->engine == SQL_POSTGRES ? &sql_driver_postgres : &sql_driver_sqlite;

	struct sql *db;
	TRY(driver->open(ctx, &complete, &db));
	*ret = db;
	return OK;
}

void sql_close(struct sql *db)
{
	if (db)
		db->driver->close(db);
}

enum sql_engine sql_engine_of(const struct sql *db)
{
	return db->engine;
}

enum sql_reach sql_reach(struct sql *db)
{
	return db->driver->reach ? db->driver->reach(db) : SQL_REACH_ALL;
}

err_t sql_listen(struct ctx *ctx, struct sql *db, const struct sql_listener *listener)
{
	if (db->driver->listen)
		return db->driver->listen(ctx, db, listener);
	listener->trust(listener->arg, SQL_TRUST_KEPT);
	return OK;
}

void sql_unlisten(struct sql *db)
{
	if (db->driver->unlisten)
		db->driver->unlisten(db);
}

void sql_stats(const struct sql *db, struct sql_stats *ret)
{
	*ret = (struct sql_stats){ .commits = db->commits,
				   .batches = db->batches,
				   .syncs = db->syncs,
				   .connections_opened = db->connections_opened };
}

size_t sql_pools(struct sql *db, struct sql_pool ret[SQL_POOLS_MAX])
{
	return db->driver->pools(db, ret);
}

unsigned sql_slot(const struct sql *db, const struct sql_statement *statement)
{
	if (statement->index < db->statement_count)
		return statement->index;
	unsigned own = UINT_MAX - statement->index;
	CHECK(own < SQL_OWN_COUNT);
	return db->statement_count + own;
}

unsigned sql_slot_count(const struct sql *db)
{
	return db->statement_count + SQL_OWN_COUNT;
}

/* Transactions. */

static const char *const mode_names[] = {
	[SQL_READ] = "read",
	[SQL_WRITE] = "write",
	[SQL_WRITE_AHEAD] = "ahead",
	[SQL_WRITE_RELAXED] = "relaxed",
};

static err_t begin(struct ctx *ctx, struct sql_tx *tx)
{
	const char *name = mode_names[tx->mode];
	struct step wait = step_begin(ctx, STEP_SQL_WAIT, (unsigned)tx->mode, name);
	err_t err = tx->db->driver->begin(ctx, tx->db, (enum sql_mode)tx->mode, tx);
	step_end(ctx, &wait, err);
	TRY(err);
	tx->step = step_begin(ctx, STEP_SQL_TRANSACTION, (unsigned)tx->mode, name);
	return OK;
}

err_t sql_begin(struct ctx *ctx, struct sql *db, enum sql_mode mode, struct sql_tx *ret)
{
	ctx_waits(ctx);
	CHECK(!ret->open);
	if (FAULT("sql.begin"))
		return fail_errno(ctx, ERR_DATABASE, "could not begin");
	struct sql_tx tx = { .db = db, .ctx = ctx, .mode = mode };
	TRY(begin(ctx, &tx));
	tx.open = true;
	ctx->holds++;
	*ret = tx;
	return OK;
}

static void close_books(struct sql_tx *tx)
{
	CHECK(tx->rows_open == 0);
	CHECK(tx->ctx->holds > 0);
	tx->open = false;
	tx->ctx->holds--;
}

/* On the way to the disk nobody has the transaction any more. */
static err_t make_durable(struct ctx *ctx, struct sql_tx *tx)
{
	struct step step = step_begin(ctx, STEP_SQL_COMMIT, (unsigned)tx->mode, "commit");
	err_t err = tx->db->driver->commit(ctx, tx);
	step_end(ctx, &step, err);
	step_end(ctx, &tx->step, err);
	return err;
}

static err_t commit(struct ctx *ctx, struct sql_tx *tx)
{
	CHECK(tx->open);
	if (tx->failed) {
		sql_tx_done(tx);
		return fail(ctx, ERR_DATABASE, "commit of a failed transaction");
	}
	close_books(tx);
	TRY(make_durable(ctx, tx));
	if (tx->mode != SQL_READ)
		atomic_fetch_add_explicit(&tx->db->commits, 1, memory_order_relaxed);
	return OK;
}

/* Who has something to add, and then who must agree. */
static err_t ask_others(struct ctx *ctx, struct sql_tx *tx, struct tx_rider *rider)
{
	if (rider)
		TRY(rider->join(ctx, tx, rider));
	if (ctx->guard && tx->mode != SQL_READ)
		TRY(ctx->guard->agree(ctx, tx, ctx->guard));
	return OK;
}

static err_t settle(struct ctx *ctx, struct sql_tx *tx)
{
	if (!tx->later)
		return OK;
	struct step step = step_begin(ctx, STEP_SQL_STATEMENT, 0, "those before");
	err_t err = tx->db->driver->settle(ctx, tx);
	step_end(ctx, &step, err);
	tx->later = false;
	tx->failed |= err != OK;
	return err;
}

err_t sql_commit(struct ctx *ctx, struct sql_tx *tx)
{
	struct tx_rider *rider = tx->mode == SQL_WRITE ? ctx->rider : NULL;
	err_t err = tx->failed ? OK : ask_others(ctx, tx, rider);
	if (err == OK)
		err = settle(ctx, tx);
	if (err != OK) {
		sql_tx_done(tx);
		return err;
	}
	TRY(commit(ctx, tx));
	if (rider)
		ctx->rider = NULL;
	return OK;
}

void sql_tx_done(struct sql_tx *tx)
{
	if (!tx->open)
		return;
	close_books(tx);
	tx->db->driver->rollback(tx);
	step_end(tx->ctx, &tx->step, tx->failed ? ERR_DATABASE : OK);
}

/* Statements. */

/* The engines disagree about NUL and malformed UTF-8 in text; neither gets to see any. */
static err_t check_values(struct ctx *ctx, const struct sql_statement *statement,
			  struct sql_args args)
{
	CHECK(args.count == statement->parameters && args.count <= SQL_ARGUMENTS_MAX);
	for (size_t i = 0; i < args.count; i++) {
		const struct sql_value *value = &args.values[i];
		if (value->kind != SQL_KIND_TEXT)
			continue;
		if (!str_is_utf8(value->bytes) || str_has_byte(value->bytes, '\0'))
			return fail(ctx, ERR_INTERNAL, "%s: $%zu is not text", statement->name,
				    i + 1);
	}
	return OK;
}

static err_t check_call(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			struct sql_args args)
{
	CHECK(tx->open);
	if (tx->failed)
		return fail(ctx, ERR_DATABASE, "%s in a failed transaction", statement->name);
	TRY(check_values(ctx, statement, args));
	if (FAULT("sql.exec"))
		return fail_errno(ctx, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_DATABASE, "%s",
				  statement->name);
	return ctx_check(ctx);
}

err_t sql_check_call(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args)
{
	TRY(check_call(ctx, tx, statement, args));
	return settle(ctx, tx);
}

err_t sql_wait_for_writers(struct ctx *ctx, struct sql_tx *tx, const char *table)
{
	const struct sql_driver *driver = tx->db->driver;
	CHECK(tx->mode != SQL_READ);
	if (!driver->wait_for_writers)
		return OK;
	TRY(settle(ctx, tx));
	err_t err = driver->wait_for_writers(ctx, tx, table);
	tx->failed |= err != OK;
	return err;
}

err_t sql_exec(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
	       struct sql_args args, int64_t *ret_changed)
{
	CHECK(statement->kind == SQL_STATEMENT_EXEC);
	int64_t changed = 0;
	struct step step = step_begin(ctx, STEP_SQL_STATEMENT, 0, statement->name);
	err_t err = sql_check_call(ctx, tx, statement, args);
	if (err == OK)
		err = tx->db->driver->exec(ctx, tx, statement, args, &changed);
	step_end(ctx, &step, err);
	if (err != OK) {
		tx->failed = true;
		return err;
	}
	if (ret_changed)
		*ret_changed = changed;
	return OK;
}

err_t sql_exec_later(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args)
{
	const struct sql_driver *driver = tx->db->driver;
	CHECK(statement->kind == SQL_STATEMENT_EXEC);
	if (!driver->later)
		return sql_exec(ctx, tx, statement, args, NULL);
	err_t err = check_call(ctx, tx, statement, args);
	if (err == OK) {
		tx->later = true;
		err = driver->later(ctx, tx, statement, args);
	}
	tx->failed |= err != OK;
	return err;
}

err_t sql_query(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		struct sql_args args, struct sql_rows *ret)
{
	CHECK(statement->kind != SQL_STATEMENT_EXEC && !ret->open);
	struct sql_rows rows = { .tx = tx };
	rows.step = step_begin(ctx, STEP_SQL_STATEMENT, 0, statement->name);
	err_t err = sql_check_call(ctx, tx, statement, args);
	if (err == OK)
		err = tx->db->driver->query(ctx, tx, statement, args, &rows);
	if (err != OK) {
		step_end(ctx, &rows.step, err);
		tx->failed = true;
		return err;
	}
	step_pause(&rows.step);
	tx->rows_open++;
	rows.open = true;
	*ret = rows;
	return OK;
}

err_t sql_next(struct ctx *ctx, struct sql_rows *rows, bool *ret_has)
{
	CHECK(rows->open);
	step_resume(&rows->step);
	err_t err = rows->tx->db->driver->next(ctx, rows, ret_has);
	if (err == OK)
		step_pause(&rows->step);
	else
		step_end(ctx, &rows->step, err);
	if (err != OK)
		rows->tx->failed = true;
	return err;
}

void sql_rows_done(struct sql_rows *rows)
{
	if (!rows->open)
		return;
	CHECK(rows->tx->open && rows->tx->rows_open > 0);
	rows->tx->db->driver->rows_done(rows);
	step_end(rows->tx->ctx, &rows->step, OK);
	rows->tx->rows_open--;
	rows->open = false;
}

err_t sql_one(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
	      struct sql_args args, struct sql_rows *ret)
{
	CHECK(!ret->open);
	struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_query(ctx, tx, statement, args, &rows));
	bool has = false;
	err_t err = sql_next(ctx, &rows, &has);
	if (err == OK && !has)
		err = ERR_ABSENT;
	if (err != OK) {
		sql_rows_done(&rows);
		return err;
	}
	*ret = rows;
	return OK;
}

int64_t sql_i64(const struct sql_rows *rows, int column)
{
	CHECK(rows->open);
	return rows->tx->db->driver->i64(rows, column);
}

str sql_text(const struct sql_rows *rows, int column)
{
	CHECK(rows->open);
	return rows->tx->db->driver->text(rows, column);
}

bool sql_is_null(const struct sql_rows *rows, int column)
{
	CHECK(rows->open);
	return rows->tx->db->driver->is_null(rows, column);
}

bool sql_should_retry(const struct ctx *ctx, err_t err)
{
	const struct failure *failure = &ctx->failure;
	return err == ERR_DATABASE && failure->code == ERR_DATABASE &&
	       (failure->sys_errno == SQL_ERRNO_CONFLICT || failure->sys_errno == SQL_ERRNO_LOST);
}

void sql_wait_to_retry(struct ctx *ctx, unsigned tries)
{
	ctx_waits(ctx);
	(void)poll(NULL, 0, (int)backoff_ms(tries, RETRY_FIRST_MS, RETRY_MOST_MS));
}

err_t sql_prepare_all(struct ctx *ctx, struct sql *db, const struct sql_statement *const *all,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* One transaction each: a failure ends it, and its result must be this statement's.
		 */
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(sql_begin(ctx, db, SQL_READ, &tx));
		TRY_CTX(ctx, db->driver->prepare(ctx, &tx, all[i]), "statement %s", all[i]->name);
		TRY(sql_commit(ctx, &tx));
	}
	return OK;
}
