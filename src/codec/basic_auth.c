/* SPDX-License-Identifier: Apache-2.0 */
/* basic_auth.c - see basic_auth.h. */
#include "codec/basic_auth.h"
#include "codec/base64.h"

#include "base/banned.h"

static bool has_control(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	return false;
}

bool basic_auth_parse(struct arena *arena, str header, struct basic_auth *ret)
{
	str scheme, encoded, pair;
	struct basic_auth auth;

	if (header.len > BASIC_AUTH_BYTES_MAX || !str_cut(header, ' ', &scheme, &encoded) ||
	    !str_eq_nocase(scheme, STR("basic")))
		return false;
	if (!base64_decode(arena, BASE64_STANDARD, str_trim(encoded), &pair) ||
	    !str_is_utf8(pair) || has_control(pair))
		return false;
	if (!str_cut(pair, ':', &auth.user, &auth.password))
		return false;
	*ret = auth;
	return true;
}
