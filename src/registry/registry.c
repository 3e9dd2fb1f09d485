/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c - life cycle, cache keys, and what happens at start and by the clock. */
#include "registry/registry.h"
#include "base/clock.h"
#include "base/mem.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/upload.h"
#include "internal.h"

#include <string.h>

#include "base/banned.h"

#define PAGE 256

struct registry *registry_new(const struct registry_options *options)
{
	struct registry *registry = NEW(struct registry);
	registry->options = *options;
	struct registry_options *o = &registry->options;
	o->cache_bytes_max = o->cache_bytes_max ? o->cache_bytes_max : MIB(16);
	o->manifest_bytes_max = o->manifest_bytes_max ? o->manifest_bytes_max : MIB(4);
	o->upload_expiry_s = o->upload_expiry_s ? o->upload_expiry_s : 86400;
	registry->db = options->db;
	registry->store = options->store;
	registry->cache = cache_new(o->cache_bytes_max);
	registry->uploads = live_uploads_new();
	return registry;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	live_uploads_free(registry->uploads);
	cache_free(registry->cache);
	free(registry);
}

const struct registry_options *registry_options(const struct registry *registry)
{
	return &registry->options;
}

err_t registry_read(struct ctx *ctx, struct registry *registry, struct sql_tx *ret)
{
	return sql_begin(ctx, registry->db, SQL_READ, ret);
}

static void key_add(struct cache_key *key, const void *bytes, size_t len)
{
	CHECK(len <= sizeof key->bytes - key->len);
	memcpy(key->bytes + key->len, bytes, len);
	key->len += len;
}

struct cache_key key_named(char kind, str name)
{
	struct cache_key key;
	key.len = 0;
	key_add(&key, &kind, 1);
	key_add(&key, name.ptr, name.len);
	return key;
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

struct intent_work {
	struct registry *registry;
	struct upload_intent intent;
};

/*
 * The process died between "these bytes become D" and the row of D. The bytes may lie under either name. If
 * another upload has brought the row, the blob stays; if not, nobody was told of it and it goes.
 */
static err_t settle_intent(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct intent_work *work = arg;
	struct store *store = work->registry->store;
	str id = work->intent.id;

	digest d;
	struct blob blob;
	bool known = digest_parse(work->intent.digest_text, &d);
	err_t found = known ? db_blob_find(ctx, tx, d, &blob) : ERR_ABSENT;
	if (found != OK && found != ERR_ABSENT)
		return found;
	if (known && found == ERR_ABSENT)
		TRY(store->driver->blob_remove(ctx, store, d));
	TRY(store->driver->upload_remove(ctx, store, id));
	err_t err = db_upload_delete(ctx, tx, id);
	return err == ERR_ABSENT ? OK : err;
}

err_t registry_recover(struct ctx *ctx, struct registry *registry)
{
	/* Another node may be publishing at this moment; only an embedded database is ours alone. */
	if (sql_engine_of(registry->db) != SQL_SQLITE)
		return OK;
	str last = STR_NONE;
	for (;;) {
		struct upload_intent *intents;
		size_t count;
		{
			CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
			TRY(registry_read(ctx, registry, &tx));
			TRY(db_upload_publishing_page(ctx, &tx, last, PAGE, &intents, &count));
		}
		for (size_t i = 0; i < count; i++) {
			struct intent_work work = { registry, intents[i] };
			TRY(db_run(ctx, registry->db, SQL_WRITE, settle_intent, &work));
			last = intents[i].id;
		}
		if (count < PAGE)
			return OK;
	}
}

static err_t delete_session(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	err_t err = db_upload_delete(ctx, tx, *(str *)arg);
	return err == ERR_ABSENT ? OK : err;
}

static err_t expire(struct ctx *ctx, struct registry *registry, str id)
{
	struct live_upload *live;
	if (live_uploads_take(ctx, registry->uploads, id, &live) != OK) {
		ctx_forgive(ctx); /* somebody is writing: not abandoned */
		return OK;
	}
	err_t err = registry->store->driver->upload_remove(ctx, registry->store, id);
	if (err == OK)
		err = db_run(ctx, registry->db, SQL_WRITE_RELAXED, delete_session, &id);
	live_uploads_release(registry->uploads, live, true);
	return err;
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
