/* SPDX-License-Identifier: Apache-2.0 */
/* test_os_ring.c - what one thread fills, two others see: all of it, in order, or a failure. */
#include "os/fault.h"
#include "os/ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BYTES (3 * RING_BYTES + 12345)
#define NEVER UINT64_MAX

static struct arena arena;
static struct ctx ctx;
static char *source;
static _Atomic(uint64_t) appended;

/* What a reader has seen. */
struct seen {
	uint64_t offset; /* of the first byte */
	uint64_t len;
	uint64_t fails_at; /* from the first byte; NEVER */
	uint64_t ahead_max;
	bool right, in_blocks;
	unsigned pieces;
};
#define SEEN(start)                                                                                \
	{                                                                                          \
		.offset = (start), .fails_at = NEVER, .right = true, .in_blocks = true             \
	}

static void set_up(void)
{
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	source = malloc(BYTES);
	for (size_t i = 0; i < BYTES; i++)
		source[i] = (char)(i * 2654435761u >> 13);
	atomic_store(&appended, 0);
}

static void tear_down(void)
{
	free(source);
	arena_done(&arena);
}

TestSuite(ring, .init = set_up, .fini = tear_down);

static err_t look(struct ctx *reader_ctx, void *arg, str bytes)
{
	struct seen *seen = arg;
	cr_assert_neq(reader_ctx, &ctx);
	if (seen->len + bytes.len > seen->fails_at) {
		errno = ENOSPC;
		return fail_errno(reader_ctx, ERR_STORAGE_FULL, "no room");
	}
	uint64_t at = seen->offset + seen->len, end = at + bytes.len;
	bool first_block = at / RING_BLOCK_BYTES == (end - 1) / RING_BLOCK_BYTES;
	bool aligned = (uintptr_t)bytes.ptr % 4096 == at % 4096;
	seen->in_blocks = seen->in_blocks && first_block && aligned;
	seen->right = seen->right && memcmp(bytes.ptr, source + seen->len, bytes.len) == 0;
	seen->len += bytes.len;
	seen->pieces++;
	uint64_t ahead = atomic_load(&appended) - (seen->len - bytes.len);
	seen->ahead_max = MAX(seen->ahead_max, ahead);
	return OK;
}

static err_t start(struct seen *one, struct seen *two, struct ring **ret)
{
	const struct ring_reader readers[] = { { "one", look, one }, { "two", look, two } };
	return ring_start(&ctx, one->offset, readers, two ? 2 : 1, ret);
}

/* Appends `len` bytes of the source in pieces; into the ring's own room when `in_place`. */
static err_t feed(struct ring *ring, size_t len, size_t piece_max, bool in_place)
{
	for (size_t at = 0; at < len;) {
		size_t room_len = piece_max;
		char *room = in_place ? ring_room(ring, &room_len) : NULL;
		str piece = { source + at, MIN(MIN(room_len, piece_max), len - at) };
		if (room) {
			memcpy(room, piece.ptr, piece.len);
			piece.ptr = room;
		}
		TRY(ring_append(&ctx, ring, piece));
		at += piece.len;
		atomic_fetch_add(&appended, piece.len);
	}
	return OK;
}

Test(ring, every_reader_sees_every_byte_in_order)
{
	static const struct {
		uint64_t offset;
		size_t len, piece;
		bool in_place;
	} cases[] = {
		{ 0, BYTES, RING_BLOCK_BYTES, true },
		{ 0, BYTES, 70000, true },
		{ 0, BYTES, RING_BYTES + 3, false },
		{ 12345, BYTES, 1000, false },
		{ RING_BLOCK_BYTES - 1, BYTES, 99999, true },
		{ MIB(1000) + 4096, RING_BLOCK_BYTES, RING_BLOCK_BYTES, true },
		{ 7, 1, 1, true },
		{ 7, 0, 1, true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen one = SEEN(cases[i].offset), two = one;
		struct ring *ring;
		atomic_store(&appended, 0);
		cr_assert_eq(start(&one, &two, &ring), OK);
		cr_assert_eq(feed(ring, cases[i].len, cases[i].piece, cases[i].in_place), OK);
		cr_assert_eq(ring_end(&ctx, ring), OK);
		cr_assert(one.right && two.right, "case %zu", i);
		cr_assert(one.in_blocks && two.in_blocks, "case %zu", i);
		cr_assert_eq(one.len, cases[i].len, "case %zu", i);
		cr_assert_eq(two.len, cases[i].len, "case %zu", i);
		cr_assert_eq(one.pieces, two.pieces);
	}
}

Test(ring, a_fast_owner_waits_for_the_slowest_reader)
{
	struct seen one = SEEN(0);
	struct ring *ring;
	cr_assert_eq(start(&one, NULL, &ring), OK);
	cr_assert_eq(feed(ring, BYTES, RING_BLOCK_BYTES, true), OK);
	cr_assert_eq(ring_end(&ctx, ring), OK);
	cr_assert_eq(one.len, BYTES);
	cr_assert_leq(one.ahead_max, RING_BYTES);
}

Test(ring, a_failure_comes_back_from_an_append_or_the_end)
{
	for (uint64_t fails_at = 0; fails_at <= 6 * RING_BLOCK_BYTES;
	     fails_at += RING_BLOCK_BYTES) {
		struct seen one = SEEN(0), two = SEEN(0);
		struct ring *ring;
		one.fails_at = fails_at;
		cr_assert_eq(start(&one, &two, &ring), OK);
		err_t err = feed(ring, BYTES, 100000, true);
		err_t end = ring_end(&ctx, ring);
		cr_assert_eq(err, ERR_STORAGE_FULL);
		cr_assert_eq(end, ERR_STORAGE_FULL);
		cr_assert_eq(ctx.failure.code, ERR_STORAGE_FULL);
		cr_assert_eq(ctx.failure.sys_errno, ENOSPC);
		cr_assert(strstr(ctx.failure.detail, "no room"));
		cr_assert_eq(one.len, fails_at);
		cr_assert(one.right && two.right);
		ctx_forgive(&ctx);
	}
}

Test(ring, a_failure_in_the_last_bytes_comes_back_from_the_end)
{
	struct seen one = SEEN(0), two = SEEN(0);
	struct ring *ring;
	two.fails_at = 10;
	cr_assert_eq(start(&one, &two, &ring), OK);
	cr_assert_eq(feed(ring, 100, 100, true), OK);
	cr_assert_eq(ring_end(&ctx, ring), ERR_STORAGE_FULL);
	cr_assert_eq(two.len, 0);
}

Test(ring, there_is_no_room_after_a_failure)
{
	struct seen one = SEEN(0);
	struct ring *ring;
	one.fails_at = 0;
	cr_assert_eq(start(&one, NULL, &ring), OK);
	(void)feed(ring, RING_BYTES, RING_BLOCK_BYTES, true);
	size_t room_len; /* all of it is full: only the reader could make room */
	cr_assert_null(ring_room(ring, &room_len));
	cr_assert_eq(ring_append(&ctx, ring, STR("x")), ERR_STORAGE_FULL);
	cr_assert_eq(ring_end(&ctx, ring), ERR_STORAGE_FULL);
}

#ifdef BERTH_FAULTS
Test(ring, what_cannot_start_leaves_nothing)
{
	static const char *const faults[] = { "ring.map:1=errno:12", "thread.start:1=errno:11",
					      "thread.start:2=errno:11" };
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		struct seen one = SEEN(0), two = SEEN(0);
		struct ring *ring = NULL;
		fault_setup(faults[i]);
		cr_assert_eq(start(&one, &two, &ring), ERR_BUSY, "%s", faults[i]);
		fault_setup(NULL);
		cr_assert_null(ring);
		cr_assert_eq(one.len + two.len, 0);
		ctx_forgive(&ctx);
	}
}
#endif
