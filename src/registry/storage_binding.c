/* SPDX-License-Identifier: Apache-2.0 */
/* storage_binding.c - see storage_binding.h. */
#include "registry/storage_binding.h"
#include "codec/json.h"
#include "crypto/random.h"
#include "db/db.h"
#include "db/trash.h"
#include "internal.h"
#include "registry/storage.h"

#include <string.h>

#include "base/banned.h"

/* --- what may be asked for ------------------------------------------------------------------ */

static bool is_name(str name)
{
	if (name.len == 0 || name.len > STORAGE_NAME_MAX || strchr("._-", name.ptr[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!name.ptr[i] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", name.ptr[i]))
			return false;
	return true;
}

static bool is_location(str location)
{
	size_t segments = 0;
	if (str_has_suffix(location, STR("/")))
		return false;
	for (str segment; str_next(&location, '/', &segment);)
		if (!is_name(segment) || ++segments > STORAGE_SEGMENTS_MAX)
			return false;
	return segments > 0;
}

static bool is_among(str name, const char *const *names)
{
	while (*names && !str_eq(name, str_from(*names)))
		names++;
	return *names != NULL;
}

/* A JSON object whose members are all known to the driver, and strings. */
static err_t check_members(struct ctx *ctx, const char *what, str text, const char *const *known)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str name;
	const struct json_value *value;
	if (text.len == 0)
		return OK;
	if (text.len > STORAGE_SETTINGS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "%s are too long", what);
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_REQUEST_INVALID, "%s: " JSON_PROBLEM_FMT, what,
			    JSON_PROBLEM_ARG(problem));
	if (!json_value_is_object(doc.root) || !json_value_is_str_map(doc.root))
		return fail(ctx, ERR_REQUEST_INVALID, "%s are not an object of strings", what);
	for (void *at = NULL; json_next_member(doc.root, &at, &name, &value);)
		if (!is_among(name, known))
			return fail(ctx, ERR_REQUEST_INVALID,
				    "this storage driver has no \"" STR_FMT "\" among its %s",
				    STR_ARG(name), what);
	return OK;
}

static str or_else(str given, str otherwise)
{
	return given.len ? given : otherwise;
}

/* A server whose own bytes are in an object store has its tenants' there too, unless they say
 * otherwise. */
static str driver_default(const struct registry *registry)
{
	return str_from(registry->options.store->driver->name);
}

/* What the driver says of it, in words for the client. */
static err_t check_place(struct ctx *ctx, const struct store_driver *driver,
			 const struct store_place *place)
{
	err_t err = driver->check ? driver->check(ctx, place) : OK;
	if (err != ERR_CONFIG)
		return err;
	str why = str_from(arena_cstr(ctx->arena, str_from(ctx->failure.detail)));
	ctx_forgive(ctx);
	return fail(ctx, ERR_REQUEST_INVALID, STR_FMT, STR_ARG(why));
}

err_t storage_binding_check(struct ctx *ctx, const struct registry *registry,
			    const struct storage_spec *spec)
{
	const struct store_driver *driver =
		store_driver_find(or_else(spec->driver, driver_default(registry)));
	if (!is_name(spec->name))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "a storage's name is up to %d lower-case letters, digits, '.', '_' and "
			    "'-', and begins with a letter or a digit",
			    STORAGE_NAME_MAX);
	if (!driver)
		return fail(ctx, ERR_REQUEST_INVALID, "unknown storage driver");
	if (!is_location(or_else(spec->location, spec->name)))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "a storage's location is up to %d names with '/' between, below the "
			    "server's root",
			    STORAGE_SEGMENTS_MAX);
	TRY(check_members(ctx, "settings", spec->settings, driver->settings));
	TRY(check_members(ctx, "secrets", spec->secrets, driver->secrets));
	struct store_place place = { .location = "" };
	if (!driver->in_files && driver != registry->options.store->driver && !spec->settings.len)
		return fail(
			ctx, ERR_REQUEST_INVALID,
			"the server has no %s storage of its own: the settings must say where one "
			"is",
			driver->name);
	TRY(storage_add_settings(ctx, spec->settings, &place));
	TRY(storage_add_settings(ctx, spec->secrets, &place));
	return check_place(ctx, driver, &place);
}

/* --- what is sealed --------------------------------------------------------------------------- */

/* Sealed for this storage: a row's secret opens nothing in another row. */
static err_t seal(struct ctx *ctx, struct registry *registry, const char *what, int64_t id,
		  str secret, str *ret)
{
	if (!registry->has_master_key)
		return fail(ctx, ERR_CONFIG, "there is no master key to seal a storage's secrets");
	return secretbox_seal(ctx, &registry->master_key, storage_context(ctx, id, what), secret,
			      ret);
}

static err_t set_secrets(struct ctx *ctx, struct registry *registry, struct sql_tx *tx, int64_t id,
			 str secrets)
{
	str sealed = STR_NONE;
	if (secrets.len)
		TRY(seal(ctx, registry, STORAGE_SECRETS, id, secrets, &sealed));
	return db_storage_set_secrets(ctx, tx, id, sealed);
}

static err_t set_data_key(struct ctx *ctx, struct registry *registry, struct sql_tx *tx, int64_t id)
{
	CLEANUP(secretbox_key_done) struct secretbox_key key;
	str sealed;
	random_bytes(key.bytes, sizeof key.bytes);
	TRY(seal(ctx, registry, STORAGE_KEY, id, (str){ (char *)key.bytes, sizeof key.bytes },
		 &sealed));
	return db_storage_set_data_key(ctx, tx, id, sealed);
}

/* --- making ----------------------------------------------------------------------------------- */

static struct storage_binding binding_of(const struct storage_row *row)
{
	return (struct storage_binding){
		.id = row->id,
		.name = row->name,
		.driver = row->driver,
		.location = row->location,
		.settings = row->settings,
		.has_secrets = row->secrets.len > 0,
		.encrypted = row->encrypted,
		.erased_at_us = row->erased_at_us,
		.created_at_us = row->created_at_us,
		.updated_at_us = row->updated_at_us,
	};
}

static err_t check_free(struct ctx *ctx, struct sql_tx *tx, const struct storage_row *row)
{
	TRY(db_storage_lock(ctx, tx));
	err_t err = db_storage_overlap(ctx, tx, row->driver, row->location);
	if (err == OK)
		return fail(ctx, ERR_EXISTS, "another storage is at, above or below " STR_FMT,
			    STR_ARG(row->location));
	return err == ERR_ABSENT ? OK : err;
}

err_t storage_binding_insert(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
			     const struct storage_spec *spec, struct storage_binding *ret)
{
	struct storage_row row = {
		.name = spec->name,
		.driver = or_else(spec->driver, driver_default(registry)),
		.location = or_else(spec->location, spec->name),
		.settings = or_else(spec->settings, STR("{}")),
		.encrypted = spec->encrypted,
	};
	TRY(storage_binding_check(ctx, registry, spec));
	TRY(check_free(ctx, tx, &row));
	err_t err = db_storage_insert(ctx, tx, &row);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_EXISTS, "storage " STR_FMT " is already there",
			    STR_ARG(row.name));
	TRY(err);
	if (spec->secrets.len)
		TRY(set_secrets(ctx, registry, tx, row.id, spec->secrets));
	if (spec->encrypted)
		TRY(set_data_key(ctx, registry, tx, row.id));
	*ret = binding_of(&row);
	ret->has_secrets = spec->secrets.len > 0;
	return OK;
}

/* --- looking ---------------------------------------------------------------------------------- */

static err_t find_row(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct storage_row *ret)
{
	err_t err = db_storage_find(ctx, tx, id, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "no storage %lld", (long long)id);
	return err;
}

err_t storage_binding_get(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			  struct storage_binding *ret)
{
	struct storage_row row;
	TRY(find_row(ctx, tx, id, &row));
	*ret = binding_of(&row);
	return OK;
}

/* --- changing --------------------------------------------------------------------------------- */

/* New settings and old secrets, or the other way round, must fit too. */
static err_t check_changed(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
			   const struct store_driver *driver, int64_t id)
{
	struct storage_row row;
	struct store_place place;
	if (!driver->check)
		return OK;
	TRY(find_row(ctx, tx, id, &row));
	TRY(storage_place(ctx, registry, driver, &row, &place));
	return check_place(ctx, driver, &place);
}

err_t storage_binding_update_in(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
				const struct storage_change *change)
{
	struct storage_row row;
	TRY(find_row(ctx, tx, change->id, &row));
	if (row.erased_at_us)
		return fail(ctx, ERR_STORAGE_ERASED, "storage " STR_FMT " is erased",
			    STR_ARG(row.name));
	const struct store_driver *driver = store_driver_find(row.driver);
	if (!driver)
		return fail(ctx, ERR_STORAGE, "unknown driver " STR_FMT, STR_ARG(row.driver));
	if (change->settings) {
		TRY(check_members(ctx, "settings", *change->settings, driver->settings));
		TRY(db_storage_set_settings(ctx, tx, change->id,
					    or_else(*change->settings, STR("{}"))));
	}
	if (change->secrets) {
		TRY(check_members(ctx, "secrets", *change->secrets, driver->secrets));
		TRY(set_secrets(ctx, registry, tx, change->id, *change->secrets));
	}
	return check_changed(ctx, registry, tx, driver, change->id);
}

void storage_reopen(struct registry *registry, int64_t id)
{
	if (id != STORAGE_DEFAULT)
		storages_drop(registry->storages, id, false);
}

struct update_work {
	struct registry *registry;
	const struct storage_change *change;
};

static err_t update_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct update_work *work = arg;
	return storage_binding_update_in(ctx, work->registry, tx, work->change);
}

err_t storage_binding_update(struct ctx *ctx, struct registry *registry,
			     const struct storage_change *change)
{
	struct update_work work = { registry, change };
	TRY(db_run(ctx, registry->db, SQL_WRITE, update_body, &work));
	storage_reopen(registry, change->id);
	return OK;
}

/* --- erasing ---------------------------------------------------------------------------------- */

err_t storage_erase_in(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct storage_domain *ret)
{
	struct storage_row row;
	TRY(find_row(ctx, tx, id, &row));
	if (!row.encrypted)
		return fail(ctx, ERR_PRECONDITION_FAILED,
			    "storage " STR_FMT " is not encrypted: it has no key to destroy",
			    STR_ARG(row.name));
	TRY(db_trash_end_storage(ctx, tx, id));
	err_t err = db_storage_erase(ctx, tx, id);
	if (err != ERR_ABSENT)
		TRY(err);
	return db_storage_domain(ctx, tx, id, &ret->ids, &ret->count);
}

void storage_forget(struct registry *registry, int64_t id)
{
	struct cache_key key = key_in_storage(id);
	storages_drop(registry->storages, id, true);
	cache_drop_prefix(registry->cache, key_str(&key));
}

void storage_forget_domain(struct registry *registry, const struct storage_domain *domain)
{
	for (size_t i = 0; i < domain->count; i++)
		if (domain->ids[i] != STORAGE_DEFAULT)
			storage_forget(registry, domain->ids[i]);
}

struct erase_work {
	int64_t id;
	struct storage_domain domain;
};

static err_t erase_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct erase_work *work = arg;
	return storage_erase_in(ctx, tx, work->id, &work->domain);
}

err_t storage_erase(struct ctx *ctx, struct registry *registry, int64_t id)
{
	struct erase_work work = { .id = id };
	TRY(db_run(ctx, registry->db, SQL_WRITE, erase_body, &work));
	storage_forget_domain(registry, &work.domain);
	return OK;
}
