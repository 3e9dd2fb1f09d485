/* SPDX-License-Identifier: Apache-2.0 */
/* storages.c - see storages.h. */
#include "storages.h"
#include "base/mem.h"

#include <pthread.h>

#include "base/banned.h"

struct storages {
	pthread_mutex_t lock;
	struct storage *newest;
	struct storage standard;
};

struct storages *storages_new(struct store *standard)
{
	struct storages *all = NEW(struct storages);
	pthread_mutex_init(&all->lock, NULL);
	all->standard = (struct storage){ all, STORAGE_DEFAULT, standard, 1, NULL };
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

/* Takes it and moves it to the front; NULL when it is not there. The lock is held. */
static struct storage *take_front(struct storages *all, int64_t id)
{
	struct storage **at = &all->newest;
	while (*at && (*at)->id != id)
		at = &(*at)->next;
	struct storage *storage = *at;
	if (!storage)
		return NULL;
	*at = storage->next;
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

struct storage *storages_add(struct storages *all, int64_t id, struct store *store)
{
	struct storage *made = NEW(struct storage);
	*made = (struct storage){ all, id, store, 1, NULL };
	pthread_mutex_lock(&all->lock);
	struct storage *storage = take_front(all, id);
	if (!storage) {
		made->next = all->newest;
		all->newest = made;
	}
	pthread_mutex_unlock(&all->lock);
	if (!storage)
		return made;
	close_storage(made);
	return storage;
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
	struct storage *surplus = --storage->users ? NULL : unlink_surplus(all);
	pthread_mutex_unlock(&all->lock);
	if (surplus)
		close_storage(surplus);
}
