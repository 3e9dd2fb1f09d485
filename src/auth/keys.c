/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - see keys.h. */
#include "keys.h"
#include "internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "db/db.h"
#include "db/signing_key.h"
#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

#define SECOND_US   INT64_C(1000000)
#define HANDOVER_US (86400 * SECOND_US) /* other nodes may sign with the old key so long */
#define KNOWN_US                                                                                   \
	(600 * SECOND_US) /* by then all nodes have read a new key, whatever their clocks */
#define ASK_INTERVAL_NS CLOCK_S

struct key_list {
	struct signing_key rows[JWS_KEYS_MAX]; /* newest first */
	size_t count;
};

/* --- the ring ------------------------------------------------------------------------------- */

struct key_ring *keys_get(struct keys *keys)
{
	pthread_mutex_lock(&keys->lock);
	struct key_ring *ring = keys->current;
	atomic_fetch_add_explicit(&ring->references, 1, memory_order_relaxed);
	pthread_mutex_unlock(&keys->lock);
	return ring;
}

void key_ring_put(struct key_ring **at)
{
	struct key_ring *ring = take(*at);
	if (!ring || atomic_fetch_sub_explicit(&ring->references, 1, memory_order_acq_rel) != 1)
		return;
	jws_ring_free(ring->jws);
	free(ring);
}

static void swap_ring(struct keys *keys, struct jws_ring *jws)
{
	struct key_ring *ring = NEW(struct key_ring);
	atomic_init(&ring->references, 1);
	ring->jws = jws;
	pthread_mutex_lock(&keys->lock);
	struct key_ring *old = keys->current;
	ring->generation = ++keys->generations;
	keys->current = ring;
	pthread_mutex_unlock(&keys->lock);
	key_ring_put(&old);
}

/* --- sealing -------------------------------------------------------------------------------- */

static str seal_context(struct ctx *ctx, str id)
{
	return arena_printf(ctx->arena, "signing_key/" STR_FMT, STR_ARG(id));
}

static err_t open_key(struct ctx *ctx, const struct keys *keys, const struct signing_key *row,
		      struct jws_key *ret)
{
	err_t err = secretbox_open(ctx, &keys->master, seal_context(ctx, row->id), row->sealed,
				   &ret->private_jwk);
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_CONFIG,
			    "master.key is not the key that sealed the secrets of this database: "
			    "signing key " STR_FMT " does not open",
			    STR_ARG(row->id));
	}
	ret->id = row->id;
	return err;
}

static void wipe(const struct jws_key *key)
{
	if (key->private_jwk.len)
		explicit_bzero((void *)(uintptr_t)key->private_jwk.ptr, key->private_jwk.len);
}

/*
 * The newest that every node has had the time to read signs; without any, the oldest. A key that
 * signed as soon as it was made would be unknown elsewhere at first.
 */
static size_t choose_signer(const struct key_list *list, int64_t now_us)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].created_at_us + KNOWN_US <= now_us)
			return i;
	return list->count ? list->count - 1 : 0;
}

static err_t build_ring(struct ctx *ctx, struct keys *keys, const struct key_list *list)
{
	struct jws_key opened[JWS_KEYS_MAX] = { 0 };
	struct jws_ring *jws = NULL;
	size_t signer = choose_signer(list, clock_wall_us());
	err_t err = OK;
	for (size_t i = 0; i < list->count && err == OK; i++) /* the first one signs */
		err = open_key(ctx, keys, &list->rows[i],
			       &opened[i == signer ? 0 : i + (i < signer)]);
	if (err == OK)
		err = jws_ring_new(ctx, opened, list->count, &jws);
	for (size_t i = 0; i < list->count; i++)
		wipe(&opened[i]);
	TRY(err);
	swap_ring(keys, jws);
	return OK;
}

/* --- rows ----------------------------------------------------------------------------------- */

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct key_list *list = arg;
	return db_signing_key_list(ctx, tx, list->rows, JWS_KEYS_MAX, &list->count);
}

/*
 * How many keys some living token may name: a key signed until its successor came, and its last
 * refresh token lives on from there. The first one old enough is the last that counts.
 */
static size_t count_needed(const struct key_list *list, int64_t now_us)
{
	int64_t old_us = now_us - AUTH_REFRESH_LIFETIME_S * SECOND_US - HANDOVER_US;
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].created_at_us <= old_us)
			return i + 1;
	return list->count;
}

static bool is_due(const struct keys *keys, const struct key_list *list, int64_t now_us)
{
	return list->count == 0 ||
	       list->rows[0].created_at_us + keys->lifetime_s * SECOND_US <= now_us;
}

struct rotation {
	const struct keys *keys;
	struct signing_key made;
};

static err_t rotate_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct rotation *rotation = arg;
	struct key_list list;
	int64_t now_us = rotation->made.created_at_us;
	TRY(list_body(ctx, tx, &list)); /* again: another node may have been faster */
	size_t needed = count_needed(&list, now_us);
	if (needed < list.count)
		TRY(db_signing_key_delete_before(ctx, tx, list.rows[needed - 1].created_at_us));
	if (is_due(rotation->keys, &list, now_us) && needed < JWS_KEYS_MAX)
		TRY(db_signing_key_insert(ctx, tx, &rotation->made));
	return OK;
}

static err_t make_key(struct ctx *ctx, const struct keys *keys, struct signing_key *ret)
{
	struct jws_key key = { 0 };
	str sealed;
	TRY(jws_key_generate(ctx, &key));
	err_t err = secretbox_seal(ctx, &keys->master, seal_context(ctx, key.id), key.private_jwk,
				   &sealed);
	wipe(&key);
	TRY(err);
	*ret = (struct signing_key){ key.id, sealed, clock_wall_us() };
	return OK;
}

/* With `reading` held. */
static err_t rotate(struct ctx *ctx, struct keys *keys)
{
	struct key_list list;
	TRY(db_run(ctx, keys->db, SQL_READ, list_body, &list));
	int64_t now_us = clock_wall_us();
	if (is_due(keys, &list, now_us) || count_needed(&list, now_us) < list.count) {
		struct rotation rotation = { .keys = keys };
		TRY(make_key(ctx, keys, &rotation.made));
		err_t err = db_run(ctx, keys->db, SQL_WRITE, rotate_body, &rotation);
		if (err == ERR_DATABASE_READ_ONLY && list.count)
			ctx_forgive(ctx); /* the old one goes on signing until it can */
		else
			TRY(err);
		TRY(db_run(ctx, keys->db, SQL_READ, list_body, &list));
	}
	return build_ring(ctx, keys, &list);
}

err_t keys_read(struct ctx *ctx, struct keys *keys)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&keys->reading);
	struct key_list list;
	TRY(db_run(ctx, keys->db, SQL_READ, list_body, &list));
	return build_ring(ctx, keys, &list);
}

err_t keys_rotate(struct ctx *ctx, struct keys *keys)
{
	pthread_mutex_lock(&keys->reading);
	err_t err = rotate(ctx, keys);
	pthread_mutex_unlock(&keys->reading);
	return err;
}

/* --- unknown keys --------------------------------------------------------------------------- */

/* With `reading` held. */
static err_t read_again(struct ctx *ctx, struct keys *keys, uint64_t seen_generation)
{
	pthread_mutex_lock(&keys->lock);
	bool is_newer = keys->current->generation != seen_generation;
	pthread_mutex_unlock(&keys->lock);
	int64_t now_ns = clock_now_ns();
	if (is_newer || (keys->asked_at_ns && now_ns - keys->asked_at_ns < ASK_INTERVAL_NS))
		return OK;
	keys->asked_at_ns = now_ns;

	struct key_list list;
	TRY(db_run(ctx, keys->db, SQL_READ, list_body, &list));
	return build_ring(ctx, keys, &list);
}

err_t keys_get_for(struct ctx *ctx, struct keys *keys, str token, struct key_ring **ret)
{
	CLEANUP(key_ring_put) struct key_ring *ring = keys_get(keys);
	if (jws_key_is_unknown(ctx, ring->jws, token)) {
		pthread_mutex_lock(&keys->reading);
		err_t err = read_again(ctx, keys, ring->generation);
		pthread_mutex_unlock(&keys->reading);
		TRY(err);
		key_ring_put(&ring);
		ring = keys_get(keys);
	}
	*ret = take(ring);
	return OK;
}

/* --- life ----------------------------------------------------------------------------------- */

err_t keys_init(struct ctx *ctx, struct keys *keys, struct sql *db, str master_key_path,
		int64_t lifetime_s)
{
	*keys = (struct keys){ .db = db, .lifetime_s = lifetime_s };
	pthread_mutex_init(&keys->lock, NULL);
	pthread_mutex_init(&keys->reading, NULL);
	struct key_list sealed;
	TRY(db_run(ctx, db, SQL_READ, list_body, &sealed));
	TRY(master_key_read(ctx, master_key_path, sealed.count == 0, &keys->master));
	return keys_rotate(ctx, keys);
}

void keys_done(struct keys *keys)
{
	key_ring_put(&keys->current);
	secretbox_key_done(&keys->master);
	pthread_mutex_destroy(&keys->reading);
	pthread_mutex_destroy(&keys->lock);
}
