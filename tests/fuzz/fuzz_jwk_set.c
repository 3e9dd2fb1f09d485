/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets that an issuer may publish: a set that is accepted has keys, within its bounds. */
#include "base/error.h"
#include "crypto/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	CLEANUP(jwk_set_put) struct jwk_set *set = NULL;
	struct ctx ctx;
	arena_init(&arena, MIB(4));
	ctx_init(&ctx, &arena);
	err_t err = jwk_set_parse(&ctx, (str){ (const char *)bytes, len }, &set);
	CHECK(err == OK || err == ERR_UPSTREAM_INVALID);
	CHECK((err == OK) == (set != NULL));
	if (set)
		CHECK(jwk_set_count(set) > 0 && jwk_set_count(set) <= JWK_SET_KEYS_MAX);
	return 0;
}
