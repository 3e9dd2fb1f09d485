/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storages.h - the open storages, most recently used first, under one lock; private to registry.
 *
 * The lock is held for pointer work only: two threads that need the same closed storage both open
 * it, and one closes his again.
 */
#pragma once

#include "registry/storage.h"

struct storages;

/* `standard` is storage STORAGE_DEFAULT: open, not owned, never closed. */
struct storages *storages_new(struct store *standard);
void storages_free(struct storages *all);

/* NULL when it is not open. */
struct storage *storages_take(struct storages *all, int64_t id);

/* Adds one that was just opened and takes it; the store is closed, and the other one taken, when
 * somebody was faster. */
struct storage *storages_add(struct storages *all, int64_t id, struct store *store);
