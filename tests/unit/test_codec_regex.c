/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of people: what they match, what is refused, and what would take forever. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "codec/regex.h"

static bool matches(const char *pattern, const char *text)
{
	char why[REGEX_WHY_MAX];
	CLEANUP(regex_done) struct regex *regex = NULL;
	cr_assert(regex_compile(str_from(pattern), &regex, why), "%s: %s", pattern, why);
	return regex_matches(regex, str_from(text));
}

Test(regex, occurs_anywhere_unless_anchored)
{
	cr_expect(matches("dev", "a-dev-b"));
	cr_expect(matches("^dev$", "dev"));
	cr_expect(!matches("^dev$", "a-dev-b"));
	cr_expect(matches("", "anything"));
	cr_expect(matches("^$", ""));
	cr_expect(matches("^(cn=)?registry-[a-z]+", "registry-admins"));
	cr_expect(matches("^gr\xc3\xbc.n$", "gr\xc3\xbc\xc3\xbcn"));
}

Test(regex, malformed_patterns_say_why)
{
	static const char *const bad[] = { "(", "[", "*", "(?<n", "\\C", "\xff" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char why[REGEX_WHY_MAX] = "";
		struct regex *regex = NULL;
		cr_expect(!regex_compile(str_from(bad[i]), &regex, why), "%s", bad[i]);
		cr_expect(strlen(why) > 0);
		cr_expect_null(regex);
	}
}

Test(regex, too_long_or_too_deep)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	char why[REGEX_WHY_MAX];
	struct regex *regex = NULL;
	for (size_t i = 0; i <= REGEX_PATTERN_MAX; i++)
		buf_add_byte(&b, 'a');
	cr_expect(!regex_compile(buf_str(&b), &regex, why));
	buf_clear(&b);
	for (int i = 0; i < 200; i++)
		buf_add_byte(&b, '(');
	for (int i = 0; i < 200; i++)
		buf_add_byte(&b, ')');
	cr_expect(!regex_compile(buf_str(&b), &regex, why));
}

/* Hours without a bound. */
Test(regex, what_would_take_forever_does_not_match, .timeout = 60)
{
	cr_expect(!matches("^(a+)+$",
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
	cr_expect(
		!matches("^(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
}

Test(regex, text_that_is_no_utf8_does_not_match)
{
	cr_expect(!matches(".", "\xff\xfe"));
}
