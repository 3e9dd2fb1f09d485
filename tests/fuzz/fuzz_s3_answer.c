/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a server answers: within bounds, or refused with a reason; and what is escaped comes
 * back. */
#include "base/error.h"
#include "codec/s3_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_escape(struct arena *arena, str text)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(1));
	struct s3_answer answer;
	str problem;
	buf_add(&b, STR("<a><Code>"));
	s3_xml_escape(&b, text);
	buf_add(&b, STR("</Code></a>"));
	CHECK(s3_answer_parse(arena, buf_str(&b), &answer, &problem));
	CHECK(str_eq(answer.code, text) ||
	      str_has_byte(text, '\r')); /* XML's end of a line is a line feed */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	struct s3_answer answer;
	str text = { (const char *)bytes, len }, problem = STR_NONE;
	arena_init(&arena, MIB(8));
	if (!s3_answer_parse(&arena, text, &answer, &problem)) {
		CHECK(problem.len);
		return 0;
	}
	CHECK(answer.root.len && answer.item_count <= S3_ANSWER_ITEMS_MAX);
	check_escape(&arena, answer.code);
	for (size_t i = 0; i < MIN(answer.item_count, (size_t)8); i++) {
		CHECK(answer.items[i].key.len <= S3_ANSWER_TEXT_MAX);
		check_escape(&arena, answer.items[i].key);
	}
	return 0;
}
