/* SPDX-License-Identifier: Apache-2.0 */
/* storage.c - see storage.h. */
#include "registry/storage.h"
#include "base/clock.h"
#include "internal.h"
#include "registry/storage_binding.h"
#include "store/encrypted.h"

#include <stdatomic.h>
#include <string.h>

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

/* An erased storage has none; with another master key it does not open. */
static err_t open_key(struct ctx *ctx, struct registry *registry, const struct storage_row *row,
		      struct aead_key *ret)
{
	str key;
	if (!registry->has_master_key)
		return fail(ctx, ERR_STORAGE, "there is no master key to open storage " STR_FMT,
			    STR_ARG(row->name));
	err_t err = secretbox_open(ctx, &registry->master_key,
				   storage_context(ctx, row->id, STORAGE_KEY), row->data_key, &key);
	if (err != OK || key.len != sizeof ret->bytes) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_STORAGE,
			    "the master key does not open the key of storage " STR_FMT,
			    STR_ARG(row->name));
	}
	memcpy(ret->bytes, key.ptr, key.len);
	explicit_bzero((void *)(uintptr_t)key.ptr, key.len);
	return OK;
}

static err_t encrypt(struct ctx *ctx, struct registry *registry, const struct storage_row *row,
		     struct store **store)
{
	CLEANUP(aead_key_done) struct aead_key key;
	TRY(open_key(ctx, registry, row, &key));
	*store = encrypted_store_new(*store, &key);
	return OK;
}

static err_t open_row(struct ctx *ctx, struct registry *registry, const struct storage_row *row,
		      struct store **ret)
{
	if (row->erased_at_us)
		return fail(ctx, ERR_STORAGE_ERASED, "storage " STR_FMT " is erased",
			    STR_ARG(row->name));
	const struct store_driver *driver = store_driver_find(row->driver);
	if (!driver)
		return fail(ctx, ERR_STORAGE, "storage " STR_FMT " has the unknown driver " STR_FMT,
			    STR_ARG(row->name), STR_ARG(row->driver));
	str place = arena_printf(ctx->arena, STR_FMT "/" STR_FMT,
				 STR_ARG(registry->options.storage_root), STR_ARG(row->location));
	struct store *store;
	TRY(driver->open(ctx, place.ptr, &store));
	if (row->encrypted) {
		err_t err = encrypt(ctx, registry, row, &store);
		if (err != OK) {
			driver->close(store);
			return err;
		}
	}
	*ret = store;
	return OK;
}

str storage_context(struct ctx *ctx, int64_t id, const char *what)
{
	return arena_printf(ctx->arena, "storage/%lld%s", (long long)id, what);
}

/* `*ret` NULL: it was changed meanwhile. */
static err_t open_storage(struct ctx *ctx, struct registry *registry, int64_t id,
			  struct storage **ret)
{
	uint64_t ticket = storages_ticket(registry->storages);
	struct storage_row row;
	struct store *store;
	TRY(find_row(ctx, registry, id, &row));
	TRY(open_row(ctx, registry, &row, &store));
	*ret = storages_add(registry->storages, &row, store, ticket);
	return OK;
}

/* Another server may have erased it, or changed its settings. */
static err_t look_again(struct ctx *ctx, struct registry *registry, struct storage *storage,
			bool *ret_current)
{
	int64_t now_ns = clock_now_ns(), until_ns = storage_trusted_until(storage);
	struct storage_row row;
	*ret_current = true;
	if (until_ns == 0 || now_ns < until_ns)
		return OK;
	TRY(find_row(ctx, registry, storage->id, &row));
	*ret_current = row.updated_at_us == storage->updated_at_us;
	if (*ret_current)
		atomic_store(&storage->looked_at_ns, now_ns);
	else
		storage_forget(registry, storage->id);
	return OK;
}

err_t storage_get(struct ctx *ctx, struct registry *registry, int64_t id, struct storage **ret)
{
	for (;;) {
		CLEANUP(storage_put)
		struct storage *storage = storages_take(registry->storages, id);
		bool current = false;
		if (!storage)
			TRY(open_storage(ctx, registry, id, &storage));
		if (storage)
			TRY(look_again(ctx, registry, storage, &current));
		if (current) {
			*ret = take(storage);
			return OK;
		}
	}
}
