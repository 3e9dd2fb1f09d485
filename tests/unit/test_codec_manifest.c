/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests seen in the wild, and those that must be refused (image-spec; distribution-spec,
 * "Pushing manifests"). */
#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "codec/manifest.h"

#define EMPTY_HEX  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define D256	   "sha256:" EMPTY_HEX
#define D512	   "sha512:" EMPTY_HEX EMPTY_HEX
#define DESC(type) "{\"mediaType\":\"" type "\",\"digest\":\"" D256 "\",\"size\":7}"
#define CONFIG	   "\"config\":" DESC("application/vnd.oci.image.config.v1+json")
#define V2	   "\"schemaVersion\":2"

static struct arena arena;
static struct ctx ctx;

static void start(void)
{
	arena_init(&arena, MIB(4));
	ctx_init(&ctx, &arena);
}

static void stop(void)
{
	arena_done(&arena);
}

TestSuite(manifest, .init = start, .fini = stop);

static err_t parse(const char *content_type, const char *body, struct manifest *ret)
{
	ctx_forgive(&ctx);
	return manifest_parse(&ctx, str_from(content_type), str_from(body), ret);
}

Test(manifest, oci_image)
{
	struct manifest m;
	cr_assert_eq(
		parse(MEDIA_OCI_MANIFEST,
		      "{" V2 ",\"mediaType\":\"" MEDIA_OCI_MANIFEST "\"," CONFIG
		      ",\"layers\":[" DESC("application/vnd.oci.image.layer.v1.tar+gzip") "," DESC(
			      "application/vnd.oci.image.layer.nondistributable.v1.tar") "],"
											 "\"annotat"
											 "ions\":{"
											 "\"b\":"
											 "\"1\","
											 "\"a\":"
											 "\"\\u00e4"
											 "\"},"
											 "\"unknown"
											 "\":[{}]}",
		      &m),
		OK);
	cr_assert_eq(m.kind, MANIFEST_IMAGE);
	cr_assert(str_eq(m.media_type, STR(MEDIA_OCI_MANIFEST)));
	cr_assert(str_eq(m.artifact_type, STR("application/vnd.oci.image.config.v1+json")));
	cr_assert(!m.has_subject && m.reference_count == 3);
	cr_assert_eq(m.references[0].role, MANIFEST_CONFIG);
	cr_assert_eq(m.references[1].role, MANIFEST_LAYER);
	cr_assert(!m.references[1].nondistributable && m.references[2].nondistributable);
	cr_assert(str_eq(m.references[1].digest_text, STR(D256)));
	cr_assert_str_eq(digest_format(m.references[1].digest).text, D256);
	cr_assert_eq(m.references[1].size_bytes, 7);
	cr_assert(str_eq(m.annotations_json, STR("{\"b\":\"1\",\"a\":\"\xC3\xA4\"}")));
}

Test(manifest, types_that_are_accepted)
{
	static const struct {
		const char *name, *content_type, *body;
		enum manifest_kind kind;
		size_t references;
	} rows[] = {
		{ "no mediaType in the body", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"layers\":[]}", MANIFEST_IMAGE, 1 },
		{ "no type at all", "", "{" V2 "," CONFIG "}", MANIFEST_IMAGE, 1 },
		{ "no type at all, an index", "", "{" V2 ",\"manifests\":[" DESC("a/b") "]}",
		  MANIFEST_INDEX, 1 },
		{ "null lists, as Go writes them", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"layers\":null,\"annotations\":null,\"subject\":null}",
		  MANIFEST_IMAGE, 1 },
		{ "empty index", MEDIA_OCI_INDEX, "{" V2 ",\"manifests\":[]}", MANIFEST_INDEX, 0 },
		{ "index with null", MEDIA_OCI_INDEX, "{" V2 ",\"manifests\":null}", MANIFEST_INDEX,
		  0 },
		{ "docker schema 2", MEDIA_DOCKER_MANIFEST,
		  "{" V2 ",\"mediaType\":\"" MEDIA_DOCKER_MANIFEST "\"," CONFIG
		  ",\"layers\":[" DESC("application/vnd.docker.image.rootfs.diff.tar.gzip") "]}",
		  MANIFEST_IMAGE, 2 },
		{ "docker list", MEDIA_DOCKER_LIST,
		  "{" V2
		  ",\"manifests\":[" DESC(MEDIA_DOCKER_MANIFEST) "," DESC(MEDIA_OCI_INDEX) "]}",
		  MANIFEST_INDEX, 2 },
		{ "BuildKit cache: children are blobs", MEDIA_DOCKER_LIST,
		  "{" V2 ",\"manifests\":[" DESC(
			  "application/"
			  "vnd.docker.image.rootfs.diff.tar.gzip") "," DESC("application/"
									    "vnd.buildkit."
									    "cacheconfig.v0") "]}",
		  MANIFEST_INDEX, 2 },
		{ "child without mediaType", MEDIA_OCI_INDEX,
		  "{" V2 ",\"manifests\":[{\"digest\":\"" D256 "\",\"size\":0}]}", MANIFEST_INDEX,
		  1 },
		{ "algorithms we do not know", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"layers\":["
		  "{\"mediaType\":\"a/b\",\"digest\":\"blake3:abc\",\"size\":1}]}",
		  MANIFEST_IMAGE, 2 },
		{ "sha512", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"layers\":["
		  "{\"mediaType\":\"a/b\",\"digest\":\"" D512 "\",\"size\":1}]}",
		  MANIFEST_IMAGE, 2 },
		{ "ORAS artifact manifest", "application/vnd.oci.artifact.manifest.v1+json",
		  "{\"mediaType\":\"application/"
		  "vnd.oci.artifact.manifest.v1+json\",\"blobs\":[" DESC("a/b") "," DESC(
			  "c/d") "]}",
		  MANIFEST_IMAGE, 2 },
		{ "a stranger's type", "application/x-any",
		  "{\"config\":7,\"layers\":[8," DESC(
			  "a/b") "],"
				 "\"annotations\":[1],\"subject\":\"x\",\"artifactType\":3}",
		  MANIFEST_IMAGE, 1 },
		{ "a stranger's index", "application/x-any",
		  "{\"manifests\":[" DESC("a/b") "]," CONFIG "}", MANIFEST_INDEX, 2 },
		{ "a stranger's version 1", "application/x-any", "{\"schemaVersion\":1}",
		  MANIFEST_IMAGE, 0 },
		{ "an empty object", "application/x-any", "{}", MANIFEST_IMAGE, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct manifest m;
		err_t err = parse(rows[i].content_type, rows[i].body, &m);
		cr_expect_eq(err, OK, "%s: %s", rows[i].name, ctx.failure.detail);
		if (err != OK)
			continue;
		cr_expect_eq(m.kind, rows[i].kind, "%s", rows[i].name);
		cr_expect_eq(m.reference_count, rows[i].references, "%s", rows[i].name);
	}
}

/* The bytes are kept as they are; what is indexed must be text on every engine. */
Test(manifest, nul_characters)
{
	static const char body[] = "{" V2 "," CONFIG ",\"annotations\":{\"a\":\"x\\u0000y\"},"
				   "\"unknown\":[\"\\u0000\",{\"b\":\"\\u0000\"}]}";
	struct manifest m;
	cr_assert_eq(parse(MEDIA_OCI_MANIFEST, body, &m), OK, "%s", ctx.failure.detail);
	cr_assert(str_eq(m.annotations_json, STR("{\"a\":\"x\\u0000y\"}")));

	static const char strange[] = "{\"artifactType\":\"a/b\\u0000\"}";
	cr_assert_eq(parse("application/x-any", strange, &m), OK, "%s", ctx.failure.detail);
	cr_assert_eq(m.artifact_type.len, 0, "passed over, as what is malformed there is");
}

#define LAYER(fields) "{" V2 "," CONFIG ",\"layers\":[{" fields "}]}"

struct refused {
	const char *name, *content_type, *body;
};

static void expect_refused(const struct refused *row)
{
	struct manifest m = { .reference_count = 4711 };
	cr_expect_eq(parse(row->content_type, row->body, &m), ERR_MANIFEST_INVALID, "%s",
		     row->name);
	cr_expect_eq(m.reference_count, 4711, "%s", row->name);
	cr_expect(ctx.failure.detail[0] != '\0', "%s", row->name);
}

Test(manifest, refuses)
{
	static const struct refused rows[] = {
		{ "nothing", MEDIA_OCI_MANIFEST, "" },
		{ "no JSON", MEDIA_OCI_MANIFEST, "hello" },
		{ "an array", MEDIA_OCI_MANIFEST, "[]" },
		{ "a string", "application/x-any", "\"x\"" },
		{ "trailing bytes", MEDIA_OCI_MANIFEST, "{" V2 "," CONFIG "} x" },
		{ "duplicate keys", MEDIA_OCI_MANIFEST, "{" V2 "," CONFIG "," CONFIG "}" },
		{ "bad UTF-8", MEDIA_OCI_MANIFEST, "{" V2 "," CONFIG ",\"x\":\"\xff\"}" },
		{ "no schemaVersion", MEDIA_OCI_MANIFEST, "{" CONFIG "}" },
		{ "schemaVersion 3", MEDIA_OCI_MANIFEST, "{\"schemaVersion\":3," CONFIG "}" },
		{ "schemaVersion \"2\"", MEDIA_OCI_MANIFEST,
		  "{\"schemaVersion\":\"2\"," CONFIG "}" },
		{ "schemaVersion 2.0", MEDIA_OCI_MANIFEST, "{\"schemaVersion\":2.0," CONFIG "}" },
		{ "types differ", MEDIA_OCI_MANIFEST,
		  "{" V2 ",\"mediaType\":\"" MEDIA_DOCKER_MANIFEST "\"," CONFIG "}" },
		{ "mediaType is a number", MEDIA_OCI_MANIFEST,
		  "{" V2 ",\"mediaType\":1," CONFIG "}" },
		{ "mediaType splits a header", "",
		  "{" V2 ",\"mediaType\":\"a/b\\r\\nX: y\"," CONFIG "}" },
		{ "no config", MEDIA_OCI_MANIFEST, "{" V2 ",\"layers\":[]}" },
		{ "config is a list", MEDIA_OCI_MANIFEST, "{" V2 ",\"config\":[]}" },
		{ "layers are an object", MEDIA_OCI_MANIFEST, "{" V2 "," CONFIG ",\"layers\":{}}" },
		{ "a layer is null", MEDIA_OCI_MANIFEST, "{" V2 "," CONFIG ",\"layers\":[null]}" },
		{ "no digest", MEDIA_OCI_MANIFEST, LAYER("\"size\":1") },
		{ "digest is a number", MEDIA_OCI_MANIFEST, LAYER("\"size\":1,\"digest\":1") },
		{ "malformed digest", MEDIA_OCI_MANIFEST, LAYER("\"size\":1,\"digest\":\"abc\"") },
		{ "short sha256", MEDIA_OCI_MANIFEST,
		  LAYER("\"size\":1,\"digest\":\"sha256:abc\"") },
		{ "upper case", MEDIA_OCI_MANIFEST,
		  LAYER("\"size\":1,\"digest\":\"sha256:"
			"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B9"
			"34CA495991B7852B855\"") },
		{ "no size", MEDIA_OCI_MANIFEST, LAYER("\"digest\":\"" D256 "\"") },
		{ "negative size", MEDIA_OCI_MANIFEST,
		  LAYER("\"size\":-1,\"digest\":\"" D256 "\"") },
		{ "size with a fraction", MEDIA_OCI_MANIFEST,
		  LAYER("\"size\":1.5,\"digest\":\"" D256 "\"") },
		{ "size beyond 63 bits", MEDIA_OCI_MANIFEST,
		  LAYER("\"size\":9223372036854775808,\"digest\":\"" D256 "\"") },
		{ "layer mediaType is a list", MEDIA_OCI_MANIFEST,
		  LAYER("\"mediaType\":[],\"size\":1,\"digest\":\"" D256 "\"") },
		{ "urls are a string", MEDIA_OCI_MANIFEST,
		  LAYER("\"urls\":\"x\",\"size\":1,\"digest\":\"" D256 "\"") },
		{ "subject without size", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"subject\":{\"digest\":\"" D256 "\"}}" },
		{ "annotations are a list", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"annotations\":[]}" },
		{ "an annotation is a number", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"annotations\":{\"a\":1}}" },
		{ "artifactType is a number", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"artifactType\":1}" },
		{ "child without digest", MEDIA_OCI_INDEX,
		  "{" V2 ",\"manifests\":[{\"size\":1}]}" },
		{ "manifests are an object", MEDIA_OCI_INDEX, "{" V2 ",\"manifests\":{}}" },
		{ "CVE-2021-41190: index with layers", MEDIA_OCI_INDEX,
		  "{" V2 ",\"manifests\":[],\"layers\":[]}" },
		{ "CVE-2021-41190: index with config", "", "{" V2 ",\"manifests\":[]," CONFIG "}" },
		{ "CVE-2021-41190: image with manifests", MEDIA_DOCKER_MANIFEST,
		  "{" V2 "," CONFIG ",\"manifests\":[]}" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_refused(&rows[i]);
}

Test(manifest, refuses_nul_characters_in_what_it_reads)
{
	static const struct refused rows[] = {
		{ "artifactType with a NUL", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"artifactType\":\"a/b\\u0000c\"}" },
		{ "config type with a NUL", MEDIA_OCI_MANIFEST,
		  "{" V2 ",\"config\":{\"mediaType\":\"a/b\\u0000\",\"digest\":\"" D256
		  "\",\"size\":7}}" },
		{ "layer type with a NUL", MEDIA_OCI_MANIFEST,
		  LAYER("\"mediaType\":\"\\u0000\",\"size\":1,\"digest\":\"" D256 "\"") },
		{ "mediaType with a NUL", "", "{" V2 ",\"mediaType\":\"a/b\\u0000\"," CONFIG "}" },
		{ "digest with a NUL", MEDIA_OCI_MANIFEST,
		  LAYER("\"size\":1,\"digest\":\"" D256 "\\u0000\"") },
		{ "subject's digest with a NUL", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"subject\":{\"digest\":\"sha256\\u0000\",\"size\":1}}" },
		{ "key with a NUL", MEDIA_OCI_MANIFEST,
		  "{" V2 "," CONFIG ",\"annotations\":{\"a\\u0000b\":\"\"}}" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_refused(&rows[i]);
}

Test(manifest, schema1_is_refused_in_its_own_words)
{
	static const char v1[] = "application/vnd.docker.distribution.manifest.v1+json";
	static const char signed_v1[] = "application/vnd.docker.distribution.manifest.v1+prettyjws";
	struct manifest m;
	cr_assert_eq(parse(v1, "{\"schemaVersion\":1}", &m), ERR_MANIFEST_SCHEMA1);
	cr_assert_eq(parse(signed_v1, "anything", &m), ERR_MANIFEST_SCHEMA1);
	cr_assert_eq(parse("", "{\"schemaVersion\":1,\"fsLayers\":[]}", &m), ERR_MANIFEST_SCHEMA1);
	cr_assert_eq(parse("application/json", "{\"schemaVersion\":1,\"fsLayers\":[]}", &m),
		     ERR_MANIFEST_SCHEMA1);
	cr_assert_eq(parse(MEDIA_DOCKER_MANIFEST, "{\"schemaVersion\":1}", &m),
		     ERR_MANIFEST_SCHEMA1);
}

Test(manifest, nondistributable_layers_need_not_be_present)
{
	static const struct {
		const char *layer;
		bool nondistributable;
	} rows[] = {
		{ DESC("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"), true },
		{ DESC("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), true },
		{ DESC("application/vnd.oci.image.layer.v1.tar"), false },
		{ "{\"digest\":\"" D256 "\",\"size\":1,\"urls\":[\"https://example.com/x\"]}",
		  true },
		{ "{\"digest\":\"" D256 "\",\"size\":1,\"urls\":[]}", false },
		{ "{\"digest\":\"" D256 "\",\"size\":1,\"urls\":null}", false },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct manifest m;
		str body =
			arena_printf(&arena, "{" V2 "," CONFIG ",\"layers\":[%s]}", rows[i].layer);
		cr_assert_eq(parse(MEDIA_OCI_MANIFEST, body.ptr, &m), OK);
		cr_expect_eq(m.references[1].nondistributable, rows[i].nondistributable, "row %zu",
			     i);
	}
}

Test(manifest, artifact_type_of_referrers)
{
	static const struct {
		const char *content_type, *fields, *expected;
	} rows[] = {
		{ MEDIA_OCI_MANIFEST, "\"artifactType\":\"x/y\"," CONFIG, "x/y" },
		{ MEDIA_OCI_MANIFEST, "\"artifactType\":\"\"," CONFIG,
		  "application/vnd.oci.image.config.v1+json" },
		{ MEDIA_OCI_MANIFEST, "\"config\":" DESC("application/vnd.oci.empty.v1+json"),
		  "application/vnd.oci.empty.v1+json" },
		{ MEDIA_OCI_MANIFEST, "\"config\":{\"digest\":\"" D256 "\",\"size\":2}", "" },
		{ MEDIA_OCI_INDEX, "\"manifests\":[],\"artifactType\":\"x/y\"", "x/y" },
		{ MEDIA_OCI_INDEX, "\"manifests\":[]", "" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct manifest m;
		str body = arena_printf(&arena, "{" V2 ",%s}", rows[i].fields);
		cr_assert_eq(parse(rows[i].content_type, body.ptr, &m), OK, "%s",
			     ctx.failure.detail);
		cr_expect(str_eq(m.artifact_type, str_from(rows[i].expected)), "row %zu", i);
	}
}

Test(manifest, subject_of_images_and_indexes)
{
	struct manifest m;
	cr_assert_eq(
		parse(MEDIA_OCI_INDEX, "{" V2 ",\"manifests\":[],\"subject\":" DESC("a/b") "}", &m),
		OK);
	cr_assert(m.has_subject && str_eq(m.subject_text, STR(D256)));
	cr_assert_str_eq(digest_format(m.subject).text, D256);
	cr_assert_eq(m.reference_count, 0, "a subject may be missing, so it is no reference");
	cr_assert_eq(parse(MEDIA_OCI_MANIFEST,
			   "{" V2 "," CONFIG ",\"subject\":{\"digest\":\"x+y:Z\",\"size\":0}}", &m),
		     OK);
	cr_assert(m.has_subject && digest_is_none(m.subject) &&
		  str_eq(m.subject_text, STR("x+y:Z")));
}

Test(manifest, depth_is_bounded)
{
	for (int depth = 62; depth <= 65; depth++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
		struct manifest m;
		buf_add(&b, STR("{" V2 "," CONFIG ",\"x\":"));
		for (int i = 0; i < depth; i++)
			buf_add_byte(&b, '[');
		for (int i = 0; i < depth; i++)
			buf_add_byte(&b, ']');
		buf_add_byte(&b, '}');
		ctx_forgive(&ctx);
		err_t err = manifest_parse(&ctx, STR(MEDIA_OCI_MANIFEST), buf_str(&b), &m);
		cr_expect_eq(err, depth < MANIFEST_DEPTH_MAX ? OK : ERR_MANIFEST_INVALID);
	}
}

/* An image with `count` references in all. */
static err_t parse_layers(struct ctx *c, size_t count, struct manifest *ret)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(16));
	buf_add(&b, STR("{" V2 "," CONFIG ",\"layers\":["));
	for (size_t i = 1; i < count; i++) {
		if (i > 1)
			buf_add_byte(&b, ',');
		buf_add(&b, STR(DESC("application/vnd.oci.image.layer.v1.tar+gzip")));
	}
	buf_add(&b, STR("]}"));
	cr_assert(!buf_overrun(&b));
	ctx_forgive(c);
	return manifest_parse(c, STR(MEDIA_OCI_MANIFEST), buf_str(&b), ret);
}

Test(manifest, number_of_references_is_bounded)
{
	struct arena large;
	struct ctx own;
	struct manifest m;
	arena_init(&large, MIB(32));
	ctx_init(&own, &large);
	cr_assert_eq(parse_layers(&own, MANIFEST_REFERENCES_MAX, &m), OK, "%s", own.failure.detail);
	cr_assert_eq(m.reference_count, MANIFEST_REFERENCES_MAX);
	cr_assert_eq(parse_layers(&own, MANIFEST_REFERENCES_MAX + 1, &m), ERR_MANIFEST_INVALID);
	arena_done(&large);
}

Test(manifest, a_full_arena_is_an_error_at_every_size)
{
	struct arena small;
	struct ctx own;
	struct manifest m;
	bool fitted = false;
	for (size_t cap = 0; cap < KIB(64); cap += 64) {
		arena_init(&small, cap);
		ctx_init(&own, &small);
		err_t err = parse_layers(&own, 100, &m);
		cr_assert(err == OK || err == ERR_LIMIT);
		cr_assert(!fitted || err == OK);
		fitted = err == OK;
		arena_done(&small);
	}
	cr_assert(fitted);
}

/* The conformance suite pushes 390 annotations of 10 kB. */
Test(manifest, four_megabytes_of_annotations)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(5));
	struct arena large;
	struct ctx own;
	struct manifest m;
	static char value[10000];
	memset(value, 'v', sizeof value);
	buf_add(&b, STR("{" V2 "," CONFIG ",\"layers\":[],\"annotations\":{"));
	for (int i = 0; i < 390; i++) {
		buf_printf(&b, "%s\"key-%d\":\"", i ? "," : "", i);
		buf_add(&b, (str){ value, sizeof value });
		buf_add_byte(&b, '"');
	}
	buf_add(&b, STR("}}"));
	arena_init(&large, MIB(8));
	ctx_init(&own, &large);
	cr_assert_eq(manifest_parse(&own, STR(MEDIA_OCI_MANIFEST), buf_str(&b), &m), OK, "%s",
		     own.failure.detail);
	cr_assert(m.annotations_json.len > 3900000);
	arena_done(&large);
}
