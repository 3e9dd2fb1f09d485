/* SPDX-License-Identifier: Apache-2.0 */
/* Turns at identity providers: one that hangs keeps its share, and others theirs. */
#include <criterion/criterion.h>

#include "auth/turns.h"

static struct arena arena;
static struct ctx ctx;
static struct turns turns;

static void start(unsigned threads_max)
{
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	turns_init(&turns, threads_max);
}

static void stop(struct turn *taken, size_t count)
{
	for (size_t i = 0; i < count; i++)
		turn_done(&taken[i]);
	turns_done(&turns);
	arena_done(&arena);
}

/* How many that provider gets, of as many as it wants. */
static size_t take_all(int64_t tenant_id, int64_t provider_id, struct turn *taken, size_t *at)
{
	size_t before = *at;
	while (turn_take(&ctx, &turns, (struct asked){ tenant_id, provider_id }, &taken[*at]) == OK)
		(*at)++;
	return *at - before;
}

Test(turns, each_has_a_share_and_all_have_a_limit)
{
	struct turn taken[64] = { 0 }, more = TURN_INIT;
	size_t at = 0;
	start(64); /* 48 in all, 24 for each */
	cr_expect_eq(take_all(1, 1, taken, &at), 24);
	cr_expect_eq(turn_take(&ctx, &turns, (struct asked){ 1, 1 }, &more), ERR_BUSY);
	cr_expect_eq(take_all(1, 2, taken, &at), 8, "the tenant has two thirds");
	turn_done(&more); /* none taken */
	turn_done(&taken[0]);
	turn_done(&taken[0]);
	cr_expect_eq(turn_take(&ctx, &turns, (struct asked){ 1, 1 }, &more), OK);
	turn_done(&more);
	stop(taken, at);
}

Test(turns, tenants_that_hang_leave_something_to_the_next)
{
	struct turn taken[64] = { 0 };
	size_t at = 0;
	start(64);
	for (int64_t provider = 1; provider <= 3; provider++)
		take_all(1, provider, taken, &at);
	cr_expect_eq(at, 32);
	for (int64_t tenant = 2; tenant <= 5; tenant++)
		cr_expect_gt(take_all(tenant, 9, taken, &at), 0, "tenant %d", (int)tenant);
	cr_expect_leq(at, 48);
	stop(taken, at);
}

Test(turns, there_is_always_one)
{
	struct turn taken[2] = { 0 };
	size_t at = 0;
	start(1);
	cr_expect_eq(take_all(1, 1, taken, &at), 1);
	stop(taken, at);
}
