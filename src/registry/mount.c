/* SPDX-License-Identifier: Apache-2.0 */
/* mount.c - see mount.h. */
#include "registry/mount.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/repository.h"
#include "internal.h"
#include "registry/repository.h"

#include "base/banned.h"

struct mount_work {
	str source;
	digest d;
	int64_t target_id;
};

static err_t link_from_source(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct mount_work *work = arg;
	struct repository source;
	struct blob blob;
	err_t err = db_repository_find(ctx, tx, work->source, &source);
	if (err == OK)
		err = db_blob_find_in_repository(ctx, tx, source.id, work->d, &blob);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_BLOB_UNKNOWN, "not in " STR_FMT, STR_ARG(work->source));
	TRY(err);
	return db_blob_link(ctx, tx, work->target_id, blob.id);
}

err_t blob_mount(struct ctx *ctx, struct registry *registry, str source, digest d, str target,
		 bool may_create_project)
{
	/* A client that is told 201 will not upload: look at the bytes, not at a memory of them. */
	uint64_t size_bytes;
	TRY(registry->store->driver->blob_size(ctx, registry->store, d, &size_bytes));

	struct mount_work work = { .source = source, .d = d };
	TRY(repository_ensure(ctx, registry, target, may_create_project, &work.target_id));
	return db_run(ctx, registry->db, SQL_WRITE, link_from_source, &work);
}

err_t blob_holders(struct ctx *ctx, struct registry *registry, digest d, size_t max, str **ret,
		   size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_blob_holders(ctx, &tx, d, max, ret, ret_count);
}
