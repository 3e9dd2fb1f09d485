/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a manifest and a config say, what lists keep of them is text, well-formed JSON, and
 * small. */
#include "base/error.h"
#include "codec/artifact.h"
#include "codec/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool is_text(str s)
{
	return str_is_utf8(s) && !str_has_byte(s, '\0');
}

static void check_json(str text, bool object)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	const struct json_limits limits = { MANIFEST_DEPTH_MAX + 8, MANIFEST_VALUES_MAX,
					    .nul_in_strings = true };
	struct json_problem problem;
	if (!text.len)
		return;
	CHECK(is_text(text) && text.len <= ARTIFACT_TEXT_MAX);
	CHECK(json_parse(text, limits, &doc, &problem));
	CHECK(object ? json_value_is_object(doc.root) : json_value_is_array(doc.root));
}

static void check_facts(const struct artifact_facts *facts)
{
	digest d;
	CHECK(facts->type.len && is_text(facts->type) && is_text(facts->media_type));
	CHECK(facts->size_bytes >= 0 && facts->size_bytes <= ARTIFACT_SIZE_MAX);
	CHECK((facts->accessory.len == 0) == (facts->subject_text.len == 0));
	CHECK(!facts->icon.len || digest_parse(facts->icon, &d));
	check_json(facts->extra_attrs_json, true);
	check_json(facts->children_json, false);
}

/* A manifest, a NUL, and its config. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	struct manifest parsed;
	struct artifact_facts facts;
	const uint8_t *middle = len ? memchr(bytes, 0, len) : NULL;
	size_t manifest_len = middle ? (size_t)(middle - bytes) : len;
	size_t config_len = middle ? len - manifest_len - 1 : 0;
	str config = { middle ? (const char *)middle + 1 : NULL, config_len };
	str manifest = { (const char *)bytes, manifest_len };
	const struct artifact_source source = {
		.manifest_media_type = STR(MEDIA_OCI_MANIFEST),
		.parsed = &parsed,
		.bytes = manifest,
		.config = config,
		.tag = STR("sha256-"
			   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.sig"),
	};
	arena_init(&arena, MIB(32));
	ctx_init(&ctx, &arena);
	if (manifest_parse(&ctx, STR_NONE, manifest, &parsed) != OK)
		return 0;
	(void)artifact_config(&parsed);
	artifact_describe(&arena, &source, &facts);
	check_facts(&facts);
	return 0;
}
