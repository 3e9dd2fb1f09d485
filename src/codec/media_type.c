/* SPDX-License-Identifier: Apache-2.0 */
/* media_type.c - see media_type.h. */
#include "codec/media_type.h"

#include "base/banned.h"

#define RESTRICTED_NAME_MAX 127

str media_type_cut(str header)
{
	str type, parameters;
	return str_trim(str_cut(header, ';', &type, &parameters) ? type : header);
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_restricted_name(str s)
{
	if (s.len == 0 || s.len > RESTRICTED_NAME_MAX || !is_letter_or_digit(s.ptr[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!is_letter_or_digit(s.ptr[i]) && !str_has_byte(STR("!#$&-^_.+"), s.ptr[i]))
			return false;
	return true;
}

bool media_type_is_valid(str type)
{
	str top, sub;
	return str_cut(type, '/', &top, &sub) && is_restricted_name(top) && is_restricted_name(sub);
}

bool media_type_equal(str a, str b)
{
	return str_eq_nocase(a, b);
}
