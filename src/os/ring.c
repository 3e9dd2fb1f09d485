/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c - see ring.h. Fault point: ring.map.
 *
 * Byte n lies at n % RING_BYTES. A reader at offset `at` owns [at, given); the owner has [given,
 * filled) and what all readers are through with. Blocks are given when they are full.
 */
#include "os/ring.h"
#include "base/mem.h"
#include "os/fault.h"
#include "os/thread.h"

#include <string.h>
#include <sys/mman.h>

#include "base/banned.h"

#define READER_ARENA_BYTES KIB(64)

struct reader {
	struct ring *ring;
	struct ring_reader what;
	pthread_t thread;
	struct arena arena;
	struct ctx ctx;
	uint64_t at; /* under the lock */
	err_t err;   /* under the lock, and final when not OK */
};

struct ring {
	char *bytes;
	uint64_t filled; /* the owner's */
	size_t count;
	struct reader readers[RING_READERS_MAX];

	pthread_mutex_t lock;	/* guards what follows, and all `at` */
	pthread_cond_t filling; /* for readers: more is given, or no more comes */
	pthread_cond_t freeing; /* for the owner: a reader has moved on, or failed */
	uint64_t given;
	bool ending;
	const struct reader *failed; /* the first; its ctx does not change any more */
};

static uint64_t block_end(uint64_t offset)
{
	return offset - offset % RING_BLOCK_BYTES + RING_BLOCK_BYTES;
}

static char *place_of(const struct ring *ring, uint64_t offset)
{
	return ring->bytes + offset % RING_BYTES;
}

/* --- readers -------------------------------------------------------------------------------- */

/* Waits for the next piece, at most a block. False when there is none any more. */
static bool next_piece(struct reader *reader, str *ret)
{
	struct ring *ring = reader->ring;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&ring->lock);
	while (ring->given == reader->at && !ring->ending && !ring->failed)
		pthread_cond_wait(&ring->filling, &ring->lock);
	if (ring->given == reader->at || ring->failed)
		return false;
	uint64_t end = MIN(ring->given, block_end(reader->at));
	*ret = (str){ place_of(ring, reader->at), (size_t)(end - reader->at) };
	return true;
}

static void pass(struct reader *reader, size_t len, err_t err)
{
	struct ring *ring = reader->ring;
	pthread_mutex_lock(&ring->lock);
	reader->at += len;
	reader->err = err;
	if (err != OK && !ring->failed)
		ring->failed = reader;
	pthread_mutex_unlock(&ring->lock);
	pthread_cond_signal(&ring->freeing);
	if (err != OK)
		pthread_cond_broadcast(&ring->filling);
}

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	str piece;
	while (next_piece(reader, &piece)) {
		err_t err = reader->what.read(&reader->ctx, reader->what.arg, piece);
		arena_reset(&reader->arena);
		pass(reader, piece.len, err);
	}
	return NULL;
}

/* --- the owner ------------------------------------------------------------------------------ */

/* Wakes without the lock: who is woken wants it at once. */
static void give(struct ring *ring, bool ending)
{
	pthread_mutex_lock(&ring->lock);
	ring->given = ring->filled;
	ring->ending = ending;
	pthread_mutex_unlock(&ring->lock);
	pthread_cond_broadcast(&ring->filling);
}

static void join_all(struct ring *ring)
{
	give(ring, true);
	for (size_t i = 0; i < ring->count; i++)
		pthread_join(ring->readers[i].thread, NULL);
}

static void free_ring(struct ring *ring)
{
	for (size_t i = 0; i < ring->count; i++)
		arena_done(&ring->readers[i].arena);
	pthread_cond_destroy(&ring->freeing);
	pthread_cond_destroy(&ring->filling);
	pthread_mutex_destroy(&ring->lock);
	munmap(ring->bytes, RING_BYTES);
	free(ring);
}

static err_t start_reader(struct ctx *ctx, struct ring *ring, const struct ring_reader *what,
			  uint64_t offset)
{
	struct reader *reader = &ring->readers[ring->count];
	*reader = (struct reader){ .ring = ring, .what = *what, .at = offset };
	arena_init(&reader->arena, READER_ARENA_BYTES);
	ctx_init(&reader->ctx, &reader->arena);
	reader->ctx.cancelled = ctx->cancelled;
	reader->ctx.request_id = ctx->request_id;
	err_t err = thread_start(ctx, what->name, read_all, reader, &reader->thread);
	if (err == OK)
		ring->count++;
	else
		arena_done(&reader->arena);
	return err;
}

err_t ring_start(struct ctx *ctx, uint64_t offset, const struct ring_reader *readers, size_t count,
		 struct ring **ret)
{
	CHECK(count >= 1 && count <= RING_READERS_MAX);
	/* Mapped, not allocated: aligned, and given back to the system with the ring. */
	char *bytes = MAP_FAILED;
	if (!FAULT("ring.map"))
		bytes = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	if (bytes == MAP_FAILED)
		return fail_errno(ctx, ERR_BUSY, "could not map a ring");
	struct ring *ring = NEW(struct ring);
	*ring = (struct ring){ .bytes = bytes, .filled = offset, .given = offset };
	pthread_mutex_init(&ring->lock, NULL);
	thread_condition_init(&ring->filling);
	thread_condition_init(&ring->freeing);
	for (size_t i = 0; i < count; i++) {
		err_t err = start_reader(ctx, ring, &readers[i], offset);
		if (err != OK) {
			join_all(ring);
			free_ring(ring);
			return err;
		}
	}
	*ret = ring;
	return OK;
}

/* Whether all readers are through with what lay in the ring where the block that ends at `end` is
 * to lie. */
static bool is_free(const struct ring *ring, uint64_t end)
{
	for (size_t i = 0; i < ring->count; i++)
		if (ring->readers[i].at + RING_BYTES < end)
			return false;
	return true;
}

char *ring_room(struct ring *ring, size_t *ret_len)
{
	uint64_t end = block_end(ring->filled);
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&ring->lock);
	while (!is_free(ring, end) && !ring->failed)
		pthread_cond_wait(&ring->freeing, &ring->lock);
	if (ring->failed)
		return NULL; /* another reader may be at the old bytes still */
	*ret_len = (size_t)(end - ring->filled);
	return place_of(ring, ring->filled);
}

/* Passes the readers' first failure on. */
static err_t verdict(struct ctx *ctx, const struct reader *failed)
{
	if (!failed)
		return OK;
	if (ctx->failure.code == OK)
		ctx->failure = failed->ctx.failure;
	return failed->err;
}

static const struct reader *first_failed(struct ring *ring)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&ring->lock);
	return ring->failed;
}

err_t ring_append(struct ctx *ctx, struct ring *ring, str bytes)
{
	CHECK(ctx->holds == 0);
	while (bytes.len) {
		size_t room_len;
		char *room = ring_room(ring, &room_len);
		if (!room)
			return verdict(ctx, first_failed(ring));
		str piece = str_take(bytes, room_len);
		if (piece.ptr != room)
			memcpy(room, piece.ptr, piece.len);
		ring->filled += piece.len;
		if (piece.len == room_len)
			give(ring, false);
		bytes = str_skip(bytes, piece.len);
	}
	return OK;
}

err_t ring_end(struct ctx *ctx, struct ring *ring)
{
	CHECK(ctx->holds == 0);
	join_all(ring);
	err_t err = verdict(ctx, ring->failed);
	free_ring(ring);
	return err;
}
