/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_answer.c - see otlp_answer.h. */
#include "codec/otlp_answer.h"
#include "codec/json.h"

#include "base/banned.h"

static bool problem(str *ret, str words)
{
	*ret = words;
	return false;
}

/* A text of digits, or a number. */
static bool get_count(const struct json_value *from, const char *key, uint64_t *ret)
{
	const struct json_value *value = json_member(from, key);
	int64_t number;
	*ret = 0;
	if (!value)
		return true;
	if (json_value_is_str(value))
		return str_to_u64(json_value_str(value), INT64_MAX, ret);
	if (json_get_i64(from, key, &number) != JSON_FOUND || number < 0)
		return false;
	*ret = (uint64_t)number;
	return true;
}

bool otlp_answer_parse(struct arena *arena, str json, struct otlp_answer *ret, str *ret_problem)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct otlp_answer answer = { 0 };
	struct json_problem why;
	const struct json_value *partial = NULL;
	str message = STR_NONE;
	if (str_trim(json).len && !json_parse(json, JSON_LIMITS_SMALL, &doc, &why)) {
		*ret_problem = arena_printf(arena, JSON_PROBLEM_FMT, JSON_PROBLEM_ARG(why));
		return false;
	}
	if (doc.root && !json_value_is_object(doc.root))
		return problem(ret_problem, STR("no object"));
	if (json_get_object(doc.root, "partialSuccess", &partial) == JSON_WRONG)
		return problem(ret_problem, STR("partialSuccess is no object"));
	if (!get_count(partial, "rejectedSpans", &answer.rejected_spans))
		return problem(ret_problem, STR("rejectedSpans is no number of spans"));
	if (json_get_str(partial, "errorMessage", &message) == JSON_WRONG)
		return problem(ret_problem, STR("errorMessage is no text"));
	answer.message = arena_copy(arena, str_take(message, OTLP_MESSAGE_MAX));
	*ret = answer;
	return true;
}
