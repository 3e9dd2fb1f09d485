/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_head.c - request heads: no input may read outside, and a head must mean the same
 * however it arrives: whole, or byte by byte.
 */
#include "codec/http_head.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_inside(str part, str whole)
{
	bool literal = str_eq(part, STR("/")); /* an absolute form without a path */
	CHECK(part.len == 0 || literal ||
	      (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_meaning(const struct http_head *head, str whole)
{
	check_inside(head->method_text, whole);
	check_inside(head->path, whole);
	check_inside(head->query, whole);
	check_inside(head->host, whole);
	CHECK(head->field_count <= HTTP_FIELDS_MAX);
	CHECK(!(head->chunked && head->has_length));
	CHECK(head->path.len > 0);
	CHECK(head->minor_version == 0 || head->host.len > 0);
	for (size_t i = 0; i < head->field_count; i++) {
		check_inside(head->fields[i].name, whole);
		check_inside(head->fields[i].value, whole);
		CHECK(http_token_is_valid(head->fields[i].name));
		CHECK(http_value_is_valid(head->fields[i].value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct http_head at_once, in_pieces;
	str whole = { (const char *)bytes, len };
	size_t seen = 0, head_len = 0, pieces_len = 0;
	err_t err = OK, pieces_err = OK;
	enum http_parse verdict = http_head_parse(whole, &seen, &at_once, &head_len, &err);
	if (verdict == HTTP_PARSE_DONE) {
		CHECK(head_len <= len);
		check_meaning(&at_once, whole);
	}
	if (verdict == HTTP_PARSE_REFUSED)
		CHECK(err != OK);

	enum http_parse step = HTTP_PARSE_MORE;
	seen = 0;
	for (size_t take = 0; take <= len && step == HTTP_PARSE_MORE; take++)
		step = http_head_parse(str_take(whole, take), &seen, &in_pieces, &pieces_len,
				       &pieces_err);
	CHECK(step == verdict);
	if (verdict == HTTP_PARSE_DONE)
		CHECK(pieces_len == head_len && in_pieces.field_count == at_once.field_count);
	return 0;
}
