/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody said, without what he was told in confidence. */
#include <criterion/criterion.h>

#include "base/compiler.h"
#include "codec/mask.h"

static const str secrets[] = { STR_INIT("to/ken+1"), STR_INIT("Bearer to/ken+1"), STR_NONE,
			       STR_INIT("en+1next"), STR_INIT("a \"b\"\\") };

static void expect_of(size_t max, const char *said, const char *wanted)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(max);
	mask_add(&b, secrets, COUNT_OF(secrets), str_from(said));
	cr_expect(str_eq(buf_str(&b), str_from(wanted)), "%s: " STR_FMT, said,
		  STR_ARG(buf_str(&b)));
}

static void expect(const char *said, const char *wanted)
{
	expect_of(KIB(1), said, wanted);
}

Test(mask, each_place_where_one_is)
{
	expect("", "");
	expect("nothing of it", "nothing of it");
	expect("to/ken+1", MASK);
	expect("<to/ken+1>to/ken+1.", "<" MASK ">" MASK ".");
	expect("Authorization: Bearer to/ken+1\r\n", "Authorization: " MASK "\r\n");
	expect("to/ken+2", "to/ken+2");
	expect("to/to/ken+1", "to/" MASK);
}

Test(mask, of_two_that_overlap_both)
{
	expect("to/ken+1next.", MASK ".");
}

Test(mask, as_json_and_urls_spell_it)
{
	expect("{\"a\":\"to\\/ken\\u002B1\"}", "{\"a\":\"" MASK "\"}");
	expect("{\"a\":\"a \\\"b\\\"\\\\\"}", "{\"a\":\"" MASK "\"}");
	expect("x=to%2Fken%2b1&y", "x=" MASK "&y");
	expect("x=a+%22b%22%5c&y", "x=" MASK "&y");
	expect("x=a%20%22b%22%5C&y", "x=" MASK "&y");
	expect("to%2Gken%2b1, to\\u012fken+1.", "to%2Gken%2b1, to\\u012fken+1.");
}

Test(mask, the_end_of_a_text_that_was_cut)
{
	expect("x to/ken+", "x " MASK);
	expect("x to/k", "x " MASK);
	expect("x to/", "x to/");
	expect("x to/ken\\u00", "x " MASK);
	expect("x to/ken%2", "x " MASK);
	expect("to/k, and on", "to/k, and on");
}

Test(mask, never_half_a_secret_where_there_is_no_room)
{
	expect_of(12, "0123to/ken+1", "0123" MASK);
	expect_of(12, "01234to/ken+1.", "01234");
	expect_of(4, "01234567", "0123");
}
