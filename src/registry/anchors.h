/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchors.h - where pages deep in a repository's list begin; private to registry.
 *
 * Harbor's pages are asked for by number, and a database counts rows from the list's beginning to
 * get there. So it is remembered at which row a page began; who turns pages, or comes back, starts
 * there. An anchor holds as long as the list is as it was, which the repository's counter and the
 * time of its last change tell (listing.h changes both); the cache bounds what is remembered.
 */
#pragma once

#include "registry/registry.h"

#define ANCHORS_MAX 256 /* of a repository: when there are more, every other one is forgotten */

struct anchor {
	int64_t offset;		  /* so many rows are newer */
	int64_t pushed_at_us, id; /* the row itself */
};

struct list_version {
	int64_t repository_id;
	int64_t artifact_count;
	int64_t changed_at_us;
};

/* The last anchor at or before the offset; false when none is known. */
bool anchor_find(struct registry *registry, const struct list_version *version, int64_t offset,
		 struct anchor *ret);

void anchor_remember(struct registry *registry, const struct list_version *version,
		     const struct anchor *anchor);
