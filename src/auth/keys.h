/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h - the ring of signing keys: read from the database, opened with the master key, swapped
 * whole.
 *
 * Users hold a reference to the ring they work with; a swap leaves it to them. `lock` guards the
 * pointer and is held for a few instructions; `reading` is held while the database is asked, so
 * that an older answer never replaces a newer one, and all who met an unknown key wait for one
 * answer instead of each asking.
 */
#pragma once

#include "base/ctx.h"
#include "crypto/jws.h"
#include "crypto/secretbox.h"
#include "sql/sql.h"

#include <pthread.h>

struct key_ring {
	_Atomic(unsigned) references;
	uint64_t generation;
	struct jws_ring *jws;
};

struct keys {
	struct sql *db;
	struct secretbox_key master;
	int64_t lifetime_s;
	pthread_mutex_t lock;
	struct key_ring *current;
	uint64_t generations;
	pthread_mutex_t reading;
	int64_t asked_at_ns; /* when an unknown key last made us ask; 0 for never */
};

/* Takes the master key from its file and makes sure that there is a signing key. Of a database
 * without any, the master key is made if it is missing too. */
err_t keys_init(struct ctx *ctx, struct keys *keys, struct sql *db, str master_key_path,
		int64_t lifetime_s);
void keys_done(struct keys *keys);

/* See auth_rotate_keys(). With the ring full of keys that living tokens may name, the newest goes
 * on. */
err_t keys_rotate(struct ctx *ctx, struct keys *keys);

/* What other nodes made, and whether a newer key signs by now. */
err_t keys_read(struct ctx *ctx, struct keys *keys);

struct key_ring *keys_get(struct keys *keys);
void key_ring_put(struct key_ring **ring); /* CLEANUP */

/* The ring to verify `token` with: read again when it names an unknown key, at most once a second.
 */
err_t keys_get_for(struct ctx *ctx, struct keys *keys, str token, struct key_ring **ret);

/* The 32 bytes of the file. When it is missing it is made, complete or not at all, or it is
 * ERR_CONFIG: a new key in the place of a lost one would hide what is wrong. */
err_t master_key_read(struct ctx *ctx, str path, bool may_make, struct secretbox_key *ret);
