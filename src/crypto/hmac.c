/* SPDX-License-Identifier: Apache-2.0 */
/* hmac.c - see hmac.h. */
#include "crypto/hmac.h"

#include "base/error.h"

#include <sodium.h>

#include "base/banned.h"

static const unsigned char *bytes_of(str s)
{
	return (const unsigned char *)(s.len ? s.ptr : "");
}

void hmac_sha256(str key, str bytes, unsigned char ret[HMAC_SHA256_BYTES])
{
	_Static_assert(HMAC_SHA256_BYTES == crypto_auth_hmacsha256_BYTES, "same function");
	crypto_auth_hmacsha256_state state;
	CHECK(crypto_auth_hmacsha256_init(&state, bytes_of(key), key.len) == 0);
	CHECK(crypto_auth_hmacsha256_update(&state, bytes_of(bytes), bytes.len) == 0);
	CHECK(crypto_auth_hmacsha256_final(&state, ret) == 0);
	sodium_memzero(&state, sizeof state);
}
