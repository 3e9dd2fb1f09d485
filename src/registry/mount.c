/* SPDX-License-Identifier: Apache-2.0 */
/* mount.c - see mount.h. */
#include "registry/mount.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/project_content.h"
#include "db/repository.h"
#include "internal.h"
#include "registry/collect.h"
#include "registry/quota.h"
#include "registry/repository.h"
#include "registry/storage.h"

#include "base/banned.h"

struct mount_work {
	struct registry *registry;
	str source;
	digest d;
	int64_t target_id;
};

static err_t find_in_source(struct ctx *ctx, struct sql_tx *tx, const struct mount_work *work,
			    struct blob *ret)
{
	struct repository source;
	err_t err = db_repository_find(ctx, tx, ctx->tenant_id, work->source, &source);
	if (err == OK)
		err = (tx->mode == SQL_READ
			       ? db_blob_find_in_repository
			       : db_blob_hold_in_repository)(ctx, tx, source.id, work->d, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_BLOB_UNKNOWN, "not in " STR_FMT, STR_ARG(work->source));
	return err;
}

static err_t link_from_source(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct mount_work *work = arg;
	struct blob blob;
	TRY(find_in_source(ctx, tx, work, &blob));
	struct quota_charge charge = { .repository_id = work->target_id };
	TRY(db_blob_link(ctx, tx, work->target_id, blob.id));
	TRY(db_garbage_add_link(ctx, tx, work->target_id, blob.id,
				registry_window_us(work->registry)));
	TRY(db_content_claim_link(ctx, tx, work->target_id, blob.id, &charge.more[QUOTA_STORAGE]));
	return quota_charge(ctx, tx, work->registry, &charge);
}

/* A client that is told 201 will not upload: look at the bytes, not at a memory of them. */
static err_t bytes_are_there(struct ctx *ctx, struct registry *registry,
			     const struct mount_work *work)
{
	struct blob blob;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(registry_read(ctx, registry, &tx));
		TRY(find_in_source(ctx, &tx, work, &blob));
	}
	CLEANUP(storage_put) struct storage *storage = NULL;
	uint64_t size_bytes;
	TRY(storage_get(ctx, registry, blob.storage_id, &storage));
	return store_blob_size(ctx, storage->store, (blob_name){ work->d, blob.edition },
			       &size_bytes);
}

err_t blob_mount(struct ctx *ctx, struct registry *registry, str source, digest d, str target,
		 struct project_maker *maker)
{
	struct mount_work work = { .registry = registry, .source = source, .d = d };
	TRY(bytes_are_there(ctx, registry, &work));
	TRY(repository_ensure(ctx, registry, target, maker, &work.target_id));
	return db_run(ctx, registry->db, SQL_WRITE, link_from_source, &work);
}

err_t blob_holders(struct ctx *ctx, struct registry *registry, digest d, size_t max, str **ret,
		   size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_blob_holders(ctx, &tx, ctx->tenant_id, d, max, ret, ret_count);
}
