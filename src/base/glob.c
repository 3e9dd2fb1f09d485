/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob.c - see glob.h. Backtracking with a budget of steps: patterns come from people, and a
 * hostile one must cost no more than a slow one.
 */
#include "base/glob.h"

#include "base/banned.h"

struct matcher {
	unsigned steps_left;
};

static bool match_here(struct matcher *m, str pattern, str text);

/* The length of the class at the start of `pattern` ("[...]"), 0 when it does not end. */
static size_t class_len(str pattern)
{
	size_t at = 1;
	if (at < pattern.len && (pattern.ptr[at] == '!' || pattern.ptr[at] == '^'))
		at++;
	for (size_t first = at; at < pattern.len; at++) {
		if (pattern.ptr[at] == ']' && at > first)
			return at + 1;
		if (pattern.ptr[at] == '\\')
			at++;
	}
	return 0;
}

static unsigned char class_byte(str class, size_t *at)
{
	if (class.ptr[*at] == '\\' && *at + 1 < class.len)
		(*at)++;
	return (unsigned char)class.ptr[(*at)++];
}

/* `class` is what stands between the brackets. */
static bool class_has(str class, unsigned char byte)
{
	size_t at = 0;
	bool negated = class.len && (class.ptr[0] == '!' || class.ptr[0] == '^');
	bool found = false;
	for (at += negated; at < class.len;) {
		unsigned char low = class_byte(class, &at), high = low;
		if (at + 1 < class.len && class.ptr[at] == '-') {
			at++;
			high = class_byte(class, &at);
		}
		found |= low <= byte && byte <= high;
	}
	return found != negated && byte != '/';
}

/* Where the group at the start of `pattern` ends ("{...}"), 0 when it does not. */
static size_t group_len(str pattern)
{
	for (size_t at = 1; at < pattern.len; at++) {
		if (pattern.ptr[at] == '\\')
			at++;
		else if (pattern.ptr[at] == '{')
			return 0;
		else if (pattern.ptr[at] == '}')
			return at + 1;
	}
	return 0;
}

/* The next alternative of a group; a backslash protects its comma. */
static bool next_alternative(str *rest, bool *done, str *ret)
{
	if (*done)
		return false;
	for (size_t at = 0; at < rest->len; at++) {
		if (rest->ptr[at] == '\\') {
			at++;
		} else if (rest->ptr[at] == ',') {
			*ret = str_take(*rest, at);
			*rest = str_skip(*rest, at + 1);
			return true;
		}
	}
	*done = true;
	*ret = *rest;
	return true;
}

struct joined {
	char bytes[2 * GLOB_BYTES_MAX];
	size_t len;
};

static void joined_add(struct joined *joined, str piece)
{
	for (size_t i = 0; i < piece.len && joined->len < sizeof joined->bytes; i++)
		joined->bytes[joined->len++] = piece.ptr[i];
}

static bool match_group(struct matcher *m, str pattern, str text)
{
	size_t len = group_len(pattern);
	if (!len)
		return false;
	str inside = { pattern.ptr + 1, len - 2 }, tail = str_skip(pattern, len), alternative;
	for (bool done = false; next_alternative(&inside, &done, &alternative);) {
		struct joined joined = { .len = 0 };
		joined_add(&joined, alternative);
		joined_add(&joined, tail);
		if (match_here(m, (str){ joined.bytes, joined.len }, text))
			return true;
	}
	return false;
}

static bool match_star(struct matcher *m, str pattern, str text)
{
	bool deep = pattern.len > 1 && pattern.ptr[1] == '*';
	str tail = str_skip(pattern, deep ? 2 : 1);
	while (tail.len && tail.ptr[0] == '*')
		tail = str_skip(tail, 1);
	/* A whole "**" segment may be no segment at all. */
	if (deep && tail.len && tail.ptr[0] == '/' && match_here(m, str_skip(tail, 1), text))
		return true;
	for (size_t at = 0;; at++) {
		if (match_here(m, tail, str_skip(text, at)))
			return true;
		if (at == text.len || (!deep && text.ptr[at] == '/'))
			return false;
	}
}

/* One byte of text against what is no star and no group; `*ret_len`: how much pattern it took. */
static bool match_byte(str pattern, unsigned char byte, size_t *ret_len)
{
	*ret_len = 1;
	switch (pattern.ptr[0]) {
	case '?':
		return byte != '/';
	case '[':
		*ret_len = class_len(pattern);
		return *ret_len && class_has((str){ pattern.ptr + 1, *ret_len - 2 }, byte);
	case '\\':
		*ret_len = 2;
		return pattern.len > 1 && (unsigned char)pattern.ptr[1] == byte;
	default:
		return (unsigned char)pattern.ptr[0] == byte;
	}
}

static bool match_here(struct matcher *m, str pattern, str text)
{
	while (pattern.len) {
		if (m->steps_left-- <= 1) {
			m->steps_left = 1;
			return false;
		}
		if (pattern.ptr[0] == '*')
			return match_star(m, pattern, text);
		if (pattern.ptr[0] == '{')
			return match_group(m, pattern, text);
		size_t len;
		if (!text.len) /* "a/ **" matches "a" too */
			return str_eq(pattern, STR("/**"));
		if (!match_byte(pattern, (unsigned char)text.ptr[0], &len))
			return false;
		pattern = str_skip(pattern, len);
		text = str_skip(text, 1);
	}
	return text.len == 0;
}

bool glob_match(str pattern, str text)
{
	const char *why;
	if (!glob_check(pattern, &why))
		return false;
	struct matcher m = { GLOB_STEPS_MAX };
	return match_here(&m, pattern, text);
}

bool glob_check(str pattern, const char **ret_why)
{
	*ret_why = "pattern is too long";
	if (pattern.len > GLOB_BYTES_MAX)
		return false;
	for (size_t at = 0, len = 1; at < pattern.len; at += len) {
		str rest = str_skip(pattern, at);
		len = 1;
		if (rest.ptr[0] == '[') {
			*ret_why = "'[' without ']'";
			len = class_len(rest);
		} else if (rest.ptr[0] == '{') {
			*ret_why = "'{' without '}', or one within another";
			len = group_len(rest);
		} else if (rest.ptr[0] == '\\') {
			*ret_why = "'\\' at the end";
			len = rest.len > 1 ? 2 : 0;
		}
		if (!len)
			return false;
	}
	*ret_why = "";
	return true;
}
