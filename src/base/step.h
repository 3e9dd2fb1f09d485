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

enum step_kind {
	STEP_SQL_WAIT,	      /* for a connection, or a turn to write; value: enum sql_mode */
	STEP_SQL_TRANSACTION, /* from its begin to its end; the steps inside belong to it */
	STEP_SQL_COMMIT,      /* until it is durable */
	STEP_SQL_STATEMENT,   /* value: 0; the name is the statement's */
	STEP_STORAGE,	      /* value: enum step_storage */
	STEP_UPSTREAM,	      /* value: enum client_purpose (http/client.h) */
	STEP_KIND_COUNT,
};

/* What is asked of a storage. X(name, text) */
#define STEP_STORAGE_TABLE(X)                                                                      \
	X(UPLOAD_OPEN, "upload_open")                                                              \
	X(UPLOAD_APPEND, "upload_append")                                                          \
	X(UPLOAD_FLUSH, "upload_flush")                                                            \
	X(UPLOAD_READ, "upload_read")                                                              \
	X(UPLOAD_REMOVE, "upload_remove")                                                          \
	X(PUBLISH, "publish")                                                                      \
	X(BLOB_OPEN, "blob_open")                                                                  \
	X(BLOB_READ, "blob_read")                                                                  \
	X(BLOB_SIZE, "blob_size")

enum step_storage {
#define STEP_STORAGE_ENUM(name, text) STEP_##name,
	STEP_STORAGE_TABLE(STEP_STORAGE_ENUM)
#undef STEP_STORAGE_ENUM
		STEP_STORAGE_COUNT,
};

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
