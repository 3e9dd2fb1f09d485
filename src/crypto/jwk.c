/* SPDX-License-Identifier: Apache-2.0 */
/* jwk.c - see jwk.h. OpenSSL holds the keys and checks that points are on their curves. */
#include "jwk_internal.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/json.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/banned.h"

#define EXPONENT_BITS_MAX 33
#define ED25519_BYTES	  32
#define COORDINATE_MAX	  48

static void key_context_done(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

static void builder_done(OSSL_PARAM_BLD **builder)
{
	OSSL_PARAM_BLD_free(*builder);
}

static void parameters_done(OSSL_PARAM **parameters)
{
	OSSL_PARAM_free(*parameters);
}

static void number_done(BIGNUM **number)
{
	BN_free(*number);
}

/* The bytes of a member in base64url; false when it is absent or something else. */
static bool member_bytes(struct arena *arena, const struct json_value *jwk, const char *name,
			 str *ret)
{
	str text;
	return json_get_str(jwk, name, &text) == JSON_FOUND && text.len &&
	       base64_decode(arena, BASE64_URL, text, ret);
}

static EVP_PKEY *key_from(const char *algorithm, OSSL_PARAM_BLD *builder)
{
	EVP_PKEY *key = NULL;
	CLEANUP(parameters_done) OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	CLEANUP(key_context_done)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	if (!parameters || !context || EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) <= 0)
		return NULL;
	return key;
}

static BIGNUM *number(str bytes)
{
	return BN_bin2bn((const unsigned char *)bytes.ptr, (int)bytes.len, NULL);
}

static EVP_PKEY *read_rsa(struct arena *arena, const struct json_value *jwk, bool *ret_skip)
{
	str modulus_bytes, exponent_bytes;
	if (!member_bytes(arena, jwk, "n", &modulus_bytes) ||
	    !member_bytes(arena, jwk, "e", &exponent_bytes) ||
	    modulus_bytes.len > JWK_RSA_BITS_MAX / 8 + 1)
		return NULL;
	CLEANUP(number_done) BIGNUM *n = number(modulus_bytes);
	CLEANUP(number_done) BIGNUM *e = number(exponent_bytes);
	CLEANUP(builder_done) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	if (!n || !e || !builder || BN_num_bits(n) > JWK_RSA_BITS_MAX ||
	    BN_num_bits(e) > EXPONENT_BITS_MAX || !BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e))
		return NULL;
	*ret_skip = BN_num_bits(n) < JWK_RSA_BITS_MIN;
	if (!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
		return NULL;
	return key_from("RSA", builder);
}

static EVP_PKEY *read_point(struct arena *arena, const struct json_value *jwk, const char *group,
			    size_t coordinate_bytes)
{
	str x, y;
	unsigned char point[1 + 2 * COORDINATE_MAX] = { POINT_CONVERSION_UNCOMPRESSED };
	if (!member_bytes(arena, jwk, "x", &x) || x.len != coordinate_bytes ||
	    !member_bytes(arena, jwk, "y", &y) || y.len != coordinate_bytes)
		return NULL;
	memcpy(point + 1, x.ptr, x.len);
	memcpy(point + 1 + x.len, y.ptr, y.len);
	CLEANUP(builder_done) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	if (!builder ||
	    !OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
					      1 + 2 * coordinate_bytes))
		return NULL;
	return key_from("EC", builder);
}

static EVP_PKEY *read_edwards(struct arena *arena, const struct json_value *jwk)
{
	str x;
	if (!member_bytes(arena, jwk, "x", &x) || x.len != ED25519_BYTES)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr,
					   x.len);
}

/* False when the type, or the curve, is not one of ours. */
static bool read_type(const struct json_value *jwk, enum jwk_type *ret)
{
	static const struct {
		str type, curve;
		enum jwk_type value;
	} types[] = {
		{ STR_INIT("RSA"), STR_NONE, JWK_RSA },
		{ STR_INIT("EC"), STR_INIT("P-256"), JWK_P256 },
		{ STR_INIT("EC"), STR_INIT("P-384"), JWK_P384 },
		{ STR_INIT("OKP"), STR_INIT("Ed25519"), JWK_ED25519 },
	};
	str type, curve;
	if (json_get_str(jwk, "kty", &type) != JSON_FOUND)
		return false;
	bool has_curve = json_get_str(jwk, "crv", &curve) == JSON_FOUND;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		bool curve_fits =
			!types[i].curve.len || (has_curve && str_eq(curve, types[i].curve));
		if (str_eq(type, types[i].type) && curve_fits) {
			*ret = types[i].value;
			return true;
		}
	}
	return false;
}

/* `use` and `key_ops`, where given, must let the key verify. */
static bool may_verify(const struct json_value *jwk)
{
	const struct json_value *operations;
	str use;
	if (json_get_str(jwk, "use", &use) == JSON_FOUND && !str_eq(use, STR("sig")))
		return false;
	if (json_get_array(jwk, "key_ops", &operations) != JSON_FOUND)
		return true;
	for (size_t i = 0; i < json_count(operations); i++)
		if (str_eq(json_value_str(json_element(operations, i)), STR("verify")))
			return true;
	return false;
}

static EVP_PKEY *read_key(struct arena *arena, const struct json_value *jwk, enum jwk_type type,
			  bool *ret_skip)
{
	switch (type) {
	case JWK_RSA:
		return read_rsa(arena, jwk, ret_skip);
	case JWK_P256:
		return read_point(arena, jwk, "P-256", 32);
	case JWK_P384:
		return read_point(arena, jwk, "P-384", 48);
	case JWK_ED25519:
		return read_edwards(arena, jwk);
	}
	return NULL;
}

/* Adds one key, or skips what is not for us. */
static err_t add_key(struct ctx *ctx, struct jwk_set *set, const struct json_value *jwk)
{
	str id = STR_NONE, algorithm_name;
	enum jwk_type type;
	int algorithm = -1;
	bool skip = false;

	if (!read_type(jwk, &type) || !may_verify(jwk))
		return OK;
	if (json_get_str(jwk, "alg", &algorithm_name) == JSON_FOUND) {
		algorithm = jwt_algorithm_find(algorithm_name);
		if (algorithm < 0)
			return OK;
	}
	if (json_get_str(jwk, "kid", &id) == JSON_WRONG || id.len > JWK_KEY_ID_MAX)
		return fail(ctx, ERR_UPSTREAM_INVALID, "key set: an id is no short text");
	EVP_PKEY *key = read_key(ctx->arena, jwk, type, &skip);
	ERR_clear_error();
	if (!key)
		return fail(ctx, ERR_UPSTREAM_INVALID, "key set: key \"" STR_FMT "\" is damaged",
			    STR_ARG(id));
	if (skip) {
		EVP_PKEY_free(key);
		return OK;
	}
	set->keys[set->count++] = (struct jwk){ mem_copy(id), type, algorithm, key };
	return OK;
}

err_t jwk_set_parse(struct ctx *ctx, str json, struct jwk_set **ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct json_value *keys;

	if (json.len > JWK_SET_BYTES_MAX)
		return fail(ctx, ERR_UPSTREAM_INVALID, "key set of %zu bytes", json.len);
	if (!json_parse(json, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_UPSTREAM_INVALID, "key set: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	if (json_get_array(doc.root, "keys", &keys) != JSON_FOUND)
		return fail(ctx, ERR_UPSTREAM_INVALID, "key set: no array \"keys\"");
	if (json_count(keys) > JWK_SET_KEYS_MAX)
		return fail(ctx, ERR_UPSTREAM_INVALID, "key set of %zu keys", json_count(keys));
	CLEANUP(jwk_set_put) struct jwk_set *set = NEW(struct jwk_set);
	atomic_init(&set->references, 1);
	for (size_t i = 0; i < json_count(keys); i++)
		TRY(add_key(ctx, set, json_element(keys, i)));
	if (set->count == 0)
		return fail(ctx, ERR_UPSTREAM_INVALID, "key set: no key that verifies signatures");
	*ret = take(set);
	return OK;
}

struct jwk_set *jwk_set_get(struct jwk_set *set)
{
	if (set)
		atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
	return set;
}

void jwk_set_put(struct jwk_set **at)
{
	struct jwk_set *set = take(*at);
	if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->count; i++) {
		EVP_PKEY_free(set->keys[i].key);
		free(set->keys[i].id);
	}
	free(set);
}

size_t jwk_set_count(const struct jwk_set *set)
{
	return set->count;
}
