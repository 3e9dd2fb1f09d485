/* SPDX-License-Identifier: Apache-2.0 */
/* anchors.c - see anchors.h. Each change makes a new value of the cache: values are immutable. */
#include "anchors.h"
#include "internal.h"

#include <stddef.h>
#include <string.h>

#include "base/banned.h"

struct anchors {
	struct list_version version;
	size_t count;
	struct anchor at[ANCHORS_MAX + 1]; /* by offset */
};

static struct cache_key key_of(const struct list_version *version)
{
	return key_in_repository('a', version->repository_id, STR_NONE);
}

static bool is_same(const struct list_version *a, const struct list_version *b)
{
	return a->repository_id == b->repository_id && a->artifact_count == b->artifact_count &&
	       a->changed_at_us == b->changed_at_us;
}

static str bytes_of(const struct anchors *anchors)
{
	return (str){ (const char *)anchors,
		      offsetof(struct anchors, at) + anchors->count * sizeof anchors->at[0] };
}

/* How many anchors are at or before the offset. */
static size_t count_until(const struct anchors *anchors, int64_t offset)
{
	size_t low = 0, high = anchors->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (anchors->at[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool anchor_find(struct registry *registry, const struct list_version *version, int64_t offset,
		 struct anchor *ret)
{
	struct cache_key key = key_of(version);
	CLEANUP(cache_value_done)
	struct cache_value *value = cache_get(registry->cache, key_str(&key));
	if (!value)
		return false;
	const struct anchors *anchors = (const struct anchors *)(const void *)value->bytes.ptr;
	size_t before = is_same(&anchors->version, version) ? count_until(anchors, offset) : 0;
	if (!before)
		return false;
	*ret = anchors->at[before - 1];
	return true;
}

static void forget_half(struct anchors *anchors)
{
	size_t kept = 0;
	for (size_t i = 1; i < anchors->count; i += 2)
		anchors->at[kept++] = anchors->at[i];
	anchors->count = kept;
}

static void insert(struct anchors *anchors, const struct anchor *anchor)
{
	size_t place = count_until(anchors, anchor->offset);
	if (place && anchors->at[place - 1].offset == anchor->offset)
		return;
	memmove(&anchors->at[place + 1], &anchors->at[place],
		(anchors->count - place) * sizeof anchors->at[0]);
	anchors->at[place] = *anchor;
	if (++anchors->count > ANCHORS_MAX)
		forget_half(anchors);
}

void anchor_remember(struct registry *registry, const struct list_version *version,
		     const struct anchor *anchor)
{
	struct cache_key key = key_of(version);
	uint64_t ticket = cache_ticket(registry->cache, key_str(&key));
	struct anchors anchors = { .version = *version };
	CLEANUP(cache_value_done)
	struct cache_value *old = cache_get(registry->cache, key_str(&key));
	if (old &&
	    is_same(&((const struct anchors *)(const void *)old->bytes.ptr)->version, version))
		memcpy(&anchors, old->bytes.ptr, old->bytes.len);
	insert(&anchors, anchor);
	cache_put(cache_fill(registry->cache, key_str(&key), ticket, bytes_of(&anchors), 0));
}
