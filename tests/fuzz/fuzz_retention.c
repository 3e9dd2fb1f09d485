/* SPDX-License-Identifier: Apache-2.0 */
/* A policy of retention that is read can be written and read again, as the same text, and decides;
 * one that is none says what is wrong. */
#include "base/error.h"
#include "codec/json.h"
#include "model/retention.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool read_text(struct arena *arena, str text, struct retention_policy *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem at;
	struct retention_problem problem = { 0 };
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &at))
		return false;
	if (retention_read(arena, doc.root, ret, &problem))
		return true;
	CHECK(problem.text.len);
	return false;
}

static str write_text(struct arena *arena, const struct retention_policy *policy)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(RETENTION_JSON_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	retention_write(&w, policy);
	json_write_object_end(&w);
	CHECK(!buf_overrun(&text));
	return arena_copy(arena, buf_str(&text));
}

static void decide(struct arena *arena, const struct retention_policy *policy)
{
	static const str tags[] = { STR_INIT("v1.0"), STR_INIT("latest") };
	struct retention_candidate list[] = {
		{ .id = 1, .tags = tags, .tag_count = 2, .pushed_at_us = 5 },
		{ .id = 2, .pulled_at_us = 7, .is_signed = true },
		{ .id = 3, .tags = tags, .tag_count = 1, .protection = PROTECTED_RUNNING },
	};
	struct retention_chosen chosen;
	if (!retention_choose(policy, STR("app/web"), &chosen))
		return;
	CHECK(retention_decide(arena, &chosen, INT64_C(1) << 55, list, COUNT_OF(list)));
	CHECK(list[2].stays);
	for (size_t i = 0; i < COUNT_OF(list); i++)
		CHECK(retention_reason_text(arena, policy, &list[i]).len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(8));
	struct retention_policy *policy = ARENA_NEW(&arena, struct retention_policy);
	if (!read_text(&arena, (str){ (const char *)bytes, len }, policy))
		return 0;
	str text = write_text(&arena, policy);
	CHECK(read_text(&arena, text, policy));
	CHECK(str_eq(write_text(&arena, policy), text));
	decide(&arena, policy);
	return 0;
}
