/* SPDX-License-Identifier: Apache-2.0 */
/* turns.c - see turns.h. There are few at a time, so they are counted one by one. */
#include "auth/turns.h"

#include "base/mem.h"
#include "os/thread.h"

#include "base/banned.h"

void turns_init(struct turns *turns, unsigned threads_max)
{
	pthread_mutex_init(&turns->lock, NULL);
	turns->count_max = MAX(threads_max * 3 / 4, 1);
	turns->each_max = MAX(threads_max / 2, 1);
	turns->askers = mem_new(turns->count_max * sizeof *turns->askers);
	turns->count = 0;
}

void turns_done(struct turns *turns)
{
	CHECK(!turns->count);
	free(turns->askers);
	pthread_mutex_destroy(&turns->lock);
}

static size_t count_askers(const struct turns *turns, int64_t provider_id)
{
	size_t count = 0;
	for (size_t i = 0; i < turns->count; i++)
		count += turns->askers[i] == provider_id;
	return count;
}

err_t turn_take(struct ctx *ctx, struct turns *turns, int64_t provider_id, struct turn *ret)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&turns->lock);
	if (turns->count == turns->count_max || count_askers(turns, provider_id) >= turns->each_max)
		return fail(ctx, ERR_BUSY, "identity provider %lld is being asked by many already",
			    (long long)provider_id);
	turns->askers[turns->count++] = provider_id;
	*ret = (struct turn){ turns, provider_id };
	return OK;
}

void turn_done(struct turn *turn)
{
	struct turns *turns = take(turn->turns);
	if (!turns)
		return;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&turns->lock);
	size_t at = 0;
	while (turns->askers[at] != turn->provider_id)
		at++;
	turns->askers[at] = turns->askers[--turns->count];
}
