/* SPDX-License-Identifier: Apache-2.0 */
/* hex.c - see hex.h. */
#include "codec/hex.h"

#include "base/banned.h"

void hex_encode(str bytes, char *into)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char byte = (unsigned char)bytes.ptr[i];
		into[2 * i] = digits[byte >> 4];
		into[2 * i + 1] = digits[byte & 15];
	}
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool hex_decode(str text, void *into)
{
	unsigned char *bytes = into;
	if (text.len % 2)
		return false;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = nibble(text.ptr[i]);
		int low = nibble(text.ptr[i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (unsigned char)(high << 4 | low);
	}
	return true;
}
