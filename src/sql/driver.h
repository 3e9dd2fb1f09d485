/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.h - what an engine implements; private to sql.
 *
 * sql.c checks arguments and keeps the books (open, failed, rows_open, ctx->holds); an engine may
 * rely on that. All calls for one transaction come from one thread at a time.
 */
#pragma once

#include "sql/listen.h"
#include "sql/sql.h"

#include <limits.h>
#include <stdatomic.h>

struct sql_driver {
	err_t (*open)(struct ctx *ctx, const struct sql_options *options, struct sql **ret);
	void (*close)(struct sql *db); /* no transaction is open */

	/* Sets `tx->connection`. After commit and rollback the connection belongs to others,
	 * whatever they return. */
	err_t (*begin)(struct ctx *ctx, struct sql *db, enum sql_mode mode, struct sql_tx *tx);
	err_t (*commit)(struct ctx *ctx, struct sql_tx *tx);
	void (*rollback)(struct sql_tx *tx);

	err_t (*exec)(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		      struct sql_args args, int64_t *ret_changed);
	/* Sends a statement and does not wait. Where it is NULL `exec` waits for nobody either. */
	err_t (*later)(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		       struct sql_args args);
	/* Waits for all of these; comes before anything else is done in the transaction but more of
	 * them, and its rollback. The first failure. */
	err_t (*settle)(struct ctx *ctx, struct sql_tx *tx);
	/* Sets `rows->result` and `rows->row`, before the first row. */
	err_t (*query)(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		       struct sql_args args, struct sql_rows *rows);
	err_t (*next)(struct ctx *ctx, struct sql_rows *rows, bool *ret_has);
	void (*rows_done)(struct sql_rows *rows);

	int64_t (*i64)(const struct sql_rows *rows, int column);
	str (*text)(const struct sql_rows *rows, int column);
	bool (*is_null)(const struct sql_rows *rows, int column);

	/* Many rows into a table, waiting for none of them. Where it is NULL `exec` waits for
	 * nobody either. `statement` is a COPY … FROM STDIN; nothing else is done in the
	 * transaction until `load_end`, or its rollback. */
	err_t (*load_begin)(struct ctx *ctx, struct sql_tx *tx,
			    const struct sql_statement *statement);
	/* Bytes of COPY's text format, cut anywhere. */
	err_t (*load_bytes)(struct ctx *ctx, struct sql_tx *tx,
			    const struct sql_statement *statement, str bytes);
	/* The rows are there, or why they are not. */
	err_t (*load_end)(struct ctx *ctx, struct sql_tx *tx,
			  const struct sql_statement *statement);

	/* Prepares only, and checks what can be checked without running. */
	err_t (*prepare)(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement);
	/* Several statements without parameters or results, in the transaction. */
	err_t (*script)(struct ctx *ctx, struct sql_tx *tx, const char *text);
	/* See sql_wait_for_writers(). NULL: there is one writer anyway. */
	err_t (*wait_for_writers)(struct ctx *ctx, struct sql_tx *tx, const char *table);
	/* Until the transaction ends, no other migration runs in this database; it may run long. */
	err_t (*lock_migrations)(struct ctx *ctx, struct sql_tx *tx);

	size_t (*pools)(struct sql *db, struct sql_pool ret[SQL_POOLS_MAX]);

	/* NULL: nobody else writes, and what is remembered counts from the start. */
	err_t (*listen)(struct ctx *ctx, struct sql *db, const struct sql_listener *listener);
	void (*unlisten)(struct sql *db);

	/* NULL: always SQL_REACH_ALL. */
	enum sql_reach (*reach)(struct sql *db);
};

/* More than a written statement has: those that copy.c makes have a whole row. */
#define SQL_ARGUMENTS_MAX 64

extern const struct sql_driver sql_driver_sqlite;
extern const struct sql_driver sql_driver_postgres;

/* The first member of each engine's own struct. */
struct sql {
	const struct sql_driver *driver;
	enum sql_engine engine;
	unsigned connections_max;
	unsigned statement_count;
	_Atomic(uint64_t) commits, batches, syncs, connections_opened;
};

/* Statements of this folder count down from the end of the numbers; a cache has SQL_OWN_COUNT slots
 * for them. */
enum sql_own {
	SQL_OWN_MIGRATION_TABLES,
	SQL_OWN_MIGRATION_LATEST,
	SQL_OWN_MIGRATION_INCOMPATIBLE,
	SQL_OWN_MIGRATION_INSERT,
	SQL_OWN_MIGRATION_MARK,
	SQL_OWN_PING,
	SQL_OWN_COPY_TABLES,
	SQL_OWN_COPY_COLUMNS,
	SQL_OWN_COPY_REFERENCES,
	SQL_OWN_COPY_NUMBER,
	SQL_OWN_COPY_RAISE,
	SQL_OWN_COPY_BEGIN_NUMBER,
	SQL_OWN_BEGIN_READ,
	SQL_OWN_BEGIN_WRITE,
	SQL_OWN_COMMIT,
	SQL_OWN_ROLLBACK,
	SQL_OWN_SAVEPOINT,
	SQL_OWN_RELEASE,
	SQL_OWN_ROLLBACK_TO,
	SQL_OWN_SYNC_FULL,
	SQL_OWN_SYNC_NORMAL,
	SQL_OWN_COUNT,
};
#define SQL_OWN_INDEX(own) (UINT_MAX - (own))

/* SQL_OWN(NAME, SQL_OWN_…, ONE or MANY or EXEC, parameters, "for SQLite", "for PostgreSQL"); */
#define SQL_OWN(symbol, own, how, count, sqlite_text, postgres_text)                               \
	static const struct sql_statement symbol = {                                               \
		.name = #symbol,                                                                   \
		.sqlite = sqlite_text,                                                             \
		.postgres = postgres_text,                                                         \
		.parameters = count,                                                               \
		.index = SQL_OWN_INDEX(own),                                                       \
		.kind = SQL_STATEMENT_##how,                                                       \
	}

/* What is looked at and waited for before a statement gets to an engine. Its failure fails the
 * transaction. */
err_t sql_check_call(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args);

/* The place of a statement in a connection's cache, and how many there are. */
unsigned sql_slot(const struct sql *db, const struct sql_statement *statement);
unsigned sql_slot_count(const struct sql *db);

/* errno values that mark a recorded ERR_DATABASE as worth another try; see sql_should_retry(). */
#define SQL_ERRNO_CONFLICT EAGAIN
#define SQL_ERRNO_LOST	   ECONNRESET
