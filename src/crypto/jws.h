/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jws.h - signed tokens (RFC 7515, compact form, ES256) over a small ring of keys.
 *
 * The newest key signs; all keys in the ring verify, chosen by `kid`. `alg` is fixed: a token that
 * says anything else is refused. Claims are the caller's business; this module signs and checks
 * bytes. A ring is immutable once built, so threads share it; rotation builds a new one.
 */
#pragma once

#include "base/ctx.h"

#define JWS_KEYS_MAX  8
#define JWS_TOKEN_MAX KIB(16)

struct jws_key {
	str id;		 /* RFC 7638 thumbprint */
	str private_jwk; /* JSON Web Key with its private part */
};

struct jws_ring;

/* A new P-256 key; id and JWK in the arena. */
err_t jws_key_generate(struct ctx *ctx, struct jws_key *ret);

/* `keys[0]` signs. ERR_CONFIG when there is none, too many, or one that is not a private P-256 JWK.
 */
err_t jws_ring_new(struct ctx *ctx, const struct jws_key *keys, size_t count,
		   struct jws_ring **ret);
void jws_ring_free(struct jws_ring *ring);

/* The token, in the arena. ERR_LIMIT when it would exceed JWS_TOKEN_MAX. */
err_t jws_sign(struct ctx *ctx, const struct jws_ring *ring, str payload, str *ret_token);

/* The payload, in the arena. ERR_UNAUTHORIZED for any token that is not exactly one of ours. */
err_t jws_verify(struct ctx *ctx, const struct jws_ring *ring, str token, str *ret_payload);

/* True if the token names a key that the ring lacks: worth reading the keys again, then verifying.
 */
bool jws_key_is_unknown(struct ctx *ctx, const struct jws_ring *ring, str token);

/* The public halves as a JSON Web Key Set (RFC 7517 §5), in the arena, for others to verify with.
 */
err_t jws_public_jwks(struct ctx *ctx, const struct jws_ring *ring, str *ret_json);
