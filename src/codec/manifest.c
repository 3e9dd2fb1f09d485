/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - see manifest.h. The JSON document is gone when manifest_parse returns, so all is
 * copied. */
#include "codec/manifest.h"
#include "codec/json.h"
#include "codec/media_type.h"

#include "base/banned.h"

#define MEDIA_SCHEMA1	     "application/vnd.docker.distribution.manifest.v1+json"
#define MEDIA_SCHEMA1_SIGNED "application/vnd.docker.distribution.manifest.v1+prettyjws"

struct reading {
	struct ctx *ctx;
	const struct json_value *root;
	bool strict; /* a type we know: what is malformed is an error, not a stranger's extension */
	struct manifest *manifest;
};

/* One descriptor as it stands in the document. */
struct descriptor {
	str media_type;
	str digest_text;
	digest digest;
	int64_t size_bytes;
	bool has_urls;
};

static bool is_schema1_type(str type)
{
	return media_type_equal(type, STR(MEDIA_SCHEMA1)) ||
	       media_type_equal(type, STR(MEDIA_SCHEMA1_SIGNED));
}

static bool is_index_type(str type)
{
	return str_eq(type, STR(MEDIA_OCI_INDEX)) || str_eq(type, STR(MEDIA_DOCKER_LIST));
}

static bool is_image_type(str type)
{
	return str_eq(type, STR(MEDIA_OCI_MANIFEST)) || str_eq(type, STR(MEDIA_DOCKER_MANIFEST));
}

static err_t copy(struct ctx *ctx, str from, str *ret)
{
	char *into = arena_try(ctx->arena, from.len + 1);
	if (!into)
		return fail(ctx, ERR_LIMIT, "manifest does not fit into the memory of the request");
	for (size_t i = 0; i < from.len; i++)
		into[i] = from.ptr[i];
	*ret = (str){ into, from.len };
	return OK;
}

/*
 * digest-grammar alone is enough for algorithms we do not know; for those we know the encoding has
 * to fit too (image-spec, descriptor.md, "Digests").
 */
static bool read_digest(str text, digest *ret)
{
	str name, encoded;
	enum digest_algorithm algorithm;
	if (!digest_is_grammatical(text) || !str_cut(text, ':', &name, &encoded))
		return false;
	if (digest_algorithm_parse(name, &algorithm))
		return digest_parse(text, ret);
	*ret = (digest){ 0 };
	return true;
}

/* Returns what is wrong, or NULL. A missing mediaType is tolerated: pushers leave it out of index
 * children. */
static const char *read_descriptor(const struct json_value *v, struct descriptor *ret)
{
	struct descriptor d = { 0 };
	const struct json_value *urls = NULL;

	if (!json_value_is_object(v))
		return "is not an object";
	if (json_get_str(v, "mediaType", &d.media_type) == JSON_WRONG)
		return "has a mediaType that is not a string";
	if (str_has_byte(d.media_type, '\0'))
		return "has a mediaType with a NUL in it";
	if (json_get_str(v, "digest", &d.digest_text) != JSON_FOUND)
		return "has no digest";
	if (!read_digest(d.digest_text, &d.digest))
		return "has a malformed digest";
	if (json_get_i64(v, "size", &d.size_bytes) != JSON_FOUND)
		return "has no size";
	if (d.size_bytes < 0)
		return "has a negative size";
	if (json_get_array(v, "urls", &urls) == JSON_WRONG)
		return "has urls that are not a list";
	d.has_urls = json_count(urls) > 0;
	*ret = d;
	return NULL;
}

static bool is_nondistributable(const struct descriptor *d)
{
	size_t at;
	return d->has_urls || str_find(d->media_type, STR(".nondistributable."), &at) ||
	       str_find(d->media_type, STR(".foreign."), &at);
}

static err_t keep_reference(struct reading *r, enum manifest_role role, const struct descriptor *d)
{
	struct manifest_reference reference = {
		.role = role,
		.digest = d->digest,
		.size_bytes = d->size_bytes,
		.nondistributable = is_nondistributable(d),
	};
	TRY(copy(r->ctx, d->media_type, &reference.media_type));
	TRY(copy(r->ctx, d->digest_text, &reference.digest_text));
	r->manifest->references[r->manifest->reference_count++] = reference;
	return OK;
}

static err_t read_reference(struct reading *r, enum manifest_role role, const char *key, size_t at,
			    const struct json_value *v)
{
	struct descriptor d;
	const char *problem = read_descriptor(v, &d);
	if (!problem)
		return keep_reference(r, role, &d);
	if (!r->strict)
		return OK;
	return fail(r->ctx, ERR_MANIFEST_INVALID, "%s[%zu] %s", key, at, problem);
}

static err_t read_reference_list(struct reading *r, enum manifest_role role, const char *key)
{
	const struct json_value *list = NULL;
	if (json_get_array(r->root, key, &list) == JSON_WRONG && r->strict)
		return fail(r->ctx, ERR_MANIFEST_INVALID, "%s is not a list", key);
	size_t count = json_count(list);
	for (size_t i = 0; i < count; i++)
		TRY(read_reference(r, role, key, i, json_element(list, i)));
	return OK;
}

static size_t list_length(const struct reading *r, const char *key)
{
	const struct json_value *list = NULL;
	return json_get_array(r->root, key, &list) == JSON_FOUND ? json_count(list) : 0;
}

static err_t allocate_references(struct reading *r)
{
	size_t count = 1 + list_length(r, "layers") + list_length(r, "blobs") +
		       list_length(r, "manifests");
	if (count > MANIFEST_REFERENCES_MAX)
		return fail(r->ctx, ERR_MANIFEST_INVALID, "more than %d references",
			    MANIFEST_REFERENCES_MAX);
	r->manifest->references =
		arena_try(r->ctx->arena, count * sizeof(struct manifest_reference));
	if (!r->manifest->references)
		return fail(r->ctx, ERR_LIMIT, "%zu references do not fit", count);
	return OK;
}

static err_t read_config(struct reading *r)
{
	const struct json_value *config = json_member(r->root, "config");
	if (config)
		return read_reference(r, MANIFEST_CONFIG, "config", 0, config);
	if (r->strict && r->manifest->kind == MANIFEST_IMAGE)
		return fail(r->ctx, ERR_MANIFEST_INVALID, "image manifest has no config");
	return OK;
}

static err_t read_references(struct reading *r)
{
	bool index = r->manifest->kind == MANIFEST_INDEX;
	TRY(allocate_references(r));
	if (!index || !r->strict) {
		TRY(read_config(r));
		TRY(read_reference_list(r, MANIFEST_LAYER, "layers"));
	}
	if (!r->strict)
		TRY(read_reference_list(r, MANIFEST_LAYER, "blobs"));
	return index ? read_reference_list(r, MANIFEST_CHILD, "manifests") : OK;
}

static err_t read_subject(struct reading *r)
{
	struct descriptor d;
	const struct json_value *subject = json_member(r->root, "subject");
	if (!subject)
		return OK;
	const char *problem = read_descriptor(subject, &d);
	if (problem && r->strict)
		return fail(r->ctx, ERR_MANIFEST_INVALID, "subject %s", problem);
	if (problem)
		return OK;
	r->manifest->has_subject = true;
	r->manifest->subject = d.digest;
	return copy(r->ctx, d.digest_text, &r->manifest->subject_text);
}

/* artifactType, else for images the type of the config (distribution-spec, "Listing Referrers"). */
static err_t read_artifact_type(struct reading *r)
{
	str type = STR_NONE;
	if (json_get_str(r->root, "artifactType", &type) == JSON_WRONG && r->strict)
		return fail(r->ctx, ERR_MANIFEST_INVALID, "artifactType is not a string");
	if (type.len == 0 && r->manifest->kind == MANIFEST_IMAGE)
		json_get_str(json_member(r->root, "config"), "mediaType", &type);
	if (str_has_byte(type,
			 '\0')) { /* no column of text can hold it, nor can a query ask for it */
		if (r->strict)
			return fail(r->ctx, ERR_MANIFEST_INVALID, "artifact type has a NUL in it");
		return OK;
	}
	return type.len ? copy(r->ctx, type, &r->manifest->artifact_type) : OK;
}

static err_t read_annotations(struct reading *r)
{
	const struct json_value *annotations = json_member(r->root, "annotations");
	if (!annotations)
		return OK;
	if (!json_value_is_str_map(annotations)) {
		if (!r->strict)
			return OK;
		return fail(r->ctx, ERR_MANIFEST_INVALID, "annotations are not strings by name");
	}
	size_t len = json_value_print(annotations, NULL, 0);
	char *into = arena_try(r->ctx->arena, len + 1);
	if (!into)
		return fail(r->ctx, ERR_LIMIT, "annotations do not fit");
	json_value_print(annotations, into, len);
	r->manifest->annotations_json = (str){ into, len };
	return OK;
}

/* The field decides over the header; both must agree when both are there. */
static err_t read_type(struct reading *r, str content_type, str *ret)
{
	str type = STR_NONE;
	if (json_get_str(r->root, "mediaType", &type) == JSON_WRONG)
		return fail(r->ctx, ERR_MANIFEST_INVALID, "mediaType is not a string");
	if (type.len == 0) {
		*ret = content_type;
		return OK;
	}
	if (!media_type_is_valid(type))
		return fail(r->ctx, ERR_MANIFEST_INVALID, "mediaType is malformed");
	if (content_type.len && !str_eq(type, content_type))
		return fail(r->ctx, ERR_MANIFEST_INVALID,
			    "mediaType is " STR_FMT ", but the content type " STR_FMT,
			    STR_ARG(type), STR_ARG(content_type));
	*ret = type;
	return copy(r->ctx, type, &r->manifest->media_type);
}

static err_t check_version(struct reading *r, str type)
{
	int64_t version = 0;
	enum json_got got = json_get_i64(r->root, "schemaVersion", &version);
	bool schema1_shape = r->strict || json_member(r->root, "fsLayers");
	if (is_schema1_type(type) || (version == 1 && schema1_shape))
		return fail(r->ctx, ERR_MANIFEST_SCHEMA1, "docker schema 1");
	if (r->strict && (got != JSON_FOUND || version != 2))
		return fail(r->ctx, ERR_MANIFEST_INVALID, "schemaVersion is not 2");
	return OK;
}

static err_t decide_kind(struct reading *r, str type)
{
	bool has_children = json_member(r->root, "manifests") != NULL;
	bool has_layers = json_member(r->root, "layers") || json_member(r->root, "config");
	bool index = is_index_type(type) || (!is_image_type(type) && has_children);
	r->manifest->kind = index ? MANIFEST_INDEX : MANIFEST_IMAGE;
	if (r->strict && index && has_layers)
		return fail(r->ctx, ERR_MANIFEST_INVALID, "an index with config or layers");
	if (r->strict && !index && has_children)
		return fail(r->ctx, ERR_MANIFEST_INVALID, "an image manifest with manifests");
	return OK;
}

static err_t read_manifest(struct reading *r, str content_type)
{
	str type;
	if (!json_value_is_object(r->root))
		return fail(r->ctx, ERR_MANIFEST_INVALID, "not a JSON object");
	TRY(read_type(r, content_type, &type));
	r->strict = type.len == 0 || is_index_type(type) || is_image_type(type);
	TRY(check_version(r, type));
	TRY(decide_kind(r, type));
	TRY(read_references(r));
	TRY(read_subject(r));
	TRY(read_artifact_type(r));
	return read_annotations(r);
}

err_t manifest_parse(struct ctx *ctx, str content_type, str bytes, struct manifest *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	const struct json_limits limits = { MANIFEST_DEPTH_MAX, MANIFEST_VALUES_MAX,
					    .nul_in_strings = true };
	struct json_problem problem;
	struct manifest manifest = { 0 };

	if (is_schema1_type(content_type))
		return fail(ctx, ERR_MANIFEST_SCHEMA1, "docker schema 1");
	if (!json_parse(bytes, limits, &doc, &problem))
		return fail(ctx, ERR_MANIFEST_INVALID, JSON_PROBLEM_FMT, JSON_PROBLEM_ARG(problem));
	struct reading r = { .ctx = ctx, .root = doc.root, .manifest = &manifest };
	TRY(read_manifest(&r, content_type));
	*ret = manifest;
	return OK;
}
