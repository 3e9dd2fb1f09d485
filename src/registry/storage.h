/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage.h - the storages of this registry: where each tenant's bytes are.
 *
 * A storage is one domain: a digest is stored once in it, and nothing in another one can be seen,
 * mounted or guessed from it. Blob and upload rows name theirs. A storage is opened when it is
 * first needed; it stays open while somebody has it, and STORAGES_IDLE_MAX stay open for the next.
 *
 *	CLEANUP(storage_put) struct storage *storage = NULL;
 *	TRY(storage_get(ctx, registry, row.storage_id, &storage));
 *	TRY(storage->store->driver->blob_open(ctx, storage->store, d, &blob));
 */
#pragma once

#include "db/storage.h"
#include "registry/registry.h"

#define STORAGES_IDLE_MAX 64

struct storages;
struct storage {
	struct storages *all;
	int64_t id;
	struct store *store;
	int64_t updated_at_us;	       /* of the row it was opened by */
	_Atomic(int64_t) looked_at_ns; /* when that was last compared */
	unsigned users;
	bool dropped; /* out of the list: closed by whoever puts it last */
	struct storage *next;
};

/* ERR_STORAGE when it cannot be opened, ERR_STORAGE_ERASED when its key was destroyed. */
err_t storage_get(struct ctx *ctx, struct registry *registry, int64_t id, struct storage **ret);

/* How long (clock_now_ns()) what was read from it may be served without asking for its row again: 0
 * for ever, as while changes of other servers are told (told.h); else a time that has passed. */
int64_t storage_trusted_until(const struct storage *storage);

/* All there are, erased ones too, in the order of their ids. A failure of `visit` ends it. */
err_t storage_each(struct ctx *ctx, struct registry *registry,
		   err_t (*visit)(void *arg, const struct storage_row *row), void *arg);

/* CLEANUP; NULL is fine. */
void storage_put(struct storage **storage);
