/* SPDX-License-Identifier: Apache-2.0 */
/* addition.c - see addition.h. */
#include "registry/addition.h"
#include "codec/addition.h"
#include "codec/archive.h"
#include "codec/manifest.h"
#include "registry/pull.h"

#include "base/banned.h"

#define PIECE KIB(64)

#define TEXT	 "text/plain; charset=utf-8"
#define MARKDOWN "text/markdown; charset=utf-8"
#define JSON	 "application/json; charset=utf-8"

struct adding {
	struct registry *registry;
	const struct artifact *artifact;
	const struct manifest *parsed;
	str manifest;
	struct buf *into;
};

/* --- blobs -------------------------------------------------------------------------------------
 */

struct blob_pieces {
	struct ctx *ctx;
	struct blob_view view;
	uint64_t at;
	char *piece;
};

static ptrdiff_t read_piece(void *arg, const void **ret_bytes)
{
	struct blob_pieces *pieces = arg;
	size_t len;
	if (blob_read(pieces->ctx, &pieces->view, pieces->at, pieces->piece, PIECE, &len) != OK)
		return -1;
	pieces->at += len;
	*ret_bytes = pieces->piece;
	return (ptrdiff_t)len;
}

static err_t open_blob(struct ctx *ctx, const struct adding *adding, str digest_text,
		       struct blob_view *ret)
{
	digest d;
	if (!digest_parse(digest_text, &d))
		return fail(ctx, ERR_NOT_FOUND, "digest of an algorithm unknown to us");
	TRY(blob_open(ctx, adding->registry, adding->artifact->repository, d, ret));
	if (ret->size_bytes > ADDITION_LAYER_MAX)
		return fail(ctx, ERR_LIMIT, "layer is larger than what is looked into");
	return OK;
}

static err_t from_archive(struct ctx *ctx, const struct adding *adding, str digest_text, str name)
{
	struct blob_pieces pieces = { .ctx = ctx };
	CLEANUP(blob_view_done) struct blob_view view = BLOB_VIEW_INIT;
	TRY(open_blob(ctx, adding, digest_text, &view));
	pieces.view = view;
	pieces.piece = arena_alloc(ctx->arena, PIECE);
	const struct archive_source source = { read_piece, &pieces };
	switch (archive_find(&source, name, adding->into)) {
	case ARCHIVE_FOUND:
		return OK;
	case ARCHIVE_ABSENT:
		return fail(ctx, ERR_NOT_FOUND, "no " STR_FMT " in it", STR_ARG(name));
	case ARCHIVE_TOO_LARGE:
		return fail(ctx, ERR_LIMIT, "archive or file is too large");
	case ARCHIVE_BAD:
		break;
	}
	ctx_forgive(ctx);
	return fail(ctx, ERR_NOT_FOUND, "layer is no archive that can be read");
}

static err_t whole_blob(struct ctx *ctx, const struct adding *adding, str digest_text)
{
	CLEANUP(blob_view_done) struct blob_view view = BLOB_VIEW_INIT;
	TRY(open_blob(ctx, adding, digest_text, &view));
	for (uint64_t at = 0; at < view.size_bytes;) {
		size_t len;
		char *room = buf_reserve(adding->into, PIECE);
		if (!room)
			return fail(ctx, ERR_LIMIT, "document is too large");
		TRY(blob_read(ctx, &view, at, room, PIECE, &len));
		if (!len)
			break;
		adding->into->len += len;
		at += len;
	}
	return OK;
}

static const struct manifest_reference *reference_of(const struct adding *adding,
						     enum manifest_role role)
{
	for (size_t i = 0; i < adding->parsed->reference_count; i++)
		if (adding->parsed->references[i].role == role)
			return &adding->parsed->references[i];
	return NULL;
}

/* --- one function for each ---------------------------------------------------------------------
 */

static err_t from_config(struct ctx *ctx, const struct adding *adding,
			 bool (*write)(str config, struct buf *into))
{
	const struct manifest_reference *config = reference_of(adding, MANIFEST_CONFIG);
	CLEANUP(buf_done) struct buf bytes = BUF_INIT(ADDITION_MAX);
	struct adding reading = *adding;
	reading.into = &bytes;
	if (!config)
		return fail(ctx, ERR_NOT_FOUND, "it has no config");
	TRY(whole_blob(ctx, &reading, config->digest_text));
	if (!write(buf_str(&bytes), adding->into))
		return fail(ctx, ERR_NOT_FOUND, "its config cannot be read");
	return OK;
}

static err_t add_history(struct ctx *ctx, const struct adding *adding)
{
	return from_config(ctx, adding, addition_history);
}

static err_t add_dependencies(struct ctx *ctx, const struct adding *adding)
{
	return from_config(ctx, adding, addition_dependencies);
}

static err_t from_chart(struct ctx *ctx, const struct adding *adding, str name)
{
	const struct manifest_reference *layer = reference_of(adding, MANIFEST_LAYER);
	if (!layer)
		return fail(ctx, ERR_NOT_FOUND, "chart has no layer");
	return from_archive(ctx, adding, layer->digest_text, name);
}

static err_t add_values(struct ctx *ctx, const struct adding *adding)
{
	return from_chart(ctx, adding, STR("values.yaml"));
}

static err_t from_model(struct ctx *ctx, const struct adding *adding, const char *const names[2])
{
	struct addition_layer layer;
	if (!addition_find_layer(ctx->arena, adding->manifest, names, &layer))
		return fail(ctx, ERR_NOT_FOUND, "model has no layer with it");
	if (layer.is_tar)
		return from_archive(ctx, adding, layer.digest_text, STR_NONE);
	return whole_blob(ctx, adding, layer.digest_text);
}

static err_t add_readme(struct ctx *ctx, const struct adding *adding)
{
	static const char *const names[2] = { "README.md", "README" };
	if (artifact_type_is(adding->artifact->type, "CHART"))
		return from_chart(ctx, adding, STR("README.md"));
	return from_model(ctx, adding, names);
}

static err_t add_license(struct ctx *ctx, const struct adding *adding)
{
	static const char *const names[2] = { "LICENSE", "LICENSE.txt" };
	return from_model(ctx, adding, names);
}

static err_t add_sbom(struct ctx *ctx, const struct adding *adding)
{
	const struct manifest_reference *layer = reference_of(adding, MANIFEST_LAYER);
	if (!layer)
		return fail(ctx, ERR_NOT_FOUND, "SBOM has no layer");
	return whole_blob(ctx, adding, layer->digest_text);
}

static err_t add_files(struct ctx *ctx, const struct adding *adding)
{
	if (!addition_files(ctx->arena, adding->manifest, adding->into))
		return fail(ctx, ERR_NOT_FOUND, "manifest cannot be read");
	return OK;
}

struct addition_kind {
	const char *name;
	const char *types[2]; /* that have it */
	const char *content_type;
	err_t (*add)(struct ctx *ctx, const struct adding *adding);
};

static const struct addition_kind kinds[ADDITION_COUNT] = {
	[ADDITION_BUILD_HISTORY] = { "build_history", { "IMAGE", "WASM" }, JSON, add_history },
	[ADDITION_VALUES] = { "values.yaml", { "CHART", "" }, TEXT, add_values },
	[ADDITION_README] = { "readme.md", { "CHART", "CNAI" }, MARKDOWN, add_readme },
	[ADDITION_DEPENDENCIES] = { "dependencies", { "CHART", "" }, JSON, add_dependencies },
	[ADDITION_SBOM] = { "sbom", { "SBOM", "" }, JSON, add_sbom },
	[ADDITION_LICENSE] = { "license", { "CNAI", "" }, TEXT, add_license },
	[ADDITION_FILES] = { "files", { "CNAI", "" }, JSON, add_files },
};

const char *addition_name(enum addition addition)
{
	return kinds[addition].name;
}

bool addition_find(str name, enum addition *ret)
{
	for (enum addition addition = 0; addition < ADDITION_COUNT; addition++)
		if (str_eq(name, str_from(kinds[addition].name))) {
			*ret = addition;
			return true;
		}
	return false;
}

bool addition_is_of(enum addition addition, const struct artifact *artifact)
{
	const struct addition_kind *kind = &kinds[addition];
	return !artifact->children_json.len && (artifact_type_is(artifact->type, kind->types[0]) ||
						artifact_type_is(artifact->type, kind->types[1]));
}

err_t artifact_addition(struct ctx *ctx, struct registry *registry, const struct artifact *artifact,
			enum addition addition, struct buf *into, str *ret_content_type)
{
	CLEANUP(manifest_view_done) struct manifest_view view = MANIFEST_VIEW_INIT;
	struct reference reference = { .tag = STR_NONE };
	struct manifest parsed;
	if (!addition_is_of(addition, artifact))
		return fail(ctx, ERR_REQUEST_INVALID, "addition %s isn't supported for " STR_FMT,
			    kinds[addition].name, STR_ARG(artifact->type));
	if (!digest_parse(artifact->digest_text, &reference.digest))
		return fail(ctx, ERR_CORRUPT, "manifest row has a malformed digest");
	TRY(manifest_get(ctx, registry, artifact->repository, &reference, &view));
	TRY(manifest_parse(ctx, view.media_type, view.bytes, &parsed));
	const struct adding adding = { registry, artifact, &parsed, view.bytes, into };
	TRY(kinds[addition].add(ctx, &adding));
	*ret_content_type = str_from(kinds[addition].content_type);
	return buf_overrun(into) ? fail(ctx, ERR_LIMIT, "addition is too large") : OK;
}
