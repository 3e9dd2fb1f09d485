/* SPDX-License-Identifier: Apache-2.0 */
/* forward_target.c - see forward_target.h. */
#include "forward_target.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

#define ARENA_BYTES_MAX MIB(8)
#define BATCH_BYTES_MAX MIB(1)
#define ATTEMPT_S	30  /* for one batch, with connecting */
#define RETRY_MIN_MS	200 /* after the first failure */
#define RETRY_MAX_MS	30000
#define RETRY_LAST_MS	250 /* while the program ends */
#define HOLD_LAST_MS	100 /* the same */
#define LOOK_S		5   /* how often an idle connection is looked at */
#define TELL_S		60  /* between two lines in the log about drops */

/* --- the queue: all with the lock held ------------------------------------------------------- */

static void append(struct forward_target *target, str message)
{
	struct forward_item *item = mem_new(sizeof *item + message.len);
	item->len = message.len;
	memcpy(item->bytes, message.ptr, message.len);
	*target->last = item;
	target->last = &item->next;
	target->unwritten = target->unwritten ? target->unwritten : item;
	target->unwritten_count++;
	target->count++;
	target->bytes += message.len;
}

static void remove_first(struct forward_target *target, size_t count)
{
	for (; count && target->first; count--) {
		struct forward_item *item = target->first;
		if (item == target->unwritten) {
			target->unwritten = item->next;
			target->unwritten_count--;
		}
		target->first = item->next;
		target->count--;
		target->bytes -= item->len;
		free(item);
	}
	if (!target->first)
		target->last = &target->first;
}

static void mark_written(struct forward_target *target, size_t count)
{
	int64_t now_ns = clock_now_ns();
	for (; count; count--) {
		target->unwritten->written_at_ns = now_ns;
		target->unwritten = target->unwritten->next;
		target->unwritten_count--;
	}
}

/* The connection broke: what was written on it may have been read or not. */
static void write_again(struct forward_target *target)
{
	target->unwritten = target->first;
	target->unwritten_count = target->count;
}

static int64_t hold_ns(const struct forward_target *target)
{
	int hold_ms = target->driver->hold_ms;
	return (target->stopping ? MIN(hold_ms, HOLD_LAST_MS) : hold_ms) * CLOCK_MS;
}

/* Those that were written so long ago that they have arrived. */
static void release_written(struct forward_target *target, int64_t until_ns)
{
	while (target->first != target->unwritten && target->first->written_at_ns <= until_ns) {
		remove_first(target, 1);
		target->sent++;
		target->sent_at_us = clock_wall_us();
	}
}

static struct forward_batch peek(const struct forward_target *target)
{
	struct forward_batch batch = { .first = target->unwritten };
	size_t max = target->link.singles ? 1 : target->driver->batch_max;
	for (const struct forward_item *item = batch.first; item && batch.count < max;
	     item = item->next) {
		if (batch.count && batch.bytes + item->len > BATCH_BYTES_MAX)
			break;
		batch.last = item;
		batch.count++;
		batch.bytes += item->len;
	}
	return batch;
}

/* --- telling -------------------------------------------------------------------------------- */

static void tell_drops(struct forward_target *target)
{
	uint64_t dropped = 0;
	pthread_mutex_lock(&target->lock);
	int64_t now_ns = clock_now_ns();
	if (target->dropped != target->dropped_told &&
	    (!target->told_at_ns || now_ns - target->told_at_ns >= TELL_S * CLOCK_S)) {
		dropped = target->dropped - target->dropped_told;
		target->dropped_told = target->dropped;
		target->told_at_ns = now_ns;
	}
	pthread_mutex_unlock(&target->lock);
	if (dropped)
		LOG(LOG_WARN, "audit records were dropped on their way",
		    LOG_CSTR("target", target->name), LOG_I64("count", (int64_t)dropped));
}

static void note_error(struct forward_target *target, const char *detail)
{
	str text = str_take(str_from(detail), FORWARD_ERROR_MAX - 1);
	memcpy(target->error, text.ptr, text.len);
	target->error[text.len] = '\0';
	target->error_at_us = clock_wall_us();
}

/* --- putting -------------------------------------------------------------------------------- */

static bool put_locked(struct forward_target *target, const struct buf *message)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	str text = buf_str(message);
	if (!target->address)
		return true;
	if (buf_overrun(message) || target->stopping || target->count >= target->records_max ||
	    text.len > target->bytes_max - MIN(target->bytes, target->bytes_max)) {
		target->dropped++;
		return false;
	}
	append(target, text);
	pthread_cond_signal(&target->wake);
	return true;
}

bool forward_target_put(struct forward_target *target, const struct buf *message)
{
	bool put = put_locked(target, message);
	tell_drops(target);
	return put;
}

/* --- the thread ----------------------------------------------------------------------------- */

/* Twice as long each time, between half and one and a half of it, so that many nodes do not come
 * back together. */
static int64_t retry_delay_ns(const struct forward_target *target, unsigned asked_s)
{
	uint32_t chance;
	if (target->stopping)
		return RETRY_LAST_MS * CLOCK_MS;
	if (asked_s)
		return (int64_t)asked_s * CLOCK_S;
	int64_t ms = RETRY_MIN_MS << MIN(target->failures, 10U);
	ms = MIN(ms, RETRY_MAX_MS);
	random_bytes(&chance, sizeof chance);
	return (ms / 2 + (int64_t)(chance % (uint64_t)ms)) * CLOCK_MS;
}

static void follow_address(struct forward_target *target, unsigned *following)
{
	if (*following == target->addresses)
		return;
	*following = target->addresses;
	release_written(target, INT64_MAX); /* they were for somebody else */
	target->driver->close(&target->link);
	free(target->link.address);
	target->link.address = target->address ? mem_copy(str_from(target->address)) : NULL;
	target->link.singles = 0;
	target->state = FORWARD_IDLE;
	target->failures = 0;
	target->retry_at_ns = 0;
	if (target->address)
		return;
	target->dropped += target->count;
	remove_first(target, target->count);
}

static void look_after_connection(struct forward_target *target)
{
	if (target->state != FORWARD_CONNECTED)
		return;
	if (target->driver->is_open(&target->link)) {
		release_written(target, clock_now_ns() - hold_ns(target));
		return;
	}
	target->driver->close(&target->link);
	target->state = FORWARD_IDLE;
	write_again(target);
}

/* When the thread has something to do if nobody wakes it. */
static int64_t next_turn_ns(const struct forward_target *target, int64_t now_ns)
{
	int64_t until_ns = now_ns + LOOK_S * CLOCK_S;
	if (target->unwritten_count)
		until_ns = MIN(until_ns, target->retry_at_ns);
	if (target->first != target->unwritten)
		until_ns = MIN(until_ns, target->first->written_at_ns + hold_ns(target));
	return target->stopping ? MIN(until_ns, target->stop_at_ns) : until_ns;
}

static bool has_ended(const struct forward_target *target)
{
	return target->stopping && (!target->count || clock_now_ns() >= target->stop_at_ns);
}

/* The next batch; false when it is time to stop. */
static bool wait_for_batch(struct forward_target *target, unsigned *following,
			   struct forward_batch *ret)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	for (;;) {
		int64_t now_ns = clock_now_ns();
		follow_address(target, following);
		look_after_connection(target);
		if (has_ended(target))
			return false;
		if (target->unwritten_count && now_ns >= target->retry_at_ns) {
			*ret = peek(target);
			return true;
		}
		thread_wait_until(&target->wake, &target->lock, next_turn_ns(target, now_ns));
	}
}

static void settle_sent(struct forward_target *target, size_t count)
{
	mark_written(target, count);
	target->state = FORWARD_CONNECTED;
	target->failures = 0;
	if (!target->driver->hold_ms)
		release_written(target, INT64_MAX);
}

static void settle_refused(struct ctx *ctx, struct forward_target *target, size_t count)
{
	remove_first(target, count);
	target->dropped += count;
	note_error(target, ctx->failure.detail);
}

static void settle_failed(struct ctx *ctx, struct forward_target *target)
{
	note_error(target, ctx->failure.detail);
	write_again(target);
	target->state = FORWARD_FAILING;
	target->retry_at_ns = clock_now_ns() + retry_delay_ns(target, ctx->retry_after_s);
	target->failures++;
}

/* True when the target has just begun to fail. */
static bool settle(struct ctx *ctx, struct forward_target *target,
		   const struct forward_batch *batch, err_t err, enum forward_verdict verdict)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	size_t singles = target->link.singles;
	if (err != OK)
		settle_failed(ctx, target);
	else if (verdict == FORWARD_SENT)
		settle_sent(target, batch->count);
	else if (verdict == FORWARD_REFUSED)
		settle_refused(ctx, target, batch->count);
	if (err == OK && verdict != FORWARD_SPLIT)
		target->link.singles = singles - MIN(singles, batch->count);
	return err != OK && target->failures == 1;
}

static void attempt(struct ctx *ctx, struct forward_target *target,
		    const struct forward_batch *batch)
{
	enum forward_verdict verdict = FORWARD_SENT;
	ctx->deadline_ns = clock_now_ns() + ATTEMPT_S * CLOCK_S;
	ctx->retry_after_s = 0;
	err_t err = target->driver->send(ctx, &target->link, batch, &verdict);
	if (err != OK)
		target->driver->close(&target->link);
	if (settle(ctx, target, batch, err, verdict))
		LOG(LOG_WARN, "audit records cannot be forwarded at the moment",
		    LOG_CSTR("target", target->name), LOG_CSTR("detail", ctx->failure.detail));
	tell_drops(target);
	ctx_forgive(ctx);
	arena_reset(ctx->arena);
}

static void say_ended(struct forward_target *target)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	target->running = false;
	pthread_cond_broadcast(&target->ended);
}

static void *run(void *arg)
{
	struct forward_target *target = arg;
	struct forward_batch batch;
	unsigned following = 0;
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, ARENA_BYTES_MAX);
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	ctx.cancelled = &target->cancelled;
	while (wait_for_batch(target, &following, &batch))
		attempt(&ctx, target, &batch);
	target->driver->close(&target->link);
	say_ended(target);
	return NULL;
}

/* --- life ----------------------------------------------------------------------------------- */

void forward_target_init(struct forward_target *target, const char *name,
			 const struct forward_driver *driver, const struct forward_options *options)
{
	*target = (struct forward_target){
		.name = name,
		.driver = driver,
		.link.options = options,
		.bytes_max = options->queue_bytes_max,
		.records_max = options->queue_records_max,
	};
	target->last = &target->first;
	pthread_mutex_init(&target->lock, NULL);
	thread_condition_init(&target->wake);
	thread_condition_init(&target->ended);
}

void forward_target_done(struct forward_target *target)
{
	CHECK(!target->started);
	remove_first(target, target->count);
	free(target->address);
	free(target->link.address);
	pthread_cond_destroy(&target->ended);
	pthread_cond_destroy(&target->wake);
	pthread_mutex_destroy(&target->lock);
}

void forward_target_aim(struct forward_target *target, str address)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	if (str_eq(address, str_from(target->address)))
		return;
	free(target->address);
	target->address = address.len ? mem_copy(address) : NULL;
	target->addresses++;
	pthread_cond_signal(&target->wake);
}

bool forward_target_is_on(struct forward_target *target)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	return target->address != NULL;
}

err_t forward_target_start(struct ctx *ctx, struct forward_target *target)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	if (target->started || target->stopping)
		return OK;
	TRY(thread_start(ctx, "audit-forward", run, target, &target->thread));
	target->started = target->running = true;
	return OK;
}

void forward_target_stop_begin(struct forward_target *target, int64_t until_ns)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	target->stopping = true;
	target->stop_at_ns = until_ns;
	target->retry_at_ns = 0;
	pthread_cond_signal(&target->wake);
}

/* Whatever it is doing ends when the time has come. */
static void wait_until_ended(struct forward_target *target)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	while (target->running &&
	       thread_wait_until(&target->ended, &target->lock, target->stop_at_ns))
		;
	atomic_store(&target->cancelled, true);
}

void forward_target_stop_end(struct forward_target *target)
{
	if (!target->started)
		return;
	wait_until_ended(target);
	pthread_join(target->thread, NULL);
	target->started = false;
	if (target->count)
		LOG(LOG_WARN, "audit records were not forwarded before the end",
		    LOG_CSTR("target", target->name), LOG_I64("count", (int64_t)target->count));
}

/* --- looking -------------------------------------------------------------------------------- */

/* Some receivers take their secret there. */
static str without_query(str url)
{
	str before, query;
	return str_cut(url, '?', &before, &query) ? before : url;
}

void forward_target_report(struct ctx *ctx, struct forward_target *target,
			   struct forward_report *ret)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&target->lock);
	*ret = (struct forward_report){
		.name = target->name,
		.kind = target->driver->kind,
		.address = arena_copy(ctx->arena, without_query(str_from(target->address))),
		.state = target->address ? target->state : FORWARD_OFF,
		.queued = target->count,
		.queued_bytes = target->bytes,
		.queue_max = target->records_max,
		.queue_bytes_max = target->bytes_max,
		.sent = target->sent,
		.dropped = target->dropped,
		.last_error = arena_copy(ctx->arena, str_from(target->error)),
		.last_error_at_us = target->error_at_us,
		.last_sent_at_us = target->sent_at_us,
	};
}
