/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: one write each, escaped, never longer than the maximum, always well-formed JSON. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "codec/json.h"

static char line[2 * LOG_LINE_MAX];

/* Runs LOG with standard error in a pipe and returns the line. */
#define LINE_OF(...)                                                                               \
	({                                                                                         \
		int ends[2], kept = dup(STDERR_FILENO);                                            \
		cr_assert(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);                   \
		LOG(__VA_ARGS__);                                                                  \
		dup2(kept, STDERR_FILENO);                                                         \
		close(ends[1]);                                                                    \
		ssize_t got_ = read(ends[0], line, sizeof line);                                   \
		close(ends[0]);                                                                    \
		close(kept);                                                                       \
		cr_assert(got_ >= 0);                                                              \
		(str){ line, (size_t)got_ };                                                       \
	})

Test(log, text_quotes_what_is_not_plain)
{
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	str got = LINE_OF(LOG_WARN, "hello", LOG_CSTR("a", "plain"), LOG_CSTR("b", "two words"),
			  LOG_CSTR("c", "x\ny"), LOG_I64("n", -7), LOG_STR("e", STR_NONE));
	size_t at;
	cr_assert(str_find(got,
			   STR(" warn  hello a=plain b=\"two words\" c=\"x\\ny\" n=-7 e=\"\"\n"),
			   &at),
		  STR_FMT, STR_ARG(got));
}

Test(log, levels_below_are_silent)
{
	log_setup(LOG_WARN, LOG_FORMAT_TEXT);
	cr_assert_eq(LINE_OF(LOG_INFO, "quiet").len, 0);
	cr_assert(LINE_OF(LOG_ERROR, "loud").len > 0);
	log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
	cr_assert(LINE_OF(LOG_NOTICE, "always").len > 0);
}

static void assert_json(str got)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem = { 0 };
	str message;
	cr_assert(got.len <= LOG_LINE_MAX && str_has_suffix(got, STR("}\n")));
	cr_assert(json_parse(got, JSON_LIMITS_SMALL, &doc, &problem), "%s", problem.text);
	cr_assert_eq(json_get_str(doc.root, "message", &message), JSON_FOUND);
}

Test(log, regression_long_json_lines_stay_well_formed)
{
	char raw[3000];
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	for (int byte = 1; byte < 256; byte += 17) {
		memset(raw, byte, sizeof raw);
		str value = { raw, sizeof raw };
		assert_json(LINE_OF(LOG_INFO, "long", LOG_STR("a", value), LOG_STR("b", value),
				    LOG_STR("c", value), LOG_STR("d", value), LOG_STR("e", value),
				    LOG_STR("f", value), LOG_STR("g", value), LOG_STR("h", value)));
	}
}

Test(log, what_a_line_is_about_is_said_unless_it_says_so_itself)
{
	const struct log_field about[] = { LOG_I64("job", 7), LOG_STR(NULL, STR_NONE) };
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	log_about(about, COUNT_OF(about));
	cr_assert(str_has_suffix(LINE_OF(LOG_INFO, "one", LOG_I64("n", 1)), STR(" n=1 job=7\n")));
	cr_assert(str_has_suffix(LINE_OF(LOG_INFO, "two", LOG_I64("job", 8)), STR(" two job=8\n")));
	log_about(NULL, 0);
	cr_assert(str_has_suffix(LINE_OF(LOG_INFO, "three"), STR(" three\n")));
}
