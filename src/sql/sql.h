/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql.h - transactions and prepared statements on SQLite or PostgreSQL, through one small
 * interface.
 *
 * Statements are written once, in the .sql files of src/db, with $1 parameters; a generator turns
 * each block into a `struct sql_statement` with the text for both engines. Nothing else in the tree
 * holds SQL text.
 *
 *	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
 *	TRY(sql_begin(ctx, db, SQL_WRITE, &tx));
 *	TRY(sql_exec(ctx, &tx, &TAG_PUT, SQL_ARGS(SQL_I64(repo), SQL_TEXT(name)), NULL));
 *	return sql_commit(ctx, &tx);
 *
 * A transaction that leaves scope without sql_commit() is rolled back. The commit of an SQL_WRITE
 * transaction first takes ctx->rider along (base/ctx.h), if there is one: its rows are part of it;
 * and whoever is ctx->guard is asked before any write is committed.
 * After a failed statement nothing but that is possible, on both engines (an empty sql_one is no
 * failure). ctx->holds counts open transactions. Waiting for a connection, a lock or the server
 * honours ctx->deadline_ns (and 30 s at most).
 *
 * SQLite: WAL, synchronous=FULL, a bounded pool of readers, and one writer with group commit: write
 * transactions run one after another as savepoints of one outer transaction, and one commit (one
 * fsync) serves all that ran while the previous one was being made durable. sql_commit returns only
 * after that. If the outer commit fails, every transaction in it fails.
 *
 * PostgreSQL: a pool that never has more than connections_max connections; a connection string may
 * name several servers, and the one that can write is found among them (postgres_servers.h). While
 * none can, SQL_READ goes on with one that can be read, and a write is ERR_DATABASE_READ_ONLY;
 * while none answers, everything is ERR_DATABASE at once. Statements prepared once per connection
 * but those with a custom plan, `BEGIN ISOLATION LEVEL READ COMMITTED`. A serialization failure, a
 * deadlock, or a connection lost before the commit was sent, is ERR_DATABASE for which
 * sql_should_retry() is true. Lost while it was under way, whether it was done is unknown, which
 * the error says: not to be repeated blindly. At READ COMMITTED each statement has a snapshot of
 * its own, so SQL_READ saves the round trips of BEGIN and COMMIT: a reader that needs several
 * statements to agree must not count on it.
 *
 * Types, the same on both: integers are 64-bit, text is UTF-8 without NUL, blobs are bytes. A
 * column of another PostgreSQL type (numeric from sum()!) needs a CAST; sql_prepare_all refuses it.
 *
 * Errors: ERR_EXISTS (unique violation), ERR_ABSENT (foreign key violation; sql_one without a row),
 * ERR_STORAGE_FULL (disk full), ERR_BUSY (no connection or lock in time), ERR_DEADLINE,
 * ERR_CANCELLED, ERR_INTERNAL (text that is not UTF-8 or holds NUL), ERR_DATABASE (the rest).
 */
#pragma once

#include "base/step.h"

#define SQL_PARAMETERS_MAX 20

enum sql_statement_kind {
	SQL_STATEMENT_EXEC, /* sql_exec */
	SQL_STATEMENT_ONE,  /* sql_one or sql_query */
	SQL_STATEMENT_MANY, /* sql_query or sql_one */
};

struct sql_statement {
	const char *name;
	const char *sqlite; /* one statement each */
	const char *postgres;
	unsigned parameters;
	unsigned index; /* dense over all statements of the program */
	enum sql_statement_kind kind;
	bool custom_plan; /* PostgreSQL plans it anew for the values of each call */
};

enum sql_engine { SQL_SQLITE, SQL_POSTGRES };

struct sql_options {
	enum sql_engine engine;
	const char *location;	  /* file path, or a libpq connection string / URI */
	unsigned connections_max; /* readers (SQLite) or connections (PostgreSQL); default 8 */
	unsigned statement_count; /* how many sql_statement indexes exist */
};

struct sql;	/* a database */
struct sql_tx { /* an open transaction, on the caller's stack */
	struct sql *db;
	struct ctx *ctx;
	void *connection;
	int mode;
	bool open;
	bool failed;	    /* a statement failed: only the way back is left */
	bool later;	    /* something may not have been waited for */
	unsigned rows_open; /* results not yet done */
	struct step step;
};
#define SQL_TX_INIT ((struct sql_tx){ 0 })

enum sql_mode {
	SQL_READ,
	SQL_WRITE,	   /* durable when sql_commit returns */
	SQL_WRITE_AHEAD,   /* survives every process, the database server's too: what bytes
			      outside are explained by, so written before them */
	SQL_WRITE_RELAXED, /* survives our process: counters, and what is made again */
};

struct sql_value {
	enum { SQL_KIND_NULL, SQL_KIND_I64, SQL_KIND_TEXT, SQL_KIND_BLOB } kind;
	int64_t number;
	str bytes;
};
#define SQL_NULL    ((struct sql_value){ .kind = SQL_KIND_NULL })
#define SQL_I64(n)  ((struct sql_value){ .kind = SQL_KIND_I64, .number = (n) })
#define SQL_TEXT(s) ((struct sql_value){ .kind = SQL_KIND_TEXT, .bytes = (s) })
#define SQL_BLOB(s) ((struct sql_value){ .kind = SQL_KIND_BLOB, .bytes = (s) })
/* NULL for an empty str. */
#define SQL_TEXT_OR_NULL(s) ((s).len ? SQL_TEXT(s) : SQL_NULL)

struct sql_args {
	const struct sql_value *values;
	size_t count;
};
#define SQL_ARGS(...)                                                                              \
	((struct sql_args){ (const struct sql_value[]){ __VA_ARGS__ },                             \
			    sizeof((const struct sql_value[]){ __VA_ARGS__ }) /                    \
				    sizeof(struct sql_value) })
#define SQL_NO_ARGS ((struct sql_args){ NULL, 0 })

/* What can be done at the moment, as far as is known. PostgreSQL only; SQLite is never away. */
enum sql_reach {
	SQL_REACH_ALL,
	SQL_REACH_READ, /* only a standby answers, or a server that takes no writes */
	SQL_REACH_NONE,
};

err_t sql_open(struct ctx *ctx, const struct sql_options *options, struct sql **ret);
void sql_close(struct sql *db);
enum sql_engine sql_engine_of(const struct sql *db);
enum sql_reach sql_reach(struct sql *db);

err_t sql_begin(struct ctx *ctx, struct sql *db, enum sql_mode mode, struct sql_tx *ret);
err_t sql_commit(struct ctx *ctx, struct sql_tx *tx);
void sql_tx_done(struct sql_tx *tx); /* rolls back unless committed */

/* Waits for whoever wrote to a table, or is about to by what he saw; then nobody else may. */
err_t sql_wait_for_writers(struct ctx *ctx, struct sql_tx *tx, const char *table);

/* Runs a statement without a result. `*ret_changed` (may be NULL): how many rows it changed. */
err_t sql_exec(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
	       struct sql_args args, int64_t *ret_changed);

/* The same, which PostgreSQL is not waited for: that is done once for many, before the next
 * statement or commit that is. What failed is said there; what came after it was not done. */
err_t sql_exec_later(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args);

/* A result, row by row. Of a statement one is open in a transaction, and none at sql_commit. */
struct sql_rows {
	struct sql_tx *tx;
	void *result; /* the engine's own, like row */
	int row;
	bool open;
	struct step step;
};
#define SQL_ROWS_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}
err_t sql_query(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		struct sql_args args, struct sql_rows *ret);
/* Moves to the next row; `*ret_has` false at the end. Columns stay valid until the next call. */
err_t sql_next(struct ctx *ctx, struct sql_rows *rows, bool *ret_has);
void sql_rows_done(struct sql_rows *rows);

/* The first row of a result that has at most one, or ERR_ABSENT, which is no failure. */
err_t sql_one(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
	      struct sql_args args, struct sql_rows *ret);

/* Columns of the current row, from 0. NULL gives 0 and STR_NONE. */
int64_t sql_i64(const struct sql_rows *rows, int column);
str sql_text(const struct sql_rows *rows, int column); /* also for blobs */
bool sql_is_null(const struct sql_rows *rows, int column);

struct sql_stats {	  /* what has been done so far */
	uint64_t commits; /* write transactions committed */
	uint64_t batches; /* commits of the engine: on SQLite one for many */
	uint64_t syncs;	  /* batches made durable before they were answered */
	uint64_t connections_opened;
};
void sql_stats(const struct sql *db, struct sql_stats *ret);

/* Its connections, in groups that are waited for apart: on SQLite readers and the one writer. */
#define SQL_POOLS_MAX 4
struct sql_pool {
	const char *name;
	unsigned size, used;
	unsigned waiting; /* threads that want one */
};
size_t sql_pools(struct sql *db, struct sql_pool ret[SQL_POOLS_MAX]);

/* After a conflict or a lost connection: whether to run the whole transaction again makes sense. */
bool sql_should_retry(const struct ctx *ctx, err_t err);
/* Some milliseconds before that, more after each try (from 1 on) and by chance: who met does not
 * meet again. */
void sql_wait_to_retry(struct ctx *ctx, unsigned tries);

/* For tests: prepares all; the first that does not parse is ERR_DATABASE, by name. */
err_t sql_prepare_all(struct ctx *ctx, struct sql *db, const struct sql_statement *const *all,
		      size_t count);
