/* SPDX-License-Identifier: Apache-2.0 */
/* tag.c - see tag.h. */
#include "registry/tag.h"
#include "codec/manifest.h"
#include "db/db.h"
#include "db/manifest.h"
#include "db/tag.h"
#include "internal.h"
#include "listing.h"
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
};

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

static err_t point(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct tag_work *work = arg;
	struct listing listing = LISTING(work->registry, work->repository_id, &work->rules,
					 work->moves ? "revert" : "retag");
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
	return listing_finish(ctx, tx, &listing);
}

static err_t run(struct ctx *ctx, struct registry *registry, struct tag_work *work)
{
	TRY(repository_find(ctx, registry, work->repository, &work->repository_id));
	TRY(immutability_find(ctx, registry, work->repository, &work->rules));
	err_t err = db_run(ctx, registry->db, SQL_WRITE, point, work);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "manifest " DIGEST_FMT " is not there%s",
			    DIGEST_ARG(work->d), work->moves ? " any more" : "");
	TRY(err);
	struct cache_key key = key_in_repository('t', work->repository_id, work->name);
	cache_drop(registry->cache, key_str(&key));
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
