/* SPDX-License-Identifier: Apache-2.0 */
/* json_escape.c - see json_escape.h. */
#include "base/json_escape.h"

#include "base/banned.h"

/* How many bytes at the start of `s` can be copied as they are. */
static size_t plain_run(str s)
{
	size_t run = 0;
	while (run < s.len) {
		unsigned char c = (unsigned char)s.ptr[run];
		if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f)
			break;
		run++;
	}
	return run;
}

static void add_escaped(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		buf_add(b, STR("\\\""));
		break;
	case '\\':
		buf_add(b, STR("\\\\"));
		break;
	case '\n':
		buf_add(b, STR("\\n"));
		break;
	case '\t':
		buf_add(b, STR("\\t"));
		break;
	case '\r':
		buf_add(b, STR("\\r"));
		break;
	default:
		buf_printf(b, "\\u%04x", c);
	}
}

/* The longest well-formed multi-byte sequence at the start of `s`, or 0. */
static size_t wide_sequence(str s)
{
	for (size_t len = 2; len <= 4 && len <= s.len; len++)
		if (str_is_utf8(str_take(s, len)))
			return len;
	return 0;
}

void json_escape(struct buf *b, str s)
{
	buf_add_byte(b, '"');
	while (s.len) {
		size_t run = plain_run(s);
		buf_add(b, str_take(s, run));
		s = str_skip(s, run);
		if (!s.len)
			break;
		unsigned char c = (unsigned char)s.ptr[0];
		size_t wide = c >= 0x80 ? wide_sequence(s) : 0;
		if (wide)
			buf_add(b, str_take(s, wide));
		else if (c >= 0x80)
			buf_add(b, STR("\xEF\xBF\xBD"));
		else
			add_escaped(b, c);
		s = str_skip(s, wide ? wide : 1);
	}
	buf_add_byte(b, '"');
}
