/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c - life cycle, cache keys, and what happens at start and by the clock. */
#include "registry/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/upload.h"
#include "internal.h"
#include "registry/upload.h"

#include <string.h>

#include "base/banned.h"

#define PAGE 256

struct registry *registry_new(const struct registry_options *options)
{
	struct registry *registry = NEW(struct registry);
	registry->options = *options;
	pthread_mutex_init(&registry->health.lock, NULL);
	pthread_mutex_init(&registry->collected.lock, NULL);
	struct registry_options *o = &registry->options;
	o->cache_bytes_max = o->cache_bytes_max ? o->cache_bytes_max : MIB(16);
	o->manifest_bytes_max = o->manifest_bytes_max ? o->manifest_bytes_max : MIB(4);
	o->upload_expiry_s = o->upload_expiry_s ? o->upload_expiry_s : 86400;
	registry->db = options->db;
	atomic_init(&registry->quota_looks, 1); /* what another process left unreported */
	registry->storages = storages_new(options->store);
	registry->cache = cache_new(o->cache_bytes_max);
	registry->uploads = live_uploads_new();
	registry->pulls = pull_counts_new(registry->db, options->settings);
	return registry;
}

void registry_cache_stats(const struct registry *registry, struct cache_stats *ret)
{
	cache_stats(registry->cache, ret);
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	pthread_mutex_destroy(&registry->health.lock);
	pthread_mutex_destroy(&registry->collected.lock);
	pull_counts_free(registry->pulls);
	live_uploads_free(registry->uploads);
	cache_free(registry->cache);
	storages_free(registry->storages);
	secretbox_key_done(&registry->master_key);
	free(registry);
}

void registry_set_master_key(struct registry *registry, const struct secretbox_key *key)
{
	registry->master_key = *key;
	registry->has_master_key = true;
}

const struct registry_options *registry_options(const struct registry *registry)
{
	return &registry->options;
}

err_t registry_read(struct ctx *ctx, struct registry *registry, struct sql_tx *ret)
{
	return sql_begin(ctx, registry->db, SQL_READ, ret);
}

static err_t load_value(struct ctx *ctx, struct registry *registry, const struct cached_kind *kind,
			const void *arg, void *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return kind->load(ctx, &tx, arg, ret);
}

err_t registry_cached(struct ctx *ctx, struct registry *registry, const struct cache_key *key,
		      const struct cached_kind *kind, const void *arg, void *ret)
{
	CLEANUP(cache_value_done)
	struct cache_value *value = cache_get(registry->cache, key_str(key));
	if (value) {
		memcpy(ret, value->bytes.ptr, kind->size_bytes);
		return OK;
	}
	uint64_t ticket = cache_ticket(registry->cache, key_str(key));
	TRY(load_value(ctx, registry, kind, arg, ret));
	value = cache_fill(registry->cache, key_str(key), ticket, (str){ ret, kind->size_bytes },
			   0);
	return OK;
}

static void key_add(struct cache_key *key, const void *bytes, size_t len)
{
	CHECK(len <= sizeof key->bytes - key->len);
	if (len)
		memcpy(key->bytes + key->len, bytes, len);
	key->len += len;
}

struct cache_key key_named(const struct ctx *ctx, const struct registry *registry, char kind,
			   str name)
{
	uint64_t names = atomic_load(&registry->names);
	struct cache_key key;
	key.len = 0;
	key_add(&key, &kind, 1);
	key_add(&key, &names, sizeof names);
	key_add(&key, &ctx->tenant_id, sizeof ctx->tenant_id);
	key_add(&key, name.ptr, name.len);
	return key;
}

struct cache_key key_numbered(const struct ctx *ctx, const struct registry *registry, char kind,
			      int64_t id)
{
	return key_named(ctx, registry, kind, (str){ (const char *)&id, sizeof id });
}

void registry_names_changed(struct registry *registry)
{
	atomic_fetch_add(&registry->names, 1);
}

struct cache_key key_in_repository(char kind, int64_t repository_id, str rest)
{
	struct cache_key key;
	key.len = 0;
	key_add(&key, &kind, 1);
	key_add(&key, &repository_id, sizeof repository_id);
	key_add(&key, rest.ptr, rest.len);
	return key;
}

struct cache_key key_of_digest(char kind, int64_t repository_id, digest d)
{
	return key_in_repository(kind, repository_id, (str){ (const char *)&d, sizeof d });
}

struct cache_key key_in_storage(int64_t storage_id)
{
	return key_in_repository('c', storage_id, STR_NONE);
}

err_t registry_count_pulls(struct ctx *ctx, struct registry *registry, int64_t interval_ms)
{
	return pull_counts_start(ctx, registry->pulls, interval_ms);
}

/* A tenant's storage that cannot be opened must not keep the others from being served. */
static err_t recover(struct ctx *ctx, struct registry *registry, str id)
{
	err_t err = upload_end(ctx, registry, id);
	if (err != ERR_STORAGE)
		return err;
	LOG(LOG_ERROR, "an upload could not be settled", LOG_STR("id", id),
	    LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
	return OK;
}

err_t registry_recover(struct ctx *ctx, struct registry *registry)
{
	/* Another node may be publishing at this moment; only an embedded database is ours alone.
	 */
	if (sql_engine_of(registry->db) != SQL_SQLITE)
		return OK;
	str last = STR_NONE;
	for (;;) {
		str *ids;
		size_t count;
		{
			CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
			TRY(registry_read(ctx, registry, &tx));
			TRY(db_upload_publishing_page(ctx, &tx, last, PAGE, &ids, &count));
		}
		for (size_t i = 0; i < count; i++) {
			TRY(recover(ctx, registry, ids[i]));
			last = ids[i];
		}
		if (count < PAGE)
			return OK;
	}
}

static err_t expire(struct ctx *ctx, struct registry *registry, str id)
{
	err_t err = upload_abandon(ctx, registry, id);
	if (err == ERR_STORAGE) /* one tenant's broken storage is not everybody's */
		LOG(LOG_WARN, "an abandoned upload stays", LOG_STR("id", id),
		    LOG_CSTR("detail", ctx->failure.detail));
	else if (err != ERR_UPLOAD_BUSY) /* somebody is writing: not abandoned */
		return err;
	ctx_forgive(ctx);
	return OK;
}

err_t registry_expire_uploads(struct ctx *ctx, struct registry *registry, size_t max,
			      size_t *ret_count)
{
	int64_t before_us = clock_wall_us() - registry->options.upload_expiry_s * 1000000;
	str *ids;
	size_t count;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(registry_read(ctx, registry, &tx));
		TRY(db_upload_expired_page(ctx, &tx, before_us, max, &ids, &count));
	}
	for (size_t i = 0; i < count; i++)
		TRY(expire(ctx, registry, ids[i]));
	*ret_count = count;
	return OK;
}
