/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever Keystone or Swift answers: within bounds, or refused with a reason. */
#include "base/error.h"
#include "codec/swift_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_list(struct arena *arena, str text)
{
	struct swift_item *items;
	size_t count;
	str problem = STR_NONE;
	if (!swift_list_parse(arena, text, &items, &count, &problem)) {
		CHECK(problem.len);
		return;
	}
	CHECK(count <= SWIFT_LIST_MAX);
	for (size_t i = 0; i < count; i++)
		CHECK(items[i].name.len && items[i].name.len <= text.len);
}

static void check_token(struct arena *arena, str text)
{
	struct swift_token token;
	str problem = STR_NONE;
	if (!swift_token_parse(arena, text, STR(""), STR("public"), &token, &problem)) {
		CHECK(problem.len);
		return;
	}
	CHECK(token.url.len && !str_has_suffix(token.url, STR("/")) && token.lifetime_s >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	struct swift_info info;
	str text = { (const char *)bytes, len }, problem = STR_NONE;
	int64_t time_s = 0;
	arena_init(&arena, MIB(64));
	check_list(&arena, text);
	check_token(&arena, text);
	CHECK(swift_info_parse(&arena, text, &info, &problem) || problem.len);
	problem = STR_NONE;
	CHECK(swift_removal_parse(&arena, text, &problem) || problem.len);
	CHECK(!swift_time_parse(text, &time_s) || time_s >= 0);
	return 0;
}
