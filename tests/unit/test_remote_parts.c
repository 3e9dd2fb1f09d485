/* SPDX-License-Identifier: Apache-2.0 */
/* Parts on their way: they land in order, and what fails is in the tail again. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/fault.h"
#include "os/thread.h"
#include "store/remote_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART KIB(64)

/* A server that holds back what it is told to, and refuses one number. */
struct server {
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned held; /* bits: numbers that are not answered yet */
	unsigned refused;
	unsigned began, ended;
};

static struct arena arena;
static struct ctx ctx;
static struct remote_state state;
static struct remote_upload up;
static struct remote_parts parts;
static struct server server = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool is_cancelled(const struct ctx *c)
{
	return atomic_load(c->cancelled);
}

static err_t put(struct ctx *c, void *arg, unsigned number, str bytes,
		 char etag[REMOTE_ETAG_MAX + 1])
{
	struct server *s = arg;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&s->lock);
	s->began++;
	pthread_cond_broadcast(&s->change);
	while (s->held & 1u << number) {
		if (is_cancelled(c)) {
			s->ended++;
			return fail(c, ERR_CANCELLED, "cancelled");
		}
		(void)thread_wait_until(&s->change, &s->lock, clock_now_ns() + CLOCK_MS);
	}
	s->ended++;
	if (number == s->refused)
		return fail(c, ERR_STORAGE, "part %u refused", number);
	snprintf(etag, REMOTE_ETAG_MAX, "%u-%zu-%c", number, bytes.len, bytes.ptr[0]);
	return OK;
}

static void hold(unsigned bits)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server.lock);
	server.held = bits;
}

static void await_begun(unsigned count)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server.lock);
	while (server.began < count)
		pthread_cond_wait(&server.change, &server.lock);
}

static void set_up(void)
{
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	thread_condition_init(&server.change);
	up = (struct remote_upload){ .state = &state, .tail_is_here = true };
	parts = (struct remote_parts){ .put = put, .arg = &server };
	remote_parts_init(&parts);
}

static void tear_down(void)
{
	remote_parts_done(&parts);
	free(up.tail);
	arena_done(&arena);
}

TestSuite(remote_parts, .init = set_up, .fini = tear_down);

/* PART bytes of a letter each, and half a part more. */
static void fill_tail(const char *letters)
{
	for (const char *c = letters; *c; c++) {
		size_t len = c[1] ? PART : PART / 2;
		remote_upload_make_room(&up, state.tail_bytes + len);
		memset(up.tail + state.tail_bytes, *c, len);
		state.tail_bytes += len;
	}
}

static void assert_tail(const char *letters)
{
	size_t at = 0;
	for (const char *c = letters; *c; c++)
		for (size_t i = 0, len = c[1] ? PART : PART / 2; i < len; i++, at++)
			cr_assert_eq(up.tail[at], *c, "byte %zu", at);
	cr_assert_eq(state.tail_bytes, at);
}

static void leave(unsigned number)
{
	cr_assert(remote_parts_have_room(&parts, PART));
	cr_assert(remote_parts_leave(&ctx, &parts, &up, number, PART));
}

static void assert_lands(const char *etag)
{
	const struct remote_part *landed;
	cr_assert_eq(remote_parts_land(&ctx, &parts, &landed), OK, "%s", ctx.failure.detail);
	cr_assert_str_eq(landed->etag, etag);
}

Test(remote_parts, land_in_the_order_in_which_they_left)
{
	fill_tail("abcd");
	hold(1u << 1);
	leave(1);
	leave(2);
	leave(3);
	assert_tail("d");
	cr_assert_not(remote_parts_have_room(&parts, PART));
	cr_assert_eq(parts.bytes, 3 * PART);
	await_begun(3);
	hold(0);
	assert_lands("1-65536-a");
	assert_lands("2-65536-b");
	assert_lands("3-65536-c");
	cr_assert_eq(parts.bytes, 0);
	cr_assert(remote_parts_have_room(&parts, PART));
}

Test(remote_parts, of_one_that_fails_and_those_behind_it_nothing_is_lost)
{
	const struct remote_part *landed;
	fill_tail("abcd");
	server.refused = 2;
	leave(1);
	leave(2);
	leave(3);
	assert_lands("1-65536-a");
	fill_tail("e");
	cr_assert_eq(remote_parts_land(&ctx, &parts, &landed), ERR_STORAGE);
	cr_assert_str_eq(ctx.failure.detail, "part 2 refused");
	remote_parts_return(&parts, &up);
	cr_assert_eq(parts.count, 0);
	state.tail_bytes -= PART / 2;
	assert_tail("bcd");
	server.refused = 0;
	leave(2);
	leave(3);
	assert_lands("2-65536-b");
	assert_lands("3-65536-c");
	assert_tail("d");
}

Test(remote_parts, all_uploads_together_have_a_limit)
{
	enum { UPLOADS = REMOTE_PARTS_ALL_BYTES_MAX / REMOTE_PARTS_BYTES_MAX };
	static struct remote_parts many[UPLOADS];
	cr_assert(remote_parts_have_room(&parts, REMOTE_PARTS_BYTES_MAX));
	cr_assert_not(remote_parts_have_room(&parts, REMOTE_PARTS_BYTES_MAX + 1));
	hold(1u << 1);
	for (size_t i = 0; i < UPLOADS; i++) {
		many[i] = (struct remote_parts){ .put = put, .arg = &server };
		remote_parts_init(&many[i]);
		remote_upload_make_room(&up, REMOTE_PARTS_BYTES_MAX);
		state.tail_bytes = REMOTE_PARTS_BYTES_MAX;
		cr_assert(remote_parts_have_room(&many[i], REMOTE_PARTS_BYTES_MAX));
		cr_assert(remote_parts_leave(&ctx, &many[i], &up, 1, REMOTE_PARTS_BYTES_MAX));
	}
	cr_assert_not(remote_parts_have_room(&parts, 1));
	for (size_t i = 0; i < UPLOADS; i++)
		remote_parts_done(&many[i]);
	cr_assert(remote_parts_have_room(&parts, REMOTE_PARTS_BYTES_MAX));
}

Test(remote_parts, who_is_done_with_an_upload_ends_what_is_on_its_way)
{
	fill_tail("abc");
	hold(~0u);
	leave(1);
	leave(2);
	await_begun(2);
	remote_parts_drop(&parts);
	cr_assert_eq(server.ended, 2);
	assert_tail("c");
	hold(0);
	cr_assert(remote_parts_have_room(&parts, PART));
}

Test(remote_parts, who_waits_and_is_cancelled_ends_it)
{
	static _Atomic(bool) cancelled = true;
	const struct remote_part *landed;
	fill_tail("abc");
	hold(~0u);
	leave(1);
	leave(2);
	ctx.cancelled = &cancelled;
	cr_assert_eq(remote_parts_land(&ctx, &parts, &landed), ERR_CANCELLED);
	remote_parts_return(&parts, &up);
	assert_tail("abc");
	cr_assert_not(atomic_load(&parts.cancelled), "the next ones are not");
}

#ifdef BERTH_FAULTS
Test(remote_parts, without_a_thread_nothing_has_happened)
{
	fill_tail("abc");
	fault_setup("thread.start:1=errno:11");
	cr_assert_not(remote_parts_leave(&ctx, &parts, &up, 1, PART));
	fault_setup(NULL);
	cr_assert_eq(ctx.failure.code, OK);
	assert_tail("abc");
	leave(1);
	assert_lands("1-65536-a");
}
#endif
