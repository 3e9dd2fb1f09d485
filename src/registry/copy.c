/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c - see copy.h. */
#include "registry/copy.h"
#include "codec/manifest.h"
#include "db/artifact.h"
#include "internal.h"
#include "registry/artifact.h"
#include "registry/manifest_push.h"
#include "registry/mount.h"
#include "registry/pull.h"
#include "registry/repository.h"

#include "base/banned.h"

#define DEPTH_MAX 8
#define PAGE	  100

struct copying {
	struct registry *registry;
	const struct artifact_copy *copy;
	size_t count;
	unsigned depth;
};

static err_t copy_manifest(struct ctx *ctx, struct copying *work, digest d);

static err_t mount(struct ctx *ctx, const struct copying *work,
		   const struct manifest_reference *reference)
{
	if (reference->nondistributable || digest_is_none(reference->digest))
		return OK;
	err_t err = blob_mount(ctx, work->registry, work->copy->source, reference->digest,
			       work->copy->target, false);
	if (err != ERR_BLOB_UNKNOWN || work->registry->options.require_blobs)
		return err;
	ctx_forgive(ctx); /* the source has done without it too */
	return OK;
}

/* A child is a manifest, or, in BuildKit's cache indexes, a blob. */
static err_t copy_child(struct ctx *ctx, struct copying *work,
			const struct manifest_reference *reference)
{
	if (digest_is_none(reference->digest))
		return OK;
	err_t err = copy_manifest(ctx, work, reference->digest);
	if (err != ERR_MANIFEST_UNKNOWN)
		return err;
	ctx_forgive(ctx);
	err = mount(ctx, work, reference);
	if (err != ERR_BLOB_UNKNOWN || work->registry->options.require_children)
		return err;
	ctx_forgive(ctx);
	return OK;
}

static err_t copy_references(struct ctx *ctx, struct copying *work, const struct manifest *parsed)
{
	for (size_t i = 0; i < parsed->reference_count; i++) {
		const struct manifest_reference *reference = &parsed->references[i];
		TRY(ctx_check(ctx));
		if (reference->role == MANIFEST_CHILD)
			TRY(copy_child(ctx, work, reference));
		else
			TRY(mount(ctx, work, reference));
	}
	return OK;
}

static err_t copy_accessories(struct ctx *ctx, struct copying *work, const struct artifact *subject)
{
	struct page page = { PAGE, 0 };
	struct artifact_page found;
	do {
		TRY(artifact_accessories(ctx, work->registry, subject, STR_NONE, page, &found));
		for (size_t i = 0; i < found.count; i++) {
			digest d;
			if (digest_parse(found.items[i].digest_text, &d))
				TRY(copy_manifest(ctx, work, d));
		}
		page.offset += PAGE;
	} while (found.count == PAGE);
	return OK;
}

static err_t push(struct ctx *ctx, const struct copying *work, const struct manifest_view *view,
		  const str *tags, size_t tag_count)
{
	const struct manifest_push push = {
		.repository = work->copy->target,
		.reference = { .digest = view->digest },
		.content_type = view->media_type,
		.bytes = view->bytes,
		.tags = tags,
		.tag_count = tag_count,
		.how = "copy",
	};
	struct manifest_pushed pushed;
	return manifest_push(ctx, work->registry, &push, &pushed);
}

/* Its tags as they are now; by signatures they say what they sign. */
static err_t push_with_tags(struct ctx *ctx, const struct copying *work,
			    const struct manifest_view *view)
{
	struct page page = { MANIFEST_TAGS_MAX, 0 };
	struct artifact_tag_page found;
	do {
		str tags[MANIFEST_TAGS_MAX];
		TRY(artifact_tags(ctx, work->registry, view->id, STR_NONE, page, &found));
		for (size_t i = 0; i < found.count; i++)
			tags[i] = found.items[i].name;
		TRY(push(ctx, work, view, tags, found.count));
		page.offset += MANIFEST_TAGS_MAX;
	} while (found.count == MANIFEST_TAGS_MAX);
	return OK;
}

static err_t copy_parts(struct ctx *ctx, struct copying *work, const struct manifest_view *view)
{
	struct manifest parsed;
	TRY(manifest_parse(ctx, view->media_type, view->bytes, &parsed));
	return copy_references(ctx, work, &parsed);
}

/* One that comes along. A signature that is one by its tag keeps that tag, or it would be none. */
static err_t copy_manifest(struct ctx *ctx, struct copying *work, digest d)
{
	CLEANUP(manifest_view_done) struct manifest_view view = MANIFEST_VIEW_INIT;
	const struct reference reference = { .digest = d };
	struct artifact artifact;
	if (work->count++ == COPY_ARTIFACTS_MAX || work->depth == DEPTH_MAX)
		return fail(ctx, ERR_LIMIT, "more children and accessories than can be copied");
	TRY(manifest_get(ctx, work->registry, work->copy->source, &reference, &view));
	TRY(artifact_get(ctx, work->registry, work->copy->source, &reference, &artifact));
	work->depth++;
	TRY(copy_parts(ctx, work, &view));
	if (artifact.accessory.len)
		TRY(push_with_tags(ctx, work, &view));
	else
		TRY(push(ctx, work, &view, NULL, 0));
	TRY(copy_accessories(ctx, work, &artifact));
	work->depth--;
	return OK;
}

err_t artifact_copy(struct ctx *ctx, struct registry *registry, const struct artifact_copy *copy)
{
	struct copying work = { .registry = registry, .copy = copy };
	CLEANUP(manifest_view_done) struct manifest_view view = MANIFEST_VIEW_INIT;
	struct artifact artifact;
	int64_t target_id;
	TRY(artifact_get(ctx, registry, copy->source, &copy->reference, &artifact));
	if (artifact.accessory.len)
		return fail(ctx, ERR_DENIED, "an accessory is copied with its subject");
	struct reference source = { .tag = STR_NONE };
	if (!digest_parse(artifact.digest_text, &source.digest))
		return fail(ctx, ERR_CORRUPT, "manifest row has a malformed digest");
	TRY(manifest_get(ctx, registry, copy->source, &source, &view));
	TRY(repository_ensure(ctx, registry, copy->target, false, &target_id));
	/* Who rides along (the record of it) goes with the manifest that was asked for, not with a
	 * part. */
	struct tx_rider *rider = take(ctx->rider);
	err_t err = copy_parts(ctx, &work, &view);
	ctx->rider = rider;
	TRY(err);
	TRY(push_with_tags(ctx, &work, &view));
	return copy_accessories(ctx, &work, &artifact);
}
