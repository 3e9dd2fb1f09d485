/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead.h - AES-256-GCM (NIST SP 800-38D) for bytes at rest, and HKDF-SHA256 (RFC 5869) for its
 * keys.
 *
 * A sealed text is as long as the plain one, and a tag behind it. `bound` is authenticated and not
 * kept: opening with another one fails. A nonce counts once under a key, for ever; random ones do
 * for some 2^32 texts.
 *
 *	CLEANUP(aead_done) struct aead aead;
 *	aead_init(&aead, &key);
 *	aead_seal(&aead, nonce, bound, plain, into);
 *	if (!aead_open(&aead, nonce, bound, sealed, into))
 *		return fail(ctx, ERR_CORRUPT, "…");
 *
 * The processor's AES instructions are used where there are any. What cannot be computed ends the
 * process, as with hashes. A `struct aead` belongs to one thread at a time.
 */
#pragma once

#include "base/str.h"

#define AEAD_KEY_BYTES	 32
#define AEAD_NONCE_BYTES 12
#define AEAD_TAG_BYTES	 16

struct aead_key {
	unsigned char bytes[AEAD_KEY_BYTES];
};

struct aead {
	void *state; /* EVP_CIPHER_CTX; NULL: not begun */
};

#define AEAD_INIT                                                                                  \
	{                                                                                          \
		NULL                                                                               \
	}

void aead_init(struct aead *aead, const struct aead_key *key);
void aead_done(struct aead *aead); /* CLEANUP; wipes the key */

/* Writes plain.len + AEAD_TAG_BYTES; `into` does not overlap `plain`. */
void aead_seal(struct aead *aead, const unsigned char nonce[AEAD_NONCE_BYTES], str bound, str plain,
	       unsigned char *into);

/* Writes sealed.len - AEAD_TAG_BYTES; false, with nothing but zeros there, when the text is not
 * what was sealed under this key with this nonce and this `bound`. */
bool aead_open(struct aead *aead, const unsigned char nonce[AEAD_NONCE_BYTES], str bound,
	       str sealed, unsigned char *into);

/* A key of its own for each `salt` and `info`. */
void aead_key_derive(const struct aead_key *from, str salt, str info, struct aead_key *ret);
void aead_key_done(struct aead_key *key); /* CLEANUP: overwrites it */
