/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.h - regular expressions that people configure (PCRE2), with bounds: a pattern that would
 * try forever does not match instead.
 *
 *	CLEANUP(regex_done) struct regex *re = NULL;
 *	if (!regex_compile(pattern, &re, &why)) …
 */
#pragma once

#include "base/str.h"

#define REGEX_PATTERN_MAX 1024

struct regex;

#define REGEX_WHY_MAX 160

/* False, with the reason, for a pattern that is too long or malformed. */
bool regex_compile(str pattern, struct regex **ret, char why[REGEX_WHY_MAX]);
void regex_done(struct regex **regex);

/* Whether the pattern occurs anywhere in `text`, as Go's MatchString says it; false past the
 * bounds. */
bool regex_matches(const struct regex *regex, str text);
