/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign tokens against the key of RFC 7515, appendix A.3. Nobody without the key gets one
 * accepted except by sending it unchanged; what is accepted signs exactly the first two parts of
 * the text.
 */
#include "base/error.h"
#include "crypto/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct jwk_set *set_of_example(struct ctx *ctx)
{
	static struct jwk_set *set;
	if (!set)
		CHECK(jwk_set_parse(ctx,
				    STR("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
					"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
					"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}"),
				    &set) == OK);
	return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	str token = { (const char *)bytes, len };
	struct jwt jwt;
	struct ctx ctx;
	arena_init(&arena, MIB(4));
	ctx_init(&ctx, &arena);
	struct jwk_set *set = set_of_example(&ctx);
	err_t err = jwt_read(&ctx, token, &jwt);
	CHECK(err == OK || err == ERR_UNAUTHORIZED);
	if (err != OK)
		return 0;
	CHECK(token.len <= JWT_BYTES_MAX && jwt.algorithm < JWT_ALGORITHM_COUNT);
	CHECK(str_has_prefix(token, jwt.signed_text) && token.ptr[jwt.signed_text.len] == '.');
	err = jwt_verify(&ctx, set, &jwt);
	CHECK(err == OK || err == ERR_UNAUTHORIZED || err == ERR_ABSENT);
	CHECK(err != OK || jwt.algorithm == JWT_ES256);
	return 0;
}
