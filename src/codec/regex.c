/* SPDX-License-Identifier: Apache-2.0 */
/* regex.c - see regex.h. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "codec/regex.h"

#include "base/error.h"

#include <pcre2.h>
#include <stdio.h>

#include "base/banned.h"

#define MATCH_LIMIT	 100000
#define DEPTH_LIMIT	 1000
#define HEAP_LIMIT_KIB	 1024
#define PATTERN_NEST_MAX 50

static const pcre2_code *inner(const struct regex *regex)
{
	return (const pcre2_code *)regex;
}

bool regex_compile(str pattern, struct regex **ret, char why[REGEX_WHY_MAX])
{
	int error = 0;
	PCRE2_SIZE at = 0;
	if (pattern.len > REGEX_PATTERN_MAX) {
		snprintf(why, REGEX_WHY_MAX, "longer than %d bytes", REGEX_PATTERN_MAX);
		return false;
	}
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	CHECK(context);
	pcre2_set_parens_nest_limit(context, PATTERN_NEST_MAX);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.len ? pattern.ptr : ""), pattern.len,
					 PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at, context);
	pcre2_compile_context_free(context);
	if (!code) {
		unsigned char text[REGEX_WHY_MAX - 32] = "";
		pcre2_get_error_message(error, text, sizeof text);
		snprintf(why, REGEX_WHY_MAX, "%s at byte %zu", (const char *)text, (size_t)at);
		return false;
	}
	*ret = (struct regex *)code;
	return true;
}

void regex_done(struct regex **regex)
{
	pcre2_code_free((pcre2_code *)*regex);
	*regex = NULL;
}

bool regex_matches(const struct regex *regex, str text)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	CHECK(context && data);
	pcre2_set_match_limit(context, MATCH_LIMIT);
	pcre2_set_depth_limit(context, DEPTH_LIMIT);
	pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
	int found = pcre2_match(inner(regex), (PCRE2_SPTR)(text.len ? text.ptr : ""), text.len, 0,
				0, data, context);
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return found >= 0;
}
