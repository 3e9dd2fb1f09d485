/* SPDX-License-Identifier: Apache-2.0 */
/* anchors.c - see anchors.h. Each change makes a new value of the cache: values are immutable. */
#include "anchors.h"
#include "internal.h"

#include <stddef.h>
#include <string.h>

#include "base/banned.h"

#define SHALLOW 200 /* rows that may be walked over */

struct anchors {
	int64_t version[2];
	int64_t total;
	size_t count;
	struct anchor at[ANCHORS_MAX + 1]; /* by offset */
};

/* What is remembered of the list in its state; NULL when that is nothing. `*ret_pinned` holds it.
 */
static const struct anchors *look(struct registry *registry, const struct list_state *list,
				  struct cache_value **ret_pinned)
{
	if (list->name.len > LIST_NAME_MAX)
		return NULL;
	struct cache_key key = key_in_repository(list->kind, list->id, list->name);
	*ret_pinned = cache_get(registry->cache, key_str(&key));
	if (!*ret_pinned)
		return NULL;
	const struct anchors *known =
		(const struct anchors *)(const void *)(*ret_pinned)->bytes.ptr;
	bool same = known->version[0] == list->version[0] && known->version[1] == list->version[1];
	return same ? known : NULL;
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

bool anchor_total(struct registry *registry, const struct list_state *list, int64_t *ret)
{
	CLEANUP(cache_value_done) struct cache_value *pinned = NULL;
	const struct anchors *anchors = look(registry, list, &pinned);
	if (!anchors)
		return false;
	*ret = anchors->total;
	return true;
}

void anchor_find(struct registry *registry, const struct list_state *list, bool led, int64_t offset,
		 struct anchor *ret)
{
	CLEANUP(cache_value_done) struct cache_value *pinned = NULL;
	if (led && offset <= SHALLOW)
		return;
	const struct anchors *anchors = look(registry, list, &pinned);
	size_t before = anchors ? count_until(anchors, offset) : 0;
	if (before)
		*ret = anchors->at[before - 1];
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

static void remember(struct registry *registry, const struct list_state *list, int64_t total,
		     const struct anchor *anchors, size_t count)
{
	if (list->name.len > LIST_NAME_MAX)
		return;
	struct cache_key key = key_in_repository(list->kind, list->id, list->name);
	uint64_t ticket = cache_ticket(registry->cache, key_str(&key));
	struct anchors all = { { list->version[0], list->version[1] }, .total = total };
	CLEANUP(cache_value_done) struct cache_value *pinned = NULL;
	const struct anchors *known = look(registry, list, &pinned);
	if (known)
		memcpy(&all, known, pinned->bytes.len);
	for (size_t i = 0; i < count; i++)
		insert(&all, &anchors[i]);
	cache_put(cache_fill(registry->cache, key_str(&key), ticket, bytes_of(&all), 0));
}

void anchor_remember_page(struct registry *registry, const struct list_state *list, int64_t total,
			  bool led, int64_t from, const struct anchor ends[2])
{
	if (!led || ends[0].offset - from > SHALLOW)
		remember(registry, list, total, ends, 2);
}

void anchor_remember_total(struct registry *registry, const struct list_state *list, int64_t total)
{
	remember(registry, list, total, NULL, 0);
}
