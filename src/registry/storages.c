/* SPDX-License-Identifier: Apache-2.0 */
/* storages.c - see storages.h. */
#include "storages.h"
#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/banned.h"

struct storages {
	pthread_mutex_t lock;
	struct storage *newest;
	struct storage standard;
	uint64_t drops;
	_Atomic(enum cache_trust) trust;
	_Atomic(int64_t) trusted_since_ns;
};

struct storages *storages_new(struct store *standard)
{
	struct storages *all = NEW(struct storages);
	pthread_mutex_init(&all->lock, NULL);
	all->standard = (struct storage){
		.all = all, .id = STORAGE_DEFAULT, .store = standard, .users = 1
	};
	all->newest = &all->standard;
	return all;
}

static void close_storage(struct storage *storage)
{
	storage->store->driver->close(storage->store);
	free(storage);
}

void storages_free(struct storages *all)
{
	if (!all)
		return;
	while (all->newest) {
		struct storage *storage = all->newest;
		all->newest = storage->next;
		if (storage != &all->standard)
			close_storage(storage);
	}
	pthread_mutex_destroy(&all->lock);
	free(all);
}

/* Takes it out of the list; NULL when it is not there. The lock is held. */
static struct storage *unlink_id(struct storages *all, int64_t id)
{
	struct storage **at = &all->newest;
	while (*at && (*at)->id != id)
		at = &(*at)->next;
	struct storage *storage = *at;
	if (storage)
		*at = storage->next;
	return storage;
}

/* Takes it and moves it to the front; NULL when it is not there. The lock is held. */
static struct storage *take_front(struct storages *all, int64_t id)
{
	struct storage *storage = unlink_id(all, id);
	if (!storage)
		return NULL;
	storage->next = all->newest;
	all->newest = storage;
	storage->users++;
	return storage;
}

struct storage *storages_take(struct storages *all, int64_t id)
{
	pthread_mutex_lock(&all->lock);
	struct storage *storage = take_front(all, id);
	pthread_mutex_unlock(&all->lock);
	return storage;
}

size_t storages_take_newest(struct storages *all, struct storage **into, size_t max)
{
	size_t count = 0;
	pthread_mutex_lock(&all->lock);
	for (struct storage *at = all->newest; at && count < max; at = at->next)
		if (at != &all->standard) {
			at->users++;
			into[count++] = at;
		}
	pthread_mutex_unlock(&all->lock);
	return count;
}

int64_t storage_trusted_until(const struct storage *storage)
{
	struct storages *all = storage->all;
	int64_t looked_at_ns = atomic_load(&storage->looked_at_ns);
	if (storage->id == STORAGE_DEFAULT || atomic_load(&all->trust) == CACHE_STALE)
		return 0;
	if (atomic_load(&all->trust) == CACHE_KEPT &&
	    looked_at_ns >= atomic_load(&all->trusted_since_ns))
		return 0;
	return looked_at_ns;
}

void storages_trust(struct storages *all, enum cache_trust trust)
{
	if (trust == CACHE_KEPT)
		atomic_store(&all->trusted_since_ns, clock_now_ns());
	atomic_store(&all->trust, trust);
}

uint64_t storages_ticket(struct storages *all)
{
	pthread_mutex_lock(&all->lock);
	uint64_t ticket = all->drops;
	pthread_mutex_unlock(&all->lock);
	return ticket;
}

struct storage *storages_add(struct storages *all, const struct storage_row *row,
			     struct store *store, uint64_t ticket)
{
	struct storage *made = NEW(struct storage);
	*made = (struct storage){ .all = all,
				  .id = row->id,
				  .store = store,
				  .users = 1,
				  .updated_at_us = row->updated_at_us,
				  .looked_at_ns = clock_now_ns() };
	pthread_mutex_lock(&all->lock);
	bool current = all->drops == ticket;
	struct storage *storage = current ? take_front(all, row->id) : NULL;
	if (current && !storage) {
		made->next = all->newest;
		all->newest = made;
		storage = made;
	}
	pthread_mutex_unlock(&all->lock);
	if (storage != made)
		close_storage(made);
	return storage;
}

void storages_drop(struct storages *all, int64_t id, bool erased)
{
	CHECK(id != STORAGE_DEFAULT);
	pthread_mutex_lock(&all->lock);
	all->drops++;
	struct storage *storage = unlink_id(all, id);
	if (storage)
		storage->dropped = true;
	if (storage && erased && storage->store->driver->forget)
		storage->store->driver->forget(storage->store);
	bool idle = storage && storage->users == 0;
	pthread_mutex_unlock(&all->lock);
	if (idle)
		close_storage(storage);
}

/* Takes the oldest idle one out of the list when there are too many. The lock is held. */
static struct storage *unlink_surplus(struct storages *all)
{
	struct storage **oldest = NULL;
	size_t idle = 0;
	for (struct storage **at = &all->newest; *at; at = &(*at)->next)
		if ((*at)->users == 0) {
			oldest = at;
			idle++;
		}
	if (idle <= STORAGES_IDLE_MAX)
		return NULL;
	struct storage *storage = *oldest;
	*oldest = storage->next;
	return storage;
}

void storage_put(struct storage **pointer)
{
	struct storage *storage = take(*pointer);
	if (!storage)
		return;
	struct storages *all = storage->all;
	pthread_mutex_lock(&all->lock);
	struct storage *surplus = NULL;
	if (--storage->users == 0)
		surplus = storage->dropped ? storage : unlink_surplus(all);
	pthread_mutex_unlock(&all->lock);
	if (surplus)
		close_storage(surplus);
}
