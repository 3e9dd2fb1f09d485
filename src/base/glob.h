/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob.h - patterns over names with slashes, as Harbor's users know them ("doublestar").
 *
 *	*        any bytes but '/'          ?       one byte but '/'
 *	**       any bytes, '/' too         [a-z]   one byte of a class; [!a-z], [^a-z] the others
 *	{a,b}    one of several, not nested \x      x itself
 *
 * "**" between slashes also matches nothing: "a/ ** /b" (without blanks) matches "a/b".
 *
 * Cost is bounded: at most GLOB_STEPS_MAX steps, after which nothing matches. A pattern that does
 * not parse matches nothing; glob_check() says so beforehand.
 */
#pragma once

#include "base/str.h"

#define GLOB_BYTES_MAX 512
#define GLOB_STEPS_MAX 20000

bool glob_match(str pattern, str text);

/* False when the pattern is too long or malformed; `*ret_why` says what is wrong (static text). */
bool glob_check(str pattern, const char **ret_why);
