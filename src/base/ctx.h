/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctx.h - what a piece of work carries with it: its memory, its deadline, and its last failure.
 *
 * One ctx per request and per job, on the stack of the thread that runs it. It is the first
 * parameter of every function that can block, allocate, or fail for a reason worth logging.
 *
 * Failing is one expression:
 *
 *	if (!digest_equal(have, want))
 *		return fail(ctx, ERR_DIGEST_INVALID, "upload %s is " DIGEST_FMT, id,
 * DIGEST_ARG(have));
 *
 * fail() records code, errno, place and detail; the first failure wins until ctx_forgive(). The top
 * of the request writes the one log line; nobody in between logs.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/tenant.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#define CTX_DETAIL_MAX 320

struct failure {
	err_t code;
	int sys_errno; /* errno at the time, 0 when it plays no part */
	const char *file;
	int line;
	char detail[CTX_DETAIL_MAX];
};

/*
 * Somebody with rows of his own to add to the next durable write transaction that this ctx commits,
 * whoever opened it (sql.h): so a change and its record in the audit trail are one.
 */
struct ctx;
struct sql_tx;
struct tx_rider {
	err_t (*join)(struct ctx *ctx, struct sql_tx *tx, struct tx_rider *rider);
};

/*
 * Somebody whose word is needed before a write transaction of this ctx is committed, whoever opened
 * it and however durable it is to be (sql.h): a job whose lease may be lost by then (jobs/jobs.h).
 * It is the last that happens in the transaction. Not OK: nothing was written.
 */
struct tx_guard {
	err_t (*agree)(struct ctx *ctx, struct sql_tx *tx, struct tx_guard *guard);
};

/* Who gave a thread to this work, and has something to do before it waits: ctx_waits(). */
struct ctx_host {
	void (*waits)(struct ctx_host *host);
};

/* In whose name work is done, as the audit trail names him; empty: the program's own. */
struct ctx_actor {
	str type; /* "user", "robot", "anonymous" */
	str name;
};

struct trace;

struct ctx {
	struct arena *arena;
	int64_t deadline_ns;		/* clock_now_ns() scale; 0 means none */
	int64_t allowance_ns;		/* see ctx_progress(); 0 means none */
	const _Atomic(bool) *cancelled; /* may be NULL */
	int64_t tenant_id;		/* in whose names projects and repositories are looked up */
	bool tenant_fixed;		/* nobody of another tenant counts: auth/tenant.h */
	str project;	    /* a name that must mean the project of this id, or nothing: what */
	int64_t project_id; /* was decided about the one is not done in another; 0: any */
	str request_id;
	struct ctx_actor actor; /* lives as long as the work */
	str asked_at;		/* the host that he called us, for who is told of what he does */
	unsigned holds;		/* open transactions and locks; zero while bytes move */
	unsigned retry_after_s; /* what somebody we asked wants waited, for Retry-After; 0: nothing
				 */
	struct ctx_host *host;	/* may be NULL */
	struct trace *trace; /* that this work is recorded in (codec/traceparent.h); NULL: none */
	struct tx_rider *rider; /* NULL, and NULL again once a commit has taken it along */
	struct tx_guard *guard; /* NULL: nobody is asked */
	struct failure failure;
};

#define fail(ctx, code, ...) (ctx_fail((ctx), (code), 0, __FILE__, __LINE__, __VA_ARGS__), (code))

/* The same, with errno recorded and its text appended to the detail. */
#define fail_errno(ctx, code, ...)                                                                 \
	(ctx_fail((ctx), (code), errno, __FILE__, __LINE__, __VA_ARGS__), (code))

/* TRY that prefixes the detail with what was being done: TRY_CTX(ctx, open(…), "blob %s", id). */
#define TRY_CTX(ctx, expression, ...)                                                              \
	do {                                                                                       \
		err_t try_err_ = (expression);                                                     \
		if (__builtin_expect(try_err_ != OK, 0)) {                                         \
			ctx_note((ctx), __VA_ARGS__);                                              \
			return try_err_;                                                           \
		}                                                                                  \
	} while (0)

void ctx_init(struct ctx *ctx, struct arena *arena);
void ctx_fail(struct ctx *ctx, err_t code, int sys_errno, const char *file, int line,
	      const char *format, ...) PRINTF_LIKE(6, 7);
void ctx_note(struct ctx *ctx, const char *format, ...) PRINTF_LIKE(2, 3);

/* Forgets the recorded failure: it was expected and handled. */
void ctx_forgive(struct ctx *ctx);

/* OK, ERR_DEADLINE or ERR_CANCELLED. Call it in every loop that may take long. */
err_t ctx_check(struct ctx *ctx);

/*
 * Bytes have moved, and rates and limits of their own watch over that: the deadline is allowance_ns
 * from now. So a deadline ends what waits (for a lock, a connection, a turn) and never what moves.
 */
void ctx_progress(struct ctx *ctx);

/* Milliseconds until the deadline, at most `max_ms`, at least 0; `max_ms` when there is none. */
int ctx_left_ms(const struct ctx *ctx, int max_ms);

/*
 * This thread may wait now for something that is not in memory: a disk flush, the database, another
 * server, a password's hash. So whoever runs threads can let another one take its turn. Cheap, and
 * harmless when nothing waits after all; a wait that nobody announces is found late.
 */
static inline void ctx_waits(struct ctx *ctx)
{
	if (ctx->host)
		ctx->host->waits(ctx->host);
}
