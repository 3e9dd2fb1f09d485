/* SPDX-License-Identifier: Apache-2.0 */
/* storage.c - see storage.h. */
#include "registry/storage.h"
#include "internal.h"

#include "base/banned.h"

static err_t find_row(struct ctx *ctx, struct registry *registry, int64_t id,
		      struct storage_row *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = db_storage_find(ctx, &tx, id, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_STORAGE, "no storage %lld", (long long)id);
	return err;
}

static err_t open_row(struct ctx *ctx, struct registry *registry, const struct storage_row *row,
		      struct store **ret)
{
	const struct store_driver *driver = store_driver_find(row->driver);
	if (!driver)
		return fail(ctx, ERR_STORAGE, "storage " STR_FMT " has the unknown driver " STR_FMT,
			    STR_ARG(row->name), STR_ARG(row->driver));
	str place = arena_printf(ctx->arena, STR_FMT "/" STR_FMT,
				 STR_ARG(registry->options.storage_root), STR_ARG(row->location));
	return driver->open(ctx, place.ptr, ret);
}

err_t storage_get(struct ctx *ctx, struct registry *registry, int64_t id, struct storage **ret)
{
	struct storage *storage = storages_take(registry->storages, id);
	if (!storage) {
		struct storage_row row;
		struct store *store;
		TRY(find_row(ctx, registry, id, &row));
		TRY(open_row(ctx, registry, &row, &store));
		storage = storages_add(registry->storages, id, store);
	}
	*ret = storage;
	return OK;
}
