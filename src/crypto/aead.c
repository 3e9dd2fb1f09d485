/* SPDX-License-Identifier: Apache-2.0 */
/* aead.c - see aead.h. Fetched once, as in hash.c, and for the same reason. */
#include "crypto/aead.h"

#include "base/error.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <string.h>

#include "base/banned.h"

static EVP_CIPHER *aes;
static EVP_KDF *hkdf;

static void fetch(void)
{
	aes = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	CHECK(aes && hkdf);
}

static void fetch_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CHECK(pthread_once(&once, fetch) == 0);
}

void aead_init(struct aead *aead, const struct aead_key *key)
{
	fetch_once();
	EVP_CIPHER_CTX *state = EVP_CIPHER_CTX_new();
	CHECK(state != NULL);
	CHECK(EVP_EncryptInit_ex2(state, aes, key->bytes, NULL, NULL) == 1);
	aead->state = state;
}

void aead_done(struct aead *aead)
{
	EVP_CIPHER_CTX_free(aead->state);
	aead->state = NULL;
}

static const unsigned char *bytes_of(str s)
{
	return (const unsigned char *)(s.len ? s.ptr : "");
}

/* `bound` first, then the text. OpenSSL takes an int. */
static void run(EVP_CIPHER_CTX *state, str bound, str text, unsigned char *into)
{
	int len;
	CHECK(bound.len <= INT_MAX && text.len <= INT_MAX);
	CHECK(EVP_CipherUpdate(state, NULL, &len, bytes_of(bound), (int)bound.len) == 1);
	if (text.len)
		CHECK(EVP_CipherUpdate(state, into, &len, bytes_of(text), (int)text.len) == 1 &&
		      (size_t)len == text.len);
}

void aead_seal(struct aead *aead, const unsigned char nonce[AEAD_NONCE_BYTES], str bound, str plain,
	       unsigned char *into)
{
	EVP_CIPHER_CTX *state = aead->state;
	int len;
	CHECK(EVP_EncryptInit_ex2(state, NULL, NULL, nonce, NULL) == 1);
	run(state, bound, plain, into);
	CHECK(EVP_EncryptFinal_ex(state, into + plain.len, &len) == 1 && len == 0);
	CHECK(EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, into + plain.len) ==
	      1);
}

bool aead_open(struct aead *aead, const unsigned char nonce[AEAD_NONCE_BYTES], str bound,
	       str sealed, unsigned char *into)
{
	EVP_CIPHER_CTX *state = aead->state;
	unsigned char tag[AEAD_TAG_BYTES], none[AEAD_TAG_BYTES];
	int len;
	if (sealed.len < AEAD_TAG_BYTES)
		return false;
	str text = str_take(sealed, sealed.len - AEAD_TAG_BYTES);
	memcpy(tag, sealed.ptr + text.len, sizeof tag);
	CHECK(EVP_DecryptInit_ex2(state, NULL, NULL, nonce, NULL) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, tag) == 1);
	run(state, bound, text, into);
	if (EVP_DecryptFinal_ex(state, none, &len) == 1)
		return true;
	if (text.len)
		memset(into, 0, text.len);
	return false;
}

void aead_key_derive(const struct aead_key *from, str salt, str info, struct aead_key *ret)
{
	fetch_once();
	char digest_name[] = "SHA2-256";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)from->bytes, sizeof from->bytes),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
						  (void *)(uintptr_t)bytes_of(salt), salt.len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
						  (void *)(uintptr_t)bytes_of(info), info.len),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF_CTX *state = EVP_KDF_CTX_new(hkdf);
	CHECK(state != NULL);
	CHECK(EVP_KDF_derive(state, ret->bytes, sizeof ret->bytes, parameters) == 1);
	EVP_KDF_CTX_free(state);
}

void aead_key_done(struct aead_key *key)
{
	OPENSSL_cleanse(key, sizeof *key);
}
