/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h - bytes in order from one thread, its owner, to threads that each see all of them.
 *
 * The owner fills a ring of RING_BYTES; each reader runs on a thread of its own and takes block
 * after block as they get full, so that receiving, hashing and writing go on at the same time. The
 * ring is all the memory there is: an owner who is faster than the slowest reader waits.
 *
 *	struct ring_reader readers[] = {
 *		{ "hash", hash_some, &hash },
 *		{ "write", write_some, &file },
 *	};
 *	TRY(ring_start(ctx, offset, readers, COUNT_OF(readers), &ring));
 *	while (…) {
 *		char *room = ring_room(ring, &room_len);
 *		…
 *		TRY(ring_append(ctx, ring, (str){ room, len }));
 *	}
 *	TRY(ring_end(ctx, ring));
 *
 * What a reader works on is its own from start to end. Its first failure ends all readers, each
 * behind the block it is at, and comes back from the owner's next append or from the end, with the
 * reader's detail.
 */
#pragma once

#include "base/ctx.h"

#define RING_BLOCK_BYTES MIB(1)
#define RING_BYTES	 (4 * RING_BLOCK_BYTES)
#define RING_READERS_MAX 2

struct ring;

/*
 * `read` gets the next bytes: whole blocks but for the first and the last. `ctx` is the thread's,
 * with a small arena and without a deadline.
 */
struct ring_reader {
	const char *name; /* of the thread */
	err_t (*read)(struct ctx *ctx, void *arg, str bytes);
	void *arg;
};

/*
 * `offset` is where in its file, or whatever it becomes, the first byte stands: blocks end at
 * multiples of RING_BLOCK_BYTES of that, and are aligned in memory as they are there, as direct
 * writes want them. ERR_BUSY when the system has no room for the ring or a thread.
 */
err_t ring_start(struct ctx *ctx, uint64_t offset, const struct ring_reader *readers, size_t count,
		 struct ring **ret);

/* Where the next bytes are best put before they are appended; waits until there is room, for at
 * least one byte. NULL after a failure, which the next append returns. */
char *ring_room(struct ring *ring, size_t *ret_len);

/* Bytes that lie at ring_room() already are not copied. */
err_t ring_append(struct ctx *ctx, struct ring *ring, str bytes);

/* Waits until all readers have taken all bytes, or one has failed; ends them and frees the ring
 * either way. */
err_t ring_end(struct ctx *ctx, struct ring *ring);
