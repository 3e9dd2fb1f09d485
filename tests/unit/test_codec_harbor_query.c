/* SPDX-License-Identifier: Apache-2.0 */
/* The filter language of Harbor's lists, and members of JSON objects by a table. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/harbor_query.h"
#include "codec/json_shape.h"

static struct arena arena;
static struct harbor_query query;
static const char *why;

static void set_up(void)
{
	arena_init(&arena, MIB(1));
	query = (struct harbor_query){ 0 };
	why = NULL;
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(harbor_query, .init = set_up, .fini = tear_down);

static bool parse(const char *q)
{
	return harbor_query_parse(&arena, str_from(q), &query, &why);
}

Test(harbor_query, each_kind)
{
	cr_assert(parse("name=app,owner=~jo,size=[1~9],tag={a \"b c\"},labels=(1 2)"));
	cr_assert_eq(query.filter_count, 5);
	const struct harbor_filter *f = query.filters;
	cr_assert(f[0].kind == FILTER_EXACT && str_eq(f[0].value, STR("app")));
	cr_assert(f[1].kind == FILTER_FUZZY && str_eq(f[1].value, STR("jo")));
	cr_assert(f[2].kind == FILTER_RANGE && str_eq(f[2].low, STR("1")) &&
		  str_eq(f[2].high, STR("9")));
	cr_assert(f[3].kind == FILTER_OR && f[3].value_count == 2 &&
		  str_eq(f[3].values[1], STR("b c")));
	cr_assert(f[4].kind == FILTER_AND && f[4].value_count == 2);
}

Test(harbor_query, commas_inside_brackets_part_nothing)
{
	cr_assert(parse("a={x,y 'p,q'},b=[\"1,2\"~],c=v"));
	cr_assert_eq(query.filter_count, 3);
	cr_assert(str_eq(query.filters[0].values[0], STR("x,y")));
	cr_assert(str_eq(query.filters[1].low, STR("1,2")));
	cr_assert_eq(query.filters[1].high.len, 0);
}

Test(harbor_query, a_backslash_makes_the_first_character_plain)
{
	cr_assert(parse("name=\\~app,tag=\"quoted\""));
	cr_assert(query.filters[0].kind == FILTER_EXACT &&
		  str_eq(query.filters[0].value, STR("~app")));
	cr_assert(str_eq(query.filters[1].value, STR("quoted")));
}

Test(harbor_query, the_last_filter_on_a_key_counts)
{
	cr_assert(parse("a=1,a=2"));
	cr_assert(str_eq(harbor_filter_find(&query, STR("a"))->value, STR("2")));
	cr_assert_null(harbor_filter_find(&query, STR("b")));
}

Test(harbor_query, what_is_malformed_says_why)
{
	static const char *const bad[] = { "name",  "=x",   "name=", "a=[1]",
					   "a=[~]", "a={}", "a=( )", "a=1,,b=2" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		query = (struct harbor_query){ 0 };
		cr_assert_not(parse(bad[i]), "%s", bad[i]);
		cr_assert(why && why[0]);
	}
}

Test(harbor_query, more_than_fits_is_refused)
{
	char q[4 * (HARBOR_FILTERS_MAX + 1) + 1] = "";
	for (size_t i = 0; i <= HARBOR_FILTERS_MAX; i++)
		memcpy(q + 4 * i, "a=1,", 4);
	cr_assert_not(parse(q));
}

Test(harbor_query, sorting)
{
	cr_assert(harbor_sort_parse(STR("name,-update_time,,"), &query, &why));
	cr_assert_eq(query.sort_count, 2);
	cr_assert(!query.sorts[0].descending && query.sorts[1].descending);
	cr_assert(str_eq(query.sorts[1].key, STR("update_time")));
	cr_assert_not(harbor_sort_parse(STR("a,b,c,d,e"), &query, &why));
}

Test(harbor_query, times)
{
	static const struct {
		const char *text;
		bool good;
		int64_t us;
	} cases[] = {
		{ "1970-01-02", true, INT64_C(86400000000) },
		{ "1970-01-01T00:00:01", true, 1000000 },
		{ "1970-01-01 00:00:01Z", true, 1000000 },
		{ "1970-01-01T00:00:01.5Z", true, 1000000 },
		{ "1970-00-01", false, 0 },
		{ "1970-13-01", false, 0 },
		{ "1970-01-01T25:00:00", false, 0 },
		{ "1970-01-01T00:00", false, 0 },
		{ "yesterday", false, 0 },
		{ "1970/01/01", false, 0 },
		{ "", false, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t us = -1;
		cr_assert_eq(harbor_time_parse(str_from(cases[i].text), &us), cases[i].good, "%s",
			     cases[i].text);
		if (cases[i].good)
			cr_assert_eq(us, cases[i].us, "%s", cases[i].text);
	}
}

struct thing {
	str name;
	int64_t count;
	bool on, has_name;
	const struct json_value *list, *object;
};

static const struct json_field fields[] = {
	JSON_FIELD_STR(struct thing, "name", name, 8),
	JSON_FIELD_I64(struct thing, "count", count),
	JSON_FIELD_BOOL(struct thing, "on", on),
	JSON_FIELD_HAS(struct thing, "name", has_name),
	JSON_FIELD_ARRAY(struct thing, "list", list),
	JSON_FIELD_OBJECT(struct thing, "object", object),
};

static bool shape(const char *text, struct thing *ret, struct json_problem *problem)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	cr_assert(json_parse(str_from(text), JSON_LIMITS_SMALL, &doc, problem));
	return json_shape_read(doc.root, fields, COUNT_OF(fields), ret, problem);
}

Test(json_shape, members_land_in_the_struct_and_unknown_ones_nowhere)
{
	struct thing thing = { .count = 3 };
	struct json_problem problem;
	cr_assert(shape("{\"name\":\"a\",\"on\":true,\"other\":[1],\"list\":[1,2],\"object\":{}}",
			&thing, &problem));
	cr_assert_eq(thing.name.len, 1);
	cr_assert(thing.on && thing.has_name);
	cr_assert_eq(thing.count, 3, "what is absent stays");
	cr_assert(thing.list && thing.object);
	thing = (struct thing){ .has_name = true };
	cr_assert(shape("{\"name\":null}", &thing, &problem));
	cr_assert_not(thing.has_name);
}

Test(json_shape, a_wrong_member_is_named)
{
	static const char *const bad[][2] = {
		{ "{\"name\":1}", "name is not a string" },
		{ "{\"count\":\"1\"}", "count is not an integer" },
		{ "{\"on\":1}", "on is not a boolean" },
		{ "{\"list\":{}}", "list is not an array" },
		{ "{\"object\":[]}", "object is not an object" },
		{ "{\"name\":\"123456789\"}", "name is longer than 8 bytes" },
		{ "[]", "not a JSON object" },
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct thing thing = { 0 };
		struct json_problem problem;
		cr_assert_not(shape(bad[i][0], &thing, &problem), "%s", bad[i][0]);
		cr_assert_str_eq(problem.text, bad[i][1]);
	}
}
