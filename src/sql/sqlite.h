/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite.h - the parts of the SQLite engine; private to sql. Read README.md for how they play
 * together.
 *
 *	sqlite.c             open, close, the pool of readers, begin and commit
 *	sqlite_connection.c  one connection: statements, values, errors
 *	sqlite_writer.c      the one writer and its group commit
 *	sqlite_checkpoint.c  keeping the write-ahead log small
 */
#pragma once

#include "driver.h"
#include "gate.h"

#include <pthread.h>
#include <sqlite3.h>

/* One connection. Used by one thread at a time; the gates hand it from thread to thread. */
struct sqlite_connection {
	const struct sql *db;
	sqlite3 *handle;
	sqlite3_stmt **statements; /* by slot, NULL until first used */
	struct ctx *ctx;	   /* of who uses it now: for waits and interrupts; may be NULL */
	int64_t busy_since_ns;
	int last_error; /* the result code of the last failure */
	struct sqlite_connection *next;
};

enum sqlite_role { SQLITE_WRITER, SQLITE_READER, SQLITE_CHECKPOINTER };

err_t sqlite_connect(struct ctx *ctx, const struct sql *db, const char *path, enum sqlite_role role,
		     struct sqlite_connection **ret);
void sqlite_disconnect(struct sqlite_connection *connection);

/* Runs one of the engine's own statements (SQL_OWN_BEGIN_READ …); an SQLite result code. */
int sqlite_run(struct sqlite_connection *connection, enum sql_own own);

/* The err_t for an extended SQLite result code, right after it happened. */
err_t sqlite_error_of(const struct sqlite_connection *connection, int code);

/* Records the failure `code` (an extended SQLite result code) and gives its err_t. */
err_t sqlite_fail(struct ctx *ctx, struct sqlite_connection *connection, int code,
		  const char *what);

err_t sqlite_exec(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, int64_t *ret_changed);
err_t sqlite_query(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		   struct sql_args args, struct sql_rows *rows);
err_t sqlite_next(struct ctx *ctx, struct sql_rows *rows, bool *ret_has);
void sqlite_rows_done(struct sql_rows *rows);
int64_t sqlite_i64(const struct sql_rows *rows, int column);
str sqlite_text(const struct sql_rows *rows, int column);
bool sqlite_is_null(const struct sql_rows *rows, int column);
err_t sqlite_prepare(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement);
err_t sqlite_script(struct ctx *ctx, struct sql_tx *tx, const char *text);

/* Moves pages from the log to the database in a thread of its own, so that commits need not. */
struct sqlite_checkpointer {
	const struct sql *db;
	const char *path;
	pthread_t thread;
	pthread_mutex_t lock; /* wanted, stopping */
	pthread_cond_t changed;
	bool wanted, stopping;
	/* Of the writer: the length of the log in pages, and where the last checkpoints were asked
	 * for. */
	int log_pages, asked_at_pages, forced_at_pages;
};

void sqlite_checkpoint_start(struct sqlite_checkpointer *checkpointer,
			     struct sqlite_connection *writer, const char *path);
void sqlite_checkpoint_stop(struct sqlite_checkpointer *checkpointer);
/* After each commit, by the writer. */
void sqlite_checkpoint_consider(struct sqlite_checkpointer *checkpointer,
				struct sqlite_connection *writer);

struct sqlite_member;

/* The one writer. What is not under `lock` belongs to whoever is inside the gate. */
struct sqlite_writer {
	struct sql *db;
	struct gate gate;
	struct sqlite_connection *connection;
	struct sqlite_checkpointer *checkpointer;
	bool outer_open;    /* an outer transaction is open, left by the previous member */
	bool outer_relaxed; /* and its commit will not wait for the disk */
	bool sync_relaxed;  /* what `PRAGMA synchronous` says now */
	int64_t outer_since_ns;
	unsigned member_count;

	pthread_mutex_t lock;
	pthread_cond_t settled;
	struct sqlite_member *members; /* committed, waiting for the outer commit */
};

void sqlite_writer_init(struct sqlite_writer *writer, struct sql *db,
			struct sqlite_connection *connection,
			struct sqlite_checkpointer *checkpointer);
void sqlite_writer_done(struct sqlite_writer *writer);

err_t sqlite_writer_begin(struct ctx *ctx, struct sqlite_writer *writer, enum sql_mode mode);
err_t sqlite_writer_commit(struct ctx *ctx, struct sqlite_writer *writer);
void sqlite_writer_rollback(struct sqlite_writer *writer);
