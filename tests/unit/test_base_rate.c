/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets on a clock of the test's own: what comes through, when more does, and that a flood
 * of keys gives nobody less. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/rate.h"

#define START_NS (INT64_C(1000) * CLOCK_S)

static const struct rate_policy ten_a_second = { .count = 10, .window_ns = CLOCK_S, .burst = 20 };

/* How many of `tries` come through at one time. */
static int taken(struct rate_table *table, uint64_t key, const struct rate_policy *policy,
		 int64_t now_ns, int tries)
{
	struct rate rate;
	int count = 0;
	for (int i = 0; i < tries; i++)
		count += rate_take(table, key, policy, now_ns, &rate);
	return count;
}

Test(rate, a_burst_and_then_the_rate)
{
	struct rate_table *table = rate_table_new(1024);
	cr_assert_eq(taken(table, 42, &ten_a_second, START_NS, 100), 20);
	cr_assert_eq(taken(table, 42, &ten_a_second, START_NS + CLOCK_S, 100), 10);
	cr_assert_eq(taken(table, 42, &ten_a_second, START_NS + CLOCK_S, 100), 0);
	cr_assert_eq(taken(table, 42, &ten_a_second, START_NS + CLOCK_S * 3600, 100), 20,
		     "a bucket that is full runs over");
	int over_a_minute = 0;
	for (int ms = 0; ms < 60000; ms += 10)
		over_a_minute += taken(table, 42, &ten_a_second,
				       START_NS + CLOCK_S * 3600 + ms * CLOCK_MS, 3);
	cr_assert_eq(over_a_minute, 599, "%d", over_a_minute);
	rate_table_free(table);
}

Test(rate, says_what_is_left_and_when_to_come_again)
{
	struct rate_table *table = rate_table_new(1024);
	struct rate rate;
	cr_assert(rate_take(table, 2, &ten_a_second, START_NS, &rate));
	cr_assert(rate.remaining == 19 && rate.full_ns == CLOCK_S / 10 && rate.wait_ns == 0);
	taken(table, 2, &ten_a_second, START_NS, 19);
	cr_assert(!rate_take(table, 2, &ten_a_second, START_NS, &rate));
	cr_assert(rate.remaining == 0 && rate.full_ns == 2 * CLOCK_S);
	cr_assert_eq(rate.wait_ns, CLOCK_S / 10);
	cr_assert(!rate_take(table, 2, &ten_a_second, START_NS + rate.wait_ns - 1, &rate));
	cr_assert(rate_take(table, 2, &ten_a_second, START_NS + CLOCK_S / 10, &rate),
		  "a refusal takes nothing");
	rate_table_free(table);
}

Test(rate, slow_and_extreme_policies)
{
	static const struct rate_policy slow = { .count = 3,
						 .window_ns = 6 * 3600 * CLOCK_S,
						 .burst = 1 };
	static const struct rate_policy huge = { .count = 1000000000,
						 .window_ns = CLOCK_S,
						 .burst = INT64_MAX };
	static const struct rate_policy rare = { .count = 1,
						 .window_ns = 31 * 24 * 3600 * CLOCK_S,
						 .burst = INT64_MAX };
	struct rate_table *table = rate_table_new(1);
	cr_assert_eq(taken(table, 1, &slow, START_NS, 10), 1);
	cr_assert_eq(taken(table, 1, &slow, START_NS + 7199 * CLOCK_S, 10), 0);
	cr_assert_eq(taken(table, 1, &slow, START_NS + 7200 * CLOCK_S, 10), 1);
	cr_assert_eq(taken(table, 1 << 16, &huge, START_NS, 1000), 1000);
	cr_assert_eq(taken(table, 1 << 17, &rare, START_NS, 500), 500, "does not overflow");
	rate_table_free(table);
}

Test(rate, keys_do_not_share)
{
	struct rate_table *table = rate_table_new(4096);
	for (uint64_t i = 0; i < 100; i++)
		cr_assert_eq(taken(table, str_hash((str){ (char *)&i, sizeof i }), &ten_a_second,
				   START_NS, 30),
			     20);
	rate_table_free(table);
}

Test(rate, a_flood_of_keys_does_not_make_anybody_wait_or_forget_who_is_over)
{
	struct rate_table *table = rate_table_new(512);
	struct rate rate;
	uint64_t guilty = str_hash(STR("guilty"));
	taken(table, guilty, &ten_a_second, START_NS, 20);
	for (uint64_t i = 0; i < 100000; i++)
		cr_assert(rate_take(table, str_hash((str){ (char *)&i, sizeof i }), &ten_a_second,
				    START_NS, &rate));
	cr_assert(!rate_take(table, guilty, &ten_a_second, START_NS, &rate),
		  "the fullest make room first");
	rate_table_free(table);
}

#define THREADS 4
#define EACH	50000

static struct rate_table *shared;
static atomic_int through;

static void *hammer(void *arg)
{
	static const struct rate_policy policy = { .count = 1, .window_ns = CLOCK_S, .burst = 777 };
	for (int i = 0; i < EACH; i++)
		through += taken(shared, 4242, &policy, START_NS, 1);
	return arg;
}

Test(rate, is_exact_under_threads)
{
	pthread_t threads[THREADS];
	shared = rate_table_new(64);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(through, 777);
	rate_table_free(shared);
}
