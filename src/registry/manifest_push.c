/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_push.c - see manifest_push.h. */
#include "registry/manifest_push.h"
#include "codec/etag.h"
#include "codec/manifest.h"
#include "codec/media_type.h"
#include "crypto/hash.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/manifest.h"
#include "db/tag.h"
#include "internal.h"
#include "listing.h"
#include "registry/event.h"
#include "registry/repository.h"

#include "base/banned.h"

struct push_work {
	struct registry *registry;
	const struct manifest_push *push;
	const struct manifest *parsed;
	int64_t repository_id;
	struct immutability rules;
	struct manifest_row row;
	struct artifact_facts facts;
	bool described;
	struct event_plan plan;
	bool creates_tag; /* the precondition is that the tag does not exist */
};

static str media_type_of(const struct manifest *parsed, str content_type)
{
	if (content_type.len)
		return content_type;
	if (parsed->media_type.len)
		return parsed->media_type;
	return parsed->kind == MANIFEST_INDEX ? STR(MEDIA_OCI_INDEX) : STR(MEDIA_OCI_MANIFEST);
}

static err_t blob_is_there(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d)
{
	struct blob blob;
	return db_blob_hold_in_repository(ctx, tx, repository_id, d, &blob);
}

/* A child is a manifest, or, in BuildKit's cache indexes, a blob. */
static err_t child_is_there(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d)
{
	int64_t id;
	err_t err = db_manifest_find_id(ctx, tx, repository_id, d, &id);
	return err == ERR_ABSENT ? blob_is_there(ctx, tx, repository_id, d) : err;
}

static err_t check_reference(struct ctx *ctx, struct sql_tx *tx, const struct push_work *work,
			     const struct manifest_reference *reference)
{
	const struct registry_options *options = &work->registry->options;
	bool child = reference->role == MANIFEST_CHILD;
	if (!(child ? options->require_children : options->require_blobs) ||
	    reference->nondistributable || digest_is_none(reference->digest))
		return OK;
	err_t err = (child ? child_is_there : blob_is_there)(ctx, tx, work->repository_id,
							     reference->digest);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_MANIFEST_BLOB_UNKNOWN, STR_FMT " is not in the repository",
			    STR_ARG(reference->digest_text));
	return err;
}

/* If-Match, If-None-Match on a tag: whoever writes last must have seen what is there. */
static err_t check_precondition(struct ctx *ctx, struct sql_tx *tx, struct push_work *work)
{
	work->creates_tag = false;
	const struct manifest_push *push = work->push;
	if (!push->reference.tag.len || !(push->if_match.len || push->if_none_match.len))
		return OK;
	digest current;
	err_t err = db_tag_find_locked(ctx, tx, work->repository_id, push->reference.tag, &current);
	if (err == ERR_ABSENT && push->if_match.len)
		return fail(ctx, ERR_PRECONDITION_FAILED, "tag does not exist");
	if (err == ERR_ABSENT) {
		work->creates_tag = true;
		return OK;
	}
	TRY(err);
	str etag = arena_printf(ctx->arena, "\"" DIGEST_FMT "\"", DIGEST_ARG(current));
	if ((push->if_match.len && !etag_matches_strong(push->if_match, etag)) ||
	    (push->if_none_match.len && etag_matches(push->if_none_match, etag)))
		return fail(ctx, ERR_PRECONDITION_FAILED, "tag is at " STR_FMT, STR_ARG(etag));
	return OK;
}

static err_t put_reference_tag(struct ctx *ctx, struct sql_tx *tx, const struct push_work *work,
			       struct listing *listing, int64_t *gained)
{
	str tag = work->push->reference.tag;
	if (!tag.len)
		return OK;
	if (!work->creates_tag)
		return listing_put_tag(ctx, tx, listing, tag, work->row.id, gained);
	++*gained;
	err_t err = listing_create_tag(ctx, tx, listing, tag, work->row.id);
	return err == ERR_EXISTS ? fail(ctx, ERR_PRECONDITION_FAILED, "tag was made meanwhile")
				 : err;
}

/* A resource for each of its tags; without any, for the digest. */
static err_t add_event(struct ctx *ctx, struct sql_tx *tx, struct push_work *work)
{
	const struct manifest_push *push = work->push;
	struct webhook_resource pushed[MANIFEST_TAGS_MAX + 1];
	struct event event = {
		.repository = push->repository,
		.repository_id = work->repository_id,
		.resources = pushed,
	};
	if (!work->plan.wanted)
		return OK;
	const struct webhook_resource plain = {
		.digest = arena_copy(ctx->arena, str_from(digest_format(work->row.digest).text)),
		.tag = push->reference.tag,
		.media_type = work->row.media_type,
	};
	if (plain.tag.len || !push->tag_count)
		pushed[event.resource_count++] = plain;
	for (size_t i = 0; i < push->tag_count; i++) {
		pushed[event.resource_count] = plain;
		pushed[event.resource_count++].tag = push->tags[i];
	}
	return event_add(ctx, tx, &work->plan, &event);
}

static err_t store_manifest(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct push_work *work = arg;
	TRY(check_precondition(ctx, tx, work));
	for (size_t i = 0; i < work->parsed->reference_count; i++)
		TRY(check_reference(ctx, tx, work, &work->parsed->references[i]));

	struct listing listing = LISTING(work->registry, work->repository_id, &work->rules,
					 work->push->how ? work->push->how : "push");
	struct listing_push pushed = { .is_index = work->parsed->kind == MANIFEST_INDEX,
				       .untagged = !work->push->reference.tag.len &&
						   !work->push->tag_count,
				       .facts = &work->facts,
				       .described = work->described };
	err_t err = db_manifest_ensure(ctx, tx, work->repository_id, &work->row, work->parsed,
				       &pushed.made);
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_NAME_UNKNOWN, "the repository was deleted meanwhile");
	}
	TRY(err);
	pushed.id = work->row.id;
	TRY(put_reference_tag(ctx, tx, work, &listing, &pushed.gained));
	for (size_t i = 0; i < work->push->tag_count; i++)
		TRY(listing_put_tag(ctx, tx, &listing, work->push->tags[i], pushed.id,
				    &pushed.gained));
	TRY(listing_pushed(ctx, tx, &listing, &pushed));
	TRY(add_event(ctx, tx, work));
	return listing_finish(ctx, tx, &listing);
}

/* Before the transaction: bytes move. */
static void describe(struct ctx *ctx, struct push_work *work)
{
	struct artifact_source source = {
		.manifest_media_type = work->row.media_type,
		.parsed = work->parsed,
		.bytes = work->push->bytes,
		.tag = work->push->reference.tag,
		.tags = work->push->tags,
		.tag_count = work->push->tag_count,
	};
	listing_describe(ctx, work->registry, work->push->repository, &source, &work->facts,
			 &work->described);
}

static void drop_tag(struct registry *registry, int64_t repository_id, str tag)
{
	struct cache_key key = key_in_repository('t', repository_id, tag);
	cache_drop(registry->cache, key_str(&key));
}

err_t manifest_push(struct ctx *ctx, struct registry *registry, const struct manifest_push *push,
		    struct manifest_pushed *ret)
{
	if (push->content_type.len && !media_type_is_valid(push->content_type))
		return fail(ctx, ERR_MANIFEST_INVALID, "malformed Content-Type");
	struct manifest parsed;
	TRY(manifest_parse(ctx, push->content_type, push->bytes, &parsed));

	digest want = push->reference.digest;
	bool by_digest = !digest_is_none(want);
	digest have = hash_bytes(by_digest ? want.algorithm : DIGEST_SHA256, push->bytes);
	if (by_digest && !digest_equal(have, want))
		return fail(ctx, ERR_DIGEST_INVALID, "manifest is " DIGEST_FMT, DIGEST_ARG(have));
	if (push->ret_digest)
		*push->ret_digest = arena_copy(ctx->arena, str_from(digest_format(have).text));

	struct push_work work = {
		.registry = registry,
		.push = push,
		.parsed = &parsed,
		.row = { 0, have, media_type_of(&parsed, push->content_type), push->bytes },
	};
	TRY(repository_ensure(ctx, registry, push->repository, push->maker, &work.repository_id));
	TRY(immutability_find(ctx, registry, push->repository, &work.rules));
	TRY(event_plan(ctx, registry, WEBHOOK_EVENT_PUSH, push->repository, &work.plan));
	describe(ctx, &work);
	TRY(db_run(ctx, registry->db, SQL_WRITE, store_manifest, &work));

	drop_tag(registry, work.repository_id, push->reference.tag);
	for (size_t i = 0; i < push->tag_count; i++)
		drop_tag(registry, work.repository_id, push->tags[i]);
	event_told(&work.plan);
	*ret = (struct manifest_pushed){ have, parsed.has_subject, parsed.subject_text };
	return OK;
}
