/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_query.c - see harbor_query.h. */
#include "codec/harbor_query.h"

#include <time.h>

#include "base/banned.h"

#define SECOND_US INT64_C(1000000)

/* Commas part filters, except inside brackets, braces, parentheses and quotes. */
static str take_filter(str *rest)
{
	int depth = 0;
	char quote = 0;
	size_t at = 0;
	for (; at < rest->len; at++) {
		char c = rest->ptr[at];
		if (quote)
			quote = c == quote ? 0 : quote;
		else if (depth && (c == '"' || c == '\''))
			quote = c;
		else if (c == '[' || c == '{' || c == '(')
			depth++;
		else if (c == ']' || c == '}' || c == ')')
			depth -= depth > 0;
		else if (c == ',' && !depth)
			break;
	}
	str filter = str_take(*rest, at);
	*rest = str_skip(*rest, at + 1);
	return filter;
}

static str unquote(str value)
{
	bool quoted = value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
		      value.ptr[value.len - 1] == value.ptr[0];
	return quoted ? (str){ value.ptr + 1, value.len - 2 } : value;
}

static bool is_between(str value, char open, char close)
{
	return value.len >= 2 && value.ptr[0] == open && value.ptr[value.len - 1] == close;
}

static bool parse_range(str inside, struct harbor_filter *ret, const char **ret_why)
{
	str low, high;
	*ret_why = "a range needs \"~\" between its ends";
	if (!str_cut(inside, '~', &low, &high))
		return false;
	ret->kind = FILTER_RANGE;
	ret->low = unquote(str_trim(low));
	ret->high = unquote(str_trim(high));
	*ret_why = "a range needs at least one end";
	return ret->low.len || ret->high.len;
}

/* The next value of a list: up to a blank, or quoted. */
static bool next_value(str *rest, str *ret)
{
	*rest = str_trim(*rest);
	if (!rest->len)
		return false;
	char quote = rest->ptr[0];
	size_t end = 0;
	if (quote == '"' || quote == '\'') {
		for (end = 1; end < rest->len && rest->ptr[end] != quote; end++)
			;
		end += end < rest->len;
	} else {
		while (end < rest->len && rest->ptr[end] != ' ')
			end++;
	}
	*ret = unquote(str_take(*rest, end));
	*rest = str_skip(*rest, end);
	return true;
}

static bool parse_list(struct arena *arena, str inside, enum filter_kind kind,
		       struct harbor_filter *ret, const char **ret_why)
{
	str *values = ARENA_ARRAY(arena, str, HARBOR_VALUES_MAX), value;
	size_t count = 0;
	*ret_why = "a list has too many values";
	while (next_value(&inside, &value)) {
		if (count == HARBOR_VALUES_MAX)
			return false;
		values[count++] = value;
	}
	ret->kind = kind;
	ret->values = values;
	ret->value_count = count;
	*ret_why = "a list needs at least one value";
	return count > 0;
}

static bool parse_value(struct arena *arena, str value, struct harbor_filter *ret,
			const char **ret_why)
{
	str inside = value.len >= 2 ? (str){ value.ptr + 1, value.len - 2 } : STR_NONE;
	if (is_between(value, '[', ']'))
		return parse_range(inside, ret, ret_why);
	if (is_between(value, '{', '}'))
		return parse_list(arena, inside, FILTER_OR, ret, ret_why);
	if (is_between(value, '(', ')'))
		return parse_list(arena, inside, FILTER_AND, ret, ret_why);
	ret->kind = FILTER_EXACT;
	if (value.ptr[0] == '~') {
		ret->kind = FILTER_FUZZY;
		value = str_skip(value, 1);
	} else if (value.ptr[0] == '\\') {
		value = str_skip(value, 1);
	}
	ret->value = unquote(value);
	return true;
}

bool harbor_query_parse(struct arena *arena, str q, struct harbor_query *query,
			const char **ret_why)
{
	while (q.len) {
		str filter = take_filter(&q), key, value;
		*ret_why = "the query string must contain \"=\" and the key/value cannot be empty";
		if (!str_cut(filter, '=', &key, &value))
			return false;
		key = str_trim(key);
		value = str_trim(value);
		if (!key.len || !value.len)
			return false;
		*ret_why = "too many filters";
		if (query->filter_count == HARBOR_FILTERS_MAX)
			return false;
		struct harbor_filter *into = &query->filters[query->filter_count];
		*into = (struct harbor_filter){ .key = key };
		if (!parse_value(arena, value, into, ret_why))
			return false;
		query->filter_count++;
	}
	return true;
}

bool harbor_sort_parse(str sort, struct harbor_query *query, const char **ret_why)
{
	for (str item; str_next(&sort, ',', &item);) {
		item = str_trim(item);
		bool descending = str_has_prefix(item, STR("-"));
		str key = descending ? str_skip(item, 1) : item;
		if (!key.len)
			continue;
		*ret_why = "too many columns to sort by";
		if (query->sort_count == HARBOR_SORTS_MAX)
			return false;
		query->sorts[query->sort_count++] = (struct harbor_sort){ key, descending };
	}
	return true;
}

const struct harbor_filter *harbor_filter_find(const struct harbor_query *query, str key)
{
	for (size_t i = query->filter_count; i--;)
		if (str_eq(query->filters[i].key, key))
			return &query->filters[i];
	return NULL;
}

static bool digits(str text, size_t at, size_t count, uint64_t max, int *ret)
{
	uint64_t value;
	if (text.len < at + count || !str_to_u64((str){ text.ptr + at, count }, max, &value))
		return false;
	*ret = (int)value;
	return true;
}

bool harbor_time_parse(str text, int64_t *ret_us)
{
	struct tm tm = { 0 };
	if (!digits(text, 0, 4, 9999, &tm.tm_year) || !digits(text, 5, 2, 12, &tm.tm_mon) ||
	    !digits(text, 8, 2, 31, &tm.tm_mday) || text.ptr[4] != '-' || text.ptr[7] != '-')
		return false;
	if (text.len > 10 &&
	    ((text.ptr[10] != 'T' && text.ptr[10] != ' ') || text.len < 19 || text.ptr[13] != ':' ||
	     text.ptr[16] != ':' || !digits(text, 11, 2, 23, &tm.tm_hour) ||
	     !digits(text, 14, 2, 59, &tm.tm_min) || !digits(text, 17, 2, 60, &tm.tm_sec) ||
	     (text.len > 19 && text.ptr[19] != 'Z' && text.ptr[19] != '.')))
		return false;
	if (!tm.tm_mon || !tm.tm_mday)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_us = (int64_t)timegm(&tm) * SECOND_US;
	return true;
}
