/* SPDX-License-Identifier: Apache-2.0 */
/* Rests of work that nobody waits for: how long, and how long all of them. */
#include <criterion/criterion.h>

#include "base/pace.h"

Test(pace, a_little_work_needs_no_rest)
{
	struct pace pace = pace_begin(0, CLOCK_S);
	cr_assert_eq(pace_rest_until(&pace, PACE_WORK_NS - 1), 0);
}

Test(pace, a_rest_is_a_multiple_of_the_work_since_the_last_one)
{
	struct pace pace = pace_begin(100, CLOCK_S);
	int64_t now_ns = 100 + PACE_WORK_NS;
	int64_t until_ns = pace_rest_until(&pace, now_ns);
	cr_assert_eq(until_ns, now_ns + PACE_RESTS * PACE_WORK_NS);
	cr_assert_eq(pace_rest_until(&pace, until_ns + 1), 0);
	now_ns = until_ns + 3 * PACE_WORK_NS;
	cr_assert_eq(pace_rest_until(&pace, now_ns), now_ns + 3 * PACE_RESTS * PACE_WORK_NS);
}

Test(pace, all_rests_together_have_a_bound)
{
	int64_t now_ns = 0, rested_ns = 0;
	struct pace pace = pace_begin(now_ns, 10 * CLOCK_MS);
	for (int i = 0; i < 10; i++) {
		now_ns += PACE_WORK_NS;
		int64_t until_ns = pace_rest_until(&pace, now_ns);
		rested_ns += until_ns ? until_ns - now_ns : 0;
		now_ns = until_ns ? until_ns : now_ns;
	}
	cr_assert_eq(rested_ns, 10 * CLOCK_MS);
}

Test(pace, who_is_in_a_hurry_does_not_rest)
{
	struct pace pace = pace_begin(0, CLOCK_S);
	pace.left_ns = 0;
	cr_assert_eq(pace_rest_until(&pace, CLOCK_S), 0);
}
