/* SPDX-License-Identifier: Apache-2.0 */
/* delete.c - see delete.h. */
#include "registry/delete.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/manifest.h"
#include "db/tag.h"
#include "internal.h"
#include "registry/repository.h"

#include "base/banned.h"

struct delete_work {
	int64_t repository_id;
	str tag;
	digest d;
	str *tags; /* out: what pointed to a deleted manifest */
	size_t tag_count;
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
	TRY(repository_find(ctx, registry, repository, &work->repository_id));
	err_t err = db_run(ctx, registry->db, SQL_WRITE, kind->body, work);
	if (err == ERR_ABSENT)
		return fail(ctx, kind->unknown, "nothing to delete in " STR_FMT,
			    STR_ARG(repository));
	return err;
}

static err_t delete_tag(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	return db_tag_delete(ctx, tx, work->repository_id, work->tag);
}

err_t tag_delete(struct ctx *ctx, struct registry *registry, str repository, str tag)
{
	static const struct delete_kind kind = { delete_tag, ERR_MANIFEST_UNKNOWN };
	struct delete_work work = { .tag = tag };
	TRY(run_delete(ctx, registry, repository, &kind, &work));
	drop(registry, key_in_repository('t', work.repository_id, tag));
	return OK;
}

static err_t delete_manifest(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	int64_t id;
	TRY(db_manifest_lock(ctx, tx, work->repository_id, work->d, &id));
	TRY(db_tag_delete_of_manifest(ctx, tx, id, &work->tags, &work->tag_count));
	return db_manifest_delete(ctx, tx, id);
}

err_t manifest_delete(struct ctx *ctx, struct registry *registry, str repository, digest d)
{
	static const struct delete_kind kind = { delete_manifest, ERR_MANIFEST_UNKNOWN };
	struct delete_work work = { .d = d };
	TRY(run_delete(ctx, registry, repository, &kind, &work));
	for (size_t i = 0; i < work.tag_count; i++)
		drop(registry, key_in_repository('t', work.repository_id, work.tags[i]));
	drop(registry, key_of_digest('m', work.repository_id, d));
	return OK;
}

static err_t unlink_blob(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	return db_blob_unlink(ctx, tx, work->repository_id, work->d);
}

err_t blob_delete(struct ctx *ctx, struct registry *registry, str repository, digest d)
{
	static const struct delete_kind kind = { unlink_blob, ERR_BLOB_UNKNOWN };
	struct delete_work work = { .d = d };
	TRY(run_delete(ctx, registry, repository, &kind, &work));
	drop(registry, key_of_digest('b', work.repository_id, d));
	return OK;
}
