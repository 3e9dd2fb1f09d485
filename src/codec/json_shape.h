/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_shape.h - the members of a JSON object into a struct, by a table.
 *
 *	struct label_body { str name, color; int64_t project_id; bool has_color; };
 *	static const struct json_field fields[] = {
 *		JSON_FIELD_STR(struct label_body, "name", name, 128),
 *		JSON_FIELD_STR(struct label_body, "color", color, 16),
 *		JSON_FIELD_I64(struct label_body, "project_id", project_id),
 *		JSON_FIELD_HAS(struct label_body, "color", has_color),
 *	};
 *	struct label_body body = { 0 };
 *	if (!json_shape_read(doc.root, fields, COUNT_OF(fields), &body, &problem)) …
 *
 * Absent and null members leave the struct as it was; unknown members are ignored, as Harbor does.
 * Texts point into the document.
 */
#pragma once

#include "codec/json.h"

enum json_kind {
	JSON_KIND_STR,
	JSON_KIND_I64,
	JSON_KIND_BOOL,
	JSON_KIND_OBJECT,
	JSON_KIND_ARRAY,
	JSON_KIND_HAS
};

struct json_field {
	const char *key;
	enum json_kind kind;
	size_t offset;
	size_t bytes_max; /* of a text */
};

#define JSON_FIELD_STR(type, key_, member, max)                                                    \
	{                                                                                          \
		.key = key_, .kind = JSON_KIND_STR, .offset = offsetof(type, member),              \
		.bytes_max = (max)                                                                 \
	}
#define JSON_FIELD_OF(kind_, type, key_, member)                                                   \
	{                                                                                          \
		.key = key_, .kind = kind_, .offset = offsetof(type, member)                       \
	}
#define JSON_FIELD_I64(type, key, member)    JSON_FIELD_OF(JSON_KIND_I64, type, key, member)
#define JSON_FIELD_BOOL(type, key, member)   JSON_FIELD_OF(JSON_KIND_BOOL, type, key, member)
#define JSON_FIELD_OBJECT(type, key, member) JSON_FIELD_OF(JSON_KIND_OBJECT, type, key, member)
#define JSON_FIELD_ARRAY(type, key, member)  JSON_FIELD_OF(JSON_KIND_ARRAY, type, key, member)
/* A bool that says whether the member is there and not null. */
#define JSON_FIELD_HAS(type, key, member) JSON_FIELD_OF(JSON_KIND_HAS, type, key, member)

/* False, with the member named in `*ret_problem`, when one has another type or is too long, or
 * `object` is none. */
bool json_shape_read(const struct json_value *object, const struct json_field *fields, size_t count,
		     void *into, struct json_problem *ret_problem);
