/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encrypted_format.h - how bytes lie in an encrypted file (README.md, "Encrypted files"); private
 * to store. No I/O.
 *
 *	header | chunk 0 | chunk 1 | … | end
 *
 * Numbers are big-endian. Nothing of a file may be believed before something that was sealed says
 * so: a header is bound by being part of the key, chunks by their own tags, the size by the end.
 */
#pragma once

#include "codec/digest.h"
#include "crypto/aead.h"

#define ENCRYPTED_CHUNK_BYTES  KIB(64) /* plain bytes of each chunk but the last */
#define ENCRYPTED_SALT_BYTES   32
#define ENCRYPTED_HEADER_BYTES (8 + 4 + 4 + ENCRYPTED_SALT_BYTES)
#define ENCRYPTED_EXTRA_BYTES  (AEAD_NONCE_BYTES + AEAD_TAG_BYTES) /* of a chunk */
#define ENCRYPTED_RECORD_BYTES (ENCRYPTED_CHUNK_BYTES + ENCRYPTED_EXTRA_BYTES)
#define ENCRYPTED_END_BYTES    (8 + ENCRYPTED_EXTRA_BYTES)

/* What a sealed piece is; another one's is refused. */
enum encrypted_piece {
	ENCRYPTED_CHUNK = 'c',
	ENCRYPTED_TAIL = 't', /* the last bytes of an upload that goes on, in a file of their own */
	ENCRYPTED_END = 'e',
};

/* A new header, with a random salt. */
void encrypted_header_make(unsigned char into[ENCRYPTED_HEADER_BYTES]);

/* False when this is no header of this version. */
bool encrypted_header_is(str header);

/* The file's own key: of the storage's key and the whole header. */
void encrypted_key(const struct aead_key *data_key, str header, struct aead *ret);

/* How long a finished file of `plain_bytes` is; and back, false where no file is so long. */
uint64_t encrypted_stored_bytes(uint64_t plain_bytes);
bool encrypted_plain_bytes(uint64_t stored_bytes, uint64_t *ret);

/* nonce | plain.len bytes | tag. Each call takes a fresh nonce, so a chunk may be sealed again when
 * it has grown. `number` is its place in the file. */
void encrypted_seal(struct aead *aead, enum encrypted_piece piece, uint64_t number, str plain,
		    unsigned char *into);

/* Writes record.len - ENCRYPTED_EXTRA_BYTES; false, with nothing but zeros there, for another
 * piece, another place, or changed bytes. */
bool encrypted_open(struct aead *aead, enum encrypted_piece piece, uint64_t number, str record,
		    unsigned char *into);

/* size (8) | nonce | tag: that the file is complete with so many plain bytes, and which blob it is.
 */
void encrypted_end_seal(struct aead *aead, uint64_t plain_bytes, digest d,
			unsigned char into[ENCRYPTED_END_BYTES]);
bool encrypted_end_is(struct aead *aead, uint64_t plain_bytes, digest d, str end);

void encrypted_put_number(uint64_t number, unsigned char into[8]);
uint64_t encrypted_get_number(const unsigned char from[8]);
