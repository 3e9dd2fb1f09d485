/* SPDX-License-Identifier: Apache-2.0 */
/* Times as text. */
#include <criterion/criterion.h>

#include "base/clock.h"

Test(clock, formats)
{
	static const struct {
		int64_t wall_us;
		const char *rfc3339;
		const char *http;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777000001, "1994-11-06T08:49:37.000001Z", "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 1709164799999999, "2024-02-28T23:59:59.999999Z",
		  "Wed, 28 Feb 2024 23:59:59 GMT" },
		{ 1709251199000000, "2024-02-29T23:59:59.000000Z",
		  "Thu, 29 Feb 2024 23:59:59 GMT" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char into[CLOCK_RFC3339_MAX], http[CLOCK_HTTP_MAX];
		cr_expect(str_eq(clock_rfc3339(rows[i].wall_us, into), str_from(rows[i].rfc3339)));
		cr_expect(str_eq(clock_http_date(rows[i].wall_us, http), str_from(rows[i].http)));
	}
}

Test(clock, monotonic_does_not_go_back)
{
	int64_t before = clock_now_ns();
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now_ns();
		cr_assert(now >= before);
		before = now;
	}
	cr_assert(clock_wall_us() > INT64_C(1700000000000000));
}
