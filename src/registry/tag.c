/* SPDX-License-Identifier: Apache-2.0 */
/* tag.c - see tag.h. */
#include "registry/tag.h"
#include "codec/manifest.h"
#include "db/db.h"
#include "db/manifest.h"
#include "db/tag.h"
#include "internal.h"
#include "listing.h"
#include "registry/event.h"
#include "registry/repository.h"
#include "registry/tag_history.h"

#include "base/banned.h"

struct tag_work {
	struct registry *registry;
	str repository;
	int64_t repository_id;
	struct immutability rules;
	digest d;
	str name;
	bool moves; /* it may be there */
	struct event_plan plan;
};

static const char *how(const struct tag_work *work)
{
	return work->moves ? "revert" : "retag";
}

/* The tag may be the one that makes it a signature. */
static err_t facts_by_tag(struct ctx *ctx, const struct tag_work *work,
			  const struct manifest_row *row, struct artifact_facts *ret)
{
	struct manifest parsed;
	const struct artifact_source source = {
		.manifest_media_type = row->media_type,
		.parsed = &parsed,
		.bytes = row->content,
		.tag = work->name,
	};
	TRY(manifest_parse(ctx, row->media_type, row->content, &parsed));
	artifact_describe(ctx->arena, &source, ret);
	return OK;
}

static err_t add_event(struct ctx *ctx, struct sql_tx *tx, struct tag_work *work, str media_type)
{
	const struct webhook_resource moved = {
		.digest = arena_copy(ctx->arena, str_from(digest_format(work->d).text)),
		.tag = work->name,
		.media_type = media_type,
	};
	const struct event event = {
		.repository = work->repository,
		.repository_id = work->repository_id,
		.resources = &moved,
		.resource_count = 1,
		.details = arena_printf(ctx->arena, "{\"how\":\"%s\"}", how(work)),
	};
	return event_add(ctx, tx, &work->plan, &event);
}

static err_t point(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct tag_work *work = arg;
	struct listing listing =
		LISTING(work->registry, work->repository_id, &work->rules, how(work));
	struct artifact_facts facts;
	struct listing_push push = { .facts = &facts };
	struct manifest_row row;
	TRY(db_manifest_lock(ctx, tx, work->repository_id, work->d, &push.id));
	TRY(db_manifest_find(ctx, tx, work->repository_id, work->d, &row));
	TRY(facts_by_tag(ctx, work, &row, &facts));
	if (work->moves) {
		TRY(listing_put_tag(ctx, tx, &listing, work->name, push.id, &push.gained));
	} else {
		TRY(listing_create_tag(ctx, tx, &listing, work->name, push.id));
		push.gained = 1;
	}
	TRY(listing_pushed(ctx, tx, &listing, &push));
	if (push.gained)
		TRY(add_event(ctx, tx, work, row.media_type));
	return listing_finish(ctx, tx, &listing);
}

static err_t run(struct ctx *ctx, struct registry *registry, struct tag_work *work)
{
	TRY(repository_find(ctx, registry, work->repository, &work->repository_id));
	TRY(immutability_find(ctx, registry, work->repository, &work->rules));
	TRY(event_plan(ctx, registry, WEBHOOK_EVENT_MOVE_TAG, work->repository, &work->plan));
	err_t err = db_run(ctx, registry->db, SQL_WRITE, point, work);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "manifest " DIGEST_FMT " is not there%s",
			    DIGEST_ARG(work->d), work->moves ? " any more" : "");
	TRY(err);
	struct cache_key key = key_in_repository('t', work->repository_id, work->name);
	cache_drop(registry->cache, key_str(&key));
	event_told(&work->plan);
	return OK;
}

err_t tag_create(struct ctx *ctx, struct registry *registry, str repository, digest d, str name)
{
	struct tag_work work = {
		.registry = registry, .repository = repository, .d = d, .name = name
	};
	return run(ctx, registry, &work);
}

err_t tag_revert(struct ctx *ctx, struct registry *registry, str repository, str tag, digest d)
{
	struct tag_work work = {
		.registry = registry, .repository = repository, .d = d, .name = tag, .moves = true
	};
	return run(ctx, registry, &work);
}
