/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchors.h - how long a list is, and where pages deep in it begin; private to registry.
 *
 * Harbor's pages are asked for by number and come with the list's length, and a database counts
 * rows from the list's beginning for both. So it is remembered how long a list is, and at which
 * row a page began and ended; who turns pages, or comes back, starts there. That holds as long as
 * the list is in the state in which it was; the cache bounds what is remembered.
 */
#pragma once

#include "registry/registry.h"

#define ANCHORS_MAX 256 /* of a list: when there are more, every other one is forgotten */

struct anchor {
	int64_t offset;	   /* so many rows come before */
	int64_t value, id; /* the row itself: by what the list is sorted, and its id */
};

/* A list, and the state in which it is: numbers of which one changes whenever it may. */
struct list_state {
	char kind; /* of the cache's key, see internal.h */
	int64_t id;
	str name; /* what is listed how; one that is too long for a key is not remembered */
	int64_t version[2];
};

/* How many rows it has; false when nobody knows. */
bool anchor_total(struct registry *registry, const struct list_state *list, int64_t *ret);

/*
 * For a page at `offset`: the nearest place to walk from, or `*ret` as it was. A list is led when
 * every row on the way is one that is wanted; it is walked from its beginning when that is near.
 */
void anchor_find(struct registry *registry, const struct list_state *list, bool led, int64_t offset,
		 struct anchor *ret);

/* Where a page's first and last row are, unless finding them again from `from` is as easy. */
void anchor_remember_page(struct registry *registry, const struct list_state *list, int64_t total,
			  bool led, int64_t from, const struct anchor ends[2]);

void anchor_remember_total(struct registry *registry, const struct list_state *list, int64_t total);
