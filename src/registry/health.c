/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - see health.h. */
#include "registry/health.h"
#include "internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "db/db.h"
#include "db/setting.h"
#include "os/thread.h"

#include "base/banned.h"

static err_t ask_database(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct setting_row *rows;
	size_t count;
	return db_setting_list(ctx, tx, &rows, &count);
}

static err_t try_database(struct ctx *ctx, struct registry *registry)
{
	return db_run(ctx, registry->db, SQL_READ, ask_database, NULL);
}

static err_t try_store(struct ctx *ctx, struct store *store)
{
	char id[UUID_TEXT_LEN + 1];
	random_uuid(id);
	str name = str_from(id);
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	TRY(store_upload_open(ctx, store, name, true, &upload));
	err_t err = store_upload_append(ctx, &upload, STR("."));
	if (err == OK)
		err = store_upload_flush(ctx, &upload);
	/* Whatever came of it, the file must not stay. */
	struct failure failure = ctx->failure;
	err_t removed = store_upload_remove(ctx, store, name);
	if (err != OK)
		ctx->failure = failure;
	return err != OK ? err : removed;
}

/* The default one, and those of the tenants that were used last: one that nobody opened since the
 * start is not opened for this. An erased one is not open. */
static err_t try_storages(struct ctx *ctx, struct registry *registry)
{
	struct storage *list[HEALTH_STORAGES_MAX];
	err_t err = try_store(ctx, registry->options.store);
	size_t count = storages_take_newest(registry->storages, list, COUNT_OF(list));
	for (size_t i = 0; i < count; i++) {
		if (err == OK) {
			err = try_store(ctx, list[i]->store);
			if (err == ERR_STORAGE_ERASED) { /* at this moment */
				ctx_forgive(ctx);
				err = OK;
			}
			if (err != OK)
				ctx_note(ctx, "storage %lld", (long long)list[i]->id);
		}
		storage_put(&list[i]);
	}
	return err;
}

/* A part by its deadline; why it does not work goes into the log, once for each change. */
static err_t try_part(struct ctx *ctx, struct registry *registry, const char *name, err_t before,
		      err_t (*attempt)(struct ctx *ctx, struct registry *registry))
{
	int64_t deadline_ns = ctx->deadline_ns;
	ctx->deadline_ns = clock_now_ns() + HEALTH_DEADLINE_MS * CLOCK_MS;
	err_t err = attempt(ctx, registry);
	ctx->deadline_ns = deadline_ns;
	if (err != OK && err != before)
		LOG(LOG_WARN, "unhealthy", LOG_CSTR("part", name),
		    LOG_CSTR("detail", ctx->failure.detail));
	else if (err == OK && before != OK)
		LOG(LOG_NOTICE, "healthy again", LOG_CSTR("part", name));
	ctx_forgive(ctx);
	return err;
}

/* True when it is on the caller to try: when it is due and nobody else does, and when there is
 * nothing yet to answer with. `*ret` is the last result. */
static bool take_turn(struct registry_health *memory, struct health *ret)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&memory->lock);
	int64_t age_ns = clock_now_ns() - memory->tried_at_ns;
	bool is_due = !memory->trying && age_ns > HEALTH_REMEMBER_MS * CLOCK_MS;
	*ret = memory->last;
	if (!is_due && memory->tried_at_ns)
		return false;
	memory->trying = true;
	return true;
}

static void end_turn(struct registry_health *memory, const struct health *found)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&memory->lock);
	memory->last = *found;
	memory->tried_at_ns = clock_now_ns();
	memory->trying = false;
}

void registry_health(struct ctx *ctx, struct registry *registry, struct health *ret)
{
	struct registry_health *memory = &registry->health;
	struct health last;
	if (take_turn(memory, &last)) {
		last = (struct health){
			.database =
				try_part(ctx, registry, "database", last.database, try_database),
			.storage = try_part(ctx, registry, "storage", last.storage, try_storages),
		};
		if (sql_reach(registry->db) != SQL_REACH_ALL)
			last.writes = ERR_DATABASE_READ_ONLY;
		end_turn(memory, &last);
	}
	*ret = last;
}

const char *registry_storage_name(const struct registry *registry)
{
	return registry->options.store->driver->name;
}

err_t registry_storage_space(struct ctx *ctx, struct registry *registry, uint64_t *ret_total_bytes,
			     uint64_t *ret_free_bytes)
{
	struct store *store = registry->options.store;
	return store->driver->space(ctx, store, ret_total_bytes, ret_free_bytes);
}
