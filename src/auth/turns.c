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
	turns->each_max = MAX(threads_max * 3 / 8, 1);
	turns->under_way = mem_new(turns->count_max * sizeof *turns->under_way);
	turns->count = 0;
}

void turns_done(struct turns *turns)
{
	CHECK(!turns->count);
	free(turns->under_way);
	pthread_mutex_destroy(&turns->lock);
}

static bool has_room(const struct turns *turns, struct asked asked)
{
	size_t tenant = 0, provider = 0;
	for (size_t i = 0; i < turns->count; i++) {
		bool same_tenant = turns->under_way[i].tenant_id == asked.tenant_id;
		tenant += same_tenant;
		provider += same_tenant && turns->under_way[i].provider_id == asked.provider_id;
	}
	size_t left = turns->count_max - (turns->count - tenant); /* by the other tenants */
	size_t tenant_max = MAX(left * 2 / 3, 1);
	return turns->count < turns->count_max && tenant < tenant_max && provider < turns->each_max;
}

err_t turn_take(struct ctx *ctx, struct turns *turns, struct asked asked, struct turn *ret)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&turns->lock);
	if (!has_room(turns, asked))
		return fail(ctx, ERR_BUSY,
			    "identity provider %lld of tenant %lld is being asked by many already",
			    (long long)asked.provider_id, (long long)asked.tenant_id);
	turns->under_way[turns->count++] = asked;
	*ret = (struct turn){ turns, asked };
	return OK;
}

static bool is_same(struct asked a, struct asked b)
{
	return a.tenant_id == b.tenant_id && a.provider_id == b.provider_id;
}

void turn_done(struct turn *turn)
{
	struct turns *turns = take(turn->turns);
	if (!turns)
		return;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&turns->lock);
	size_t at = 0;
	while (!is_same(turns->under_way[at], turn->asked))
		at++;
	turns->under_way[at] = turns->under_way[--turns->count];
}
