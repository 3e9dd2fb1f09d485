/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c - see hash.h. The algorithms are fetched once: a fetch per hash costs more than hashing a
 * manifest. OpenSSL picks the processor's SHA instructions by itself. These calls fail only when
 * memory is gone or OpenSSL is broken, and a digest that was not computed must never be used, so
 * failing ends the process.
 */
#include "crypto/hash.h"

#include "base/error.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "base/banned.h"

static EVP_MD *algorithms[DIGEST_SHA512 + 1];

static void fetch_algorithms(void)
{
	algorithms[DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	algorithms[DIGEST_SHA512] = EVP_MD_fetch(NULL, "SHA2-512", NULL);
	CHECK(algorithms[DIGEST_SHA256] && algorithms[DIGEST_SHA512]);
}

static const EVP_MD *algorithm_of(enum digest_algorithm algorithm)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CHECK(pthread_once(&once, fetch_algorithms) == 0);
	CHECK(algorithm == DIGEST_SHA256 || algorithm == DIGEST_SHA512);
	return algorithms[algorithm];
}

void hash_init(struct hash *h, enum digest_algorithm algorithm)
{
	EVP_MD_CTX *state = EVP_MD_CTX_new();
	CHECK(state != NULL);
	CHECK(EVP_DigestInit_ex2(state, algorithm_of(algorithm), NULL) == 1);
	*h = (struct hash){ state, algorithm };
}

void hash_update(struct hash *h, const void *bytes, size_t len)
{
	CHECK(EVP_DigestUpdate(h->state, bytes, len) == 1);
}

digest hash_final(struct hash *h)
{
	digest d = { .algorithm = (unsigned char)h->algorithm };
	unsigned size = 0;
	CHECK(EVP_DigestFinal_ex(h->state, d.bytes, &size) == 1);
	CHECK(size == digest_size(h->algorithm));
	return d;
}

void hash_done(struct hash *h)
{
	EVP_MD_CTX_free(h->state);
	h->state = NULL;
}

digest hash_bytes(enum digest_algorithm algorithm, str bytes)
{
	digest d = { .algorithm = (unsigned char)algorithm };
	unsigned size = 0;
	CHECK(EVP_Digest(bytes.ptr, bytes.len, d.bytes, &size, algorithm_of(algorithm), NULL) == 1);
	CHECK(size == digest_size(algorithm));
	return d;
}
