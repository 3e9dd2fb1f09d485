/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - every option of the program, in one table.
 *
 * A row is the only place an option is written down: the fields of struct config (config.h), the
 * readers of the file, the environment and the flags, `berth serve --help` and docs/options.md all
 * come from it.
 *
 * X(TYPE, field, name, default, limits, text)
 *	TYPE     STRING, PATH, SECRET, LIST (commas) -> str; BOOL -> bool; CHOICE -> int (position);
 *	         INT, SIZE (bytes), DURATION (milliseconds) -> int64_t
 *	field    of struct config, with its unit last
 *	name     in the file and in messages: lower case, words by `_`, groups by `.`
 *	default  as one would write it
 *	limits   OPTION_RANGE for numbers, OPTION_CHOICES for CHOICE, OPTION_CHECK for a shape of
 * its own, or OPTION_FREE
 *
 * To add an option: one row in options_server.h, options_registry.h or options_sight.h, then
 * `berth options > docs/options.md`.
 */
#pragma once

#include "base/str.h"
#include "config/options_registry.h"
#include "config/options_server.h"
#include "config/options_sight.h"

#define OPTION_RANGE(low_, high_) .low = (low_), .high = (high_)
#define OPTION_CHOICES(words_)	  .choices = (words_)
#define OPTION_CHECK(function_)	  .check = (function_)
#define OPTION_FREE		  .check = NULL

#define OPTION_MS(n)	(INT64_C(1) * (n))
#define OPTION_S(n)	(INT64_C(1000) * (n))
#define OPTION_H(n)	(INT64_C(3600000) * (n))
#define OPTION_DAYS(n)	(INT64_C(86400000) * (n))
#define OPTION_BYTES(n) ((int64_t)(n))

#define OPTION_TABLE(X)                                                                            \
	OPTION_TABLE_SERVER(X)                                                                     \
	OPTION_TABLE_REGISTRY(X)                                                                   \
	OPTION_TABLE_SIGHT(X)

enum option_type {
	OPTION_STRING,
	OPTION_PATH,
	OPTION_SECRET,
	OPTION_LIST,
	OPTION_BOOL,
	OPTION_CHOICE,
	OPTION_INT,
	OPTION_SIZE,
	OPTION_DURATION,
};

struct option {
	enum option_type type;
	str name;
	str fallback; /* the default, as written */
	int64_t low, high;
	const char *choices;		/* "a|b|c" */
	const char *(*check)(str text); /* NULL when fine, else what it must be */
	size_t offset;			/* in struct config */
	const char *text;		/* Markdown */
};

enum option_id {
#define OPTION_ID(type, field, ...) OPTION_ID_##field,
	OPTION_TABLE(OPTION_ID)
#undef OPTION_ID
		OPTION_COUNT,
};

extern const struct option option_table[OPTION_COUNT];

/* The option with exactly this name; NULL if there is none. */
const struct option *option_find(str name);

/* The same with `.`, `-` and `_` taken for one another and upper case for lower. */
const struct option *option_find_loose(str name);

/* The name most like `name`, STR_NONE when none is near. */
str option_nearest(str name);
