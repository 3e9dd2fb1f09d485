/* SPDX-License-Identifier: Apache-2.0 */
/* remote_parts.c - see remote_parts.h. */
#include "remote_parts.h"
#include "base/clock.h"
#include "base/mem.h"
#include "os/thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define LOOK_MS 100 /* how often who waits looks whether he is cancelled */

static _Atomic(size_t) all_bytes; /* on their way, of all uploads */

void remote_parts_init(struct remote_parts *parts)
{
	pthread_mutex_init(&parts->lock, NULL);
	thread_condition_init(&parts->landed);
}

static struct remote_part *part_at(struct remote_parts *parts, size_t place)
{
	return &parts->items[(parts->first + place) % REMOTE_PARTS_MAX];
}

bool remote_parts_have_room(const struct remote_parts *parts, size_t len)
{
	return parts->count < REMOTE_PARTS_MAX && parts->bytes + len <= REMOTE_PARTS_BYTES_MAX &&
	       atomic_load(&all_bytes) + len <= REMOTE_PARTS_ALL_BYTES_MAX;
}

/* --- leaving -------------------------------------------------------------------------------- */

static void *send_part(void *arg)
{
	struct remote_part *part = arg;
	struct remote_parts *all = part->all;
	err_t err = all->put(&part->ctx, all->arg, part->number, (str){ part->bytes, part->len },
			     part->etag);
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&all->lock);
	part->err = err;
	part->done = true;
	pthread_cond_signal(&all->landed);
	return NULL;
}

/* The memory of the tail becomes the part's, and what lies behind the part moves to that of the one
 * that was here before. */
static void take_tail(struct remote_part *part, struct remote_upload *up, size_t len)
{
	char *bytes = up->tail;
	size_t capacity = up->tail_capacity, rest = up->state->tail_bytes - len;
	up->tail = part->bytes;
	up->tail_capacity = part->capacity;
	remote_upload_make_room(up, rest);
	if (rest)
		memcpy(up->tail, bytes + len, rest);
	up->state->tail_bytes = rest;
	part->bytes = bytes;
	part->capacity = capacity;
	part->len = len;
}

/* What lay behind it still does. */
static void give_tail_back(struct remote_part *part, struct remote_upload *up)
{
	char *bytes = up->tail;
	size_t capacity = up->tail_capacity;
	up->tail = part->bytes;
	up->tail_capacity = part->capacity;
	up->state->tail_bytes += part->len;
	part->bytes = bytes;
	part->capacity = capacity;
}

bool remote_parts_leave(struct ctx *ctx, struct remote_parts *parts, struct remote_upload *up,
			unsigned number, size_t len)
{
	CHECK(parts->count < REMOTE_PARTS_MAX && len <= up->state->tail_bytes);
	struct remote_part *part = part_at(parts, parts->count);
	part->all = parts;
	part->number = number;
	part->done = false;
	remote_thread_ctx(ctx, &parts->cancelled, &part->trace, &part->ctx);
	take_tail(part, up, len);
	if (thread_start(ctx, "part", send_part, part, &part->thread) != OK) {
		ctx_forgive(ctx);
		give_tail_back(part, up);
		return false;
	}
	parts->count++;
	parts->bytes += len;
	atomic_fetch_add(&all_bytes, len);
	up->dirty = true;
	return true;
}

/* --- landing -------------------------------------------------------------------------------- */

/* The part's ctx cannot know when that of who waits is cancelled. */
static void wait_for(const struct ctx *ctx, struct remote_part *part)
{
	struct remote_parts *all = part->all;
	pthread_mutex_lock(&all->lock);
	while (!part->done) {
		if (ctx && ctx->cancelled && atomic_load(ctx->cancelled))
			atomic_store(&all->cancelled, true);
		(void)thread_wait_until(&all->landed, &all->lock,
					clock_now_ns() + LOOK_MS * CLOCK_MS);
	}
	pthread_mutex_unlock(&all->lock);
	pthread_join(part->thread, NULL);
}

static void forget_oldest(struct remote_parts *parts)
{
	struct remote_part *part = part_at(parts, 0);
	parts->first = (parts->first + 1) % REMOTE_PARTS_MAX;
	parts->count--;
	parts->bytes -= part->len;
	atomic_fetch_sub(&all_bytes, part->len);
	if (parts->count == 0)
		atomic_store(&parts->cancelled, false);
}

err_t remote_parts_land(struct ctx *ctx, struct remote_parts *parts, const struct remote_part **ret)
{
	CHECK(parts->count > 0);
	struct remote_part *part = part_at(parts, 0);
	wait_for(ctx, part);
	if (part->err != OK) {
		if (ctx->failure.code == OK)
			ctx->failure = part->ctx.failure;
		ctx->retry_after_s = part->ctx.retry_after_s;
		return part->err;
	}
	forget_oldest(parts);
	ctx_progress(ctx);
	*ret = part;
	return OK;
}

void remote_parts_return(struct remote_parts *parts, struct remote_upload *up)
{
	size_t rest = up->state->tail_bytes, at = 0;
	remote_upload_make_room(up, parts->bytes + rest);
	if (rest)
		memmove(up->tail + parts->bytes, up->tail, rest);
	up->state->tail_bytes += parts->bytes;
	/* The oldest was waited for, and is joined. */
	for (size_t place = 1; place < parts->count; place++)
		wait_for(NULL, part_at(parts, place));
	while (parts->count) {
		const struct remote_part *part = part_at(parts, 0);
		memcpy(up->tail + at, part->bytes, part->len);
		at += part->len;
		forget_oldest(parts);
	}
}

void remote_parts_drop(struct remote_parts *parts)
{
	atomic_store(&parts->cancelled, true);
	for (size_t place = 0; place < parts->count; place++)
		wait_for(NULL, part_at(parts, place));
	while (parts->count)
		forget_oldest(parts);
	atomic_store(&parts->cancelled, false);
}

void remote_parts_done(struct remote_parts *parts)
{
	remote_parts_drop(parts);
	for (size_t i = 0; i < REMOTE_PARTS_MAX; i++)
		free(parts->items[i].bytes);
	pthread_cond_destroy(&parts->landed);
	pthread_mutex_destroy(&parts->lock);
}
