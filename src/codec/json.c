/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - see json.h. A json_value is jansson's json_t under a name of ours. */
#include "codec/json.h"

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

#include "base/banned.h"

static const json_t *inner(const struct json_value *v)
{
	return (const json_t *)v;
}

static const struct json_value *outer(const json_t *v)
{
	return (const struct json_value *)v;
}

static bool refuse(struct json_problem *ret, size_t at, const char *text)
{
	snprintf(ret->text, sizeof ret->text, "%s", text);
	ret->at = at;
	return false;
}

/* Skips a string literal whose opening quote is at `at`; returns the index of its closing quote or
 * the end. */
static size_t skip_literal(str bytes, size_t at)
{
	for (at++; at < bytes.len && bytes.ptr[at] != '"'; at++)
		if (bytes.ptr[at] == '\\')
			at++;
	return at;
}

/* Counts brackets and commas outside of string literals. Need not notice bad JSON: the parser will.
 */
static bool within_limits(str bytes, struct json_limits limits, struct json_problem *ret_problem)
{
	size_t values = 0;
	unsigned depth = 0;

	for (size_t at = 0; at < bytes.len; at++) {
		char c = bytes.ptr[at];
		if (c == '"') {
			at = skip_literal(bytes, at);
			continue;
		}
		if ((c == ']' || c == '}') && depth)
			depth--;
		bool opens = c == '[' || c == '{';
		if (opens && ++depth > limits.depth_max)
			return refuse(ret_problem, at, "nested too deeply");
		if ((opens || c == ',') && ++values > limits.values_max)
			return refuse(ret_problem, at, "too many values");
	}
	return true;
}

bool json_parse(str bytes, struct json_limits limits, struct json_document *ret,
		struct json_problem *ret_problem)
{
	json_error_t error;
	if (bytes.len == 0)
		return refuse(ret_problem, 0, "empty");
	if (!within_limits(bytes, limits, ret_problem))
		return false;
	size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY |
		       (limits.nul_in_strings ? JSON_ALLOW_NUL : 0);
	json_t *root = json_loadb(bytes.ptr, bytes.len, flags, &error);
	if (!root)
		return refuse(ret_problem, error.position > 0 ? (size_t)error.position : 0,
			      error.text);
	ret->root = outer(root);
	return true;
}

void json_done(struct json_document *doc)
{
	json_decref((json_t *)(uintptr_t)doc->root);
	doc->root = NULL;
}

void json_share(const struct json_document *doc, struct json_document *ret)
{
	ret->root = doc->root;
	json_incref((json_t *)(uintptr_t)ret->root);
}

bool json_value_is_object(const struct json_value *v)
{
	return inner(v) && json_typeof(inner(v)) == JSON_OBJECT;
}

bool json_value_is_array(const struct json_value *v)
{
	return inner(v) && json_typeof(inner(v)) == JSON_ARRAY;
}

bool json_value_is_str(const struct json_value *v)
{
	return inner(v) && json_typeof(inner(v)) == JSON_STRING;
}

const struct json_value *json_member(const struct json_value *object, const char *key)
{
	const json_t *value = json_object_get(inner(object), key);
	return value && json_typeof(value) != JSON_NULL ? outer(value) : NULL;
}

str json_value_str(const struct json_value *v)
{
	if (!json_value_is_str(v))
		return STR_NONE;
	return (str){ json_string_value(inner(v)), json_string_length(inner(v)) };
}

enum json_got json_get_str(const struct json_value *object, const char *key, str *ret)
{
	const struct json_value *v = json_member(object, key);
	if (!v)
		return JSON_ABSENT;
	if (!json_value_is_str(v))
		return JSON_WRONG;
	*ret = json_value_str(v);
	return JSON_FOUND;
}

enum json_got json_get_i64(const struct json_value *object, const char *key, int64_t *ret)
{
	const struct json_value *v = json_member(object, key);
	if (!v)
		return JSON_ABSENT;
	if (json_typeof(inner(v)) != JSON_INTEGER)
		return JSON_WRONG;
	*ret = json_integer_value(inner(v));
	return JSON_FOUND;
}

enum json_got json_get_bool(const struct json_value *object, const char *key, bool *ret)
{
	const struct json_value *v = json_member(object, key);
	if (!v)
		return JSON_ABSENT;
	json_type type = json_typeof(inner(v));
	if (type != JSON_TRUE && type != JSON_FALSE)
		return JSON_WRONG;
	*ret = type == JSON_TRUE;
	return JSON_FOUND;
}

enum json_got json_get_array(const struct json_value *object, const char *key,
			     const struct json_value **ret)
{
	const struct json_value *v = json_member(object, key);
	if (!v)
		return JSON_ABSENT;
	if (!json_value_is_array(v))
		return JSON_WRONG;
	*ret = v;
	return JSON_FOUND;
}

enum json_got json_get_object(const struct json_value *object, const char *key,
			      const struct json_value **ret)
{
	const struct json_value *v = json_member(object, key);
	if (!v)
		return JSON_ABSENT;
	if (!json_value_is_object(v))
		return JSON_WRONG;
	*ret = v;
	return JSON_FOUND;
}

size_t json_count(const struct json_value *container)
{
	return json_value_is_array(container) ? json_array_size(inner(container))
					      : json_object_size(inner(container));
}

const struct json_value *json_element(const struct json_value *array, size_t at)
{
	return outer(json_array_get(inner(array), at));
}

bool json_next_member(const struct json_value *v, void **at, str *ret_key,
		      const struct json_value **ret_value)
{
	json_t *object = (json_t *)(uintptr_t)v; /* jansson's iterators want it writable */
	*at = *at ? json_object_iter_next(object, *at) : json_object_iter(object);
	if (!*at)
		return false;
	*ret_key = (str){ json_object_iter_key(*at), json_object_iter_key_len(*at) };
	*ret_value = outer(json_object_iter_value(*at));
	return true;
}

bool json_value_is_str_map(const struct json_value *v)
{
	if (!json_value_is_object(v))
		return false;
	json_t *object = (json_t *)(uintptr_t)v; /* jansson's iterators want it writable */
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
		if (json_typeof(json_object_iter_value(at)) != JSON_STRING)
			return false;
	return true;
}

size_t json_value_print(const struct json_value *v, char *into, size_t size)
{
	return json_dumpb(inner(v), into, size, JSON_COMPACT | JSON_ENCODE_ANY);
}
