/* SPDX-License-Identifier: Apache-2.0 */
/* Waits double up to their longest, and half of each is left to chance. */
#include <criterion/criterion.h>

#include "base/compiler.h"
#include "os/backoff.h"

Test(os_backoff, waits_double_up_to_the_longest)
{
	static const struct {
		unsigned tries;
		int64_t full_ms;
	} cases[] = { { 1, 50 }, { 2, 100 }, { 5, 800 }, { 8, 5000 }, { 4000000000u, 5000 } };
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int again = 0; again < 100; again++) {
			int64_t ms = backoff_ms(cases[i].tries, 50, 5000);
			cr_assert(ms >= cases[i].full_ms / 2 && ms <= cases[i].full_ms, "%lld",
				  (long long)ms);
		}
}

Test(os_backoff, many_do_not_wait_the_same)
{
	int64_t least_ms = INT64_MAX, most_ms = 0;
	for (int again = 0; again < 200; again++) {
		int64_t ms = backoff_ms(20, 50, 5000);
		least_ms = MIN(least_ms, ms);
		most_ms = MAX(most_ms, ms);
	}
	cr_assert_lt(least_ms, most_ms);
}
