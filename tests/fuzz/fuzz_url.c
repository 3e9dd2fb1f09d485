/* SPDX-License-Identifier: Apache-2.0 */
/* What decodes is UTF-8 without NUL and survives encoding; what is found in a query is there. */
#include "base/error.h"
#include "codec/form.h"
#include "codec/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_round_trip(struct arena *arena, str value)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(1));
	str again;
	url_encode(&b, value);
	CHECK(!buf_overrun(&b));
	CHECK(url_decode(arena, buf_str(&b), &again) && str_eq(again, value));
}

static void check_query(struct arena *arena, str query, str name)
{
	str rest = query, value;
	bool has = url_query_has(query, name);
	while (url_query_next(arena, &rest, name, &value)) {
		CHECK(has && str_is_utf8(value) && !str_has_byte(value, '\0'));
		check_round_trip(arena, value);
	}
	rest = query;
	while (form_next(arena, &rest, name, &value))
		CHECK(has && str_is_utf8(value) && !str_has_byte(value, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	str text = { (const char *)bytes, MIN(len, KIB(8)) }, value, name, raw, rest = text;
	arena_init(&arena, MIB(16));
	if (url_decode(&arena, text, &value)) {
		CHECK(str_is_utf8(value) && !str_has_byte(value, '\0') && value.len <= text.len);
		check_round_trip(&arena, value);
	}
	if (url_query_pair(&rest, &name, &raw))
		CHECK(url_query_has(text, name) || str_has_byte(name, '%'));
	static const str names[] = { STR_INIT("n"), STR_INIT("tag"), STR_INIT("digest") };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		check_query(&arena, text, names[i]);
	return 0;
}
