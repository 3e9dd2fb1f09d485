/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secretbox.h - small secrets at rest: authenticated encryption (XChaCha20-Poly1305) under a master
 * key.
 *
 * A sealed secret is printable text, `v1.` and base64url of nonce and ciphertext, so it fits any
 * column. The nonce is random, 24 bytes. `context` says what the secret is for (`signing_key/ID`);
 * it is not kept, but bound: opening under another context fails, so a row cannot be moved in place
 * of another. Where the key comes from is the caller's business.
 */
#pragma once

#include "base/ctx.h"

#define SECRETBOX_KEY_BYTES   32
#define SECRETBOX_SECRET_MAX  KIB(16)
#define SECRETBOX_CONTEXT_MAX 255

struct secretbox_key {
	unsigned char bytes[SECRETBOX_KEY_BYTES];
};

/* The text in the arena. ERR_LIMIT when secret or context is too long. */
err_t secretbox_seal(struct ctx *ctx, const struct secretbox_key *key, str context, str secret,
		     str *ret_sealed);

/* The secret in the arena. ERR_CORRUPT for another key, another context, or a changed text. */
err_t secretbox_open(struct ctx *ctx, const struct secretbox_key *key, str context, str sealed,
		     str *ret_secret);

/* Overwrites the key; CLEANUP(secretbox_key_done). */
void secretbox_key_done(struct secretbox_key *key);
