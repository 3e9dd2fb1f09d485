/* SPDX-License-Identifier: Apache-2.0 */
/* A cookie's value lies within its header, and says the same when it is sent back alone. */
#include "base/arena.h"
#include "base/error.h"
#include "codec/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	str header = { (const char *)bytes, len };
	str value = cookie_get(header, STR("sid"));
	arena_init(&arena, MIB(1));
	if (!value.len || value.len > KIB(64))
		return 0;
	CHECK(value.ptr >= header.ptr && value.ptr + value.len <= header.ptr + header.len);
	CHECK(!str_has_byte(value, ';') && !str_has_byte(value, ' ') && !str_has_byte(value, '\0'));
	str again = arena_printf(&arena, "a=b; sid=" STR_FMT, STR_ARG(value));
	CHECK(str_eq(cookie_get(again, STR("sid")), value));
	return 0;
}
