/* SPDX-License-Identifier: Apache-2.0 */
/* json_shape.c - see json_shape.h. */
#include "codec/json_shape.h"

#include <stdio.h>

#include "base/banned.h"

static enum json_got read_field(const struct json_value *object, const struct json_field *field,
				void *into)
{
	switch (field->kind) {
	case JSON_KIND_STR:
		return json_get_str(object, field->key, into);
	case JSON_KIND_I64:
		return json_get_i64(object, field->key, into);
	case JSON_KIND_BOOL:
		return json_get_bool(object, field->key, into);
	case JSON_KIND_OBJECT:
		return json_get_object(object, field->key, into);
	case JSON_KIND_ARRAY:
		return json_get_array(object, field->key, into);
	case JSON_KIND_HAS:
		*(bool *)into = json_member(object, field->key) != NULL;
	}
	return JSON_ABSENT;
}

static const char *type_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_KIND_STR] = "a string",	[JSON_KIND_I64] = "an integer",
		[JSON_KIND_BOOL] = "a boolean", [JSON_KIND_OBJECT] = "an object",
		[JSON_KIND_ARRAY] = "an array", [JSON_KIND_HAS] = "there",
	};
	return names[kind];
}

bool json_shape_read(const struct json_value *object, const struct json_field *fields, size_t count,
		     void *into, struct json_problem *ret_problem)
{
	*ret_problem = (struct json_problem){ .at = 0 };
	if (!json_value_is_object(object)) {
		snprintf(ret_problem->text, sizeof ret_problem->text, "not a JSON object");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const struct json_field *field = &fields[i];
		void *at = (char *)into + field->offset;
		enum json_got got = read_field(object, field, at);
		if (got == JSON_WRONG) {
			snprintf(ret_problem->text, sizeof ret_problem->text, "%s is not %s",
				 field->key, type_name(field->kind));
			return false;
		}
		if (got == JSON_FOUND && field->kind == JSON_KIND_STR &&
		    ((str *)at)->len > field->bytes_max) {
			snprintf(ret_problem->text, sizeof ret_problem->text,
				 "%s is longer than %zu bytes", field->key, field->bytes_max);
			return false;
		}
	}
	return true;
}
