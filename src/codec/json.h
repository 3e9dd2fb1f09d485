/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - reading JSON that strangers wrote (RFC 8259); jansson stays behind this door.
 *
 * Limits are checked in one pass over the bytes before the parser recurses or allocates: depth
 * protects the stack, and the number of values the heap, since `[[],[],…` costs a hundred times its
 * length. Refused besides what is not JSON: duplicate keys (two readers could see two meanings),
 * ill-formed UTF-8, anything behind the value, and NUL characters: in keys always, since readers
 * in C take such a key for a shorter one, in strings unless `limits.nul_in_strings`.
 *
 *	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
 *	struct json_problem problem;
 *	if (!json_parse(bytes, JSON_LIMITS_SMALL, &doc, &problem))
 *		return fail(ctx, ERR_REQUEST_INVALID, JSON_PROBLEM_FMT, JSON_PROBLEM_ARG(problem));
 *	str name = STR_NONE;
 *	if (json_get_str(doc.root, "name", &name) == JSON_WRONG)
 *		return fail(ctx, ERR_REQUEST_INVALID, "name is not a string");
 *
 * Values and the strs read from them live as long as the document; copy what has to live longer.
 */
#pragma once

#include "base/str.h"

struct json_value;

struct json_limits {
	unsigned depth_max;
	size_t values_max;   /* objects, arrays and commas together */
	bool nul_in_strings; /* \u0000 is let through: whoever reads a str must look for it */
};

/* For request bodies and token claims. */
#define JSON_LIMITS_SMALL ((struct json_limits){ .depth_max = 16, .values_max = 4096 })

struct json_document {
	const struct json_value *root;
};

#define JSON_DOCUMENT_NONE                                                                         \
	{                                                                                          \
		NULL                                                                               \
	}

#define JSON_PROBLEM_MAX 160

struct json_problem {
	char text[JSON_PROBLEM_MAX];
	size_t at; /* byte offset */
};

#define JSON_PROBLEM_FMT	  "%s near byte %zu"
#define JSON_PROBLEM_ARG(problem) (problem).text, (problem).at

/* False fills `*ret_problem` only; true sets `*ret` only. */
bool json_parse(str bytes, struct json_limits limits, struct json_document *ret,
		struct json_problem *ret_problem);
void json_done(struct json_document *doc);
/* A second hold on the same document, which lives until both are done. */
void json_share(const struct json_document *doc, struct json_document *ret);

bool json_value_is_object(const struct json_value *v); /* NULL is nothing */
bool json_value_is_array(const struct json_value *v);
bool json_value_is_str(const struct json_value *v);

/* The member, or NULL when `object` is none, the key is absent, or its value is null. */
const struct json_value *json_member(const struct json_value *object, const char *key);

/* Typed members. Only JSON_FOUND sets `*ret`; null counts as absent, as Go's encoders mean it. */
enum json_got { JSON_ABSENT, JSON_FOUND, JSON_WRONG };
enum json_got json_get_str(const struct json_value *object, const char *key, str *ret);
enum json_got json_get_i64(const struct json_value *object, const char *key, int64_t *ret);
enum json_got json_get_bool(const struct json_value *object, const char *key, bool *ret);
enum json_got json_get_array(const struct json_value *object, const char *key,
			     const struct json_value **ret);
enum json_got json_get_object(const struct json_value *object, const char *key,
			      const struct json_value **ret);

size_t json_count(const struct json_value *container); /* elements or members; 0 for others */
const struct json_value *json_element(const struct json_value *array, size_t at);
str json_value_str(const struct json_value *v); /* STR_NONE unless it is a string */

/* Walks an object's members in their order, null ones too; `*at` is NULL at first:
 *	for (void *at = NULL; json_next_member(object, &at, &key, &value);) … */
bool json_next_member(const struct json_value *object, void **at, str *ret_key,
		      const struct json_value **ret_value);

/* True if `v` is an object whose values are all strings. */
bool json_value_is_str_map(const struct json_value *v);

/* Compact text, members in their order. Returns its length, and writes it only if it fits into
 * `size`. */
size_t json_value_print(const struct json_value *v, char *into, size_t size);
