/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the table of options.h as data, and finding a row by its name. */
#include "config/options.h"

#include "config/check.h"

#include "base/banned.h"

#define OPTION_ROW(type_, field_, name_, default_, limits_, text_)                                 \
	{                                                                                          \
		.type = OPTION_##type_,                                                            \
		.name = STR_INIT(name_),                                                           \
		.fallback = STR_INIT(default_),                                                    \
		.offset = offsetof(struct config, field_),                                         \
		.text = text_,                                                                     \
		limits_,                                                                           \
	},
const struct option option_table[OPTION_COUNT] = { OPTION_TABLE(OPTION_ROW) };

/* Names longer than this are not compared for likeness. */
#define NAME_LEN_MAX 48

const struct option *option_find(str name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (str_eq(option_table[i].name, name))
			return &option_table[i];
	return NULL;
}

static char fold(char c)
{
	if (c == '.' || c == '-')
		return '_';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool eq_loose(str a, str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold(a.ptr[i]) != fold(b.ptr[i]))
			return false;
	return true;
}

const struct option *option_find_loose(str name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (eq_loose(option_table[i].name, name))
			return &option_table[i];
	return NULL;
}

/* How many characters to insert, remove or change to get from `a` to `b` (both at most
 * NAME_LEN_MAX). */
static size_t edit_distance(str a, str b)
{
	size_t row[NAME_LEN_MAX + 1];
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t change = diagonal + (fold(a.ptr[i - 1]) != fold(b.ptr[j - 1]));
			diagonal = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.len];
}

str option_nearest(str name)
{
	str nearest = STR_NONE;
	size_t least = 4;
	if (name.len < 3 || name.len > NAME_LEN_MAX)
		return STR_NONE;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		size_t distance = edit_distance(name, option_table[i].name);
		if (distance < least && distance < name.len / 2) {
			least = distance;
			nearest = option_table[i].name;
		}
	}
	return nearest;
}
