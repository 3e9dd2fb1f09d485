/* SPDX-License-Identifier: Apache-2.0 */
/* Turns at identity providers: one that hangs keeps its share, and others theirs. */
#include <criterion/criterion.h>

#include "auth/turns.h"

Test(turns, each_has_a_share_and_all_have_a_limit)
{
	struct arena arena;
	struct ctx ctx;
	struct turns turns;
	struct turn taken[6] = { 0 }, more = TURN_INIT;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	turns_init(&turns, 8); /* six in all, four for each */
	for (int i = 0; i < 4; i++)
		cr_expect_eq(turn_take(&ctx, &turns, 1, &taken[i]), OK);
	cr_expect_eq(turn_take(&ctx, &turns, 1, &more), ERR_BUSY);
	cr_expect_eq(turn_take(&ctx, &turns, 2, &taken[4]), OK);
	cr_expect_eq(turn_take(&ctx, &turns, 3, &taken[5]), OK);
	cr_expect_eq(turn_take(&ctx, &turns, 4, &more), ERR_BUSY);
	turn_done(&more); /* none taken */
	turn_done(&taken[0]);
	turn_done(&taken[0]);
	cr_expect_eq(turn_take(&ctx, &turns, 1, &more), OK);
	turn_done(&more);
	for (int i = 1; i < 6; i++)
		turn_done(&taken[i]);
	turns_done(&turns);
	arena_done(&arena);
}

Test(turns, there_is_always_one)
{
	struct arena arena;
	struct ctx ctx;
	struct turns turns;
	struct turn turn = TURN_INIT;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	turns_init(&turns, 1);
	cr_expect_eq(turn_take(&ctx, &turns, 1, &turn), OK);
	turn_done(&turn);
	turns_done(&turns);
	arena_done(&arena);
}
