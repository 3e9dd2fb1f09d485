/* SPDX-License-Identifier: Apache-2.0 */
/* When an image wants to be gone: units, times, and what is none. */
#include <criterion/criterion.h>

#include "codec/expiry.h"

Test(codec_expiry, after)
{
	static const struct {
		const char *text;
		int64_t seconds; /* 0: it is none */
	} cases[] = {
		{ "1s", 1 },
		{ "20m", 1200 },
		{ "12h", 43200 },
		{ "7d", 604800 },
		{ "2w", 1209600 },
		{ "36600d", EXPIRY_AFTER_MAX_S },
		{ "0d", 0 },
		{ "36601d", 0 },
		{ "", 0 },
		{ "d", 0 },
		{ "5", 0 },
		{ "5y", 0 },
		{ "-5d", 0 },
		{ "1.5h", 0 },
		{ "5 d", 0 },
		{ "1h30m", 0 },
		{ "99999999999999999999s", 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t seconds = 0;
		cr_expect_eq(expiry_after_parse(str_from(cases[i].text), &seconds),
			     cases[i].seconds != 0, "%s", cases[i].text);
		cr_expect_eq(seconds, cases[i].seconds, "%s", cases[i].text);
	}
}

Test(codec_expiry, at)
{
	int64_t us = 0;
	cr_expect(expiry_at_parse(STR("1970-01-02T00:00:01Z"), &us));
	cr_expect_eq(us, INT64_C(86401) * 1000000);
	cr_expect(expiry_at_parse(STR("1970-01-03"), &us));
	cr_expect_eq(us, INT64_C(2) * 86400 * 1000000);
	cr_expect(!expiry_at_parse(STR("1969-01-03"), &us));
	cr_expect(!expiry_at_parse(STR("tomorrow"), &us));
	cr_expect(!expiry_at_parse(STR(""), &us));
}

Test(codec_expiry, what_was_read_first_stays)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct expiry expiry = { .after_s = 7 };
	cr_assert(json_parse(STR("{\"quay.expires-after\":\"x\",\"berth.expires-after\":\"1m\","
				 "\"berth.expires-at\":\"1970-01-02\"}"),
			     JSON_LIMITS_SMALL, &doc, &problem));
	expiry_read(doc.root, &expiry);
	cr_expect_eq(expiry.after_s, 7);
	cr_expect_eq(expiry.at_us, INT64_C(86400) * 1000000);
	expiry = (struct expiry){ 0 };
	expiry_read(doc.root, &expiry);
	cr_expect_eq(expiry.after_s, 60);
	expiry_read(NULL, &expiry);
	cr_expect_eq(expiry.after_s, 60);
}
