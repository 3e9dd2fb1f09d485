/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - see url.h. */
#include "codec/url.h"

#include "base/banned.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Takes one decoded byte off `*text`; -1 for a broken escape. */
static int next_byte(str *text)
{
	if (text->ptr[0] != '%') {
		int byte = (unsigned char)text->ptr[0];
		*text = str_skip(*text, 1);
		return byte;
	}
	if (text->len < 3)
		return -1;
	int high = hex_digit(text->ptr[1]);
	int low = hex_digit(text->ptr[2]);
	*text = str_skip(*text, 3);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool is_text(str s)
{
	return !str_has_byte(s, '\0') && str_is_utf8(s);
}

bool url_decode(struct arena *arena, str text, str *ret)
{
	str decoded = text;
	if (str_has_byte(text, '%')) {
		char *into = arena_alloc(arena, text.len + 1);
		size_t len = 0;
		while (text.len) {
			int byte = next_byte(&text);
			if (byte < 0)
				return false;
			into[len++] = (char)byte;
		}
		decoded = (str){ into, len };
	}
	if (!is_text(decoded))
		return false;
	*ret = decoded;
	return true;
}

/* RFC 3986 §2.3 */
static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void url_encode(struct buf *b, str text)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (is_unreserved(text.ptr[i]))
			buf_add_byte(b, text.ptr[i]);
		else
			buf_add(b, (str){ (char[]){ '%', digits[c >> 4], digits[c & 15] }, 3 });
	}
}

bool url_query_pair(str *rest, str *ret_name, str *ret_value)
{
	str pair;
	do {
		if (!str_next(rest, '&', &pair))
			return false;
	} while (pair.len == 0);
	if (!str_cut(pair, '=', ret_name, ret_value)) {
		*ret_name = pair;
		*ret_value = str_skip(pair, pair.len);
	}
	return true;
}

bool url_name_is(str raw, str name)
{
	while (raw.len && name.len) {
		if (next_byte(&raw) != (unsigned char)name.ptr[0])
			return false;
		name = str_skip(name, 1);
	}
	return raw.len == 0 && name.len == 0;
}

bool url_query_next(struct arena *arena, str *rest, str name, str *ret)
{
	str raw_name, raw_value;
	while (url_query_pair(rest, &raw_name, &raw_value))
		if (url_name_is(raw_name, name))
			return url_decode(arena, raw_value, ret);
	return false;
}

bool url_query_get(struct arena *arena, str query, str name, str *ret)
{
	return url_query_next(arena, &query, name, ret);
}

bool url_query_has(str query, str name)
{
	str raw_name, raw_value;
	while (url_query_pair(&query, &raw_name, &raw_value))
		if (url_name_is(raw_name, name))
			return true;
	return false;
}
