/* SPDX-License-Identifier: Apache-2.0 */
/* jwk_internal.h - a key set from inside, for jwk.c and jwt.c. */
#pragma once

#include "crypto/jwk.h"
#include "crypto/jwt.h"

#include <openssl/evp.h>
#include <stdatomic.h>

/* Key types of JOSE with the curve, where it decides: what an algorithm needs. */
enum jwk_type { JWK_RSA, JWK_P256, JWK_P384, JWK_ED25519 };

struct jwk {
	char *id; /* "" when the set gives none */
	enum jwk_type type;
	int algorithm; /* enum jwt_algorithm, or -1: whatever the type can do */
	EVP_PKEY *key;
};

struct jwk_set {
	_Atomic(unsigned) references;
	size_t count;
	struct jwk keys[JWK_SET_KEYS_MAX];
};

/* The algorithm of a token's or key's `alg`; -1 for others. */
int jwt_algorithm_find(str name);
