/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on somebody else's claims: strict types, and what is absent never fits. */
#include "model/condition.h"

#include "base/error.h"

#include <criterion/criterion.h>

static struct arena arena;

static void make_arena(void)
{
	arena_init(&arena, MIB(1));
}

static void drop_arena(void)
{
	arena_done(&arena);
}

TestSuite(condition, .init = make_arena, .fini = drop_arena);

static bool read(const char *text, struct conditions *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const char *why;
	cr_assert(json_parse(str_from(text), JSON_LIMITS_SMALL, &doc, &problem), "%s", text);
	return conditions_read(&arena, doc.root, ret, &why);
}

static bool hold(const char *wanted, const char *claims)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct conditions conditions;
	cr_assert(read(wanted, &conditions), "%s", wanted);
	cr_assert(json_parse(str_from(claims), JSON_LIMITS_SMALL, &doc, &problem), "%s", claims);
	return conditions_hold(&conditions, doc.root);
}

Test(condition, all_of_them_must_hold)
{
	const char *wanted = "[{\"claim\":\"repository\",\"equals\":\"acme/shop\"},"
			     "{\"claim\":\"ref\",\"matches\":\"refs/heads/*\"}]";
	cr_assert(hold(wanted, "{\"repository\":\"acme/shop\",\"ref\":\"refs/heads/main\"}"));
	cr_assert_not(hold(wanted, "{\"repository\":\"acme/shop\",\"ref\":\"refs/tags/v1\"}"));
	cr_assert_not(hold(wanted, "{\"repository\":\"acme/shop2\",\"ref\":\"refs/heads/main\"}"));
	cr_assert_not(hold(wanted, "{\"ref\":\"refs/heads/main\"}"));
}

Test(condition, a_pattern_fits_all_of_the_text_and_a_star_stays_within_a_part)
{
	const char *wanted =
		"[{\"claim\":\"sub\",\"matches\":\"repo:acme/*:ref:refs/heads/main\"}]";
	cr_assert(hold(wanted, "{\"sub\":\"repo:acme/shop:ref:refs/heads/main\"}"));
	cr_assert_not(hold(wanted, "{\"sub\":\"repo:acme/shop:ref:refs/heads/main2\"}"));
	cr_assert_not(hold(wanted, "{\"sub\":\"xrepo:acme/shop:ref:refs/heads/main\"}"));
	cr_assert_not(hold(wanted, "{\"sub\":\"repo:acme/shop/x:ref:refs/heads/main\"}"));
}

Test(condition, nested_claims)
{
	const char *wanted = "[{\"claim\":[\"kubernetes.io\",\"serviceaccount\",\"name\"],"
			     "\"equals\":\"puller\"}]";
	cr_assert(hold(wanted, "{\"kubernetes.io\":{\"serviceaccount\":{\"name\":\"puller\"}}}"));
	cr_assert_not(hold(wanted, "{\"kubernetes.io\":{\"serviceaccount\":\"puller\"}}"));
	cr_assert_not(hold(wanted, "{\"kubernetes.io\":[{\"name\":\"puller\"}]}"));
	cr_assert_not(hold(wanted, "{\"kubernetes.io.serviceaccount.name\":\"puller\"}"));
	cr_assert_not(hold(wanted, "[]"));
}

Test(condition, types_are_strict)
{
	const char *text = "[{\"claim\":\"x\",\"equals\":\"7\"}]";
	const char *number = "[{\"claim\":\"x\",\"equals\":7}]";
	const char *yes = "[{\"claim\":\"x\",\"equals\":true}]";
	cr_assert(hold(text, "{\"x\":\"7\"}"));
	cr_assert_not(hold(text, "{\"x\":7}"));
	cr_assert_not(hold(text, "{\"x\":[\"7\"]}"));
	cr_assert(hold(number, "{\"x\":7}"));
	cr_assert_not(hold(number, "{\"x\":\"7\"}"));
	cr_assert_not(hold(number, "{\"x\":7.0}"));
	cr_assert_not(hold(number, "{\"x\":true}"));
	cr_assert(hold(yes, "{\"x\":true}"));
	cr_assert_not(hold(yes, "{\"x\":false}"));
	cr_assert_not(hold(yes, "{\"x\":1}"));
	cr_assert_not(hold(yes, "{\"x\":\"true\"}"));
	cr_assert_not(hold("[{\"claim\":\"x\",\"matches\":\"a*\"}]", "{\"x\":[\"ab\"]}"));
	cr_assert_not(hold("[{\"claim\":\"x\",\"has\":\"a\"}]", "{\"x\":\"a\"}"));
	cr_assert_not(hold("[{\"claim\":\"x\",\"equals\":false}]", "{}"), "absent is not false");
	cr_assert_not(hold("[{\"claim\":\"x\",\"equals\":0}]", "{\"x\":null}"));
}

Test(condition, arrays_have_elements)
{
	cr_assert(hold("[{\"claim\":\"g\",\"has\":\"a\"}]", "{\"g\":[\"b\",\"a\"]}"));
	cr_assert_not(hold("[{\"claim\":\"g\",\"has\":\"a\"}]", "{\"g\":[\"ab\",7,[\"a\"]]}"));
	cr_assert(hold("[{\"claim\":\"g\",\"has_match\":\"a?\"}]", "{\"g\":[\"b\",\"ab\"]}"));
	cr_assert_not(hold("[{\"claim\":\"g\",\"has_match\":\"a?\"}]", "{\"g\":[]}"));
}

Test(condition, what_cannot_be_one)
{
	static const char *const wrong[] = {
		"{}",
		"[]",
		"[null]",
		"[{}]",
		"[{\"claim\":\"x\"}]",
		"[{\"equals\":\"x\"}]",
		"[{\"claim\":\"\",\"equals\":\"x\"}]",
		"[{\"claim\":7,\"equals\":\"x\"}]",
		"[{\"claim\":[],\"equals\":\"x\"}]",
		"[{\"claim\":[\"a\",7],\"equals\":\"x\"}]",
		"[{\"claim\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"equals\":\"x\"}]",
		"[{\"claim\":\"x\",\"equals\":\"\"}]",
		"[{\"claim\":\"x\",\"equals\":1.5}]",
		"[{\"claim\":\"x\",\"equals\":[\"a\"]}]",
		"[{\"claim\":\"x\",\"matches\":7}]",
		"[{\"claim\":\"x\",\"matches\":\"[a\"}]",
		"[{\"claim\":\"x\",\"has\":true}]",
		"[{\"claim\":\"x\",\"equals\":\"a\",\"matches\":\"b\"}]",
	};
	struct conditions conditions;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_expect_not(read(wrong[i], &conditions), "%s", wrong[i]);
}

Test(condition, a_list_that_lets_anybody_in_is_refused)
{
	struct conditions conditions;
	cr_assert_not(read("[{\"claim\":\"sub\",\"matches\":\"**\"}]", &conditions));
	cr_assert_not(read("[{\"claim\":\"sub\",\"matches\":\"{**,me}\"}]", &conditions));
	cr_assert_not(read("[{\"claim\":\"sub\",\"has_match\":\"**\"}]", &conditions));
	cr_assert(read("[{\"claim\":\"sub\",\"matches\":\"**\"},{\"claim\":\"x\",\"equals\":1}]",
		       &conditions));
	cr_assert(read("[{\"claim\":\"sub\",\"matches\":\"ci-*\"}]", &conditions));
}
