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

#include "base/banned.h"

struct tag_work {
	struct registry *registry;
	str repository;
	int64_t repository_id;
	digest d;
	str name;
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

static err_t create(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct tag_work *work = arg;
	struct listing listing = LISTING(work->registry, work->repository_id);
	struct artifact_facts facts;
	struct listing_push push = { .gained = 1, .facts = &facts };
	struct manifest_row row;
	TRY(db_manifest_lock(ctx, tx, work->repository_id, work->d, &push.id));
	TRY(db_manifest_find(ctx, tx, work->repository_id, work->d, &row));
	TRY(facts_by_tag(ctx, work, &row, &facts));
	TRY(db_tag_create(ctx, tx, work->repository_id, work->name, push.id));
	listing_tag_made(&listing);
	TRY(listing_pushed(ctx, tx, &listing, &push));
	return listing_finish(ctx, tx, &listing);
}

err_t tag_create(struct ctx *ctx, struct registry *registry, str repository, digest d, str name)
{
	struct tag_work work = {
		.registry = registry, .repository = repository, .d = d, .name = name
	};
	TRY(repository_find(ctx, registry, repository, &work.repository_id));
	err_t err = db_run(ctx, registry->db, SQL_WRITE, create, &work);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "no manifest " DIGEST_FMT, DIGEST_ARG(d));
	TRY(err);
	struct cache_key key = key_in_repository('t', work.repository_id, name);
	cache_drop(registry->cache, key_str(&key));
	return OK;
}
