/* SPDX-License-Identifier: Apache-2.0 */
/* secret_text.c - see secret_text.h. */
#include "codec/secret_text.h"

#include "base/error.h"

#include "base/banned.h"

#define BASE	       62
#define CRC_POLYNOMIAL 0xedb88320u /* reflected */

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint32_t crc32_of(str bytes)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (unsigned char)bytes.ptr[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
	}
	return ~crc;
}

static void write_sum(str random, char into[SECRET_TEXT_SUM])
{
	uint32_t sum = crc32_of(random);
	for (size_t i = SECRET_TEXT_SUM; i-- > 0; sum /= BASE)
		into[i] = digits[sum % BASE];
}

static bool is_base62(str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!str_has_byte((str){ digits, BASE }, text.ptr[i]))
			return false;
	return true;
}

str secret_text_make(struct arena *arena, str prefix, str random)
{
	char sum[SECRET_TEXT_SUM];
	CHECK(random.len == SECRET_TEXT_RANDOM);
	write_sum(random, sum);
	return arena_printf(arena, STR_FMT STR_FMT STR_FMT, STR_ARG(prefix), STR_ARG(random),
			    SECRET_TEXT_SUM, sum);
}

bool secret_text_is(str text, str prefix)
{
	char sum[SECRET_TEXT_SUM];
	if (!str_has_prefix(text, prefix) ||
	    text.len != prefix.len + SECRET_TEXT_RANDOM + SECRET_TEXT_SUM)
		return false;
	str rest = str_skip(text, prefix.len);
	write_sum(str_take(rest, SECRET_TEXT_RANDOM), sum);
	return is_base62(rest) &&
	       str_eq(str_skip(rest, SECRET_TEXT_RANDOM), (str){ sum, SECRET_TEXT_SUM });
}
