/* SPDX-License-Identifier: Apache-2.0 */
/* A buf keeps to its maximum, marks what did not fit, and can be used again. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"

Test(buf, builds)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
	buf_add(&b, STR("n="));
	buf_add_u64(&b, 0);
	buf_add_byte(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	buf_printf(&b, " %s-%d", "x", -3);
	cr_assert(str_eq(buf_str(&b), STR("n=0 18446744073709551615 x--3")));
	cr_assert(!buf_overrun(&b));
}

Test(buf, overrun_drops_the_piece_and_all_that_follow)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(8);
	buf_add(&b, STR("12345678"));
	cr_assert(!buf_overrun(&b));
	buf_clear(&b);
	buf_add(&b, STR("1234567"));
	buf_add(&b, STR("89"));
	buf_add_byte(&b, 'x');
	cr_assert(buf_overrun(&b) && str_eq(buf_str(&b), STR("1234567")));
	cr_assert_null(buf_reserve(&b, 1));
	buf_clear(&b);
	cr_assert(!buf_overrun(&b) && buf_str(&b).len == 0);
}

Test(buf, reserve_refuses_sizes_that_overflow)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(16);
	buf_add_byte(&b, 'x');
	cr_assert_null(buf_reserve(&b, SIZE_MAX));
	cr_assert(buf_overrun(&b));
}

Test(buf, regression_reserve_of_nothing_gives_memory)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(16);
	cr_assert_not_null(buf_reserve(&b, 0));
}

Test(buf, long_prints_fit)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(2));
	char text[1001];
	memset(text, 'a', 1000);
	text[1000] = '\0';
	buf_printf(&b, "<%s>", text);
	cr_assert(b.len == 1002 && b.ptr[0] == '<' && b.ptr[1001] == '>');
}

Test(buf, drop_takes_from_the_front)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(64);
	buf_add(&b, STR("hello world"));
	buf_drop(&b, 6);
	cr_assert(str_eq(buf_str(&b), STR("world")));
	buf_drop(&b, 99);
	cr_assert_eq(buf_str(&b).len, 0);
}

Test(buf, is_usable_after_done)
{
	struct buf b = BUF_INIT(64);
	buf_add(&b, STR("x"));
	buf_done(&b);
	buf_add(&b, STR("y"));
	cr_assert(str_eq(buf_str(&b), STR("y")));
	buf_done(&b);
}
