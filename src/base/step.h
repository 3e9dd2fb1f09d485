/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step.h - what a piece of work does outside of memory: the database, a storage, another server.
 *
 * The folders that do it mark where a step begins and ends, and know nothing of who looks: metrics,
 * traces, the list of slow calls. Without anybody a step costs a look at one pointer, with somebody
 * two looks at the clock.
 *
 *	struct step step = step_begin(ctx, STEP_STORAGE, STEP_BLOB_OPEN, "blob_open");
 *	err_t err = …;
 *	step_end(ctx, &step, err);
 *
 * A step is on the stack of the thread that runs it. While it is paused its time does not count: a
 * result that is read row by row counts what reading took and not what was done with the rows.
 */
#pragma once

#include "base/ctx.h"

/* X(list, name, text); `list` is whose list it is made for: STEP here, a label's elsewhere. */
#define STEP_KIND_TABLE(X, list)                                                                   \
	/* for a connection, or a turn to write; value: enum sql_mode */                           \
	X(list, SQL_WAIT, "sql_wait")                                                              \
	/* from its begin to its end; the steps inside belong to it */                             \
	X(list, SQL_TRANSACTION, "sql_transaction")                                                \
	/* until it is durable */                                                                  \
	X(list, SQL_COMMIT, "sql_commit")                                                          \
	/* value: 0; the name is the statement's */                                                \
	X(list, SQL_STATEMENT, "sql_statement")                                                    \
	/* value: enum step_storage */                                                             \
	X(list, STORAGE, "storage")                                                                \
	/* value: enum client_purpose (http/client.h) */                                           \
	X(list, UPSTREAM, "upstream")

/* What is asked of a storage. */
#define STEP_STORAGE_TABLE(X, list)                                                                \
	X(list, UPLOAD_OPEN, "upload_open")                                                        \
	X(list, UPLOAD_APPEND, "upload_append")                                                    \
	X(list, UPLOAD_FLUSH, "upload_flush")                                                      \
	X(list, UPLOAD_READ, "upload_read")                                                        \
	X(list, UPLOAD_REMOVE, "upload_remove")                                                    \
	X(list, PUBLISH, "publish")                                                                \
	X(list, BLOB_OPEN, "blob_open")                                                            \
	X(list, BLOB_READ, "blob_read")                                                            \
	X(list, BLOB_SIZE, "blob_size")                                                            \
	X(list, BLOB_REMOVE, "blob_remove")                                                        \
	X(list, BLOBS_REMOVE, "blobs_remove")

#define STEP_ENUM(list, name, text) list##_##name,
enum step_kind { STEP_KIND_TABLE(STEP_ENUM, STEP) STEP_KIND_COUNT };
enum step_storage { STEP_STORAGE_TABLE(STEP_ENUM, STEP) STEP_STORAGE_COUNT };
#undef STEP_ENUM

struct step {
	enum step_kind kind;
	unsigned value;	    /* of the kind's own list */
	const char *name;   /* a literal: kept as a pointer */
	int64_t began_ns;   /* 0: nobody looks */
	int64_t running_ns; /* since when it runs; 0: paused */
	int64_t spent_ns;   /* before that */
	uint64_t id, outer; /* the watcher's: its span, and the one around it */
};
#define STEP_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}

struct step_watch {
	void (*began)(struct ctx *ctx, struct step *step);
	void (*ended)(struct ctx *ctx, const struct step *step, err_t err);
};

/* Who looks; set before there are threads, for good. NULL: nobody. */
void step_watch_set(const struct step_watch *watch);

struct step step_begin(struct ctx *ctx, enum step_kind kind, unsigned value, const char *name);
void step_pause(struct step *step);
void step_resume(struct step *step);

/* Does nothing to one that was never begun, or has ended. */
void step_end(struct ctx *ctx, struct step *step, err_t err);
