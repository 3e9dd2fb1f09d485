/* SPDX-License-Identifier: Apache-2.0 */
/* csrf.c - see csrf.h. Both texts are some random bytes and an HMAC of them. */
#include "auth/csrf.h"
#include "internal.h"

#include "codec/base64.h"
#include "crypto/random.h"

#include <string.h>

#include "base/banned.h"

#define RANDOM_BYTES 16
#define SEALED_BYTES (RANDOM_BYTES + HMAC_SHA256_BYTES)
#define TEXT_MAX     256

struct sealed {
	unsigned char random[RANDOM_BYTES];
	unsigned char mac[HMAC_SHA256_BYTES];
};

static void sign(struct ctx *ctx, const struct auth *auth, const char *what, str about,
		 struct sealed *sealed)
{
	str message = arena_printf(ctx->arena, "%s/" STR_FMT, what, STR_ARG(about));
	char *bytes = arena_alloc(ctx->arena, message.len + RANDOM_BYTES);
	memcpy(bytes, sealed->random, RANDOM_BYTES);
	memcpy(bytes + RANDOM_BYTES, message.ptr, message.len);
	hmac_sha256((str){ (const char *)auth->csrf_key, sizeof auth->csrf_key },
		    (str){ bytes, message.len + RANDOM_BYTES }, sealed->mac);
}

static str make(struct ctx *ctx, const struct auth *auth, const char *what, str about)
{
	struct sealed sealed;
	CLEANUP(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	random_bytes(sealed.random, sizeof sealed.random);
	sign(ctx, auth, what, about, &sealed);
	base64_encode(&text, BASE64_URL, (str){ (const char *)&sealed, sizeof sealed });
	return arena_copy(ctx->arena, buf_str(&text));
}

static bool is_made(struct ctx *ctx, const struct auth *auth, const char *what, str about, str text)
{
	struct sealed wanted;
	str bytes;
	if (text.len > TEXT_MAX || !base64_decode(ctx->arena, BASE64_URL, text, &bytes) ||
	    bytes.len != SEALED_BYTES)
		return false;
	memcpy(wanted.random, bytes.ptr, RANDOM_BYTES);
	sign(ctx, auth, what, about, &wanted);
	return str_eq_secret(bytes, (str){ (const char *)&wanted, sizeof wanted });
}

str csrf_cookie_make(struct ctx *ctx, const struct auth *auth)
{
	return make(ctx, auth, "cookie", STR_NONE);
}

bool csrf_cookie_is_ours(struct ctx *ctx, const struct auth *auth, str cookie)
{
	return is_made(ctx, auth, "cookie", STR_NONE, cookie);
}

str csrf_token_make(struct ctx *ctx, const struct auth *auth, str cookie)
{
	return make(ctx, auth, "token", cookie);
}

bool csrf_token_fits(struct ctx *ctx, const struct auth *auth, str cookie, str token)
{
	return csrf_cookie_is_ours(ctx, auth, cookie) && is_made(ctx, auth, "token", cookie, token);
}
