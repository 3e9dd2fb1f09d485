/* SPDX-License-Identifier: Apache-2.0 */
/* mask.c - see mask.h. */
#include "codec/mask.h"
#include "base/compiler.h"
#include "codec/hex.h"

#include "base/banned.h"

#define CUT_MIN	   4 /* so much of a secret before the end of the text is taken for it */
#define ESCAPE_MAX 6 /* "\u0026" */

enum spelling { PLAIN, OF_JSON, OF_URLS, SPELLING_COUNT };

/* "26" in either case. */
static bool is_hex_of(str digits, char c)
{
	char lower[2];
	unsigned char byte;
	for (size_t i = 0; i < 2; i++) {
		char d = digits.ptr[i];
		lower[i] = d >= 'A' && d <= 'F' ? (char)(d - 'A' + 'a') : d;
	}
	return hex_decode((str){ lower, 2 }, &byte) && byte == (unsigned char)c;
}

/* How many bytes at the beginning of `text` are `c`; 0: it is something else. */
static size_t spelled(str text, char c, enum spelling how)
{
	if (!text.len)
		return 0;
	if (how == OF_JSON && text.len >= 2 && text.ptr[0] == '\\' && text.ptr[1] == c)
		return 2;
	if (how == OF_JSON && text.len >= ESCAPE_MAX && str_has_prefix(text, STR("\\u00")) &&
	    is_hex_of(str_skip(text, 4), c))
		return ESCAPE_MAX;
	if (how == OF_URLS && text.len >= 3 && text.ptr[0] == '%' &&
	    is_hex_of(str_skip(text, 1), c))
		return 3;
	return text.ptr[0] == c || (how == OF_URLS && c == ' ' && text.ptr[0] == '+');
}

/* Nothing is left, or not all of an escape. */
static bool is_cut(str left)
{
	return !left.len || (left.len < ESCAPE_MAX && (left.ptr[0] == '\\' || left.ptr[0] == '%'));
}

/* How much of the beginning of `text` is the secret; 0: it does not begin so. */
static size_t secret_len(str text, str secret, enum spelling how)
{
	size_t at = 0, len;
	for (size_t i = 0; i < secret.len; i++, at += len) {
		str left = str_skip(text, at);
		len = spelled(left, secret.ptr[i], how);
		if (!len)
			return is_cut(left) && i >= MIN(CUT_MIN, (secret.len + 1) / 2) ? text.len
										       : 0;
	}
	return at;
}

static size_t longest(str text, const str *secrets, size_t count)
{
	size_t most = 0;
	for (size_t i = 0; i < count; i++)
		for (enum spelling how = PLAIN; how < SPELLING_COUNT; how++)
			most = MAX(most, secret_len(text, secrets[i], how));
	return most;
}

/* Secrets may overlap: what is behind the end of the one is looked at for another. */
void mask_add(struct buf *b, const str *secrets, size_t count, str text)
{
	size_t end = 0;
	for (size_t i = 0; i < text.len && !buf_overrun(b); i++) {
		size_t len = longest(str_skip(text, i), secrets, count);
		if (len && i >= end)
			buf_add(b, STR(MASK));
		end = MAX(end, i + len);
		if (i >= end)
			buf_add_byte(b, text.ptr[i]);
	}
}
