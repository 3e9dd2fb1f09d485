/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres.h - the parts of the PostgreSQL engine; private to sql.
 *
 *	postgres.c             open, close, the pool, begin and commit
 *	postgres_servers.c     which servers there are, who may write, when to try again
 *	postgres_connection.c  one connection: connecting, waiting for the server, errors
 *	postgres_hosts.c       a server's addresses, looked up by a deadline
 *	postgres_statement.c   prepared statements, values, results
 *	postgres_later.c       statements that are waited for together
 *	postgres_load.c        many rows at once
 *	postgres_tell.c        commits, and telling other nodes what was changed
 */
#pragma once

#include "driver.h"
#include "gate.h"

#include "postgres_library.h"

#define LATER_MAX 256 /* statements on their way together */

/* One connection. Used by one thread at a time. */
struct postgres_connection {
	const struct sql *db;
	PGconn *handle;
	bool *prepared;	     /* by slot */
	bool broken;	     /* lost, or an answer is still under way: to be closed, never reused */
	bool writable;	     /* when it was made */
	unsigned generation; /* of what was known of the servers */
	const struct sql_statement *later[LATER_MAX]; /* sent and not waited for */
	size_t later_count;
	int64_t untold; /* the transaction's number, when it left what others must be told */
	struct postgres_connection *next;
};

struct postgres_servers;

/* To the server at `at`, until `until_ns`. Everybody else uses postgres_servers_connect(). */
err_t postgres_connect(struct ctx *ctx, const struct sql *db,
		       const struct postgres_servers *servers, size_t at, int64_t until_ns,
		       struct postgres_connection **ret);
void postgres_disconnect(struct postgres_connection *connection); /* NULL is fine */
/* Whether the server would take a write now. */
err_t postgres_ask_writable(struct ctx *ctx, struct postgres_connection *connection,
			    int64_t until_ns, bool *ret);
/* False when the server said anything while nobody asked: nearly always, that it closed the
 * connection. */
bool postgres_is_quiet(struct postgres_connection *connection);

/*
 * Waits for the answer to what was just sent (`sent` is the result of PQsend…). Not a result of the
 * server at all: the connection is broken. An error of the server: recorded with `what`. `until_ns`
 * 0 waits for ever. The answer to a COPY … FROM STDIN is that the server waits for its rows.
 */
err_t postgres_answer(struct ctx *ctx, struct postgres_connection *connection, int sent,
		      int64_t until_ns, const char *what, PGresult **ret);
void postgres_result_done(PGresult **result); /* CLEANUP */

/* The same of what was sent before, once the system has it. */
err_t postgres_take(struct ctx *ctx, struct postgres_connection *connection, int64_t until_ns,
		    const char *what, PGresult **ret);
/* One result of it, NULL at its end. */
err_t postgres_next_result(struct ctx *ctx, struct postgres_connection *connection,
			   int64_t until_ns, const char *what, PGresult **ret);

/* Until the system has taken all that was sent. */
err_t postgres_flush(struct ctx *ctx, struct postgres_connection *connection, int64_t until_ns,
		     const char *what);
/* Records that there is no connection any more, and why. */
err_t postgres_lost(struct ctx *ctx, struct postgres_connection *connection, const char *what);

/* Statements without parameters or rows, in one round trip. */
err_t postgres_simple(struct ctx *ctx, struct postgres_connection *connection, const char *text,
		      int64_t until_ns);

/* When waiting for a statement ends: a little after the deadline, so that the server can say so
 * itself. */
int64_t postgres_until_ns(const struct ctx *ctx);

err_t postgres_exec(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		    struct sql_args args, int64_t *ret_changed);
err_t postgres_query(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args, struct sql_rows *rows);
err_t postgres_next(struct ctx *ctx, struct sql_rows *rows, bool *ret_has);
void postgres_rows_done(struct sql_rows *rows);
int64_t postgres_i64(const struct sql_rows *rows, int column);
str postgres_text(const struct sql_rows *rows, int column);
bool postgres_is_null(const struct sql_rows *rows, int column);
err_t postgres_prepare(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement);

/* Sends it, prepared if it is not custom: whether libpq took it. */
err_t postgres_prepare_once(struct ctx *ctx, struct postgres_connection *connection,
			    const struct sql_statement *statement);
bool postgres_is_prepared(const struct postgres_connection *connection,
			  const struct sql_statement *statement);
int postgres_send(struct postgres_connection *connection, const struct sql_statement *statement,
		  struct sql_args args);

err_t postgres_later(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args);
err_t postgres_settle(struct ctx *ctx, struct sql_tx *tx);
/* Forgets what is under way, until `until_ns`, for a rollback. */
void postgres_later_drop(struct postgres_connection *connection, int64_t until_ns);

err_t postgres_load_begin(struct ctx *ctx, struct sql_tx *tx,
			  const struct sql_statement *statement);
err_t postgres_load_bytes(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			  str bytes);
err_t postgres_load_end(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement);
/* Takes back what is under way, until `until_ns`. */
void postgres_load_drop(struct postgres_connection *connection, int64_t until_ns);
