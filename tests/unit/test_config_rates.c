/* SPDX-License-Identifier: Apache-2.0 */
/* Rates as options say them. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "config/rates.h"

static void expect(const struct rate_policy *have, int64_t count, int64_t window_s, int64_t burst)
{
	cr_expect(have->count == count && have->window_ns == window_s * CLOCK_S &&
			  have->burst == burst,
		  "%lld/%llds:%lld", (long long)have->count, (long long)(have->window_ns / CLOCK_S),
		  (long long)have->burst);
}

Test(rates, are_read)
{
	struct rate_policy p[RATE_CLASS_COUNT];
	cr_assert(rates_read(STR("pull=100/s:500, push=600/m,login=20/10s ,read = 5 / 6h : 7"), p));
	expect(&p[RATE_PULL], 100, 1, 500);
	expect(&p[RATE_PUSH], 600, 60, 600);
	expect(&p[RATE_LOGIN], 20, 10, 20);
	expect(&p[RATE_READ], 5, 6 * 3600, 7);
	expect(&p[RATE_WRITE], 0, 0, 0);
	cr_assert(rates_read(STR_NONE, p));
	expect(&p[RATE_PULL], 0, 0, 0);
}

Test(rates, bad_ones_are_refused)
{
	static const char *const bad[] = {
		"pull",
		"pull=",
		"pull=5",
		"pull=/s",
		"pull=0/s",
		"pull=-1/s",
		"pull=1/",
		"pull=1/0s",
		"pull=1/ms",
		"pull=1/1500ms",
		"pull=1/x",
		"pull=1/s:",
		"pull=1/s:0",
		"pull=1/s:x",
		"pull=1/s:1:1",
		"pull=1/s,pull=2/s",
		"fetch=1/s",
		"=1/s",
		",",

		"pull=1000000001/s",
		"pull=1/32d",
		"pull=1/99999999999999999999s",
		"pull=1/s s",
		"PULL=1/s",
	};
	struct rate_policy p[RATE_CLASS_COUNT];
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect(!rates_read(str_from(bad[i]), p), "%s", bad[i]);
}
