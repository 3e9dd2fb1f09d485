/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - see str.h. */
#include "base/str.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/banned.h"

str str_from(const char *nul_terminated)
{
	return nul_terminated ? (str){ nul_terminated, strlen(nul_terminated) } : STR_NONE;
}

bool str_eq(str a, str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Not strncasecmp: that one stops at a NUL and follows the locale. */
bool str_eq_nocase(str a, str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

int str_cmp(str a, str b)
{
	size_t common = MIN(a.len, b.len);
	int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_has_prefix(str s, str prefix)
{
	return s.len >= prefix.len && str_eq(str_take(s, prefix.len), prefix);
}

bool str_has_suffix(str s, str suffix)
{
	return s.len >= suffix.len && str_eq(str_skip(s, s.len - suffix.len), suffix);
}

bool str_has_byte(str s, char byte)
{
	return s.len && memchr(s.ptr, byte, s.len);
}

bool str_find(str s, str needle, size_t *ret_at)
{
	if (!s.len || !needle.len)
		return false;
	const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
	if (!at)
		return false;
	*ret_at = (size_t)(at - s.ptr);
	return true;
}

bool str_eq_secret(str a, str b)
{
	if (a.len != b.len)
		return false;
	unsigned char differs = 0;
	for (size_t i = 0; i < a.len; i++)
		differs |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
	return differs == 0;
}

str str_skip(str s, size_t count)
{
	count = MIN(count, s.len);
	return (str){ count ? s.ptr + count : s.ptr, s.len - count };
}

str str_take(str s, size_t count)
{
	return (str){ s.ptr, MIN(count, s.len) };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

str str_trim(str s)
{
	while (s.len && is_blank(s.ptr[0]))
		s = str_skip(s, 1);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool split_at(str s, const char *at, str *ret_before, str *ret_after)
{
	if (!at)
		return false;
	size_t before = (size_t)(at - s.ptr);
	*ret_before = str_take(s, before);
	*ret_after = str_skip(s, before + 1);
	return true;
}

bool str_cut(str s, char separator, str *ret_before, str *ret_after)
{
	const char *at = s.len ? memchr(s.ptr, separator, s.len) : NULL;
	return split_at(s, at, ret_before, ret_after);
}

bool str_cut_last(str s, char separator, str *ret_before, str *ret_after)
{
	const char *at = s.len ? memrchr(s.ptr, separator, s.len) : NULL;
	return split_at(s, at, ret_before, ret_after);
}

bool str_next(str *rest, char separator, str *ret_piece)
{
	if (!rest->ptr)
		return false;
	if (!str_cut(*rest, separator, ret_piece, rest)) {
		if (rest->len == 0) {
			*rest = STR_NONE;
			return false;
		}
		*ret_piece = *rest;
		*rest = STR_NONE;
	}
	return true;
}

bool str_to_u64(str s, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.ptr[i] - '0';
		if (digit > 9 || __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}

/* Length of the well-formed sequence at the start of `s`, or 0. Table 3-7 of the Unicode standard.
 */
static size_t utf8_sequence(str s)
{
	unsigned char lead = (unsigned char)s.ptr[0];
	if (lead < 0x80)
		return 1;
	size_t len = lead >= 0xC2 && lead <= 0xDF   ? 2
		     : (lead & 0xF0) == 0xE0	    ? 3
		     : lead >= 0xF0 && lead <= 0xF4 ? 4
						    : 0;
	if (len == 0 || s.len < len)
		return 0;
	unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	for (size_t i = 1; i < len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c < low || c > high)
			return 0;
		low = 0x80;
		high = 0xBF;
	}
	return len;
}

bool str_is_utf8(str s)
{
	while (s.len) {
		size_t len = utf8_sequence(s);
		if (len == 0)
			return false;
		s = str_skip(s, len);
	}
	return true;
}

static uint64_t hash_key;

static void hash_key_make(void)
{
	if (getrandom(&hash_key, sizeof hash_key, 0) != (ssize_t)sizeof hash_key)
		hash_key = (uint64_t)(uintptr_t)&hash_key;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load_tail(const char *ptr, size_t len)
{
	uint64_t word = 0;
	memcpy(&word, ptr, len);
	return word;
}

/* Folded 64×64→128 multiplication per 8 bytes, seeded with the process key. */
uint64_t str_hash(str s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, hash_key_make);

	uint64_t hash = hash_key ^ (s.len * 0x9E3779B97F4A7C15u);
	for (; s.len >= 8; s = str_skip(s, 8))
		hash = mix(hash ^ load_tail(s.ptr, 8), 0xA0761D6478BD642Fu);
	if (s.len)
		hash = mix(hash ^ load_tail(s.ptr, s.len), 0xE7037ED1A0B428DBu);
	return mix(hash, hash_key | 1);
}
