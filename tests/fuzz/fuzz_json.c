/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that is read prints, and what is printed reads and prints the same; limits hold. */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/json_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct json_limits limits = { 32, 10000 };
static const struct json_limits with_nul = { 32, 10000, .nul_in_strings = true };

static void check_print(const struct json_value *v)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	size_t size = json_value_print(v, NULL, 0);
	CLEANUP(mem_done) char *first = mem_new(size), *second = mem_new(size);
	CHECK(json_value_print(v, first, size) == size);
	CHECK(json_parse((str){ first, size }, with_nul, &doc, &problem));
	CHECK(json_value_print(doc.root, second, size) == size);
	CHECK(str_eq((str){ first, size }, (str){ second, size }));
}

/* Any bytes, written as a string, are JSON; the same bytes come back if they were UTF-8. */
static void check_writer(str bytes)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(4));
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct json_writer w = JSON_WRITER(&b);
	json_write_array_begin(&w, NULL);
	json_write_str(&w, NULL, bytes);
	json_write_array_end(&w);
	CHECK(!buf_overrun(&b) && str_is_utf8(buf_str(&b)));
	CHECK(json_parse(buf_str(&b), with_nul, &doc, &problem));
	if (str_is_utf8(bytes))
		CHECK(str_eq(json_value_str(json_element(doc.root, 0)), bytes));
}

static bool parses(str text, struct json_limits how)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	return json_parse(text, how, &doc, &problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	size_t at;
	str text = { (const char *)bytes, MIN(len, KIB(256)) };
	if (json_parse(text, with_nul, &doc, &problem)) {
		CHECK(str_is_utf8(text));
		check_print(doc.root);
	} else {
		CHECK(!doc.root && problem.text[0] && problem.at <= text.len);
	}
	bool has_nul = parses(text, with_nul) && !parses(text, limits);
	CHECK(!has_nul || str_find(text, STR("\\u0000"), &at));
	check_writer(text);
	return 0;
}
