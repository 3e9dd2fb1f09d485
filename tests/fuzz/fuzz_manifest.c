/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from a manifest is well-formed, means the same when read again, and never aborts for
 * memory. */
#include "base/error.h"
#include "codec/json.h"
#include "codec/manifest.h"
#include "codec/media_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What every engine takes as text. */
static bool is_text(str s)
{
	return str_is_utf8(s) && !str_has_byte(s, '\0');
}

static void check_reference(const struct manifest_reference *r)
{
	digest d;
	CHECK(r->size_bytes >= 0 && digest_is_grammatical(r->digest_text));
	bool known = digest_parse(r->digest_text, &d);
	CHECK(known ? digest_equal(d, r->digest) : digest_is_none(r->digest));
	CHECK(is_text(r->media_type));
}

static void check_annotations(str text)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct json_limits limits = { 2, MANIFEST_VALUES_MAX, .nul_in_strings = true };
	CHECK(is_text(text));
	CHECK(json_parse(text, limits, &doc, &problem) && json_value_is_str_map(doc.root));
}

static void check_manifest(const struct manifest *m)
{
	CHECK(m->reference_count <= MANIFEST_REFERENCES_MAX);
	for (size_t i = 0; i < m->reference_count; i++) {
		check_reference(&m->references[i]);
		CHECK(m->references[i].role != MANIFEST_CHILD || m->kind == MANIFEST_INDEX);
	}
	CHECK(m->media_type.len == 0 || media_type_is_valid(m->media_type));
	CHECK(m->has_subject ? digest_is_grammatical(m->subject_text) : m->subject_text.len == 0);
	CHECK(is_text(m->artifact_type));
	if (m->annotations_json.len)
		check_annotations(m->annotations_json);
}

static err_t parse_and_check(size_t cap_bytes, str content_type, str body)
{
	CLEANUP(arena_done) struct arena arena;
	struct manifest m;
	struct ctx ctx;
	arena_init(&arena, cap_bytes);
	ctx_init(&ctx, &arena);
	err_t err = manifest_parse(&ctx, content_type, body, &m);
	CHECK(err == ctx.failure.code);
	if (err == OK)
		check_manifest(&m);
	return err;
}

/* The first byte chooses the content type and the memory. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const str types[] = {
		STR_INIT(""),
		STR_INIT(MEDIA_OCI_MANIFEST),
		STR_INIT(MEDIA_OCI_INDEX),
		STR_INIT(MEDIA_DOCKER_MANIFEST),
		STR_INIT(MEDIA_DOCKER_LIST),
		STR_INIT("application/x-any"),
	};
	if (len == 0)
		return 0;
	str type = types[bytes[0] % 8 % COUNT_OF(types)];
	str body = { (const char *)bytes + 1, len - 1 };
	err_t small = parse_and_check((size_t)(bytes[0] / 8) * 256, type, body);
	err_t large = parse_and_check(MIB(16), type, body);
	CHECK(small == large || small == ERR_LIMIT);
	CHECK(large == OK || large == ERR_MANIFEST_INVALID || large == ERR_MANIFEST_SCHEMA1);
	return 0;
}
