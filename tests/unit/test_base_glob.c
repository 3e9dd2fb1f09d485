/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns over names: what each sign matches, and that no pattern can cost more than its budget.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/glob.h"

static bool match(const char *pattern, const char *text)
{
	return glob_match(str_from(pattern), str_from(text));
}

Test(base_glob, each_sign)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} cases[] = {
		{ "app", "app", true },
		{ "app", "apps", false },
		{ "", "", true },
		{ "*", "app", true },
		{ "*", "", true },
		{ "*", "a/b", false },
		{ "**", "a/b/c", true },
		{ "**", "", true },
		{ "a/**", "a/b/c", true },
		{ "a/**", "a", true },
		{ "a/**", "ab", false },
		{ "a/**/b", "a/b", true },
		{ "a/**/b", "a/x/y/b", true },
		{ "a/**/b", "a/xb", false },
		{ "**/b", "b", true },
		{ "**/b", "x/y/b", true },
		{ "v?.*", "v1.2", true },
		{ "?", "/", false },
		{ "[a-c]x", "bx", true },
		{ "[a-c]x", "dx", false },
		{ "[!a-c]x", "dx", true },
		{ "[^a]", "a", false },
		{ "[]]", "]", true },
		{ "[!/]", "/", false },
		{ "{a,b}/c", "b/c", true },
		{ "{a,b}/c", "c/c", false },
		{ "x{,y}", "x", true },
		{ "{v*,rc}", "v9", true },
		{ "\\*", "*", true },
		{ "\\*", "a", false },
		{ "{a\\,b}", "a,b", true },
		{ "a*b*c", "aXbYc", true },
		{ "a*b*c", "aXbY", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_assert_eq(match(cases[i].pattern, cases[i].text), cases[i].want, "%s ~ %s",
			     cases[i].pattern, cases[i].text);
}

Test(base_glob, malformed_patterns_match_nothing_and_say_why)
{
	static const char *const bad[] = { "[a", "{a", "{a{b}}", "a\\" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const char *why = NULL;
		cr_assert_not(glob_check(str_from(bad[i]), &why));
		cr_assert(why && why[0]);
		cr_assert_not(match(bad[i], "a"));
	}
}

Test(base_glob, a_hostile_pattern_runs_out_of_steps)
{
	char text[400];
	memset(text, 'a', sizeof text);
	cr_assert_not(glob_match(STR("*a*a*a*a*a*a*a*a*a*a*b"), (str){ text, sizeof text }));
	cr_assert(glob_match(STR("*a*a"), (str){ text, sizeof text }));
}

Test(base_glob, too_long_a_pattern_is_refused)
{
	char pattern[GLOB_BYTES_MAX + 1];
	const char *why;
	memset(pattern, 'a', sizeof pattern);
	cr_assert_not(glob_check((str){ pattern, sizeof pattern }, &why));
	cr_assert(glob_check((str){ pattern, GLOB_BYTES_MAX }, &why));
}
