/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - see base64.h. */
#include "codec/base64.h"

#include "base/banned.h"

static const char digits[2][65] = {
	[BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	[BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

/* Up to three bytes become two to four digits. */
static void encode_group(struct buf *b, enum base64_alphabet alphabet, str group)
{
	const unsigned char *bytes = (const unsigned char *)group.ptr;
	unsigned bits = (unsigned)bytes[0] << 16;
	bits |= group.len > 1 ? (unsigned)bytes[1] << 8 : 0;
	bits |= group.len > 2 ? bytes[2] : 0;
	for (size_t i = 0; i < 4; i++)
		if (i <= group.len)
			buf_add_byte(b, digits[alphabet][bits >> (18 - 6 * i) & 63]);
		else if (alphabet == BASE64_STANDARD)
			buf_add_byte(b, '=');
}

void base64_encode(struct buf *b, enum base64_alphabet alphabet, str bytes)
{
	for (; bytes.len; bytes = str_skip(bytes, 3))
		encode_group(b, alphabet, str_take(bytes, 3));
}

static int digit_value(enum base64_alphabet alphabet, char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == digits[alphabet][62])
		return 62;
	return c == digits[alphabet][63] ? 63 : -1;
}

/* Two to four digits become one to three bytes; -1 for a bad digit or unused bits that are not
 * zero. */
static int decode_group(enum base64_alphabet alphabet, str group, char *into)
{
	unsigned bits = 0;
	for (size_t i = 0; i < group.len; i++) {
		int value = digit_value(alphabet, group.ptr[i]);
		if (value < 0)
			return -1;
		bits |= (unsigned)value << (18 - 6 * i);
	}
	int count = (int)group.len - 1;
	if (bits & (0xffffffu >> (8 * count)))
		return -1;
	for (int i = 0; i < count; i++)
		into[i] = (char)(bits >> (16 - 8 * i));
	return count;
}

/* Takes the padding off; false when it is not what the length asks for. */
static bool cut_padding(enum base64_alphabet alphabet, str *text)
{
	if (alphabet == BASE64_URL)
		return true;
	if (text->len % 4)
		return false;
	for (int i = 0; i < 2 && text->len && text->ptr[text->len - 1] == '='; i++)
		text->len--;
	return true;
}

bool base64_decode(struct arena *arena, enum base64_alphabet alphabet, str text, str *ret)
{
	if (!cut_padding(alphabet, &text) || text.len % 4 == 1)
		return false;
	char *into = arena_try(arena, text.len / 4 * 3 + 3);
	if (!into)
		return false;
	size_t len = 0;
	for (; text.len; text = str_skip(text, 4)) {
		int count = decode_group(alphabet, str_take(text, 4), into + len);
		if (count < 0)
			return false;
		len += (size_t)count;
	}
	*ret = (str){ into, len };
	return true;
}
