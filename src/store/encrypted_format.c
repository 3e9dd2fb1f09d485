/* SPDX-License-Identifier: Apache-2.0 */
/* encrypted_format.c - see encrypted_format.h. */
#include "encrypted_format.h"

#include "crypto/random.h"

#include <string.h>

#include "base/banned.h"

#define MAGIC		"BERTHENC"
#define BOUND_BYTES_MAX (1 + 8 + DIGEST_TEXT_MAX)

/* Magic, version 1, bytes of a chunk. */
static const unsigned char fixed[16] = { 'B', 'E', 'R', 'T', 'H', 'E', 'N',
					 'C', 0,   0,	0,   1,	  0,   ENCRYPTED_CHUNK_BYTES >> 16,
					 0,   0 };

_Static_assert(ENCRYPTED_CHUNK_BYTES == 65536, "as the header says");
_Static_assert(sizeof fixed + ENCRYPTED_SALT_BYTES == ENCRYPTED_HEADER_BYTES, "one header");

static str view(const unsigned char *bytes, size_t len)
{
	return (str){ (const char *)bytes, len };
}

void encrypted_put_number(uint64_t number, unsigned char into[8])
{
	for (int i = 7; i >= 0; i--, number >>= 8)
		into[i] = (unsigned char)number;
}

uint64_t encrypted_get_number(const unsigned char from[8])
{
	uint64_t number = 0;
	for (int i = 0; i < 8; i++)
		number = number << 8 | from[i];
	return number;
}

void encrypted_header_make(unsigned char into[ENCRYPTED_HEADER_BYTES])
{
	memcpy(into, fixed, sizeof fixed);
	random_bytes(into + sizeof fixed, ENCRYPTED_SALT_BYTES);
}

bool encrypted_header_is(str header)
{
	return header.len == ENCRYPTED_HEADER_BYTES && memcmp(header.ptr, fixed, sizeof fixed) == 0;
}

void encrypted_key(const struct aead_key *data_key, str header, struct aead *ret)
{
	CLEANUP(aead_key_done) struct aead_key key;
	aead_key_derive(data_key, str_skip(header, sizeof fixed), str_take(header, sizeof fixed),
			&key);
	aead_init(ret, &key);
}

uint64_t encrypted_stored_bytes(uint64_t plain_bytes)
{
	uint64_t chunks =
		plain_bytes / ENCRYPTED_CHUNK_BYTES + (plain_bytes % ENCRYPTED_CHUNK_BYTES != 0);
	return ENCRYPTED_HEADER_BYTES + plain_bytes + chunks * ENCRYPTED_EXTRA_BYTES +
	       ENCRYPTED_END_BYTES;
}

bool encrypted_plain_bytes(uint64_t stored_bytes, uint64_t *ret)
{
	const uint64_t around = ENCRYPTED_HEADER_BYTES + ENCRYPTED_END_BYTES;
	if (stored_bytes < around)
		return false;
	uint64_t whole = (stored_bytes - around) / ENCRYPTED_RECORD_BYTES;
	uint64_t rest = (stored_bytes - around) % ENCRYPTED_RECORD_BYTES;
	if (rest && rest <= ENCRYPTED_EXTRA_BYTES)
		return false;
	*ret = whole * ENCRYPTED_CHUNK_BYTES + (rest ? rest - ENCRYPTED_EXTRA_BYTES : 0);
	return true;
}

/* What a piece is bound to: its kind, its number, and for the end the blob's digest. */
static str bound(unsigned char into[BOUND_BYTES_MAX], enum encrypted_piece piece, uint64_t number,
		 str text)
{
	into[0] = (unsigned char)piece;
	encrypted_put_number(number, into + 1);
	if (text.len)
		memcpy(into + 9, text.ptr, text.len);
	return view(into, 9 + text.len);
}

void encrypted_seal(struct aead *aead, enum encrypted_piece piece, uint64_t number, str plain,
		    unsigned char *into)
{
	unsigned char bytes[BOUND_BYTES_MAX];
	random_bytes(into, AEAD_NONCE_BYTES);
	aead_seal(aead, into, bound(bytes, piece, number, STR_NONE), plain,
		  into + AEAD_NONCE_BYTES);
}

bool encrypted_open(struct aead *aead, enum encrypted_piece piece, uint64_t number, str record,
		    unsigned char *into)
{
	unsigned char bytes[BOUND_BYTES_MAX];
	return record.len >= ENCRYPTED_EXTRA_BYTES &&
	       aead_open(aead, (const unsigned char *)record.ptr,
			 bound(bytes, piece, number, STR_NONE), str_skip(record, AEAD_NONCE_BYTES),
			 into);
}

void encrypted_end_seal(struct aead *aead, uint64_t plain_bytes, digest d,
			unsigned char into[ENCRYPTED_END_BYTES])
{
	unsigned char bytes[BOUND_BYTES_MAX];
	encrypted_put_number(plain_bytes, into);
	random_bytes(into + 8, AEAD_NONCE_BYTES);
	aead_seal(aead, into + 8,
		  bound(bytes, ENCRYPTED_END, plain_bytes, str_from(digest_format(d).text)),
		  STR_NONE, into + 8 + AEAD_NONCE_BYTES);
}

bool encrypted_end_is(struct aead *aead, uint64_t plain_bytes, digest d, str end)
{
	unsigned char bytes[BOUND_BYTES_MAX], nothing[1];
	const unsigned char *at = (const unsigned char *)end.ptr;
	return end.len == ENCRYPTED_END_BYTES && encrypted_get_number(at) == plain_bytes &&
	       aead_open(aead, at + 8,
			 bound(bytes, ENCRYPTED_END, plain_bytes, str_from(digest_format(d).text)),
			 str_skip(end, 8 + AEAD_NONCE_BYTES), nothing);
}
