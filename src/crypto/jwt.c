/* SPDX-License-Identifier: Apache-2.0 */
/* jwt.c - see jwt.h. Everything that a token could choose is checked before OpenSSL sees a byte of
 * it. */
#include "jwk_internal.h"

#include "codec/base64.h"
#include "codec/json.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/banned.h"

#define DER_SIGNATURE_MAX 128

struct algorithm {
	str name;
	enum jwk_type type;
	const EVP_MD *(*hash)(void); /* NULL: the algorithm hashes by itself */
	bool pss;
	size_t signature_bytes; /* 0: as long as the key */
};

static const struct algorithm algorithms[JWT_ALGORITHM_COUNT] = {
	[JWT_RS256] = { STR_INIT("RS256"), JWK_RSA, EVP_sha256, false, 0 },
	[JWT_RS384] = { STR_INIT("RS384"), JWK_RSA, EVP_sha384, false, 0 },
	[JWT_RS512] = { STR_INIT("RS512"), JWK_RSA, EVP_sha512, false, 0 },
	[JWT_PS256] = { STR_INIT("PS256"), JWK_RSA, EVP_sha256, true, 0 },
	[JWT_ES256] = { STR_INIT("ES256"), JWK_P256, EVP_sha256, false, 64 },
	[JWT_ES384] = { STR_INIT("ES384"), JWK_P384, EVP_sha384, false, 96 },
	[JWT_EDDSA] = { STR_INIT("EdDSA"), JWK_ED25519, NULL, false, 64 },
};

int jwt_algorithm_find(str name)
{
	for (int i = 0; i < JWT_ALGORITHM_COUNT; i++)
		if (str_eq(name, algorithms[i].name))
			return i;
	return -1;
}

/* --- reading -------------------------------------------------------------------------------- */

bool jwt_looks_like_one(str text)
{
	str head, rest, body, signature;
	return text.len <= JWT_BYTES_MAX && str_has_prefix(text, STR("eyJ")) &&
	       str_cut(text, '.', &head, &rest) && str_cut(rest, '.', &body, &signature) &&
	       body.len && signature.len && !str_has_byte(signature, '.');
}

/* A text member of the header, copied; `*ret` stays as it is when it is absent. */
static bool copy_member(struct arena *arena, const struct json_value *header, const char *name,
			str *ret)
{
	str text;
	enum json_got got = json_get_str(header, name, &text);
	if (got == JSON_FOUND)
		*ret = arena_copy(arena, text);
	return got != JSON_WRONG;
}

static err_t read_header(struct ctx *ctx, str bytes, struct jwt *ret)
{
	/* Keys that the token brings itself, extensions that must be understood, other payloads. */
	static const char *const refused[] = { "jwk", "jku", "x5c", "x5u", "crit", "b64", "enc" };
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str algorithm;

	if (!json_parse(bytes, JSON_LIMITS_SMALL, &doc, &problem) ||
	    !json_value_is_object(doc.root))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: header is no JSON object");
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (json_member(doc.root, refused[i]))
			return fail(ctx, ERR_UNAUTHORIZED, "foreign token: header has \"%s\"",
				    refused[i]);
	if (json_get_str(doc.root, "alg", &algorithm) != JSON_FOUND)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: no algorithm");
	int found = jwt_algorithm_find(algorithm);
	if (found < 0)
		return fail(ctx, ERR_UNAUTHORIZED,
			    "foreign token: algorithm " STR_FMT " is not accepted",
			    STR_ARG(str_take(algorithm, 32)));
	ret->algorithm = (enum jwt_algorithm)found;
	if (!copy_member(ctx->arena, doc.root, "kid", &ret->key_id) ||
	    !copy_member(ctx->arena, doc.root, "typ", &ret->type))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: header is malformed");
	return OK;
}

err_t jwt_read(struct ctx *ctx, str token, struct jwt *ret)
{
	struct jwt jwt = { .key_id = STR_NONE };
	str header_text, rest, payload_text, signature_text, header;
	if (token.len > JWT_BYTES_MAX || !str_cut(token, '.', &header_text, &rest) ||
	    !str_cut(rest, '.', &payload_text, &signature_text))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: not three parts");
	if (!base64_decode(ctx->arena, BASE64_URL, header_text, &header) ||
	    !base64_decode(ctx->arena, BASE64_URL, payload_text, &jwt.payload) ||
	    !base64_decode(ctx->arena, BASE64_URL, signature_text, &jwt.signature))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: not base64url");
	TRY(read_header(ctx, header, &jwt));
	jwt.signed_text = str_take(token, header_text.len + 1 + payload_text.len);
	*ret = jwt;
	return OK;
}

/* --- verifying ------------------------------------------------------------------------------ */

static void md_context_done(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

static void ecdsa_done(ECDSA_SIG **signature)
{
	ECDSA_SIG_free(*signature);
}

/* JOSE writes r and s side by side, OpenSSL wants them in DER. */
static bool to_der(str raw, unsigned char into[DER_SIGNATURE_MAX], str *ret)
{
	CLEANUP(ecdsa_done) ECDSA_SIG *signature = ECDSA_SIG_new();
	const unsigned char *bytes = (const unsigned char *)raw.ptr;
	int half = (int)(raw.len / 2);
	BIGNUM *r = BN_bin2bn(bytes, half, NULL), *s = BN_bin2bn(bytes + half, half, NULL);
	CHECK(signature && r && s && ECDSA_SIG_set0(signature, r, s));
	unsigned char *end = into;
	int len = i2d_ECDSA_SIG(signature, NULL);
	if (len <= 0 || len > DER_SIGNATURE_MAX || i2d_ECDSA_SIG(signature, &end) != len)
		return false;
	*ret = (str){ (const char *)into, (size_t)len };
	return true;
}

static bool set_padding(EVP_PKEY_CTX *context, const struct algorithm *algorithm)
{
	if (algorithm->type != JWK_RSA)
		return true;
	if (!algorithm->pss)
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(context, algorithm->hash()) > 0;
}

static bool verify_with(EVP_PKEY *key, const struct algorithm *algorithm, const struct jwt *jwt)
{
	CLEANUP(md_context_done) EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context;
	unsigned char der[DER_SIGNATURE_MAX];
	str signature = jwt->signature;

	size_t wanted = algorithm->signature_bytes ? algorithm->signature_bytes
						   : (size_t)EVP_PKEY_get_size(key);
	if (signature.len != wanted)
		return false;
	if ((algorithm->type == JWK_P256 || algorithm->type == JWK_P384) &&
	    !to_der(signature, der, &signature))
		return false;
	CHECK(context);
	return EVP_DigestVerifyInit(context, &key_context,
				    algorithm->hash ? algorithm->hash() : NULL, NULL, key) > 0 &&
	       set_padding(key_context, algorithm) &&
	       EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
				(const unsigned char *)jwt->signed_text.ptr,
				jwt->signed_text.len) == 1;
}

static bool key_fits(const struct jwk *key, const struct jwt *jwt)
{
	return key->type == algorithms[jwt->algorithm].type &&
	       (key->algorithm < 0 || key->algorithm == (int)jwt->algorithm) &&
	       (!jwt->key_id.len || str_eq(jwt->key_id, str_from(key->id)));
}

static size_t count_fitting(const struct jwk_set *keys, const struct jwt *jwt)
{
	size_t count = 0;
	for (size_t i = 0; i < keys->count; i++)
		count += key_fits(&keys->keys[i], jwt);
	return count;
}

err_t jwt_verify(struct ctx *ctx, const struct jwk_set *keys, const struct jwt *jwt)
{
	size_t fitting = count_fitting(keys, jwt);
	bool verified = false;
	if (fitting == 0)
		return ERR_ABSENT;
	if (fitting > 1 && !jwt->key_id.len)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: names no key, and several fit");
	for (size_t i = 0; i < keys->count && !verified; i++)
		verified = key_fits(&keys->keys[i], jwt) &&
			   verify_with(keys->keys[i].key, &algorithms[jwt->algorithm], jwt);
	/* A wrong signature leaves traces that the thread's TLS would take for its own. */
	ERR_clear_error();
	if (!verified)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: signature is wrong");
	return OK;
}
