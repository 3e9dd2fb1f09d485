/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of Keystone and Swift become values; what is no such answer is refused with a reason. */
#include <criterion/criterion.h>

#include "base/buf.h"
#include "codec/swift_answer.h"

static struct arena arena;
static str problem;

static void set_up(void)
{
	arena_init(&arena, MIB(16));
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(swift_answer, .init = set_up, .fini = tear_down);

#define ASSERT_STR(have, want) cr_assert(str_eq((have), STR(want)), STR_FMT, STR_ARG(have))

/* As Ceph's gateway and as Swift's proxy write it. */
Test(swift_answer, a_list_is_its_items)
{
	static const char json[] =
		"[{\"name\":\"t "
		"a/seg/1\",\"hash\":\"5d41402abc4b2a76b9719d911017c592\",\"bytes\":5,"
		"\"content_type\":\"application/"
		"octet-stream\",\"last_modified\":\"2026-11-26T11:21:43.538Z\"},"
		"{\"hash\": \"x\", \"last_modified\": \"y\", \"bytes\": 17838126, \"name\": "
		"\"caf\\u00e9\", \"content_type\": \"application/x-berth-segments\", "
		"\"slo_etag\": \"z\"},{\"name\":\"n\",\"bytes\":0}]";
	struct swift_item *items;
	size_t count;
	cr_assert(swift_list_parse(&arena, str_from(json), &items, &count, &problem));
	cr_assert_eq(count, 3);
	ASSERT_STR(items[0].name, "t a/seg/1");
	cr_assert_eq(items[0].size_bytes, 5);
	ASSERT_STR(items[1].name, "caf\xc3\xa9");
	ASSERT_STR(items[1].content_type, "application/x-berth-segments");
	cr_assert_eq(items[1].size_bytes, 17838126);
	cr_assert_eq(items[2].content_type.len, 0);
	cr_assert(swift_list_parse(&arena, STR("[]"), &items, &count, &problem));
	cr_assert_eq(count, 0);
}

Test(swift_answer, what_is_no_list_is_refused)
{
	static const char *const wrong[] = {
		"",
		"<html>",
		"{}",
		"[1]",
		"[{\"subdir\":\"a/\"}]",
		"[{\"name\":\"a\"}]",
		"[{\"name\":\"\",\"bytes\":1}]",
		"[{\"name\":1,\"bytes\":1}]",
		"[{\"name\":\"a\",\"bytes\":-1}]",
		"[{\"name\":\"a\",\"bytes\":\"1\"}]",
		"[{\"name\":\"a\",\"bytes\":1,\"content_type\":2}]",
		"[{\"name\":\"a\\u0000b\",\"bytes\":1}]",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct swift_item *items;
		size_t count;
		problem = STR_NONE;
		cr_assert_not(
			swift_list_parse(&arena, str_from(wrong[i]), &items, &count, &problem),
			"%s", wrong[i]);
		cr_assert_gt(problem.len, 0);
	}
}

Test(swift_answer, a_list_has_a_largest_length)
{
	CLEANUP(buf_done) struct buf json = BUF_INIT(MIB(2));
	struct swift_item *items;
	size_t count;
	for (int more = 0; more < 2; more++) {
		buf_clear(&json);
		for (int i = 0; i < SWIFT_LIST_MAX + more; i++)
			buf_printf(&json, "%c{\"name\":\"a\",\"bytes\":1}", i ? ',' : '[');
		buf_add_byte(&json, ']');
		cr_assert_eq(swift_list_parse(&arena, buf_str(&json), &items, &count, &problem),
			     !more);
	}
}

#define TOKEN(catalog)                                                                             \
	"{\"token\":{\"issued_at\":\"2026-11-26T11:25:00.000000Z\",\"expires_at\":"                \
	"\"2026-11-26T12:25:30.000000Z\",\"catalog\":[" catalog "]}}"
#define ENDPOINT(interface, region, url)                                                           \
	"{\"interface\":\"" interface "\",\"region\":\"" region "\",\"region_id\":\"" region       \
	"\",\"url\":\"" url "\"}"
#define STORE(endpoints) "{\"type\":\"object-store\",\"endpoints\":[" endpoints "]}"

static const char two_regions[] =
	TOKEN(
		"{\"type\":\"identity\",\"endpoints\":[" ENDPOINT("public", "north", "http://no/") "]}," STORE(
			ENDPOINT("internal", "north", "http://in/v1/A") "," ENDPOINT(
				"public", "north",
				"https://n/v1/A//") "," ENDPOINT("public", "south",
								 "https://s/v1/A")));

Test(swift_answer, the_catalog_names_the_object_store)
{
	struct swift_token token;
	str json = str_from(two_regions);
	cr_assert(swift_token_parse(&arena, json, STR(""), STR("public"), &token, &problem));
	ASSERT_STR(token.url, "https://n/v1/A");
	cr_assert_eq(token.lifetime_s, 3630);
	cr_assert(swift_token_parse(&arena, json, STR("south"), STR("public"), &token, &problem));
	ASSERT_STR(token.url, "https://s/v1/A");
	cr_assert(swift_token_parse(&arena, json, STR("north"), STR("internal"), &token, &problem));
	ASSERT_STR(token.url, "http://in/v1/A");
	cr_assert_not(
		swift_token_parse(&arena, json, STR("south"), STR("internal"), &token, &problem));
	ASSERT_STR(problem, "the catalog has no endpoint of an object store with the interface "
			    "internal in region south");
}

Test(swift_answer, a_token_may_not_say_how_long_it_lives)
{
	static const char *const times[] = {
		"",
		",\"expires_at\":\"2026-11-26T12:25:30Z\"",
		",\"issued_at\":\"soon\",\"expires_at\":\"2026-11-26T12:25:30Z\"",
		",\"issued_at\":\"2026-11-26T12:25:30Z\",\"expires_at\":\"2026-11-26T11:25:30Z\"",
	};
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct swift_token token;
		str json = arena_printf(&arena, "{\"token\":{\"catalog\":[%s]%s}}",
					STORE(ENDPOINT("public", "r", "http://x")), times[i]);
		cr_assert(
			swift_token_parse(&arena, json, STR(""), STR("public"), &token, &problem));
		cr_assert_eq(token.lifetime_s, 0);
	}
}

Test(swift_answer, what_is_no_token_is_refused)
{
	static const char *const wrong[] = {
		"",
		"[]",
		"{}",
		"{\"token\":1}",
		"{\"token\":{}}",
		"{\"token\":{\"catalog\":{}}}",
		"{\"token\":{\"catalog\":[1,null,{\"type\":\"object-store\"}]}}",
		TOKEN(STORE("1,{},{\"interface\":\"public\"}")),
		TOKEN(STORE(ENDPOINT("public", "r", "///"))),
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct swift_token token;
		problem = STR_NONE;
		cr_assert_not(swift_token_parse(&arena, str_from(wrong[i]), STR(""), STR("public"),
						&token, &problem),
			      "%s", wrong[i]);
		cr_assert_gt(problem.len, 0);
	}
}

Test(swift_answer, times)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: none */
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-26T12:25:30.123456Z", 1795695930 },
		{ "2024-02-29T23:59:59.0Z", 1709251199 },
		{ "2026-11-26T12:25:30", -1 },
		{ "2026-11-26T12:25:30.Z", -1 },
		{ "2026-11-26T12:25:30.1", -1 },
		{ "2026-11-26 12:25:30Z", -1 },
		{ "2026-13-26T12:25:30Z", -1 },
		{ "2026-00-26T12:25:30Z", -1 },
		{ "2026-11-26T24:25:30Z", -1 },
		{ "2026-11-26T12:25:30Zx", -1 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "", -1 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t have = -1;
		cr_assert_eq(swift_time_parse(str_from(cases[i].text), &have), cases[i].want != -1,
			     "%s", cases[i].text);
		cr_assert_eq(have, cases[i].want, "%s", cases[i].text);
	}
}

Test(swift_answer, what_a_server_can_do)
{
	struct swift_info info;
	cr_assert(swift_info_parse(
		&arena, STR("{\"bulk_delete\":{},\"slo\":{\"max_manifest_segments\":77}}"), &info,
		&problem));
	cr_assert(info.bulk_delete && info.large_objects && info.segments_max == 77);
	cr_assert(swift_info_parse(&arena, STR("{\"slo\":{}}"), &info, &problem));
	cr_assert(!info.bulk_delete && info.large_objects && info.segments_max == 1000);
	cr_assert(swift_info_parse(&arena, STR("{}"), &info, &problem));
	cr_assert_not(info.large_objects);
	cr_assert_not(swift_info_parse(&arena, STR("[]"), &info, &problem));
	cr_assert_not(swift_info_parse(&arena, STR("<html>"), &info, &problem));
}

Test(swift_answer, what_was_removed)
{
	static const char *const good[] = {
		"{\"Number Deleted\":1,\"Number Not Found\":1,\"Response Body\":\"\",\"Response "
		"Status\":\"200 OK\",\"Errors\":[]}",
		"{\"Response Status\":\"200 OK\"}",
	};
	static const char *const bad[] = {
		"{\"Response Status\":\"400 Bad Request\",\"Errors\":[[\"a\",\"409 Conflict\"]]}",
		"{\"Response Status\":\"200 OK\",\"Errors\":[[\"c/a\",\"403 Forbidden\"]]}",
		"{\"Response Status\":\"200 OK\",\"Errors\":[1]}",
		"{\"Response Status\":\"200 OK\",\"Errors\":1}",
		"{\"Response Status\":\"502 Bad Gateway\",\"Errors\":[]}",
		"{\"Errors\":[]}",
		"[]",
		"",
	};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_assert(swift_removal_parse(&arena, str_from(good[i]), &problem), "%s", good[i]);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		problem = STR_NONE;
		cr_assert_not(swift_removal_parse(&arena, str_from(bad[i]), &problem), "%s",
			      bad[i]);
		cr_assert_gt(problem.len, 0);
	}
}
