/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates.h - how an option says rates: for each class of routes how often, in what time, and how
 * often at once.
 *
 *	pull=100/s:500, push=600/m, login=20/10s
 *
 * is 100 pulls a second and 500 at once, 600 pushes a minute, 20 logins in ten seconds. Without a
 * burst it is the count. A class that is not named has no limit.
 */
#pragma once

#include "base/rate.h"

/* X(enumerator, name in options and headers, text) */
#define RATE_CLASSES(X)                                                                            \
	X(PULL, "pull", "reading below `/v2/`")                                                    \
	X(PUSH, "push", "writing below `/v2/`, but never the bytes of an upload that has begun")   \
	X(LOGIN, "login", "the token service and sessions")                                        \
	X(READ, "read", "reading by the API")                                                      \
	X(WRITE, "write", "changes by the API")

enum rate_class {
#define RATE_CLASS(name, ...) RATE_##name,
	RATE_CLASSES(RATE_CLASS)
#undef RATE_CLASS
		RATE_CLASS_COUNT,
};

#define RATE_COUNT_MAX INT64_C(1000000000)

const char *rate_class_name(enum rate_class class);

/* Reads an option's text; what is not named gets a count of 0. False when it does not parse, or a
 * class is there twice. */
bool rates_read(str text, struct rate_policy ret[RATE_CLASS_COUNT]);
