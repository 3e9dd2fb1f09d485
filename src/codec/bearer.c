/* SPDX-License-Identifier: Apache-2.0 */
/* bearer.c - see bearer.h. */
#include "codec/bearer.h"

#include "base/banned.h"

static bool is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       str_has_byte(STR("-._~+/"), c);
}

/* b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
static bool is_token(str s)
{
	while (s.len && s.ptr[s.len - 1] == '=')
		s.len--;
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_byte(s.ptr[i]))
			return false;
	return s.len > 0;
}

bool bearer_parse(str header, str *ret_token)
{
	str scheme, token;
	if (!str_cut(header, ' ', &scheme, &token) || !str_eq_nocase(scheme, STR("bearer")))
		return false;
	token = str_trim(token);
	if (!is_token(token))
		return false;
	*ret_token = token;
	return true;
}
