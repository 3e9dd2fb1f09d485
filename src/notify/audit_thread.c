/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_thread.c - the one thread of the trail: at each turn it writes the notes that wait, gives
 * new records their places in the chain, and signs the chain when that is due.
 *
 * Notes are written in small transactions (SQLite has one writer, and others wait behind it),
 * relaxed ones: what was lost with the machine was in memory a moment before. A batch that cannot
 * be written is kept and tried again at the next turn, while the queue's bound limits what gathers
 * behind it.
 */
#include "audit_seal.h"
#include "internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"

#include "base/banned.h"

#define BATCH_ROWS	100
#define ARENA_BYTES_MAX MIB(32)
#define TURN_DEADLINE_S 30
#define STOP_DEADLINE_S 5

struct batch {
	struct audit_note *first;
	size_t rows;	  /* written */
	uint64_t dropped; /* to be recorded along with it; 0 for none */
};

static err_t write_dropped(struct ctx *ctx, struct sql_tx *tx, const struct batch *batch)
{
	if (!batch->dropped)
		return OK;
	const struct audit_event event = {
		.type = AUDIT_DROP_AUDIT,
		.count = (int64_t)batch->dropped,
		.result = AUDIT_FAILED,
		.reason = STR("the queue of audit events was full"),
	};
	struct audit_row row = audit_record_make(ctx, &event, clock_wall_us());
	return db_audit_insert(ctx, tx, &row);
}

static err_t write_batch(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct batch *batch = arg;
	batch->rows = 0;
	for (struct audit_note *note = batch->first; note && batch->rows < BATCH_ROWS;
	     note = note->next, batch->rows++) {
		struct audit_row row = audit_record_make(ctx, &note->event, note->last_us);
		TRY(db_audit_insert(ctx, tx, &row));
	}
	return write_dropped(ctx, tx, batch);
}

static void release(struct audit *audit, size_t rows)
{
	for (; rows; rows--) {
		struct audit_note *note = audit->taken;
		audit->taken = note->next;
		audit_queue_release(&audit->queue, note);
	}
}

/* Writes all that waits. */
static err_t flush(struct ctx *ctx, struct audit *audit)
{
	for (;;) {
		struct audit_stats stats;
		audit_stats(audit, &stats);
		if (!audit->taken)
			audit->taken = audit_queue_take(&audit->queue);
		struct batch batch = { audit->taken, 0, stats.dropped - audit->dropped_told };
		if (!batch.first && !batch.dropped)
			return OK;
		TRY(db_run(ctx, audit->options.db, SQL_WRITE_RELAXED, write_batch, &batch));
		release(audit, batch.rows);
		audit->dropped_told += batch.dropped;
		atomic_fetch_add_explicit(&audit->written, batch.rows, memory_order_relaxed);
		arena_reset(ctx->arena);
	}
}

static err_t seal(struct ctx *ctx, struct audit *audit, bool last)
{
	for (bool more = true; more; arena_reset(ctx->arena))
		TRY(audit_seal_batch(ctx, audit, &more));
	return audit_seal_checkpoint(ctx, audit, last);
}

/* Each step on its own: what cannot be sealed can perhaps still be written. */
static void tell(struct ctx *ctx, err_t err, const char *what)
{
	if (err != OK)
		LOG(LOG_WARN, what, LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
	arena_reset(ctx->arena);
}

static void turn(struct ctx *ctx, struct audit *audit, bool last)
{
	ctx->deadline_ns = clock_now_ns() + (last ? STOP_DEADLINE_S : TURN_DEADLINE_S) * CLOCK_S;
	tell(ctx, flush(ctx, audit), "audit events could not be written");
	tell(ctx, seal(ctx, audit, last), "audit records could not be sealed");
}

/* False when it is time to stop. */
static bool wait_for_turn(struct audit *audit)
{
	int64_t until_ns = clock_now_ns() + audit->options.flush_ms * CLOCK_MS;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&audit->lock);
	while (!audit->stopping && !audit->hurry &&
	       thread_wait_until(&audit->wake, &audit->lock, until_ns))
		;
	audit->hurry = false;
	return !audit->stopping;
}

static void *run(void *arg)
{
	struct audit *audit = arg;
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, ARENA_BYTES_MAX);
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	while (wait_for_turn(audit))
		turn(&ctx, audit, false);
	turn(&ctx, audit, true);
	return NULL;
}

void audit_wake(struct audit *audit)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&audit->lock);
	audit->hurry = true;
	pthread_cond_signal(&audit->wake);
}

err_t audit_start(struct ctx *ctx, struct audit *audit)
{
	TRY(thread_start(ctx, "audit", run, audit, &audit->thread));
	audit->started = true;
	return OK;
}

void audit_stop(struct audit *audit)
{
	if (!audit || !audit->started)
		return;
	audit_check_stop(audit);
	pthread_mutex_lock(&audit->lock);
	audit->stopping = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	pthread_join(audit->thread, NULL);
	audit->started = false;
}
