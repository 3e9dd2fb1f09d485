/* SPDX-License-Identifier: Apache-2.0 */
/* upload_sweep.c - see upload_sweep.h. */
#include "registry/upload_sweep.h"
#include "base/log.h"
#include "db/db.h"
#include "db/upload.h"
#include "internal.h"
#include "registry/storage.h"
#include "registry/upload.h"

#include "base/banned.h"

#define ITEM_ARENA MIB(16)

struct sweep {
	struct registry *registry;
	const struct upload_sweep *how;
	struct ctx *ctx; /* its arena is emptied for each item */
	struct storage *storage;
	int64_t count;
};

struct look {
	int64_t storage_id;
	str id;
	bool has_session;
};

static err_t look_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct look *look = arg;
	err_t err = db_upload_exists(ctx, tx, look->storage_id, look->id);
	look->has_session = err == OK;
	return err == ERR_ABSENT ? OK : err;
}

err_t upload_has_session(struct ctx *ctx, struct registry *registry, int64_t storage_id, str id,
			 bool *ret)
{
	struct look look = { .storage_id = storage_id, .id = id };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(look_body(ctx, &tx, &look));
	*ret = look.has_session;
	return OK;
}

/* A standby may not know of a new session yet: so it is asked again where sessions are written. */
static err_t is_over(struct ctx *ctx, const struct sweep *sweep, str id, bool *ret)
{
	struct look look = { .storage_id = sweep->storage->id, .id = id };
	TRY(upload_has_session(ctx, sweep->registry, look.storage_id, id, &look.has_session));
	if (!look.has_session)
		TRY(db_run(ctx, sweep->registry->db, SQL_WRITE_RELAXED, look_body, &look));
	*ret = !look.has_session;
	return OK;
}

static err_t visit_upload(struct ctx *ctx, void *arg, str id, uint64_t size_bytes)
{
	struct sweep *sweep = arg;
	bool over;
	arena_reset(ctx->arena);
	TRY(ctx_check(ctx));
	TRY(is_over(ctx, sweep, id, &over));
	if (!over)
		return OK;
	if (!sweep->how->dry_run)
		TRY(store_upload_remove(ctx, sweep->storage->store, id));
	sweep->count++;
	return sweep->how->gone ? sweep->how->gone(ctx, id, size_bytes, sweep->how->arg) : OK;
}

/* What is no upload is for fsck to tell of. */
static err_t pass_stray(struct ctx *ctx, void *arg, str name)
{
	(void)ctx;
	(void)arg;
	(void)name;
	return OK;
}

static err_t walk_storage(struct ctx *ctx, struct sweep *sweep, int64_t id)
{
	const struct store_walk visitor = { NULL, visit_upload, pass_stray, sweep };
	CLEANUP(storage_put) struct storage *storage = NULL;
	TRY(storage_get(ctx, sweep->registry, id, &storage));
	sweep->storage = storage;
	return storage->store->driver->walk(ctx, storage->store, &visitor);
}

static err_t sweep_storage(void *arg, const struct storage_row *row)
{
	struct sweep *sweep = arg;
	struct ctx *ctx = sweep->ctx;
	if (row->left || row->erased_at_us)
		return OK;
	err_t err = walk_storage(ctx, sweep, row->id);
	if (err != ERR_STORAGE && err != ERR_BUSY && err != ERR_STORAGE_ERASED)
		return err;
	LOG(LOG_WARN, "a storage could not be swept", LOG_STR("storage", row->name),
	    LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
	return OK;
}

err_t registry_sweep_uploads(struct ctx *ctx, struct registry *registry,
			     const struct upload_sweep *how, int64_t *ret_count)
{
	CLEANUP(arena_done) struct arena arena;
	struct ctx inner = *ctx;
	struct sweep sweep = { .registry = registry, .how = how, .ctx = &inner };
	arena_init(&arena, ITEM_ARENA);
	inner.arena = &arena;
	err_t err = storage_each(ctx, registry, sweep_storage, &sweep);
	if (inner.failure.code != OK)
		ctx->failure = inner.failure;
	*ret_count = sweep.count;
	return err;
}
