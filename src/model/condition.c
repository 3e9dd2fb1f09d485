/* SPDX-License-Identifier: Apache-2.0 */
/* condition.c - see condition.h. */
#include "model/condition.h"

#include "base/error.h"
#include "base/glob.h"

#include "base/banned.h"

#define NAME_BYTES_MAX 128

/* --- reading ---------------------------------------------------------------------------------- */

static const char *add_name(struct arena *arena, const struct json_value *value,
			    struct condition *into)
{
	str name = json_value_str(value);
	if (!json_value_is_str(value) || !name.len || name.len > NAME_BYTES_MAX)
		return "claim is not a name or an array of names";
	if (into->path_len == CONDITION_PATH_MAX)
		return "claim is nested too deep";
	into->path[into->path_len++] = arena_cstr(arena, name);
	return NULL;
}

static const char *read_path(struct arena *arena, const struct json_value *claim,
			     struct condition *into)
{
	if (!json_value_is_array(claim))
		return add_name(arena, claim, into);
	if (!json_count(claim))
		return "claim is not a name or an array of names";
	const char *why = NULL;
	for (size_t i = 0; !why && i < json_count(claim); i++)
		why = add_name(arena, json_element(claim, i), into);
	return why;
}

static const struct {
	const char *key;
	enum condition_kind kind;
	bool is_pattern;
} tests[] = {
	{ "equals", CONDITION_EQUALS_STR, false },
	{ "matches", CONDITION_MATCHES, true },
	{ "has", CONDITION_HAS, false },
	{ "has_match", CONDITION_HAS_MATCH, true },
};

/* "equals" may want a number or a boolean. */
static bool read_scalar(const struct json_value *object, struct condition *into)
{
	bool yes;
	if (json_get_i64(object, "equals", &into->number) == JSON_FOUND) {
		into->kind = CONDITION_EQUALS_I64;
		return true;
	}
	if (json_get_bool(object, "equals", &yes) != JSON_FOUND)
		return false;
	into->number = yes;
	into->kind = CONDITION_EQUALS_BOOL;
	return true;
}

static const char *read_text(struct arena *arena, str text, bool is_pattern, struct condition *into)
{
	const char *why;
	if (!text.len || text.len > CONDITION_TEXT_BYTES_MAX)
		return "a text is empty or too long";
	if (is_pattern && !glob_check(text, &why))
		return why;
	into->text = arena_copy(arena, text);
	return NULL;
}

static const char *read_test(struct arena *arena, const struct json_value *object,
			     struct condition *into)
{
	size_t found = 0;
	const char *why = NULL;
	for (size_t i = 0; i < COUNT_OF(tests); i++) {
		str text;
		enum json_got got = json_get_str(object, tests[i].key, &text);
		if (got == JSON_ABSENT)
			continue;
		found++;
		into->kind = tests[i].kind;
		if (got == JSON_FOUND)
			why = read_text(arena, text, tests[i].is_pattern, into);
		else if (into->kind != CONDITION_EQUALS_STR || !read_scalar(object, into))
			why = "a condition compares with something else than a text";
		if (why)
			return why;
	}
	return found == 1 ? NULL : "a condition has one of equals, matches, has and has_match";
}

/* A pattern that fits two texts with nothing in common fits everything. */
static bool tells_anybody_apart(const struct condition *condition)
{
	bool is_pattern =
		condition->kind == CONDITION_MATCHES || condition->kind == CONDITION_HAS_MATCH;
	return !is_pattern || !glob_match(condition->text, STR("zz")) ||
	       !glob_match(condition->text, STR("0:1/2@3"));
}

bool conditions_read(struct arena *arena, const struct json_value *array, struct conditions *ret,
		     const char **ret_why)
{
	bool apart = false;
	struct conditions read = { .count = json_count(array) };
	*ret_why = "conditions are not an array of 1 to 16 objects";
	if (!json_value_is_array(array) || !read.count || read.count > CONDITIONS_MAX)
		return false;
	for (size_t i = 0; i < read.count; i++) {
		const struct json_value *object = json_element(array, i);
		struct condition *into = &read.list[i];
		if (!json_value_is_object(object))
			return false;
		const char *why = read_path(arena, json_member(object, "claim"), into);
		if (!why)
			why = read_test(arena, object, into);
		if (why) {
			*ret_why = why;
			return false;
		}
		apart |= tells_anybody_apart(into);
	}
	*ret_why = "the conditions let anybody in";
	if (!apart)
		return false;
	*ret = read;
	return true;
}

/* --- holding ---------------------------------------------------------------------------------- */

static bool array_has(const struct condition *condition, const struct json_value *object,
		      const char *name)
{
	const struct json_value *array;
	if (json_get_array(object, name, &array) != JSON_FOUND)
		return false;
	for (size_t i = 0; i < json_count(array); i++) {
		const struct json_value *element = json_element(array, i);
		if (!json_value_is_str(element))
			continue;
		str have = json_value_str(element);
		if (condition->kind == CONDITION_HAS ? str_eq(have, condition->text)
						     : glob_match(condition->text, have))
			return true;
	}
	return false;
}

static bool holds(const struct condition *condition, const struct json_value *claims)
{
	str text;
	int64_t number;
	bool yes;
	const char *name = condition->path[condition->path_len - 1];
	const struct json_value *object = claims;
	for (size_t i = 0; i + 1 < condition->path_len; i++)
		object = json_member(object, condition->path[i]);
	switch (condition->kind) {
	case CONDITION_EQUALS_STR:
		return json_get_str(object, name, &text) == JSON_FOUND &&
		       str_eq(text, condition->text);
	case CONDITION_MATCHES:
		return json_get_str(object, name, &text) == JSON_FOUND &&
		       glob_match(condition->text, text);
	case CONDITION_EQUALS_I64:
		return json_get_i64(object, name, &number) == JSON_FOUND &&
		       number == condition->number;
	case CONDITION_EQUALS_BOOL:
		return json_get_bool(object, name, &yes) == JSON_FOUND &&
		       yes == (condition->number != 0);
	case CONDITION_HAS:
	case CONDITION_HAS_MATCH:
		return array_has(condition, object, name);
	}
	return false;
}

bool conditions_hold(const struct conditions *conditions, const struct json_value *claims)
{
	for (size_t i = 0; i < conditions->count; i++)
		if (!holds(&conditions->list[i], claims))
			return false;
	return conditions->count > 0;
}
