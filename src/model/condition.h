/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition.h - what has to be true of somebody else's claims (of a token, of a certificate) for
 * him to be let in.
 *
 *	[{"claim": "repository", "equals": "acme/shop"},
 *	 {"claim": ["kubernetes.io", "namespace"], "matches": "prod-*"},
 *	 {"claim": "groups", "has": "deployers"}]
 *
 *	equals     the claim is this string, whole number or boolean
 *	matches    the claim is a string, and this pattern (base/glob.h) fits all of it
 *	has        the claim is an array, and this string is in it
 *	has_match  the claim is an array, and this pattern fits a string in it
 *
 * All of them must hold. Types are strict: "7" is not 7, a string is no array of one, and a claim
 * that is absent or null never fits anything. At least one must tell somebody from anybody, so a
 * list that has nothing but patterns for everything is refused.
 */
#pragma once

#include "base/arena.h"
#include "codec/json.h"

#define CONDITIONS_MAX		 16
#define CONDITION_PATH_MAX	 4
#define CONDITION_TEXT_BYTES_MAX 512

enum condition_kind {
	CONDITION_EQUALS_STR,
	CONDITION_EQUALS_I64,
	CONDITION_EQUALS_BOOL,
	CONDITION_MATCHES,
	CONDITION_HAS,
	CONDITION_HAS_MATCH,
};

struct condition {
	const char *path[CONDITION_PATH_MAX]; /* names of nested members, NUL-terminated */
	size_t path_len;
	enum condition_kind kind;
	str text;
	int64_t number; /* also of a boolean */
};

struct conditions {
	struct condition list[CONDITIONS_MAX];
	size_t count;
};

/* False, with a static text in `*ret_why`, for what is no such list. Strings are copied. */
bool conditions_read(struct arena *arena, const struct json_value *array, struct conditions *ret,
		     const char **ret_why);

bool conditions_hold(const struct conditions *conditions, const struct json_value *claims);
