/* SPDX-License-Identifier: Apache-2.0 */
/* form.c - see form.h. */
#include "codec/form.h"
#include "codec/url.h"

#include "base/banned.h"

static str plus_to_blank(struct arena *arena, str raw)
{
	char *text = arena_cstr(arena, raw);
	for (size_t i = 0; i < raw.len; i++)
		if (text[i] == '+')
			text[i] = ' ';
	return (str){ text, raw.len };
}

bool form_next(struct arena *arena, str *rest, str name, str *ret)
{
	str raw_name, raw_value;
	if (rest->len > FORM_BYTES_MAX)
		return false;
	while (url_query_pair(rest, &raw_name, &raw_value))
		if (url_name_is(raw_name, name))
			return url_decode(arena, plus_to_blank(arena, raw_value), ret);
	return false;
}

bool form_get(struct arena *arena, str body, str name, str *ret)
{
	return form_next(arena, &body, name, ret);
}
