/* SPDX-License-Identifier: Apache-2.0 */
/* delete.c - see delete.h. */
#include "registry/delete.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/manifest.h"
#include "db/project_content.h"
#include "db/repository.h"
#include "db/tag.h"
#include "event_gone.h"
#include "internal.h"
#include "listing.h"
#include "registry/collect.h"
#include "registry/event.h"
#include "registry/repository.h"
#include "registry/trash.h"
#include "registry/upload.h"

#include <string.h>

#include "base/banned.h"

#define UPLOAD_PAGE 256

/* A manifest that was deleted, or is about to be. */
struct doomed {
	str digest_text;
	str media_type;
	bool follows; /* it goes only because another goes */
	bool gone;
	struct tag_state *tags; /* that pointed to it */
	size_t tag_count;
};

struct delete_work {
	struct registry *registry;
	int64_t repository_id;
	struct immutability rules;
	str tag;
	digest d;
	int64_t only_of;
	bool even_child;
	bool only_empty;
	struct event_plan plan;
	str repository; /* as it is called */
	str name;	/* of the repository when it was deleted */
	struct delete_batch *batch;
	struct doomed *doomed;
	size_t doomed_count, doomed_room;
	struct trash trash;
};

static void drop(struct registry *registry, struct cache_key key)
{
	cache_drop(registry->cache, key_str(&key));
}

struct delete_kind {
	err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg);
	err_t unknown; /* when there is nothing to delete */
};

static err_t run_delete(struct ctx *ctx, struct registry *registry, str repository,
			const struct delete_kind *kind, struct delete_work *work)
{
	work->registry = registry;
	TRY(repository_find(ctx, registry, repository, &work->repository_id));
	TRY(immutability_find(ctx, registry, repository, &work->rules));
	err_t err = db_run(ctx, registry->db, SQL_WRITE, kind->body, work);
	if (err == ERR_ABSENT)
		return fail(ctx, kind->unknown, "nothing to delete in " STR_FMT,
			    STR_ARG(repository));
	return err;
}

/* What goes now is kept for its window, if there is one. */
static err_t to_trash(struct ctx *ctx, struct sql_tx *tx, struct delete_work *work,
		      enum trash_kind kind, str what)
{
	const struct trash_opening opening = { .kind = kind,
					       .id = work->repository_id,
					       .what = what };
	return trash_open(ctx, tx, work->registry, &opening, &work->trash);
}

static err_t delete_tag(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	struct listing listing =
		LISTING(work->registry, work->repository_id, &work->rules, "delete");
	struct tag_state state;
	TRY(db_repository_hold(ctx, tx, work->repository_id));
	TRY(to_trash(ctx, tx, work, TRASH_TAG, work->tag));
	TRY(db_tag_delete(ctx, tx, work->repository_id, work->tag, &state));
	if (work->only_of && state.manifest_id != work->only_of)
		return ERR_ABSENT;
	TRY(listing_tag_deleted(ctx, tx, &listing, &state));
	return listing_finish(ctx, tx, &listing);
}

err_t tag_delete(struct ctx *ctx, struct registry *registry, str repository, str tag,
		 int64_t only_of)
{
	static const struct delete_kind kind = { delete_tag, ERR_MANIFEST_UNKNOWN };
	struct delete_work work = { .tag = tag, .only_of = only_of };
	TRY(run_delete(ctx, registry, repository, &kind, &work));
	drop(registry, key_in_repository('t', work.repository_id, tag));
	return OK;
}

static err_t doom(struct ctx *ctx, struct delete_work *work, str digest_text, bool follows)
{
	if (work->doomed_count == work->doomed_room) {
		size_t room = work->doomed_room ? work->doomed_room * 2 : 16;
		struct doomed *larger = arena_try(ctx->arena, room * sizeof *larger);
		if (!larger)
			return fail(ctx, ERR_LIMIT, "more accessories than fit into memory");
		if (work->doomed_count)
			memcpy(larger, work->doomed, work->doomed_count * sizeof *larger);
		work->doomed = larger;
		work->doomed_room = room;
	}
	work->doomed[work->doomed_count++] =
		(struct doomed){ .digest_text = digest_text, .follows = follows };
	return OK;
}

/* What names it now that we hold its row: an index, or a tag that was set meanwhile. */
static err_t is_needed(struct ctx *ctx, struct sql_tx *tx, const struct delete_work *work,
		       struct doomed *doomed, int64_t id, bool *ret)
{
	struct artifact artifact;
	int64_t parents;
	TRY(db_artifact_get(ctx, tx, id, &artifact));
	doomed->media_type = artifact.manifest_media_type;
	TRY(db_artifact_parents(ctx, tx, id, &parents));
	*ret = false;
	if (doomed->follows && work->batch && work->rules.count)
		TRY(immutability_keeps(ctx, tx, &work->rules, id, ret));
	if (*ret)
		return OK;
	if (doomed->follows)
		*ret = !artifact.accessory.len && (parents || artifact.tag_count);
	else if (parents && !work->even_child)
		return fail(ctx, ERR_IN_USE, "an index of the repository names it");
	return OK;
}

static err_t delete_doomed(struct ctx *ctx, struct sql_tx *tx, struct delete_work *work,
			   struct listing *listing, size_t at)
{
	struct doomed doomed = work->doomed[at];
	struct artifact_follower *followers;
	size_t count;
	int64_t id;
	digest d;
	bool needed;
	if (!digest_parse(doomed.digest_text, &d))
		return fail(ctx, ERR_CORRUPT, "manifest row has a malformed digest");
	TRY(db_manifest_lock(ctx, tx, work->repository_id, d, &id));
	TRY(is_needed(ctx, tx, work, &doomed, id, &needed));
	if (needed)
		return OK;
	TRY(db_artifact_followers(ctx, tx, id, &followers, &count));
	for (size_t i = 0; i < count; i++)
		TRY(doom(ctx, work, followers[i].digest_text, true));
	TRY(trash_take_manifest(ctx, tx, &work->trash, id));
	TRY(listing_delete_tags(ctx, tx, listing, id, &doomed.tags, &doomed.tag_count));
	TRY(listing_manifest_goes(ctx, tx, listing, id, doomed.tag_count));
	TRY(db_manifest_delete(ctx, tx, id));
	doomed.gone = true;
	work->doomed[at] = doomed;
	return OK;
}

/* A manifest, and whatever goes with it. */
static err_t delete_tree(struct ctx *ctx, struct sql_tx *tx, struct delete_work *work,
			 struct listing *listing, digest d)
{
	size_t first = work->doomed_count;
	str text = arena_copy(ctx->arena, str_from(digest_format(d).text));
	TRY(doom(ctx, work, text, false));
	TRY(to_trash(ctx, tx, work, TRASH_ARTIFACT, text));
	for (size_t at = first; at < work->doomed_count; at++) {
		err_t err = delete_doomed(ctx, tx, work, listing, at);
		if (err == ERR_ABSENT && at > first) /* over a second index */
			continue;
		TRY(err);
	}
	return OK;
}

/* Of those that somebody deleted, and not of what follows them. */
static err_t add_events(struct ctx *ctx, struct sql_tx *tx, struct delete_work *work)
{
	for (size_t at = 0; at < work->doomed_count; at++) {
		const struct doomed *doomed = &work->doomed[at];
		const struct webhook_resource deleted = {
			.digest = doomed->digest_text,
			.tag = doomed->tag_count ? doomed->tags[0].name : STR_NONE,
			.media_type = doomed->media_type,
		};
		const struct event event = {
			.repository = work->repository,
			.repository_id = work->repository_id,
			.resources = &deleted,
			.resource_count = 1,
			.by = work->batch ? str_from(work->batch->how) : STR_NONE,
		};
		if (doomed->gone && !doomed->follows)
			TRY(event_add(ctx, tx, &work->plan, &event));
	}
	return OK;
}

static err_t delete_manifest(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	struct listing listing =
		LISTING(work->registry, work->repository_id, &work->rules, "delete");
	work->doomed_count = 0;
	TRY(db_repository_hold(ctx, tx, work->repository_id));
	TRY(delete_tree(ctx, tx, work, &listing, work->d));
	TRY(add_events(ctx, tx, work));
	TRY(trash_close(ctx, tx, &work->trash, &listing.charge));
	return listing_finish(ctx, tx, &listing);
}

static void drop_doomed(struct registry *registry, const struct delete_work *work)
{
	for (size_t at = 0; at < work->doomed_count; at++) {
		const struct doomed *doomed = &work->doomed[at];
		digest gone;
		if (!doomed->gone || !digest_parse(doomed->digest_text, &gone))
			continue;
		for (size_t i = 0; i < doomed->tag_count; i++)
			drop(registry,
			     key_in_repository('t', work->repository_id, doomed->tags[i].name));
		drop(registry, key_of_digest('m', work->repository_id, gone));
	}
}

static err_t run_manifest_delete(struct ctx *ctx, struct registry *registry, str repository,
				 struct delete_work *work)
{
	static const struct delete_kind kind = { delete_manifest, ERR_MANIFEST_UNKNOWN };
	work->repository = repository;
	TRY(event_plan(ctx, registry, WEBHOOK_EVENT_DELETE, repository, &work->plan));
	TRY(run_delete(ctx, registry, repository, &kind, work));
	event_told(&work->plan);
	drop_doomed(registry, work);
	return OK;
}

err_t manifest_delete(struct ctx *ctx, struct registry *registry, str repository, digest d,
		      bool even_child)
{
	struct delete_work work = { .d = d, .even_child = even_child };
	return run_manifest_delete(ctx, registry, repository, &work);
}

/* --- several ---------------------------------------------------------------------------------- */

static err_t delete_tag_item(struct ctx *ctx, struct sql_tx *tx, struct delete_work *work,
			     struct listing *listing, const struct delete_item *item)
{
	struct tag_state state;
	TRY(to_trash(ctx, tx, work, TRASH_TAG, item->tag));
	TRY(db_tag_delete(ctx, tx, work->repository_id, item->tag, &state));
	return listing_tag_deleted(ctx, tx, listing, &state);
}

/* Whether a rule keeps the item's tag, or one of its manifest's. */
static err_t is_kept(struct ctx *ctx, struct sql_tx *tx, const struct delete_work *work,
		     const struct delete_item *item, bool *ret)
{
	struct tag_state state;
	*ret = false;
	if (!work->rules.count)
		return OK;
	if (!item->tag.len)
		return immutability_keeps(ctx, tx, &work->rules, item->manifest_id, ret);
	TRY(db_tag_lock(ctx, tx, work->repository_id, item->tag, &state));
	*ret = immutability_rule_of(ctx, &work->rules, &state, 0) != NULL;
	return OK;
}

static err_t delete_manifest_item(struct ctx *ctx, struct sql_tx *tx, struct delete_work *work,
				  struct listing *listing, const struct delete_item *item)
{
	struct quota_charge less = listing->charge;
	TRY(delete_tree(ctx, tx, work, listing, item->digest));
	for (unsigned i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		less.more[i] = listing->charge.more[i] - less.more[i];
	return trash_close(ctx, tx, &work->trash, &less);
}

/* ERR_ABSENT, before anything was changed, when it is gone or another by now. */
static err_t is_still(struct ctx *ctx, struct sql_tx *tx, const struct delete_work *work,
		      const struct delete_item *item, bool *ret)
{
	int64_t id, parents;
	*ret = false;
	if (item->tag.len)
		return work->batch->still(ctx, tx, item, work->batch->arg, ret);
	TRY(db_manifest_lock(ctx, tx, work->repository_id, item->digest, &id));
	TRY(db_artifact_parents(ctx, tx, id, &parents));
	if (parents || id != item->manifest_id)
		return OK;
	return work->batch->still(ctx, tx, item, work->batch->arg, ret);
}

static err_t delete_item(struct ctx *ctx, struct sql_tx *tx, struct delete_work *work,
			 struct listing *listing, struct delete_item *item)
{
	bool still, kept = false;
	item->gone = false;
	err_t err = is_still(ctx, tx, work, item, &still);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (still)
		TRY(is_kept(ctx, tx, work, item, &kept));
	if (!still || kept)
		return OK;
	TRY((item->tag.len ? delete_tag_item : delete_manifest_item)(ctx, tx, work, listing, item));
	item->gone = true;
	return work->batch->gone(ctx, tx, item, work->batch->arg);
}

static err_t delete_items(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	struct listing listing =
		LISTING(work->registry, work->repository_id, &work->rules, work->batch->how);
	work->doomed_count = 0;
	TRY(db_repository_hold(ctx, tx, work->repository_id));
	for (size_t i = 0; i < work->batch->count; i++)
		TRY(delete_item(ctx, tx, work, &listing, &work->batch->items[i]));
	TRY(add_events(ctx, tx, work));
	return listing_finish(ctx, tx, &listing);
}

err_t delete_batch(struct ctx *ctx, struct registry *registry, struct delete_batch *batch)
{
	struct delete_work work = { .registry = registry,
				    .repository_id = batch->repository_id,
				    .repository = batch->repository,
				    .batch = batch };
	TRY(immutability_find_by_id(ctx, registry, batch->repository_id, &work.rules));
	TRY(event_plan_in(ctx, registry, WEBHOOK_EVENT_DELETE, batch->project_id, &work.plan));
	TRY(db_run(ctx, registry->db, SQL_WRITE, delete_items, &work));
	event_told(&work.plan);
	for (size_t i = 0; i < batch->count; i++)
		if (batch->items[i].gone && batch->items[i].tag.len)
			drop(registry,
			     key_in_repository('t', batch->repository_id, batch->items[i].tag));
	drop_doomed(registry, &work);
	return OK;
}

/* Who deletes a repository knows nothing of uploads and ranges. */
static err_t end_upload(struct ctx *ctx, struct registry *registry, str id)
{
	err_t err = upload_abandon(ctx, registry, id);
	if (err != ERR_UPLOAD_BUSY)
		return err;
	ctx_forgive(ctx);
	return fail(ctx, ERR_BUSY, "somebody uploads to the repository");
}

/* Ends the sessions of a repository: their bytes are nobody else's. */
static err_t end_uploads(struct ctx *ctx, struct registry *registry, int64_t repository_id)
{
	for (;;) {
		str *ids;
		size_t count;
		{
			CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
			TRY(registry_read(ctx, registry, &tx));
			TRY(db_repository_uploads(ctx, &tx, repository_id, UPLOAD_PAGE, &ids,
						  &count));
		}
		if (!count)
			return OK;
		for (size_t i = 0; i < count; i++)
			TRY(end_upload(ctx, registry, ids[i]));
	}
}

static err_t delete_repository(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	struct repository_gone gone;
	TRY(db_repository_lock(ctx, tx, work->repository_id));
	TRY(immutability_check_all(ctx, tx, &work->rules, work->repository_id));
	if (!work->only_empty)
		TRY(to_trash(ctx, tx, work, TRASH_REPOSITORY, STR_NONE));
	TRY(event_add_gone(ctx, tx, &work->plan, work->repository, work->repository_id));
	TRY(db_garbage_add_repository(ctx, tx, work->repository_id,
				      registry_window_us(work->registry)));
	err_t err = (work->only_empty ? db_repository_delete_empty
				      : db_repository_delete)(ctx, tx, work->repository_id, &gone);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_PRECONDITION_FAILED, "there is something in the repository");
	TRY(err);
	work->name = gone.name;
	const struct quota_charge less = {
		.project_id = gone.project_id,
		.more = { [QUOTA_STORAGE] = -gone.bytes,
			  [QUOTA_REPOSITORIES] = -1,
			  [QUOTA_TAGS] = -gone.tags,
			  [QUOTA_ARTIFACTS] = -gone.manifests },
	};
	TRY(trash_close(ctx, tx, &work->trash, &less));
	return quota_charge(ctx, tx, work->registry, &less);
}

static err_t run_repository_delete(struct ctx *ctx, struct registry *registry, str name,
				   bool only_empty)
{
	struct delete_work work = {
		.registry = registry, .only_empty = only_empty, .repository = name, .name = name
	};
	TRY(event_plan(ctx, registry, WEBHOOK_EVENT_DELETE, name, &work.plan));
	TRY(repository_find(ctx, registry, name, &work.repository_id));
	TRY(immutability_find(ctx, registry, name, &work.rules));
	TRY(end_uploads(ctx, registry, work.repository_id));
	err_t err = db_run(ctx, registry->db, SQL_WRITE, delete_repository, &work);
	/* Its id is never given again, so what caches know by the id is never asked for again. */
	drop(registry, key_named(ctx, registry, 'r', name));
	drop(registry, key_named(ctx, registry, 'r', work.name));
	drop(registry, key_numbered(ctx, registry, 'n', work.repository_id));
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_BUSY, "somebody uploads to the repository or deletes it too");
	TRY(err);
	event_told(&work.plan);
	return OK;
}

err_t repository_delete(struct ctx *ctx, struct registry *registry, str name)
{
	return run_repository_delete(ctx, registry, name, false);
}

err_t repository_delete_empty(struct ctx *ctx, struct registry *registry, str name)
{
	return run_repository_delete(ctx, registry, name, true);
}

static err_t unlink_blob(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	struct quota_charge charge = { .repository_id = work->repository_id };
	int64_t blob_id;
	TRY(db_repository_hold(ctx, tx, work->repository_id));
	TRY(db_blob_unlink(ctx, tx, work->repository_id, work->d, &blob_id));
	TRY(db_garbage_add_link(ctx, tx, 0, blob_id, registry_window_us(work->registry)));
	TRY(db_content_free_link(ctx, tx, work->repository_id, blob_id,
				 &charge.more[QUOTA_STORAGE]));
	return quota_charge(ctx, tx, work->registry, &charge);
}

err_t blob_delete(struct ctx *ctx, struct registry *registry, str repository, digest d)
{
	static const struct delete_kind kind = { unlink_blob, ERR_BLOB_UNKNOWN };
	struct delete_work work = { .d = d };
	TRY(run_delete(ctx, registry, repository, &kind, &work));
	drop(registry, key_of_digest('b', work.repository_id, d));
	return OK;
}
