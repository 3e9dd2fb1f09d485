/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies of a request, and what no cookie can be. */
#include <criterion/criterion.h>

#include "codec/cookie.h"

static void expect(const char *header, const char *value)
{
	str have = cookie_get(str_from(header), STR("sid"));
	cr_expect(str_eq(have, str_from(value)) || (!have.len && !*value), "%s: " STR_FMT, header,
		  STR_ARG(have));
}

Test(cookie, the_first_of_the_name_as_it_is)
{
	expect("sid=abc", "abc");
	expect("a=b; sid=abc; c=d", "abc");
	expect("a=b;sid=abc", "abc");
	expect(" sid = abc ", "abc");
	expect("sid=a=b==", "a=b==");
	expect("sid=first; sid=second", "first");
	expect("sid=%41", "%41");
}

Test(cookie, what_is_none)
{
	expect("", "");
	expect("sid", "");
	expect("sid=", "");
	expect("SID=abc", "");
	expect("xsid=abc; sidx=abc", "");
	expect("sid=\"quoted\"", "");
	expect("sid=a b", "");
	expect("sid=a\\b", "");
	expect("sid=\x7f", "");
	expect("sid=\xc3\xa9", "");
}
