/* SPDX-License-Identifier: Apache-2.0 */
/* Views: comparing, cutting, numbers, UTF-8, and what happens with nothing at all. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/str.h"

Test(str, compares_bytes)
{
	cr_assert(str_eq(STR("a\0b"), STR("a\0b")));
	cr_assert(!str_eq(STR("a\0b"), STR("a\0c")));
	cr_assert(str_eq(STR_NONE, STR("")));
	cr_assert(str_cmp(STR("a"), STR("ab")) < 0);
	cr_assert(str_cmp(STR("\xff"), STR("a")) > 0);
	cr_assert(str_cmp(STR_NONE, STR("")) == 0);
}

Test(str, regression_nocase_looks_behind_a_nul)
{
	cr_assert(str_eq_nocase(STR("Content-LENGTH"), STR("content-length")));
	cr_assert(!str_eq_nocase(STR("a\0b"), STR("a\0c")));
	cr_assert(!str_eq_nocase(STR("@"), STR("`")));
	cr_assert(!str_eq_nocase(STR("\xc4"), STR("\xe4")));
}

Test(str, secrets_compare_whole)
{
	cr_assert(str_eq_secret(STR("abc"), STR("abc")));
	cr_assert(!str_eq_secret(STR("abc"), STR("abd")));
	cr_assert(!str_eq_secret(STR("abc"), STR("abcd")));
	cr_assert(str_eq_secret(STR_NONE, STR_NONE));
}

Test(str, finds_prefixes_suffixes_and_needles)
{
	size_t at = 99;
	cr_assert(str_has_prefix(STR("abc"), STR("ab")) && str_has_prefix(STR("abc"), STR("")));
	cr_assert(!str_has_prefix(STR("a"), STR("ab")));
	cr_assert(str_has_suffix(STR("abc"), STR("bc")) && !str_has_suffix(STR("c"), STR("bc")));
	cr_assert(str_has_suffix(STR_NONE, STR_NONE));
	cr_assert(str_find(STR("hello"), STR("llo"), &at) && at == 2);
	at = 99;
	cr_assert(!str_find(STR("hello"), STR("lo!"), &at) && at == 99);
	cr_assert(!str_find(STR_NONE, STR("x"), &at));
	cr_assert(!str_has_byte(STR_NONE, '\0'));
}

Test(str, cuts_are_clamped)
{
	cr_assert(str_eq(str_skip(STR("abc"), 9), STR("")));
	cr_assert(str_eq(str_take(STR("abc"), 9), STR("abc")));
	cr_assert(str_skip(STR_NONE, 3).len == 0);
	cr_assert(str_eq(str_trim(STR(" \t a b \t")), STR("a b")));
	cr_assert(str_trim(STR(" \t ")).len == 0);
}

Test(str, cut_sets_nothing_without_a_separator)
{
	str before = STR("kept"), after = STR("kept");
	cr_assert(!str_cut(STR("abc"), ':', &before, &after));
	cr_assert(str_eq(before, STR("kept")) && str_eq(after, STR("kept")));
	cr_assert(str_cut(STR("a:b:c"), ':', &before, &after));
	cr_assert(str_eq(before, STR("a")) && str_eq(after, STR("b:c")));
	cr_assert(str_cut_last(STR("a:b:c"), ':', &before, &after));
	cr_assert(str_eq(before, STR("a:b")) && str_eq(after, STR("c")));
}

static size_t count_pieces(str list)
{
	size_t count = 0;
	for (str piece; str_next(&list, ',', &piece);)
		count++;
	return count;
}

Test(str, next_walks_pieces)
{
	str list = STR("a,,b"), piece;
	cr_assert(str_next(&list, ',', &piece) && str_eq(piece, STR("a")));
	cr_assert(str_next(&list, ',', &piece) && str_eq(piece, STR("")));
	cr_assert(str_next(&list, ',', &piece) && str_eq(piece, STR("b")));
	cr_assert(!str_next(&list, ',', &piece) && !str_next(&list, ',', &piece));
	cr_assert_eq(count_pieces(STR_NONE), 0);
	cr_assert_eq(count_pieces(STR("")), 0);
	cr_assert_eq(count_pieces(STR("a")), 1);
	cr_assert_eq(count_pieces(STR(",a")), 2);
}

Test(str, numbers_are_digits_within_a_maximum)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} rows[] = {
		{ "0", 0, true, 0 },
		{ "007", 10, true, 7 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
		{ "11", 10, false, 0 },
		{ "", 10, false, 0 },
		{ "-1", 10, false, 0 },
		{ "+1", 10, false, 0 },
		{ " 1", 10, false, 0 },
		{ "1 ", 10, false, 0 },
		{ "0x1", 10, false, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t value = 4711;
		bool ok = str_to_u64(str_from(rows[i].text), rows[i].max, &value);
		cr_expect_eq(ok, rows[i].ok, "'%s'", rows[i].text);
		cr_expect_eq(value, rows[i].ok ? rows[i].value : 4711, "'%s'", rows[i].text);
	}
}

Test(str, utf8_is_well_formed_or_not)
{
	static const str good[] = {
		STR_INIT(""),
		STR_INIT("ascii"),
		STR_INIT("\xC3\xA4"),
		STR_INIT("\xE2\x82\xAC"),
		STR_INIT("\xF0\x9F\x98\x80"),
		STR_INIT("\xF4\x8F\xBF\xBF"),
		STR_INIT("\xED\x9F\xBF"),
		STR_INIT("\xEE\x80\x80"),
	};
	static const str bad[] = {
		STR_INIT("\x80"),
		STR_INIT("\xC3"),
		STR_INIT("\xC0\x80"),
		STR_INIT("\xC1\xBF"),
		STR_INIT("\xE0\x80\x80"),
		STR_INIT("\xED\xA0\x80"),
		STR_INIT("\xF0\x80\x80\x80"),
		STR_INIT("\xF4\x90\x80\x80"),
		STR_INIT("\xF5\x80\x80\x80"),
		STR_INIT("\xE2\x82"),
		STR_INIT("\xE2\x28\xA1"),
		STR_INIT("\xFE"),
		STR_INIT("\xF0\x9F\x98\x80\x80"),
	};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(str_is_utf8(good[i]), "good row %zu", i);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect(!str_is_utf8(bad[i]), "bad row %zu", i);
}

Test(str, hash_depends_on_every_byte_and_the_length)
{
	char bytes[64] = { 0 };
	for (size_t len = 0; len < sizeof bytes; len++) {
		uint64_t before = str_hash((str){ bytes, len });
		cr_expect_eq(before, str_hash((str){ bytes, len }));
		cr_expect_neq(before, str_hash((str){ bytes, len + 1 }));
		if (len == 0)
			continue;
		bytes[len - 1] ^= 1;
		cr_expect_neq(before, str_hash((str){ bytes, len }));
		bytes[len - 1] ^= 1;
	}
}
