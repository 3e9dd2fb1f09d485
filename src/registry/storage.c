/* SPDX-License-Identifier: Apache-2.0 */
/* storage.c - see storage.h. */
#include "registry/storage.h"
#include "base/clock.h"
#include "codec/json.h"
#include "internal.h"
#include "registry/storage_binding.h"
#include "store/encrypted.h"

#include <stdatomic.h>
#include <string.h>

#include "base/banned.h"

#define PAGE 100

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

/* --- places --------------------------------------------------------------------------------- */

/* The members of a JSON object of strings, behind those that are in `place` already. */
err_t storage_add_settings(struct ctx *ctx, str text, struct store_place *place)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct json_value *value;
	str name;
	if (!text.len)
		return OK;
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_STORAGE, "settings of a storage: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	size_t count = place->setting_count + json_count(doc.root);
	struct store_setting *all = arena_alloc(ctx->arena, (count + 1) * sizeof *all);
	for (size_t i = 0; i < place->setting_count; i++)
		all[i] = place->settings[i];
	for (void *at = NULL; json_next_member(doc.root, &at, &name, &value);)
		all[place->setting_count++] =
			(struct store_setting){ arena_copy(ctx->arena, name),
						arena_copy(ctx->arena, json_value_str(value)) };
	place->settings = all;
	return OK;
}

static err_t open_secrets(struct ctx *ctx, struct registry *registry, const struct storage_row *row,
			  str *ret)
{
	if (!row->secrets.len)
		return OK;
	if (!registry->has_master_key)
		return fail(ctx, ERR_STORAGE, "there is no master key to open storage " STR_FMT,
			    STR_ARG(row->name));
	err_t err =
		secretbox_open(ctx, &registry->master_key,
			       storage_context(ctx, row->id, STORAGE_SECRETS), row->secrets, ret);
	if (err != OK) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_STORAGE,
			    "the master key does not open the secrets of storage " STR_FMT,
			    STR_ARG(row->name));
	}
	return OK;
}

/* Below the server's own place. It is another's if a storage says anything of one: no key of the
 * server's is shown there. */
static err_t share_place(struct ctx *ctx, struct registry *registry,
			 const struct store_driver *driver, const struct storage_row *row,
			 struct store_place *place)
{
	const struct registry_options *options = &registry->options;
	if (driver != options->store->driver)
		return fail(ctx, ERR_STORAGE,
			    "storage " STR_FMT " has no settings, and the server's own is no %s",
			    STR_ARG(row->name), driver->name);
	*place = options->storage_place;
	place->location =
		arena_printf(ctx->arena, "%s/" STR_FMT, place->location, STR_ARG(row->location))
			.ptr;
	return OK;
}

err_t storage_place(struct ctx *ctx, struct registry *registry, const struct store_driver *driver,
		    const struct storage_row *row, struct store_place *ret)
{
	str secrets = STR_NONE;
	*ret = (struct store_place){ .location = arena_cstr(ctx->arena, row->location) };
	TRY(open_secrets(ctx, registry, row, &secrets));
	TRY(storage_add_settings(ctx, row->settings, ret));
	TRY(storage_add_settings(ctx, secrets, ret));
	if (driver->in_files)
		ret->location = arena_printf(ctx->arena, STR_FMT "/" STR_FMT,
					     STR_ARG(registry->options.storage_root),
					     STR_ARG(row->location))
					.ptr;
	else if (ret->setting_count == 0)
		return share_place(ctx, registry, driver, row, ret);
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
	struct store_place place;
	struct store *store;
	TRY(storage_place(ctx, registry, driver, row, &place));
	err_t opened = driver->open(ctx, &place, &store);
	if (opened != OK)
		return opened == ERR_CONFIG ? ERR_STORAGE : opened;
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
	int64_t now_ns = clock_now_ns();
	struct storage_row row;
	*ret_current = true;
	if (storage_trusted_until(storage) == 0)
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

static err_t read_page(struct ctx *ctx, struct registry *registry, int64_t last,
		       struct storage_row **ret, size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_storage_page(ctx, &tx, last, PAGE, ret, ret_count);
}

err_t storage_each(struct ctx *ctx, struct registry *registry,
		   err_t (*visit)(void *arg, const struct storage_row *row), void *arg)
{
	struct storage_row *rows;
	int64_t last = 0;
	for (size_t count = PAGE; count == PAGE;) {
		TRY(read_page(ctx, registry, last, &rows, &count));
		for (size_t i = 0; i < count; i++) {
			TRY(visit(arg, &rows[i]));
			last = rows[i].id;
		}
	}
	return OK;
}
