/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - streaming content digests.
 *
 *	CLEANUP(hash_done) struct hash h;
 *	hash_init(&h, DIGEST_SHA256);
 *	hash_update(&h, bytes, len);
 *	digest have = hash_final(&h);
 */
#pragma once

#include "codec/digest.h"

struct hash {
	void *state; /* EVP_MD_CTX */
	enum digest_algorithm algorithm;
};

void hash_init(struct hash *h, enum digest_algorithm algorithm);
void hash_update(struct hash *h, const void *bytes, size_t len);
digest hash_final(struct hash *h); /* once; only hash_done may follow */
void hash_done(struct hash *h);

digest hash_bytes(enum digest_algorithm algorithm, str bytes);
