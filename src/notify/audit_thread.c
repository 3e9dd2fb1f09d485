/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_thread.c - the one thread of the trail: at each turn it writes the notes that wait, gives
 * new records their places in the chain, and signs the chain when that is due.
 *
 * Notes are written in small transactions (SQLite has one writer, and others wait behind it),
 * relaxed ones: what was lost with the machine was in memory a moment before. A batch that cannot
 * be written is kept and tried again at the next turn, while the queue's bound limits what gathers
 * behind it. Between batches it rests (base/pace.h), unless it is to stop or the queue is half
 * full.
 */
#include "audit_seal.h"
#include "internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/pace.h"
#include "db/db.h"

#include "base/banned.h"

#define BATCH_ROWS	100
#define ARENA_BYTES_MAX MIB(32)
#define TURN_DEADLINE_S 30
#define STOP_DEADLINE_S 5

struct batch {
	struct audit_row *kept, *passed; /* those to write, and those only to pass on */
	size_t kept_count, passed_count;
	uint64_t dropped, lost; /* to be recorded along with it; 0 for none */
};

static err_t write_dropped(struct ctx *ctx, struct sql_tx *tx, uint64_t count, str reason)
{
	if (!count)
		return OK;
	const struct audit_event event = {
		.type = AUDIT_DROP_AUDIT,
		.count = (int64_t)count,
		.result = AUDIT_FAILED,
		.reason = reason,
	};
	struct audit_row row = audit_record_make(ctx, &event, clock_wall_us());
	return db_audit_insert(ctx, tx, &row);
}

static err_t write_batch(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct batch *batch = arg;
	for (size_t i = 0; i < batch->kept_count; i++)
		TRY(db_audit_insert(ctx, tx, &batch->kept[i]));
	TRY(write_dropped(ctx, tx, batch->dropped, STR("the queue of audit events was full")));
	return write_dropped(ctx, tx, batch->lost,
			     STR("the queue of records to be passed on was full, "
				 "and they are kept nowhere else"));
}

static void make_batch(struct ctx *ctx, struct audit *audit, struct batch *ret)
{
	struct audit_stats stats;
	audit_stats(audit, &stats);
	*ret = (struct batch){
		.kept = ARENA_ARRAY(ctx->arena, struct audit_row, BATCH_ROWS),
		.passed = ARENA_ARRAY(ctx->arena, struct audit_row, BATCH_ROWS),
		.dropped = stats.dropped - audit->dropped_told,
		.lost = audit->lost,
	};
	const struct audit_note *note = audit->taken;
	for (size_t i = 0; note && i < BATCH_ROWS; note = note->next, i++) {
		struct audit_row row = audit_record_make(ctx, &note->event, note->last_us);
		if (audit_skips(audit, &row))
			ret->passed[ret->passed_count++] = row;
		else
			ret->kept[ret->kept_count++] = row;
	}
}

static void release(struct audit *audit, size_t rows)
{
	for (; rows; rows--) {
		struct audit_note *note = audit->taken;
		audit->taken = note->next;
		audit_queue_release(&audit->queue, note);
	}
}

static void pass_on(struct ctx *ctx, struct audit *audit, const struct batch *batch)
{
	for (size_t i = 0; i < batch->passed_count; i++)
		audit->lost += !forward_record(ctx, audit->forward, &batch->passed[i]);
}

static void rest(struct audit *audit, struct pace *pace)
{
	int64_t until_ns = pace_rest_until(pace, clock_now_ns());
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&audit->lock);
	while (until_ns && !audit->stopping && !audit->hurry &&
	       thread_wait_until(&audit->wake, &audit->lock, until_ns))
		;
	if (audit->stopping || audit->hurry)
		pace->left_ns = 0;
}

/* Writes all that waits. */
static err_t flush(struct ctx *ctx, struct audit *audit, struct pace *pace)
{
	for (struct batch batch;; arena_reset(ctx->arena)) {
		if (!audit->taken)
			audit->taken = audit_queue_take(&audit->queue);
		make_batch(ctx, audit, &batch);
		if (batch.kept_count || batch.dropped || batch.lost)
			TRY(db_run(ctx, audit->options.db, SQL_WRITE_RELAXED, write_batch, &batch));
		else if (!batch.passed_count)
			return OK;
		audit->dropped_told += batch.dropped;
		audit->lost = 0;
		pass_on(ctx, audit, &batch);
		release(audit, batch.kept_count + batch.passed_count);
		atomic_fetch_add_explicit(&audit->written, batch.kept_count, memory_order_relaxed);
		rest(audit, pace);
	}
}

static err_t seal(struct ctx *ctx, struct audit *audit, bool last, struct pace *pace)
{
	for (bool more = true; more; arena_reset(ctx->arena)) {
		TRY(audit_seal_batch(ctx, audit, &more));
		if (more)
			rest(audit, pace);
	}
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
	if (!last && sql_reach(audit->options.db) != SQL_REACH_ALL)
		return; /* which has been said; what waits is written later */
	int64_t now_ns = clock_now_ns();
	struct pace pace = pace_begin(now_ns, audit->options.flush_ms * CLOCK_MS / 2);
	ctx->deadline_ns = now_ns + (last ? STOP_DEADLINE_S : TURN_DEADLINE_S) * CLOCK_S;
	tell(ctx, flush(ctx, audit, &pace), "audit events could not be written");
	tell(ctx, seal(ctx, audit, last, &pace), "audit records could not be sealed");
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
	TRY(forward_start(ctx, audit->forward));
	TRY(thread_start(ctx, "audit", run, audit, &audit->thread));
	audit->started = true;
	return OK;
}

static void stop_thread(struct audit *audit)
{
	audit_check_stop(audit);
	pthread_mutex_lock(&audit->lock);
	audit->stopping = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	pthread_join(audit->thread, NULL);
	audit->started = false;
}

void audit_stop(struct audit *audit)
{
	if (!audit)
		return;
	if (audit->started)
		stop_thread(audit);
	forward_stop(audit->forward);
}
