/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storages.h - the open storages, most recently used first, under one lock; private to registry.
 *
 * The lock is held for pointer work only: two threads that need the same closed storage both open
 * it, and one closes his again.
 */
#pragma once

#include "base/cache.h"
#include "registry/storage.h"

struct storages;

/* Whether changes of other servers are heard of. What was opened before they were is looked at
 * again. */
void storages_trust(struct storages *all, enum cache_trust trust);

/* `standard` is storage STORAGE_DEFAULT: open, not owned, never closed. */
struct storages *storages_new(struct store *standard);
void storages_free(struct storages *all);

/* NULL when it is not open. */
struct storage *storages_take(struct storages *all, int64_t id);

/* Takes those that were used last, at most `max` and without the default one; returns how many. */
size_t storages_take_newest(struct storages *all, struct storage **into, size_t max);

/* Taken before the row is read of what is then opened. */
uint64_t storages_ticket(struct storages *all);

/* Adds one that was just opened and takes it; the store is closed, and the other one taken, when
 * somebody was faster. NULL, with the store closed, when one was dropped since the ticket was
 * taken: the row may be an old one. */
struct storage *storages_add(struct storages *all, const struct storage_row *row,
			     struct store *store, uint64_t ticket);

/* Nobody takes it from here on; who has it keeps it until he puts it, but where its key is erased
 * can read no more. Not for the default one. */
void storages_drop(struct storages *all, int64_t id, bool erased);
