/* SPDX-License-Identifier: Apache-2.0 */
/* artifact.c - see artifact.h. */
#include "codec/artifact.h"
#include "base/buf.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "codec/reference.h"

#include "base/banned.h"

#define MEDIA_WASM_CONFIG    "application/vnd.wasm.config.v1+json"
#define MEDIA_SIMPLE_SIGNING "application/vnd.dev.cosign.simplesigning.v1+json"
#define COSIGN_HEX_LEN	     64
#define CHILDREN_MAX	     1000
#define MEDIA_TYPE_MAX	     255

static const struct json_limits config_limits = { 64, 65536, .nul_in_strings = true };
static const struct json_limits manifest_limits = { MANIFEST_DEPTH_MAX, MANIFEST_VALUES_MAX,
						    .nul_in_strings = true };

/* --- type --------------------------------------------------------------------------------------
 */

struct word {
	str from, to;
};

static const struct word known_types[] = {
	{ STR_INIT("application/vnd.oci.image.config.v1+json"), STR_INIT("IMAGE") },
	{ STR_INIT("application/vnd.docker.container.image.v1+json"), STR_INIT("IMAGE") },
	{ STR_INIT(MEDIA_OCI_INDEX), STR_INIT("IMAGE") },
	{ STR_INIT(MEDIA_DOCKER_LIST), STR_INIT("IMAGE") },
	{ STR_INIT("application/vnd.cncf.helm.config.v1+json"), STR_INIT("CHART") },
	{ STR_INIT("application/vnd.cnab.manifest.v1"), STR_INIT("CNAB") },
	{ STR_INIT(MEDIA_WASM_CONFIG), STR_INIT("WASM") },
	{ STR_INIT("application/vnd.goharbor.harbor.sbom.v1"), STR_INIT("SBOM") },
	{ STR_INIT("application/vnd.cncf.model.manifest.v1+json"), STR_INIT("CNAI") },
};

static const struct word known_accessories[] = {
	{ STR_INIT("application/vnd.dev.cosign.artifact.sig.v1+json"),
	  STR_INIT("signature.cosign") },
	{ STR_INIT("application/vnd.dev.sigstore.bundle.v0.3+json"), STR_INIT("signature.cosign") },
	{ STR_INIT("application/vnd.cncf.notary.signature"), STR_INIT("signature.notation") },
	{ STR_INIT("application/vnd.goharbor.harbor.sbom.v1"), STR_INIT("sbom.harbor") },
};

static str look_up(const struct word *words, size_t count, str text)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(words[i].from, text))
			return words[i].to;
	return STR_NONE;
}

static str upper(struct arena *arena, str text)
{
	char *into = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		into[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	return (str){ into, text.len };
}

/* application/vnd.<vendor>.<TYPE>.config.<version>+json, the vendor and the version without dots.
 */
static str type_within(struct arena *arena, str media_type)
{
	str vendor, rest, middle, version, type, word;
	if (!str_has_prefix(media_type, STR("application/vnd.")) ||
	    !str_has_suffix(media_type, STR("+json")))
		return STR_NONE;
	rest = str_skip(media_type, sizeof "application/vnd." - 1);
	rest = str_take(rest, rest.len - (sizeof "+json" - 1));
	if (!str_cut(rest, '.', &vendor, &middle) ||
	    !str_cut_last(middle, '.', &middle, &version) ||
	    !str_cut_last(middle, '.', &type, &word) || !str_eq(word, STR("config")) || !type.len)
		return STR_NONE;
	return upper(arena, type);
}

static bool has_annotation(const struct manifest *parsed, str text)
{
	size_t at;
	return str_find(parsed->annotations_json, text, &at);
}

/* Compact JSON, so this is how such an annotation stands in it. */
static bool is_annotated_wasm(const struct manifest *parsed)
{
	return has_annotation(parsed, STR("\"module.wasm.image/variant\":\"compat\"")) ||
	       has_annotation(parsed, STR("\"run.oci.handler\":\"wasm\""));
}

static const struct manifest_reference *config_of(const struct manifest *parsed)
{
	for (size_t i = 0; i < parsed->reference_count; i++)
		if (parsed->references[i].role == MANIFEST_CONFIG)
			return &parsed->references[i];
	return NULL;
}

static str index_type_annotation(struct arena *arena, const struct manifest *parsed)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str found = STR_NONE;
	if (!has_annotation(parsed, STR("\"org.opencontainers.artifactType\"")) ||
	    !json_parse(parsed->annotations_json, manifest_limits, &doc, &problem))
		return STR_NONE;
	if (json_get_str(doc.root, "org.opencontainers.artifactType", &found) != JSON_FOUND ||
	    str_has_byte(found, '\0'))
		return STR_NONE;
	return arena_copy(arena, found);
}

static str media_type_of(struct arena *arena, const struct artifact_source *source)
{
	const struct manifest *parsed = source->parsed;
	const struct manifest_reference *config = config_of(parsed);
	if (parsed->kind == MANIFEST_INDEX) {
		str annotated = index_type_annotation(arena, parsed);
		return annotated.len ? annotated : source->manifest_media_type;
	}
	if (is_annotated_wasm(parsed))
		return STR(MEDIA_WASM_CONFIG);
	return config ? config->media_type : STR_NONE;
}

static str type_of(struct arena *arena, const struct manifest *parsed, str media_type)
{
	str type = STR_NONE;
	if (!is_annotated_wasm(parsed))
		type = look_up(known_types, COUNT_OF(known_types), parsed->artifact_type);
	if (!type.len)
		type = look_up(known_types, COUNT_OF(known_types), media_type);
	if (!type.len)
		type = type_within(arena, media_type);
	return type.len ? type : STR("UNKNOWN");
}

bool artifact_type_is(str type, const char *name)
{
	return str_eq(type, str_from(name));
}

/* --- accessory ---------------------------------------------------------------------------------
 */

/* "sha256-<hex>.sig" names sha256:<hex>. */
static bool signed_by_tag(struct arena *arena, str tag, str *ret_digest_text)
{
	str hex = str_skip(tag, sizeof "sha256-" - 1);
	digest d;
	if (!str_has_prefix(tag, STR("sha256-")) || !str_has_suffix(tag, STR(".sig")) ||
	    hex.len != COSIGN_HEX_LEN + sizeof ".sig" - 1)
		return false;
	str text = arena_printf(arena, "sha256:" STR_FMT, STR_ARG(str_take(hex, COSIGN_HEX_LEN)));
	*ret_digest_text = text;
	return digest_parse(text, &d);
}

static bool signed_by_tags(struct arena *arena, const struct artifact_source *source, str *ret)
{
	if (signed_by_tag(arena, source->tag, ret))
		return true;
	for (size_t i = 0; i < source->tag_count; i++)
		if (signed_by_tag(arena, source->tags[i], ret))
			return true;
	return false;
}

static bool has_layer_of(const struct manifest *parsed, str media_type)
{
	for (size_t i = 0; i < parsed->reference_count; i++)
		if (parsed->references[i].role == MANIFEST_LAYER &&
		    str_eq(parsed->references[i].media_type, media_type))
			return true;
	return false;
}

static void describe_accessory(struct arena *arena, const struct artifact_source *source,
			       struct artifact_facts *facts)
{
	const struct manifest *parsed = source->parsed;
	str subject;
	if (parsed->has_subject) {
		str known = look_up(known_accessories, COUNT_OF(known_accessories),
				    parsed->artifact_type);
		facts->accessory = known.len ? known : STR("subject.accessory");
		facts->subject_text = parsed->subject_text;
	} else if (has_layer_of(parsed, STR(MEDIA_SIMPLE_SIGNING)) &&
		   signed_by_tags(arena, source, &subject)) {
		facts->accessory = STR("signature.cosign");
		facts->subject_text = subject;
	}
}

/* --- what the config tells ---------------------------------------------------------------------
 */

/* Adds a member as it stands; false when the text has become too long and the member was left out.
 */
static bool write_value(struct json_writer *w, const char *key, const struct json_value *value)
{
	size_t len = value ? json_value_print(value, NULL, 0) : 0;
	if (!value || w->buf->len + len + KIB(1) > ARTIFACT_TEXT_MAX)
		return false;
	CLEANUP(buf_done) struct buf text = BUF_INIT(ARTIFACT_TEXT_MAX);
	char *into = buf_reserve(&text, len);
	if (!into || json_value_print(value, into, len) != len)
		return false;
	json_write_raw(w, key, (str){ into, len });
	return true;
}

/* Docker's MAINTAINER became a label long ago. */
static const struct json_value *author_of(const struct json_value *config)
{
	static const char *const labels[] = { "org.opencontainers.image.authors", "maintainer" };
	const struct json_value *author = json_member(config, "author");
	const struct json_value *inner = json_member(json_member(config, "config"), "Labels");
	for (size_t i = 0; i < COUNT_OF(labels) && !json_value_str(author).len; i++)
		author = json_member(inner, labels[i]);
	return json_value_is_str(author) ? author : NULL;
}

static void write_image(struct json_writer *w, const struct json_value *config)
{
	static const char *const members[] = { "created", "architecture", "os" };
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const struct json_value *value = json_member(config, members[i]);
		if (json_value_is_str(value))
			write_value(w, members[i], value);
	}
	if (!write_value(w, "author", author_of(config)))
		json_write_str(w, "author", STR(""));
	write_value(w, "config", json_member(config, "config"));
}

/* Everything but what the pusher asked to leave out. */
static void write_whole(struct json_writer *w, const struct json_value *config, str skip)
{
	str key;
	const struct json_value *value;
	for (void *at = NULL; json_next_member(config, &at, &key, &value);) {
		bool skipped = false;
		str rest = skip;
		for (str item; str_next(&rest, ',', &item);)
			skipped |= str_eq(item, key);
		size_t len = json_value_print(value, NULL, 0);
		if (skipped || key.len > KIB(1) ||
		    w->buf->len + len + 8 * (key.len + 1) + KIB(1) > ARTIFACT_TEXT_MAX)
			continue;
		json_write_key(w, key);
		write_value(w, NULL, value);
	}
}

static void write_wasm(struct json_writer *w, const struct artifact_source *source,
		       const struct json_value *config)
{
	const struct manifest *parsed = source->parsed;
	const struct manifest_reference *reference = config_of(parsed);
	if (is_annotated_wasm(parsed)) {
		if (reference)
			json_write_str(w, "manifest.config.mediaType", reference->media_type);
		write_image(w, config);
		return;
	}
	json_write_str(w, "manifest.config.mediaType", STR(MEDIA_WASM_CONFIG));
	for (size_t i = 0; i < parsed->reference_count; i++)
		if (parsed->references[i].role == MANIFEST_LAYER) {
			json_write_str(w, "manifest.layers.mediaType",
				       parsed->references[i].media_type);
			return;
		}
}

static void write_attributes(struct json_writer *w, const struct artifact_source *source, str type,
			     str skip)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct json_value *config = NULL;
	if (source->config.len && source->config.len <= ARTIFACT_CONFIG_MAX &&
	    json_parse(source->config, config_limits, &doc, &problem) &&
	    json_value_is_object(doc.root))
		config = doc.root;
	if (artifact_type_is(type, "WASM"))
		write_wasm(w, source, config);
	else if (config && artifact_type_is(type, "IMAGE"))
		write_image(w, config);
	else if (config)
		write_whole(w, config, skip);
}

static void describe_attributes(struct arena *arena, const struct artifact_source *source, str skip,
				struct artifact_facts *facts)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(ARTIFACT_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&text);
	if (artifact_type_is(facts->type, "UNKNOWN") || source->parsed->kind == MANIFEST_INDEX)
		return;
	json_write_object_begin(&w, NULL);
	write_attributes(&w, source, facts->type, skip);
	json_write_object_end(&w);
	if (text.len > 2 && !buf_overrun(&text))
		facts->extra_attrs_json = arena_copy(arena, buf_str(&text));
}

/* --- what only the manifest's own JSON tells ---------------------------------------------------
 */

#define ANNOTATION_ICON "io.goharbor.artifact.v1alpha1.icon"
#define ANNOTATION_SKIP "io.goharbor.artifact.v1alpha1.skip-list"

static str text_copy(struct arena *arena, str text)
{
	return text.len <= KIB(4) && !str_has_byte(text, '\0') ? arena_copy(arena, text) : STR_NONE;
}

static str icon_of(struct arena *arena, const struct json_value *root)
{
	const struct json_value *layers = json_member(root, "layers");
	digest d;
	for (size_t i = 0; i < json_count(layers); i++) {
		const struct json_value *layer = json_element(layers, i);
		str digest_text = json_value_str(json_member(layer, "digest"));
		if (json_member(json_member(layer, "annotations"), ANNOTATION_ICON) &&
		    digest_parse(digest_text, &d))
			return text_copy(arena, digest_text);
	}
	return STR_NONE;
}

/* Parses a second time only what says that there is something. */
static str describe_annotated(struct arena *arena, str bytes, struct artifact_facts *facts)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	size_t at;
	if (!str_find(bytes, STR("io.goharbor.artifact.v1alpha1."), &at) ||
	    !json_parse(bytes, manifest_limits, &doc, &problem))
		return STR_NONE;
	facts->icon = icon_of(arena, doc.root);
	const struct json_value *annotations =
		json_member(json_member(doc.root, "config"), "annotations");
	return text_copy(arena, json_value_str(json_member(annotations, ANNOTATION_SKIP)));
}

static void write_platform(struct json_writer *w, const struct json_value *platform)
{
	/* The quotes in two keys are Harbor's. */
	static const char *const members[][2] = {
		{ "architecture", "architecture" }, { "os", "os" },
		{ "variant", "variant" },	    { "os.version", "'os.version'" },
		{ "os.features", "'os.features'" },
	};
	json_write_object_begin(w, "platform");
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const struct json_value *value = json_member(platform, members[i][0]);
		bool list = i + 1 == COUNT_OF(members);
		if (list ? json_value_is_array(value) : json_value_is_str(value))
			write_value(w, members[i][1], value);
	}
	json_write_object_end(w);
}

static void write_child(struct json_writer *w, const struct json_value *child)
{
	const struct json_value *platform = json_member(child, "platform");
	const struct json_value *annotations = json_member(child, "annotations");
	const struct json_value *urls = json_member(child, "urls");
	json_write_object_begin(w, NULL);
	if (json_value_is_str(json_member(child, "digest")))
		write_value(w, "child_digest", json_member(child, "digest"));
	if (json_value_is_object(platform))
		write_platform(w, platform);
	if (json_value_is_str_map(annotations))
		write_value(w, "annotations", annotations);
	if (json_value_is_array(urls))
		write_value(w, "urls", urls);
	json_write_object_end(w);
}

static void describe_children(struct arena *arena, const struct artifact_source *source,
			      struct artifact_facts *facts)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	CLEANUP(buf_done) struct buf text = BUF_INIT(ARTIFACT_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&text);
	struct json_problem problem;
	if (source->parsed->kind != MANIFEST_INDEX ||
	    !json_parse(source->bytes, manifest_limits, &doc, &problem))
		return;
	const struct json_value *children = json_member(doc.root, "manifests");
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < MIN(json_count(children), (size_t)CHILDREN_MAX); i++)
		if (text.len + KIB(4) < ARTIFACT_TEXT_MAX &&
		    json_value_is_object(json_element(children, i)))
			write_child(&w, json_element(children, i));
	json_write_array_end(&w);
	if (!buf_overrun(&text))
		facts->children_json = arena_copy(arena, buf_str(&text));
}

/* Annotations first, then the config's labels; parses only what has such a word. */
static void describe_expiry(const struct artifact_source *source, struct expiry *ret)
{
	struct json_problem problem;
	size_t at;
	if (str_find(source->parsed->annotations_json, STR(".expires-"), &at)) {
		CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
		if (json_parse(source->parsed->annotations_json, manifest_limits, &doc, &problem))
			expiry_read(doc.root, ret);
	}
	if (source->config.len <= ARTIFACT_CONFIG_MAX &&
	    str_find(source->config, STR(".expires-"), &at)) {
		CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
		if (json_parse(source->config, config_limits, &doc, &problem))
			expiry_read(json_member(json_member(doc.root, "config"), "Labels"), ret);
	}
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static int64_t size_of(const struct artifact_source *source)
{
	int64_t size = (int64_t)source->bytes.len;
	for (size_t i = 0; i < source->parsed->reference_count; i++) {
		const struct manifest_reference *reference = &source->parsed->references[i];
		if (reference->role != MANIFEST_CHILD &&
		    __builtin_add_overflow(size, reference->size_bytes, &size))
			return ARTIFACT_SIZE_MAX;
	}
	return MIN(size, ARTIFACT_SIZE_MAX);
}

const struct manifest_reference *artifact_config(const struct manifest *parsed)
{
	const struct manifest_reference *config = config_of(parsed);
	bool readable = config && !digest_is_none(config->digest) && config->size_bytes > 0 &&
			(uint64_t)config->size_bytes <= ARTIFACT_CONFIG_MAX;
	return readable ? config : NULL;
}

void artifact_describe(struct arena *arena, const struct artifact_source *source,
		       struct artifact_facts *ret)
{
	struct artifact_facts facts = { .media_type = media_type_of(arena, source) };
	if (facts.media_type.len > MEDIA_TYPE_MAX)
		facts.media_type = STR_NONE;
	facts.type = type_of(arena, source->parsed, facts.media_type);
	facts.size_bytes = size_of(source);
	describe_accessory(arena, source, &facts);
	str skip = describe_annotated(arena, source->bytes, &facts);
	describe_attributes(arena, source, skip, &facts);
	describe_children(arena, source, &facts);
	describe_expiry(source, &facts.expiry);
	*ret = facts;
}
