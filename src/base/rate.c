/* SPDX-License-Identifier: Apache-2.0 */
/* rate.c - see rate.h. */
#include "base/rate.h"

#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>

#include "base/banned.h"

#define WAYS   8
#define SHARDS 64
#define LINE   64 /* of the processor's cache: neighbours' locks do not share one */
#define NS_MAX (INT64_MAX / 4)

struct entry {
	uint64_t key; /* 0: free */
	int64_t full_at_ns;
};

struct shard {
	pthread_mutex_t lock;
	struct entry *entries; /* of set_count sets */
	char apart[LINE];
};

struct rate_table {
	struct shard shards[SHARDS];
	size_t set_count; /* of a shard, a power of two */
	struct entry *entries;
};

struct rate_table *rate_table_new(size_t entries_max)
{
	struct rate_table *table = NEW(struct rate_table);
	table->set_count = 1;
	while (table->set_count * WAYS * SHARDS < entries_max)
		table->set_count *= 2;
	size_t each = table->set_count * WAYS;
	table->entries = mem_new(SHARDS * each * sizeof(struct entry));
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&table->shards[i].lock, NULL);
		table->shards[i].entries = table->entries + i * each;
	}
	return table;
}

void rate_table_free(struct rate_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&table->shards[i].lock);
	free(table->entries);
	free(table);
}

/* The key's entry, or the place of the one that is full soonest. */
static struct entry *place_of(struct entry *set, uint64_t key)
{
	struct entry *best = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].full_at_ns < best->full_at_ns)
			best = &set[i];
	}
	*best = (struct entry){ .key = key };
	return best;
}

static bool take_one(struct entry *entry, const struct rate_policy *policy, int64_t now_ns,
		     struct rate *ret)
{
	int64_t step_ns = MAX(policy->window_ns / policy->count, 1);
	int64_t ahead_max_ns = NS_MAX / step_ns < policy->burst ? NS_MAX : step_ns * policy->burst;
	int64_t full_at_ns = MAX(entry->full_at_ns, now_ns);
	int64_t ahead_ns = full_at_ns - now_ns;
	bool taken = ahead_ns + step_ns <= ahead_max_ns;
	if (taken)
		ahead_ns += step_ns;
	entry->full_at_ns = now_ns + ahead_ns;
	*ret = (struct rate){
		.remaining = MAX((ahead_max_ns - ahead_ns) / step_ns, 0),
		.full_ns = ahead_ns,
		.wait_ns = taken ? 0 : ahead_ns + step_ns - ahead_max_ns,
	};
	return taken;
}

bool rate_take(struct rate_table *table, uint64_t key, const struct rate_policy *policy,
	       int64_t now_ns, struct rate *ret)
{
	CHECK(policy->count > 0 && policy->burst > 0);
	key |= 1; /* 0 is no key */
	struct shard *shard = &table->shards[(key >> 1) % SHARDS];
	struct entry *set = shard->entries + (key >> 32 & (table->set_count - 1)) * WAYS;
	pthread_mutex_lock(&shard->lock);
	bool taken = take_one(place_of(set, key), policy, now_ns, ret);
	pthread_mutex_unlock(&shard->lock);
	return taken;
}
