/* SPDX-License-Identifier: Apache-2.0 */
/* s3_copy.c - see s3_copy.h. Fault point: s3.copy_part. */
#include "s3_copy.h"
#include "base/clock.h"
#include "codec/traceparent.h"
#include "os/fault.h"
#include "os/thread.h"

#include "base/banned.h"

#define WHOLE_S	       15     /* a copy in one that is expected to take longer is none */
#define MEASURED_BYTES MIB(8) /* of less it says how far the server is, not how fast it copies */
#define LOOK_MS	       100    /* how often who waits looks whether he is cancelled */

bool s3_copy_takes_parts(const struct s3_client *client, uint64_t size_bytes)
{
	const struct s3_copies *copies = &client->copies;
	return size_bytes > copies->whole_bytes_max ||
	       (size_bytes > copies->part_bytes &&
		size_bytes / WHOLE_S > atomic_load(&copies->bytes_per_s));
}

err_t s3_copy_whole(struct ctx *ctx, struct s3_client *client, str from,
		    const struct s3_object *what, str to, char etag[REMOTE_ETAG_MAX + 1])
{
	int64_t began_ns = clock_now_ns();
	TRY(s3_copy(ctx, client, from, what, to, etag));
	int64_t took_us = (clock_now_ns() - began_ns) / 1000 + 1;
	if (what->size_bytes >= MEASURED_BYTES)
		atomic_store(&client->copies.bytes_per_s,
			     what->size_bytes * 1000000 / (uint64_t)took_us);
	return OK;
}

/* --- parts ---------------------------------------------------------------------------------- */

struct copier;

/* One copy in parts, and who is at it. */
struct work {
	struct s3_client *client;
	const struct s3_copying *what;
	struct s3_part *parts;
	size_t count;
	uint64_t step; /* bytes of each but the last */
	_Atomic(size_t) next;
	_Atomic(bool) over; /* cancelled, or one has failed */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	size_t running;	    /* under the lock … */
	err_t err;	    /* … as the first failure */
	struct failure why; /* … and what it was */
};

struct copier {
	struct work *all;
	pthread_t thread;
	struct ctx ctx;
	struct trace trace;
};

size_t s3_copy_part_count(const struct s3_client *client, uint64_t size_bytes)
{
	uint64_t part_bytes = client->copies.part_bytes;
	return (size_t)((size_bytes + part_bytes - 1) / part_bytes);
}

static err_t copy_part(struct ctx *ctx, struct work *all, size_t place)
{
	uint64_t first = place * all->step;
	const struct s3_piece piece = { all->what->from, first,
					MIN(all->step, all->what->size_bytes - first) };
	if (FAULT("s3.copy_part"))
		return fail_errno(ctx, ERR_STORAGE, "could not copy a part");
	TRY(s3_part_copy(ctx, all->client, all->what->to, all->what->id, (unsigned)place + 1,
			 &piece, &all->parts[place]));
	ctx_progress(ctx);
	return OK;
}

static err_t copy_some(struct ctx *ctx, struct work *all)
{
	size_t place;
	while ((place = atomic_fetch_add(&all->next, 1)) < all->count) {
		TRY(ctx_check(ctx));
		TRY(copy_part(ctx, all, place));
	}
	return OK;
}

static void *copy_beside(void *arg)
{
	struct copier *copier = arg;
	struct work *all = copier->all;
	err_t err = copy_some(&copier->ctx, all);
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&all->lock);
	if (err != OK && all->err == OK) { /* the others fail because of that */
		all->err = err;
		all->why = copier->ctx.failure;
		atomic_store(&all->over, true);
	}
	all->running--;
	pthread_cond_signal(&all->ended);
	return NULL;
}

static bool start(struct ctx *ctx, struct work *all, struct copier *copier)
{
	copier->all = all;
	remote_thread_ctx(ctx, &all->over, &copier->trace, &copier->ctx);
	all->running++;
	if (thread_start(ctx, "copy", copy_beside, copier, &copier->thread) == OK)
		return true;
	ctx_forgive(ctx);
	all->running--;
	return false;
}

/* Theirs cannot know when the ctx of who waits is cancelled. */
static void wait_for_all(const struct ctx *ctx, struct work *all)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&all->lock);
	while (all->running) {
		if (ctx->cancelled && atomic_load(ctx->cancelled))
			atomic_store(&all->over, true);
		(void)thread_wait_until(&all->ended, &all->lock,
					clock_now_ns() + LOOK_MS * CLOCK_MS);
	}
}

/* Beside each other, as far as there are threads to be had. */
static err_t copy_all(struct ctx *ctx, struct work *all)
{
	struct copier copiers[S3_COPIES_MAX];
	size_t started = 0, wanted = MIN(all->count, (size_t)S3_COPIES_MAX);
	pthread_mutex_lock(&all->lock);
	while (started < wanted && start(ctx, all, &copiers[started]))
		started++;
	pthread_mutex_unlock(&all->lock);
	if (started == 0)
		return copy_some(ctx, all);
	ctx_waits(ctx);
	wait_for_all(ctx, all);
	for (size_t i = 0; i < started; i++)
		pthread_join(copiers[i].thread, NULL);
	if (all->err != OK && ctx->failure.code == OK)
		ctx->failure = all->why;
	return all->err;
}

err_t s3_copy_parts(struct ctx *ctx, struct s3_client *client, const struct s3_copying *what,
		    struct s3_part *ret_parts)
{
	size_t count = s3_copy_part_count(client, what->size_bytes);
	struct work all = {
		.client = client,
		.what = what,
		.parts = ret_parts,
		.count = count,
		.step = (what->size_bytes + count - 1) / count,
	};
	pthread_mutex_init(&all.lock, NULL);
	thread_condition_init(&all.ended);
	err_t err = copy_all(ctx, &all);
	pthread_cond_destroy(&all.ended);
	pthread_mutex_destroy(&all.lock);
	ctx_progress(ctx);
	return err;
}
