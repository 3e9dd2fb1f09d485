/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - see random.h. */
#include "crypto/random.h"

#include "base/error.h"

#include "codec/hex.h"
#include "os/unique.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/banned.h"

#define UUID_BYTES 16

void random_bytes(void *into, size_t len)
{
	char *at = into;
	while (len) {
		ssize_t got = getrandom(at, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		CHECK(got > 0);
		at += got;
		len -= (size_t)got;
	}
}

/* Sets some of their bits. */
static void uuid_format(char bytes[UUID_BYTES], char into[UUID_TEXT_LEN + 1])
{
	static const unsigned char group_bytes[] = { 4, 2, 2, 2, 6 };
	bytes[6] = (char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
	bytes[8] = (char)((bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */

	const char *from = bytes;
	char *to = into;
	for (size_t i = 0; i < COUNT_OF(group_bytes); i++) {
		if (i)
			*to++ = '-';
		hex_encode((str){ from, group_bytes[i] }, to);
		from += group_bytes[i];
		to += 2 * group_bytes[i];
	}
	*to = '\0';
}

void random_uuid(char into[UUID_TEXT_LEN + 1])
{
	char bytes[UUID_BYTES];
	random_bytes(bytes, sizeof bytes);
	uuid_format(bytes, into);
}

void unique_uuid(char into[UUID_TEXT_LEN + 1])
{
	char bytes[UUID_BYTES];
	unique_bytes(bytes, sizeof bytes);
	uuid_format(bytes, into);
}

/* Bytes at or above the last multiple of 62 are thrown away, so that every character is equally
 * likely. */
str random_password(struct arena *arena, size_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const size_t letters = sizeof alphabet - 1;
	char *text = arena_alloc(arena, len + 1);
	for (size_t at = 0; at < len;) {
		unsigned char byte;
		random_bytes(&byte, 1);
		if (byte < 256 / letters * letters)
			text[at++] = alphabet[byte % letters];
	}
	return (str){ text, len };
}
