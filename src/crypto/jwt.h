/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwt.h - tokens that others signed (RFC 7515 compact form, RFC 7519, RFC 8725): reading them and
 * verifying the signature. Our own tokens are jws.h's.
 *
 * The token's header chooses among the issuer's keys and nothing else: the key must have its `kid`
 * and fit its `alg`. Refused are `none`, everything with a shared secret (HS256 …, so that no
 * public key can be passed off as a secret), keys and places of keys inside the token (`jwk`,
 * `jku`, `x5c`, `x5u`), critical extensions, encrypted tokens, and second spellings of base64.
 *
 * Claims are not looked at here: until jwt_verify() has said OK they are a stranger's words.
 */
#pragma once

#include "base/ctx.h"
#include "crypto/jwk.h"

#define JWT_BYTES_MAX KIB(32)

/* X(name in tokens, enumerator) */
#define JWT_ALGORITHMS(X)                                                                          \
	X("RS256", RS256)                                                                          \
	X("RS384", RS384)                                                                          \
	X("RS512", RS512)                                                                          \
	X("PS256", PS256)                                                                          \
	X("ES256", ES256)                                                                          \
	X("ES384", ES384)                                                                          \
	X("EdDSA", EDDSA)

enum jwt_algorithm {
#define JWT_ALGORITHM(text, name) JWT_##name,
	JWT_ALGORITHMS(JWT_ALGORITHM)
#undef JWT_ALGORITHM
		JWT_ALGORITHM_COUNT,
};

struct jwt {
	enum jwt_algorithm algorithm;
	str key_id;	 /* empty when the token names none */
	str type;	 /* `typ`, as written; empty when absent */
	str payload;	 /* the claims' JSON, not yet verified */
	str signed_text; /* view of the token */
	str signature;
};

/* True for what may be such a token: three parts, the first a JSON object in base64url. */
bool jwt_looks_like_one(str text);

/* Takes a token apart, into the arena. ERR_UNAUTHORIZED, with the reason, for anything else. */
err_t jwt_read(struct ctx *ctx, str token, struct jwt *ret);

/*
 * OK when one of the keys made the signature; ERR_UNAUTHORIZED when it is wrong. ERR_ABSENT,
 * unrecorded, when no key of the set fits: worth asking the issuer for its keys again. A token
 * without `kid` needs a set in which just one key fits.
 */
err_t jwt_verify(struct ctx *ctx, const struct jwk_set *keys, const struct jwt *jwt);
