/* SPDX-License-Identifier: Apache-2.0 */
/* listing.c - see listing.h. */
#include "listing.h"
#include "base/clock.h"
#include "db/project_content.h"
#include "db/repository.h"
#include "db/tag.h"
#include "db/tag_event.h"
#include "internal.h"
#include "registry/collect.h"
#include "registry/expiry.h"
#include "registry/pull.h"

#include "base/banned.h"

/* Adds to the count what one statement listed more or less. */
static void add(struct listing *listing, int64_t more)
{
	listing->listed += more;
	listing->relisted |= more != 0;
}

static err_t unlist(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
		    int64_t manifest_id)
{
	int64_t more = 0;
	TRY(db_artifact_unlist(ctx, tx, manifest_id, &more));
	add(listing, more);
	return OK;
}

/* From one manifest to another; 0: the tag was not there, or is not. */
static err_t record(struct ctx *ctx, struct sql_tx *tx, const struct listing *listing, str tag,
		    int64_t from_id, int64_t to_id)
{
	if (!listing->registry->options.tag_history_ms)
		return OK;
	const struct tag_change change = {
		.repository_id = listing->repository_id,
		.tag = tag,
		.how = str_from(listing->how),
		.actor_type = ctx->actor.type.len ? ctx->actor.type : STR("system"),
		.actor = ctx->actor.name,
		.from_id = from_id,
		.to_id = to_id,
	};
	return db_tag_event_insert(ctx, tx, &change);
}

/* A tag of the manifest is gone, or points to another now. */
static err_t tag_gone(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
		      int64_t manifest_id)
{
	listing->touched = true;
	TRY(db_artifact_count_tags(ctx, tx, manifest_id, -1));
	return unlist(ctx, tx, listing, manifest_id);
}

err_t listing_tag_deleted(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
			  const struct tag_state *state)
{
	TRY(immutability_check(ctx, listing->rules, state, 0));
	TRY(record(ctx, tx, listing, state->name, state->manifest_id, 0));
	listing->charge.more[QUOTA_TAGS]--;
	return tag_gone(ctx, tx, listing, state->manifest_id);
}

err_t listing_delete_tags(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
			  int64_t manifest_id, struct tag_state **ret, size_t *ret_count)
{
	TRY(db_tag_delete_of_manifest(ctx, tx, manifest_id, ret, ret_count));
	for (size_t i = 0; i < *ret_count; i++) {
		TRY(immutability_check(ctx, listing->rules, &(*ret)[i], 0));
		TRY(record(ctx, tx, listing, (*ret)[i].name, manifest_id, 0));
	}
	return OK;
}

err_t listing_create_tag(struct ctx *ctx, struct sql_tx *tx, struct listing *listing, str name,
			 int64_t manifest_id)
{
	TRY(db_tag_create(ctx, tx, listing->repository_id, name, manifest_id));
	listing->charge.more[QUOTA_TAGS]++;
	return record(ctx, tx, listing, name, 0, manifest_id);
}

/* Whether the tag may be put there; `*ret_stays` when it is there, and to be left alone. */
static err_t check_put(struct ctx *ctx, struct sql_tx *tx, const struct listing *listing, str name,
		       int64_t manifest_id, bool *ret_stays)
{
	struct tag_state state;
	*ret_stays = false;
	if (!listing->rules->count)
		return OK;
	err_t err = db_tag_lock(ctx, tx, listing->repository_id, name, &state);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	TRY(immutability_check(ctx, listing->rules, &state, manifest_id));
	*ret_stays = state.manifest_id == manifest_id &&
		     immutability_shows(listing->rules, name, state.pushed_at_us);
	return OK;
}

err_t listing_put_tag(struct ctx *ctx, struct sql_tx *tx, struct listing *listing, str name,
		      int64_t manifest_id, int64_t *gained)
{
	int64_t before;
	bool stays;
	TRY(check_put(ctx, tx, listing, name, manifest_id, &stays));
	if (stays)
		return OK;
	TRY(db_tag_put(ctx, tx, listing->repository_id, name, manifest_id, &before));
	if (before == manifest_id)
		return OK;
	++*gained;
	if (!before)
		listing->charge.more[QUOTA_TAGS]++;
	TRY(record(ctx, tx, listing, name, before, manifest_id));
	return before ? tag_gone(ctx, tx, listing, before) : OK;
}

static err_t pushed_anew(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
			 const struct listing_push *push)
{
	bool listed;
	int64_t more = 0;
	TRY(db_artifact_insert(ctx, tx, push->id, push->facts, push->gained, push->described,
			       &listed));
	TRY(expiry_remember(ctx, tx, push->id, &push->facts->expiry));
	add(listing, listed);
	listing->charge.more[QUOTA_ARTIFACTS]++;
	TRY(db_content_claim_manifest(ctx, tx, push->id, &listing->charge.more[QUOTA_STORAGE]));
	if (!push->is_index)
		return OK;
	TRY(db_artifact_count_parents(ctx, tx, push->id, 1));
	TRY(db_artifact_unlist_children(ctx, tx, push->id, &more));
	add(listing, more);
	return OK;
}

err_t listing_pushed(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
		     const struct listing_push *push)
{
	const struct artifact_facts *facts = push->facts;
	int64_t more = 0;
	listing->touched |= push->made || push->gained || facts->accessory.len;
	if (push->made)
		return pushed_anew(ctx, tx, listing, push);
	if (push->untagged)
		TRY(db_artifact_still_untagged(ctx, tx, push->id));
	if (push->gained) {
		TRY(db_artifact_count_tags(ctx, tx, push->id, push->gained));
		TRY(db_artifact_list(ctx, tx, push->id, &more));
		add(listing, more);
	}
	if (!facts->accessory.len) /* else perhaps its tag says so only now */
		return OK;
	TRY(db_artifact_mark_accessory(ctx, tx, push->id, facts->accessory, facts->subject_text));
	return unlist(ctx, tx, listing, push->id);
}

err_t listing_manifest_goes(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
			    int64_t manifest_id, size_t tag_count)
{
	listing->touched = true;
	listing->charge.more[QUOTA_TAGS] -= (int64_t)tag_count;
	listing->charge.more[QUOTA_ARTIFACTS]--;
	TRY(db_garbage_add_manifest(ctx, tx, manifest_id, registry_window_us(listing->registry)));
	TRY(db_content_free_manifest(ctx, tx, manifest_id, &listing->charge.more[QUOTA_STORAGE]));
	TRY(db_artifact_count_parents(ctx, tx, manifest_id, -1));
	int64_t more = 0;
	TRY(db_artifact_delete(ctx, tx, manifest_id, &more));
	add(listing, more);
	return OK;
}

err_t listing_finish(struct ctx *ctx, struct sql_tx *tx, const struct listing *listing)
{
	if (listing->relisted)
		TRY(db_repository_count(ctx, tx, listing->repository_id, listing->listed,
					clock_wall_us()));
	else if (listing->touched)
		TRY(db_repository_relist(ctx, tx, listing->repository_id));
	return quota_charge(ctx, tx, listing->registry, &listing->charge);
}

static err_t read_config(struct ctx *ctx, struct registry *registry, str repository,
			 const struct manifest_reference *reference, str *ret)
{
	CLEANUP(blob_view_done) struct blob_view view = BLOB_VIEW_INIT;
	TRY(blob_open(ctx, registry, repository, reference->digest, &view));
	if (view.size_bytes > ARTIFACT_CONFIG_MAX)
		return fail(ctx, ERR_LIMIT, "config is larger than its descriptor says");
	char *bytes = arena_try(ctx->arena, view.size_bytes + 1);
	if (!bytes)
		return fail(ctx, ERR_LIMIT, "config does not fit into memory");
	size_t have = 0;
	for (size_t len = 1; have < view.size_bytes && len; have += len)
		TRY(blob_read(ctx, &view, have, bytes + have, view.size_bytes - have, &len));
	*ret = (str){ bytes, have };
	return OK;
}

void listing_describe(struct ctx *ctx, struct registry *registry, str repository,
		      struct artifact_source *source, struct artifact_facts *ret,
		      bool *ret_described)
{
	const struct manifest_reference *config = artifact_config(source->parsed);
	err_t err = OK;
	if (config)
		err = read_config(ctx, registry, repository, config, &source->config);
	if (err != OK)
		ctx_forgive(ctx);
	artifact_describe(ctx->arena, source, ret);
	*ret_described = err == OK || err == ERR_LIMIT;
}
