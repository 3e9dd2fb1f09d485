/* SPDX-License-Identifier: Apache-2.0 */
/* Histories, dependencies and files out of any bytes are JSON lists, or nothing. */
#include "base/error.h"
#include "codec/addition.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_list(const struct buf *b)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	const struct json_limits limits = { 128, 1 << 20, .nul_in_strings = true };
	struct json_problem problem;
	if (buf_overrun(b))
		return;
	CHECK(json_parse(buf_str(b), limits, &doc, &problem) && json_value_is_array(doc.root));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const names[2] = { "README.md", "README" };
	CLEANUP(arena_done) struct arena arena;
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(64));
	struct addition_layer layer;
	str text = { (const char *)bytes, len };
	arena_init(&arena, MIB(32));
	if (addition_history(text, &b))
		check_list(&b);
	buf_clear(&b);
	if (addition_dependencies(text, &b))
		check_list(&b);
	buf_clear(&b);
	if (addition_files(&arena, text, &b))
		check_list(&b);
	(void)addition_find_layer(&arena, text, names, &layer);
	return 0;
}
