/* SPDX-License-Identifier: Apache-2.0 */
/* hmac.h - HMAC-SHA256 (RFC 2104, FIPS 198-1), for cache keys and short checks under a secret. */
#pragma once

#include "base/str.h"

#define HMAC_SHA256_BYTES 32

/* Any key length; 32 random bytes are right. */
void hmac_sha256(str key, str bytes, unsigned char ret[HMAC_SHA256_BYTES]);
