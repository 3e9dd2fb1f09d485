/* SPDX-License-Identifier: Apache-2.0 */
/* reference.c - see reference.h. The grammar is read by hand, left to right, without going back. */
#include "codec/reference.h"

#include "base/banned.h"

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static size_t lower_or_digit_run(str s)
{
	size_t run = 0;
	while (run < s.len && is_lower_or_digit(s.ptr[run]))
		run++;
	return run;
}

/* A separator inside a path component: one dot, one or two underscores, or any number of dashes. */
static size_t separator_run(str s)
{
	size_t run = 0;
	while (run < s.len && s.ptr[run] == s.ptr[0])
		run++;
	switch (s.ptr[0]) {
	case '.':
		return run == 1 ? run : 0;
	case '_':
		return run <= 2 ? run : 0;
	case '-':
		return run;
	default:
		return 0;
	}
}

static bool is_path_component(str s)
{
	for (;;) {
		size_t run = lower_or_digit_run(s);
		if (run == 0 || run == s.len)
			return run != 0;
		s = str_skip(s, run);
		size_t separator = separator_run(s);
		if (separator == 0)
			return false;
		s = str_skip(s, separator);
	}
}

bool reference_is_repository(str name)
{
	str component;
	if (name.len > REPOSITORY_NAME_MAX)
		return false;
	while (str_cut(name, '/', &component, &name))
		if (!is_path_component(component))
			return false;
	return is_path_component(name);
}

bool reference_is_tag(str name)
{
	if (name.len == 0 || name.len > TAG_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool word = is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
		if (!word && (i == 0 || (c != '.' && c != '-')))
			return false;
	}
	return true;
}

bool reference_is_project(str name)
{
	return reference_is_repository(name) && !str_has_byte(name, '/');
}

str reference_project(str repository)
{
	str project, rest;
	return str_cut(repository, '/', &project, &rest) ? project : STR("library");
}

enum reference_kind reference_parse(str text, struct reference *ret)
{
	struct reference parsed = { 0 };
	if (str_has_byte(text, ':')) {
		if (!digest_parse(text, &parsed.digest))
			return REFERENCE_INVALID_DIGEST;
		*ret = parsed;
		return REFERENCE_DIGEST;
	}
	if (!reference_is_tag(text))
		return REFERENCE_INVALID_TAG;
	parsed.tag = text;
	*ret = parsed;
	return REFERENCE_TAG;
}
