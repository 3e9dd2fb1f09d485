/* SPDX-License-Identifier: Apache-2.0 */
/* Reading strangers' JSON within limits, and writing our own. */
#include <criterion/criterion.h>
#include <signal.h>

#include "codec/json.h"
#include "codec/json_writer.h"

#define PARSE(text)                                                                                \
	({                                                                                         \
		struct json_document doc_ = JSON_DOCUMENT_NONE;                                    \
		struct json_problem problem_;                                                      \
		bool ok_ = json_parse((text), JSON_LIMITS_SMALL, &doc_, &problem_);                \
		json_done(&doc_);                                                                  \
		ok_;                                                                               \
	})

Test(json, refuses_what_is_not_one_value)
{
	static const str good[] = {
		STR_INIT("{}"),
		STR_INIT("[]"),
		STR_INIT(" {\"a\":[1,2.5,null,true]} \n"),
		STR_INIT("1"),
		STR_INIT("\"x\""),
		STR_INIT("{\"a\":{},\"b\":{}}"),
		STR_INIT("{\"a\":\"]}{[\\\"\"}"),
	};
	static const str bad[] = {
		STR_INIT(""),
		STR_INIT(" "),
		STR_INIT("{"),
		STR_INIT("{}}"),
		STR_INIT("{} {}"),
		STR_INIT("{}x"),
		STR_INIT("{}\0"),
		STR_INIT("\0{}"),
		STR_INIT("{\"a\":1,}"),
		STR_INIT("{'a':1}"),
		STR_INIT("{\"a\":01}"),
		STR_INIT("{\"a\":NaN}"),
		STR_INIT("{\"a\":1,\"a\":2}"),
		STR_INIT("{\"a\":\"\xff\"}"),
		STR_INIT("{\"a\":\"\xED\xA0\x80\"}"),
		STR_INIT("{\"a\":\"\\ud800\"}"),
		STR_INIT("{\"a\":\"\\u0000\"}"),
		STR_INIT("{\"a\":\"\n\"}"),
		STR_INIT("\xEF\xBB\xBF{}"),
		STR_INIT("// comment\n{}"),
	};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(PARSE(good[i]), "good row %zu", i);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect(!PARSE(bad[i]), "bad row %zu", i);
}

static bool parse_limited(struct buf *b, struct json_limits limits)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	cr_assert(!buf_overrun(b));
	return json_parse(buf_str(b), limits, &doc, &problem);
}

static bool parse_nested(unsigned depth)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(8));
	for (unsigned i = 0; i < depth; i++)
		buf_add(&b, i % 2 ? STR("{\"a\":") : STR("["));
	buf_add(&b, STR("1"));
	for (unsigned i = depth; i-- > 0;)
		buf_add_byte(&b, i % 2 ? '}' : ']');
	return parse_limited(&b, (struct json_limits){ 64, SIZE_MAX });
}

Test(json, depth_is_checked_before_recursion)
{
	cr_assert(parse_nested(64));
	cr_assert(!parse_nested(65));
	cr_assert(!parse_nested(1000000));
}

static bool parse_wide(unsigned count)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(8));
	buf_add_byte(&b, '[');
	for (unsigned i = 0; i < count; i++)
		buf_add(&b, i ? STR(",[]") : STR("[]"));
	buf_add_byte(&b, ']');
	return parse_limited(&b, (struct json_limits){ 64, 2000 });
}

Test(json, number_of_values_is_bounded)
{
	cr_assert(parse_wide(1000));
	cr_assert(!parse_wide(1001));
	cr_assert(!parse_wide(1000000));
}

Test(json, brackets_in_strings_do_not_count)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(64));
	buf_add(&b, STR("[\"\\\\\",\"\\\"[[[["));
	for (int i = 0; i < 1000; i++)
		buf_add(&b, STR("[{,"));
	buf_add(&b, STR("\"]"));
	cr_assert(parse_limited(&b, (struct json_limits){ 1, 2 }));
}

Test(json, typed_members)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	cr_assert(json_parse(STR("{\"s\":\"x\",\"i\":-7,\"b\":true,\"n\":null,\"r\":1.5,"
				 "\"a\":[1,\"y\"],\"o\":{\"k\":\"v\"}}"),
			     JSON_LIMITS_SMALL, &doc, &problem));
	str s = STR("kept");
	int64_t i = 99;
	bool b = false;
	const struct json_value *v = NULL;
	cr_assert(json_get_str(doc.root, "s", &s) == JSON_FOUND && str_eq(s, STR("x")));
	cr_assert(json_get_i64(doc.root, "i", &i) == JSON_FOUND && i == -7);
	cr_assert(json_get_bool(doc.root, "b", &b) == JSON_FOUND && b);
	cr_assert(json_get_str(doc.root, "n", &s) == JSON_ABSENT && str_eq(s, STR("x")));
	cr_assert(json_get_str(doc.root, "none", &s) == JSON_ABSENT);
	cr_assert(json_get_str(doc.root, "i", &s) == JSON_WRONG && str_eq(s, STR("x")));
	cr_assert(json_get_i64(doc.root, "r", &i) == JSON_WRONG && i == -7);
	cr_assert(json_get_bool(doc.root, "i", &b) == JSON_WRONG);
	cr_assert(json_get_object(doc.root, "a", &v) == JSON_WRONG && !v);
	cr_assert(json_get_array(doc.root, "a", &v) == JSON_FOUND && json_count(v) == 2);
	cr_assert(str_eq(json_value_str(json_element(v, 1)), STR("y")));
	cr_assert(json_value_str(json_element(v, 0)).ptr == NULL && !json_element(v, 2));
	cr_assert(json_get_object(doc.root, "o", &v) == JSON_FOUND && json_value_is_str_map(v));
	cr_assert(!json_value_is_str_map(doc.root) && !json_value_is_str_map(NULL));
	cr_assert(json_get_str(NULL, "s", &s) == JSON_ABSENT && json_count(NULL) == 0);

	char into[64];
	size_t len = json_value_print(v, into, sizeof into);
	cr_assert(str_eq((str){ into, len }, STR("{\"k\":\"v\"}")));
	cr_assert_eq(json_value_print(v, NULL, 0), len);
}

Test(json, nul_characters_are_let_through_on_request)
{
	static const str good = STR_INIT("{\"a\":\"x\\u0000y\"}");
	static const str bad = STR_INIT("{\"a\\u0000b\":\"x\"}");
	static const struct json_limits limits = { 2, 2, .nul_in_strings = true };
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	char into[64];
	cr_assert(!json_parse(bad, limits, &doc, &problem), "in a key");
	cr_assert(json_parse(good, limits, &doc, &problem), "%s", problem.text);
	cr_assert(str_eq(json_value_str(json_member(doc.root, "a")), STR("x\0y")));
	cr_assert(str_eq((str){ into, json_value_print(doc.root, into, sizeof into) }, good));
}

Test(json, problems_say_where)
{
	struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	cr_assert(!json_parse(STR("{\"a\":!}"), JSON_LIMITS_SMALL, &doc, &problem));
	cr_assert(problem.text[0] != '\0' && problem.at >= 5 && problem.at <= 7);
	cr_assert_null(doc.root);
}

Test(json_writer, puts_commas_and_escapes)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "name", STR("a\"b"));
	json_write_array_begin(&w, "tags");
	json_write_str(&w, NULL, STR("x"));
	json_write_object_begin(&w, NULL);
	json_write_object_end(&w);
	json_write_array_begin(&w, NULL);
	json_write_array_end(&w);
	json_write_array_end(&w);
	json_write_i64(&w, "min", INT64_MIN);
	json_write_i64(&w, "zero", 0);
	json_write_bool(&w, "yes", true);
	json_write_null(&w, "null");
	json_write_key(&w, STR("dy\nn"));
	json_write_raw(&w, NULL, STR("{\"k\":1}"));
	json_write_bool(&w, "no", false);
	json_write_object_end(&w);
	cr_assert_eq(w.depth, 0);
	cr_assert(str_eq(buf_str(&b),
			 STR("{\"name\":\"a\\\"b\",\"tags\":[\"x\",{},[]],"
			     "\"min\":-9223372036854775808,\"zero\":0,\"yes\":true,\"null\":null,"
			     "\"dy\\nn\":{\"k\":1},\"no\":false}")),
		  STR_FMT, STR_ARG(buf_str(&b)));
	cr_assert(PARSE(buf_str(&b)));
}

Test(json_writer, ending_too_often_ends_the_process, .signal = SIGABRT)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
	struct json_writer w = JSON_WRITER(&b);
	json_write_array_end(&w);
}
