/* SPDX-License-Identifier: Apache-2.0 */
/* jwt_fixture.h - an issuer for tests: keys of each type, their public set, and tokens of any
 * shape. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"
#include "codec/base64.h"
#include "crypto/jwt.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

enum issuer_key { KEY_RSA, KEY_P256, KEY_P384, KEY_ED25519, KEY_COUNT };

struct issuer {
	struct arena *arena;
	EVP_PKEY *keys[KEY_COUNT];
	const char *ids[KEY_COUNT];
};

static __attribute__((noinline, unused)) str issuer_base64(struct issuer *issuer, const void *bytes,
							   size_t len)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(64));
	base64_encode(&b, BASE64_URL, (str){ bytes, len });
	return arena_copy(issuer->arena, buf_str(&b));
}

/* `prefix` begins the key ids, so that two issuers differ. */
static __attribute__((noinline, unused)) void issuer_start(struct issuer *issuer,
							   struct arena *arena, const char *prefix)
{
	static const char *const names[] = { "rsa", "p256", "p384", "ed" };
	issuer->arena = arena;
	issuer->keys[KEY_RSA] = EVP_RSA_gen(2048);
	issuer->keys[KEY_P256] = EVP_EC_gen("P-256");
	issuer->keys[KEY_P384] = EVP_EC_gen("P-384");
	issuer->keys[KEY_ED25519] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (int i = 0; i < KEY_COUNT; i++)
		issuer->ids[i] = arena_printf(arena, "%s%s", prefix, names[i]).ptr;
}

static __attribute__((noinline, unused)) void issuer_stop(struct issuer *issuer)
{
	for (int i = 0; i < KEY_COUNT; i++)
		EVP_PKEY_free(issuer->keys[i]);
}

static __attribute__((noinline, unused)) str issuer_number(struct issuer *issuer, EVP_PKEY *key,
							   const char *name, size_t bytes)
{
	BIGNUM *number = NULL;
	unsigned char raw[1024];
	cr_assert(EVP_PKEY_get_bn_param(key, name, &number));
	int len = bytes ? BN_bn2binpad(number, raw, (int)bytes) : BN_bn2bin(number, raw);
	BN_free(number);
	return issuer_base64(issuer, raw, (size_t)len);
}

/* One public key as JSON; `extra` is ",\"alg\":…" or "". */
static __attribute__((noinline, unused)) str issuer_jwk(struct issuer *issuer, enum issuer_key at,
							const char *extra)
{
	EVP_PKEY *key = issuer->keys[at];
	const char *id = issuer->ids[at];
	if (at == KEY_RSA)
		return arena_printf(
			issuer->arena,
			"{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"" STR_FMT "\",\"e\":\"" STR_FMT
			"\"%s}",
			id, STR_ARG(issuer_number(issuer, key, OSSL_PKEY_PARAM_RSA_N, 0)),
			STR_ARG(issuer_number(issuer, key, OSSL_PKEY_PARAM_RSA_E, 0)), extra);
	if (at == KEY_ED25519) {
		unsigned char raw[32];
		size_t len = sizeof raw;
		cr_assert(EVP_PKEY_get_raw_public_key(key, raw, &len));
		return arena_printf(
			issuer->arena,
			"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"" STR_FMT
			"\"%s}",
			id, STR_ARG(issuer_base64(issuer, raw, len)), extra);
	}
	size_t bytes = at == KEY_P256 ? 32 : 48;
	return arena_printf(issuer->arena,
			    "{\"kty\":\"EC\",\"crv\":\"%s\",\"kid\":\"%s\",\"x\":\"" STR_FMT
			    "\",\"y\":\"" STR_FMT "\"%s}",
			    at == KEY_P256 ? "P-256" : "P-384", id,
			    STR_ARG(issuer_number(issuer, key, OSSL_PKEY_PARAM_EC_PUB_X, bytes)),
			    STR_ARG(issuer_number(issuer, key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes)),
			    extra);
}

static __attribute__((noinline, unused)) str issuer_set(struct issuer *issuer)
{
	return arena_printf(issuer->arena,
			    "{\"keys\":[" STR_FMT "," STR_FMT "," STR_FMT "," STR_FMT "]}",
			    STR_ARG(issuer_jwk(issuer, KEY_RSA, ",\"use\":\"sig\"")),
			    STR_ARG(issuer_jwk(issuer, KEY_P256, "")),
			    STR_ARG(issuer_jwk(issuer, KEY_P384, ",\"alg\":\"ES384\"")),
			    STR_ARG(issuer_jwk(issuer, KEY_ED25519, "")));
}

static __attribute__((noinline, unused)) size_t issuer_raw_ecdsa(const unsigned char *der,
								 size_t len, unsigned char *raw,
								 size_t coordinate)
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
	cr_assert(signature);
	BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, (int)coordinate);
	BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + coordinate, (int)coordinate);
	ECDSA_SIG_free(signature);
	return 2 * coordinate;
}

static const struct {
	const char *name;
	enum issuer_key key;
	const EVP_MD *(*hash)(void);
	bool pss;
} issuer_algorithms[] = {
	{ "RS256", KEY_RSA, EVP_sha256, false },  { "RS384", KEY_RSA, EVP_sha384, false },
	{ "RS512", KEY_RSA, EVP_sha512, false },  { "PS256", KEY_RSA, EVP_sha256, true },
	{ "ES256", KEY_P256, EVP_sha256, false }, { "ES384", KEY_P384, EVP_sha384, false },
	{ "EdDSA", KEY_ED25519, NULL, false },
};

/* Signs `head`.`payload`, both JSON, as algorithm number `at` of the table does. */
static __attribute__((noinline, unused)) str issuer_sign(struct issuer *issuer, size_t at,
							 const char *head, str payload)
{
	unsigned char signature[1024], raw[128];
	size_t len = sizeof signature;
	EVP_PKEY *key = issuer->keys[issuer_algorithms[at].key];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context;
	str text = arena_printf(issuer->arena, STR_FMT "." STR_FMT,
				STR_ARG(issuer_base64(issuer, head, strlen(head))),
				STR_ARG(issuer_base64(issuer, payload.ptr, payload.len)));
	const EVP_MD *md = issuer_algorithms[at].hash ? issuer_algorithms[at].hash() : NULL;
	cr_assert(EVP_DigestSignInit(context, &key_context, md, NULL, key) > 0);
	if (issuer_algorithms[at].pss) {
		EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST);
	}
	cr_assert(EVP_DigestSign(context, signature, &len, (const unsigned char *)text.ptr,
				 text.len) > 0);
	EVP_MD_CTX_free(context);
	const unsigned char *bytes = signature;
	if (issuer_algorithms[at].key == KEY_P256 || issuer_algorithms[at].key == KEY_P384) {
		len = issuer_raw_ecdsa(signature, len, raw,
				       issuer_algorithms[at].key == KEY_P256 ? 32 : 48);
		bytes = raw;
	}
	return arena_printf(issuer->arena, STR_FMT "." STR_FMT, STR_ARG(text),
			    STR_ARG(issuer_base64(issuer, bytes, len)));
}

/* The token that this issuer would make: right `alg` and `kid`. */
static __attribute__((noinline, unused)) str issuer_token(struct issuer *issuer, size_t at,
							  str payload)
{
	return issuer_sign(
		issuer, at,
		arena_printf(issuer->arena, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
			     issuer_algorithms[at].name, issuer->ids[issuer_algorithms[at].key])
			.ptr,
		payload);
}
