/* SPDX-License-Identifier: Apache-2.0 */
/* live_uploads.c - see live_uploads.h. A small hash table under one lock, held for pointer work
 * only. */
#include "registry/live_uploads.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

#include "base/banned.h"

#define BUCKETS 1024

struct live_uploads {
	pthread_mutex_t lock;
	struct live_upload *buckets[BUCKETS];
	struct live_upload *newest, *oldest;
	size_t idle;
};

struct live_uploads *live_uploads_new(void)
{
	struct live_uploads *all = NEW(struct live_uploads);
	pthread_mutex_init(&all->lock, NULL);
	return all;
}

static struct live_upload **find(struct live_uploads *all, str id)
{
	struct live_upload **at = &all->buckets[str_hash(id) % BUCKETS];
	while (*at && !str_eq(str_from((*at)->id), id))
		at = &(*at)->chain;
	return at;
}

static void free_live(struct live_upload *live)
{
	live_upload_forget_hash(live);
	free(live);
}

static void unlink_idle(struct live_uploads *all, struct live_upload *live)
{
	*(live->newer ? &live->newer->older : &all->newest) = live->older;
	*(live->older ? &live->older->newer : &all->oldest) = live->newer;
	live->newer = live->older = NULL;
	all->idle--;
}

static void forget(struct live_uploads *all, struct live_upload *live)
{
	struct live_upload **at = find(all, str_from(live->id));
	*at = live->chain;
	free_live(live);
}

void live_uploads_free(struct live_uploads *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (all->buckets[i]) {
			struct live_upload *live = all->buckets[i];
			all->buckets[i] = live->chain;
			free_live(live);
		}
	pthread_mutex_destroy(&all->lock);
	free(all);
}

static struct live_upload *add(struct live_upload **at, str id)
{
	struct live_upload *live = NEW(struct live_upload);
	memcpy(live->id, id.ptr, MIN(id.len, (size_t)UPLOAD_ID_MAX));
	*at = live;
	return live;
}

err_t live_uploads_take(struct ctx *ctx, struct live_uploads *all, str id, struct live_upload **ret)
{
	if (id.len > UPLOAD_ID_MAX)
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "upload id of %zu bytes", id.len);

	pthread_mutex_lock(&all->lock);
	struct live_upload **at = find(all, id);
	struct live_upload *live = *at ? *at : add(at, id);
	bool busy = live->busy;
	if (!busy && (live->newer || live->older || all->newest == live))
		unlink_idle(all, live);
	live->busy = true;
	pthread_mutex_unlock(&all->lock);

	if (busy)
		return fail(ctx, ERR_UPLOAD_BUSY, "upload " STR_FMT " has a writer", STR_ARG(id));
	*ret = live;
	return OK;
}

static void push_idle(struct live_uploads *all, struct live_upload *live)
{
	live->older = all->newest;
	*(all->newest ? &all->newest->newer : &all->oldest) = live;
	all->newest = live;
	all->idle++;
}

void live_uploads_release(struct live_uploads *all, struct live_upload *live, bool ended)
{
	pthread_mutex_lock(&all->lock);
	live->busy = false;
	if (ended || live->hashed_bytes == 0) {
		forget(all, live);
	} else {
		push_idle(all, live);
		if (all->idle > LIVE_UPLOADS_IDLE_MAX) {
			struct live_upload *oldest = all->oldest;
			unlink_idle(all, oldest);
			forget(all, oldest);
		}
	}
	pthread_mutex_unlock(&all->lock);
}

void live_upload_forget_hash(struct live_upload *live)
{
	if (live->hashing)
		hash_done(&live->hash);
	live->hashing = false;
	live->hashed_bytes = 0;
}

void live_upload_restart(struct live_upload *live, enum digest_algorithm algorithm)
{
	live_upload_forget_hash(live);
	hash_init(&live->hash, algorithm);
	live->hashing = true;
}
