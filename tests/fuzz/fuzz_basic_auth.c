/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of an Authorization header hold no control bytes, and encode to the same again. */
#include "base/error.h"
#include "codec/base64.h"
#include "codec/basic_auth.h"
#include "codec/bearer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_basic(struct arena *arena, const struct basic_auth *auth)
{
	CLEANUP(buf_done) struct buf pair = BUF_INIT(KIB(16)), header = BUF_INIT(KIB(32));
	struct basic_auth again;
	CHECK(!str_has_byte(auth->user, ':') && str_is_utf8(auth->user) &&
	      str_is_utf8(auth->password));
	CHECK(!str_has_byte(auth->user, '\n') && !str_has_byte(auth->password, '\0'));
	buf_printf(&pair, STR_FMT ":" STR_FMT, STR_ARG(auth->user), STR_ARG(auth->password));
	buf_add(&header, STR("Basic "));
	base64_encode(&header, BASE64_STANDARD, buf_str(&pair));
	CHECK(basic_auth_parse(arena, buf_str(&header), &again));
	CHECK(str_eq(again.user, auth->user) && str_eq(again.password, auth->password));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	str header = { (const char *)bytes, len }, token;
	struct basic_auth auth;
	arena_init(&arena, KIB(64));
	bool basic = basic_auth_parse(&arena, header, &auth);
	bool bearer = bearer_parse(header, &token);
	CHECK(!(basic && bearer));
	if (basic)
		check_basic(&arena, &auth);
	if (bearer)
		CHECK(token.len && !str_has_byte(token, ' ') && !str_has_byte(token, '"'));
	return 0;
}
