/* SPDX-License-Identifier: Apache-2.0 */
/* An arena gives zeroed, aligned memory up to its cap and takes it back at once. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "base/arena.h"

Test(arena, memory_is_zeroed_and_aligned)
{
	struct arena a;
	arena_init(&a, MIB(1));
	for (size_t size = 0; size < 9000; size += 37) {
		unsigned char *p = arena_alloc(&a, size);
		cr_assert_eq((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			cr_assert_eq(p[i], 0);
		memset(p, 0xff, size);
	}
	arena_reset(&a);
	unsigned char *again = arena_alloc(&a, 512);
	for (size_t i = 0; i < 512; i++)
		cr_assert_eq(again[i], 0);
	arena_done(&a);
}

Test(arena, try_fails_past_the_cap_and_goes_on_below_it)
{
	struct arena a;
	arena_init(&a, KIB(64));
	cr_assert_null(arena_try(&a, KIB(65)));
	cr_assert_null(arena_try(&a, SIZE_MAX));
	cr_assert_null(arena_try(&a, SIZE_MAX - 8));
	cr_assert_not_null(arena_try(&a, KIB(60)));
	cr_assert_null(arena_try(&a, KIB(60)));
	cr_assert_not_null(arena_alloc(&a, KIB(60)));
	arena_reset(&a);
	cr_assert_not_null(arena_try(&a, KIB(60)));
	arena_done(&a);
}

Test(arena, past_the_slack_the_process_ends, .signal = SIGABRT)
{
	struct arena a;
	arena_init(&a, KIB(4));
	arena_alloc(&a, ARENA_SLACK + KIB(5));
}

Test(arena, pieces_stay_while_others_come)
{
	struct arena a;
	char *small[200];
	arena_init(&a, MIB(4));
	for (int i = 0; i < 200; i++) {
		small[i] = arena_alloc(&a, 30);
		memset(small[i], i, 30);
		memset(arena_alloc(&a, 5000), 0xee, 5000);
	}
	for (int i = 0; i < 200; i++)
		for (int at = 0; at < 30; at++)
			cr_assert_eq((unsigned char)small[i][at], i);
	arena_done(&a);
}

Test(arena, copies_are_terminated)
{
	struct arena a;
	arena_init(&a, KIB(64));
	str copy = arena_copy(&a, STR("a\0b"));
	cr_assert(str_eq(copy, STR("a\0b")) && copy.ptr[3] == '\0');
	cr_assert_str_eq(arena_cstr(&a, STR_NONE), "");
	str printed = arena_printf(&a, "%05d %s", 42, "x");
	cr_assert(str_eq(printed, STR("00042 x")) && printed.ptr[printed.len] == '\0');
	arena_done(&a);
	arena_done(&a);
	arena_reset(&a);
}
