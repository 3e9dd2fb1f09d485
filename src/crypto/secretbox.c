/* SPDX-License-Identifier: Apache-2.0 */
/* secretbox.c - see secretbox.h. */
#include "crypto/secretbox.h"
#include "crypto/random.h"

#include "codec/base64.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define VERSION	    STR("v1.")

_Static_assert(SECRETBOX_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one key");

static const unsigned char *bytes_of(str s)
{
	return (const unsigned char *)(s.len ? s.ptr : "");
}

err_t secretbox_seal(struct ctx *ctx, const struct secretbox_key *key, str context, str secret,
		     str *ret_sealed)
{
	if (secret.len > SECRETBOX_SECRET_MAX || context.len > SECRETBOX_CONTEXT_MAX)
		return fail(ctx, ERR_LIMIT, "secret of %zu bytes is too long to seal", secret.len);

	unsigned char *box = arena_alloc(ctx->arena, NONCE_BYTES + secret.len + TAG_BYTES);
	unsigned long long sealed_len;
	random_bytes(box, NONCE_BYTES);
	CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
		      box + NONCE_BYTES, &sealed_len, bytes_of(secret), secret.len,
		      bytes_of(context), context.len, NULL, box, key->bytes) == 0);

	CLEANUP(buf_done) struct buf text = BUF_INIT(2 * SECRETBOX_SECRET_MAX);
	buf_add(&text, VERSION);
	base64_encode(&text, BASE64_URL, (str){ (char *)box, NONCE_BYTES + sealed_len });
	CHECK(!buf_overrun(&text));
	*ret_sealed = arena_copy(ctx->arena, buf_str(&text));
	return OK;
}

err_t secretbox_open(struct ctx *ctx, const struct secretbox_key *key, str context, str sealed,
		     str *ret_secret)
{
	str box;
	unsigned long long secret_len;
	if (sealed.len > 2 * SECRETBOX_SECRET_MAX || context.len > SECRETBOX_CONTEXT_MAX ||
	    !str_has_prefix(sealed, VERSION) ||
	    !base64_decode(ctx->arena, BASE64_URL, str_skip(sealed, VERSION.len), &box) ||
	    box.len < NONCE_BYTES + TAG_BYTES)
		return fail(ctx, ERR_CORRUPT, "sealed secret is malformed");

	unsigned char *secret = arena_alloc(ctx->arena, box.len - NONCE_BYTES - TAG_BYTES + 1);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    secret, &secret_len, NULL, bytes_of(box) + NONCE_BYTES, box.len - NONCE_BYTES,
		    bytes_of(context), context.len, bytes_of(box), key->bytes) != 0)
		return fail(ctx, ERR_CORRUPT, "sealed secret does not open under this key");
	*ret_secret = (str){ (char *)secret, secret_len };
	return OK;
}

void secretbox_key_done(struct secretbox_key *key)
{
	sodium_memzero(key, sizeof *key);
}
