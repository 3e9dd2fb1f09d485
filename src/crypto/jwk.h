/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwk.h - the public keys of somebody else's issuer: a JSON Web Key Set (RFC 7517) as a set to
 * verify with.
 *
 * What a set may hold besides keys for us is skipped, as the standard wants it: other types and
 * curves, keys for encryption, secrets ("oct"; a public document's secret proves nothing), RSA keys
 * under 2,048 bits. A key that claims a type of ours and is damaged makes the whole set bad: half
 * of a set would fail later and at random.
 *
 * A set is immutable and counted, so threads share it while a newer one takes its place.
 */
#pragma once

#include "base/ctx.h"

#define JWK_SET_BYTES_MAX KIB(256)
#define JWK_SET_KEYS_MAX  64
#define JWK_KEY_ID_MAX	  255
#define JWK_RSA_BITS_MIN  2048
#define JWK_RSA_BITS_MAX  8192

struct jwk_set;

/* ERR_UPSTREAM_INVALID, with the reason, for what is no key set or holds no key for us. */
err_t jwk_set_parse(struct ctx *ctx, str json, struct jwk_set **ret);

struct jwk_set *jwk_set_get(struct jwk_set *set); /* one more user */
void jwk_set_put(struct jwk_set **set);		  /* CLEANUP; frees after the last one */

size_t jwk_set_count(const struct jwk_set *set);
