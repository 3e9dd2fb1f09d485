/* SPDX-License-Identifier: Apache-2.0 */
/* What a collector did not take is a number and a reason; what is no such answer is refused. */
#include <criterion/criterion.h>

#include "codec/otlp_answer.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;
static str problem;

static void set_up(void)
{
	arena_init(&arena, MIB(1));
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(otlp_answer, .init = set_up, .fini = tear_down);

Test(otlp_answer, spans_that_were_rejected)
{
	static const struct {
		const char *json;
		uint64_t rejected;
		const char *message;
	} cases[] = {
		{ "", 0, "" },
		{ " ", 0, "" },
		{ "{}", 0, "" },
		{ "{\"partialSuccess\":null}", 0, "" },
		{ "{\"partialSuccess\":{}}", 0, "" },
		{ "{\"other\":[1],\"partialSuccess\":{\"rejectedSpans\":\"12\"}}", 12, "" },
		{ "{\"partialSuccess\":{\"rejectedSpans\":12,\"errorMessage\":\"a\"}}", 12, "a" },
		{ "{\"partialSuccess\":{\"rejectedSpans\":\"9223372036854775807\"}}", INT64_MAX,
		  "" },
		{ "{\"partialSuccess\":{\"rejectedSpans\":null,\"errorMessage\":\"w\"}}", 0, "w" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct otlp_answer answer;
		cr_assert(otlp_answer_parse(&arena, str_from(cases[i].json), &answer, &problem),
			  "%s", cases[i].json);
		cr_assert_eq(answer.rejected_spans, cases[i].rejected, "%s", cases[i].json);
		cr_assert(str_eq(answer.message, str_from(cases[i].message)), "%s", cases[i].json);
	}
}

Test(otlp_answer, a_long_message_is_cut)
{
	char json[1000] = "{\"partialSuccess\":{\"errorMessage\":\"";
	size_t begin = strlen(json);
	memset(json + begin, 'x', OTLP_MESSAGE_MAX + 100);
	memcpy(json + begin + OTLP_MESSAGE_MAX + 100, "\"}}", 4);
	struct otlp_answer answer;
	cr_assert(otlp_answer_parse(&arena, str_from(json), &answer, &problem));
	cr_assert_eq(answer.message.len, OTLP_MESSAGE_MAX);
}

Test(otlp_answer, what_is_no_answer_is_refused)
{
	static const char *const wrong[] = {
		"<html>",
		"[]",
		"1",
		"{",
		"{\"partialSuccess\":1}",
		"{\"partialSuccess\":[]}",
		"{\"partialSuccess\":{\"rejectedSpans\":-1}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"-1\"}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"\"}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"9223372036854775808\"}}",
		"{\"partialSuccess\":{\"rejectedSpans\":1.5}}",
		"{\"partialSuccess\":{\"rejectedSpans\":true}}",
		"{\"partialSuccess\":{\"rejectedSpans\":[]}}",
		"{\"partialSuccess\":{\"errorMessage\":1}}",
		"{\"partialSuccess\":{},\"partialSuccess\":{}}",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct otlp_answer answer;
		problem = STR_NONE;
		cr_assert_not(otlp_answer_parse(&arena, str_from(wrong[i]), &answer, &problem),
			      "%s", wrong[i]);
		cr_assert_gt(problem.len, 0);
	}
}
