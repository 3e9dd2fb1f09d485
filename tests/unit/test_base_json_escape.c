/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes become one well-formed JSON string. */
#include <criterion/criterion.h>

#include "base/json_escape.h"
#include "codec/json.h"

Test(json_escape, table)
{
	static const struct {
		str bytes;
		str text;
	} rows[] = {
		{ STR_INIT(""), STR_INIT("\"\"") },
		{ STR_INIT("plain"), STR_INIT("\"plain\"") },
		{ STR_INIT("a\"b\\c"), STR_INIT("\"a\\\"b\\\\c\"") },
		{ STR_INIT("\n\t\r"), STR_INIT("\"\\n\\t\\r\"") },
		{ STR_INIT("\0\x1f\x7f"), STR_INIT("\"\\u0000\\u001f\\u007f\"") },
		{ STR_INIT("\xC3\xA4\xF0\x9F\x98\x80"), STR_INIT("\"\xC3\xA4\xF0\x9F\x98\x80\"") },
		{ STR_INIT("a\xffz"), STR_INIT("\"a\xEF\xBF\xBDz\"") },
		{ STR_INIT("\xC3"), STR_INIT("\"\xEF\xBF\xBD\"") },
		{ STR_INIT("\xED\xA0\x80"), STR_INIT("\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
		json_escape(&b, rows[i].bytes);
		cr_expect(str_eq(buf_str(&b), rows[i].text), "row %zu: " STR_FMT, i,
			  STR_ARG(buf_str(&b)));
	}
}

Test(json_escape, every_byte_is_readable_json)
{
	for (unsigned first = 0; first < 256; first++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT(64);
		CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
		struct json_problem problem;
		char bytes[2] = { (char)first, 'z' };
		json_escape(&b, (str){ bytes, 2 });
		bool ok = json_parse(buf_str(&b), JSON_LIMITS_SMALL, &doc, &problem);
		cr_expect_eq(ok, first != 0, "byte %u", first); /* the reader refuses NUL */
	}
}
