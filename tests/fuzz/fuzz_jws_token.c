/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens against a ring with the key of RFC 7515, appendix A.3. Nobody without the key gets one
 * accepted except by sending it unchanged; a text that is accepted has exactly three parts, and the
 * payload is the middle one.
 */
#include "base/error.h"
#include "codec/base64.h"
#include "crypto/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct jws_key key = {
	STR_INIT("example"),
	STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
		 "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		 "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
		 "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"),
};

static struct jws_ring *ring_of_example(struct ctx *ctx)
{
	static struct jws_ring *ring;
	if (!ring)
		CHECK(jws_ring_new(ctx, &key, 1, &ring) == OK);
	return ring;
}

static void check_accepted(str token, str payload)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(JWS_TOKEN_MAX);
	str head, body, signature;
	CHECK(str_cut(token, '.', &head, &body) && str_cut(body, '.', &body, &signature));
	CHECK(!str_has_byte(signature, '.'));
	base64_encode(&b, BASE64_URL, payload);
	CHECK(str_eq(buf_str(&b), body));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	str token = { (const char *)bytes, len }, payload;
	struct ctx ctx;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	struct jws_ring *ring = ring_of_example(&ctx);
	bool unknown = jws_key_is_unknown(&ctx, ring, token);
	err_t err = jws_verify(&ctx, ring, token, &payload);
	CHECK(err == OK || err == ERR_UNAUTHORIZED);
	CHECK(err != OK || !unknown);
	if (err == OK)
		check_accepted(token, payload);
	return 0;
}
