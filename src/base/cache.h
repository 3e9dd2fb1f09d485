/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.h - a bounded, sharded cache of immutable byte values, safe against stale fills.
 *
 * A value is bytes with a reference count: cache_get pins it, cache_put releases it, so a reader
 * may go on using a value that has just been dropped. The bound is in bytes, keys and overhead
 * included; the least recently used go first (second chance, per shard).
 *
 * Filling on demand races with writers: a reader may fetch the old row, a writer commit and drop
 * the key, and the reader then store what is stale. So a fill carries the ticket taken before the
 * fetch, and is refused when the shard was dropped from in between:
 *
 *	struct cache_value *v = cache_get(c, key);
 *	if (!v) {
 *		uint64_t ticket = cache_ticket(c, key);
 *		… read the database …
 *		v = cache_fill(c, key, ticket, bytes, expires_ns);
 *	}
 *	… use v->bytes …
 *	cache_put(v);
 *
 * Who learns the key from what he fetches takes the tickets of all keys (cache_take_tickets()).
 *
 * Where others change the rows too, somebody says by cache_trust() whether every change of theirs
 * is heard of. While that is not so nothing is found, and while the rows cannot be read at all what
 * was kept is found for want of better.
 */
#pragma once

#include "base/str.h"

struct cache;

struct cache_value {
	str bytes;	    /* immutable, 16-aligned */
	int64_t expires_ns; /* clock_now_ns() scale, 0 for never */
};

struct cache *cache_new(size_t bytes_max);
void cache_free(struct cache *c); /* values still pinned stay valid until put */

struct cache_value *cache_get(struct cache *c, str key); /* NULL when absent or expired */
void cache_put(struct cache_value *v);			 /* NULL is fine */

/* Whatever the trust and the age: for values that say nothing of rows, or are compared with one. */
struct cache_value *cache_get_proof(struct cache *c, str key);

uint64_t cache_ticket(struct cache *c, str key);

/* The tickets of all keys, for who learns the key from what he fetches. */
#define CACHE_SHARDS 16
struct cache_tickets {
	uint64_t of_shard[CACHE_SHARDS];
};
void cache_take_tickets(struct cache *c, struct cache_tickets *ret);
uint64_t cache_ticket_for(const struct cache_tickets *tickets, str key);

/* Stores a copy and returns it pinned. When the ticket is stale or the value too large for a shard,
 * the copy is returned all the same, just not kept. */
struct cache_value *cache_fill(struct cache *c, str key, uint64_t ticket, str bytes,
			       int64_t expires_ns);

/* The same for what is to be read again from `recheck_ns` on, if it can be: CACHE_STALE finds it
 * after that, too. */
struct cache_value *cache_fill_recheck(struct cache *c, str key, uint64_t ticket, str bytes,
				       int64_t recheck_ns);

enum cache_trust {
	CACHE_KEPT,  /* from the start. Coming from another state nothing filled before is found */
	CACHE_NONE,  /* nothing is found; fills are kept all the same */
	CACHE_STALE, /* everything that did not expire is found, however it got there */
};
void cache_trust(struct cache *c, enum cache_trust trust);

void cache_drop(struct cache *c, str key);
void cache_drop_prefix(struct cache *c, str prefix); /* looks at all there is */
void cache_drop_all(struct cache *c);

struct cache_stats {
	uint64_t hits, misses, evictions;
	size_t bytes, entries;
};
void cache_stats(struct cache *c, struct cache_stats *ret);
void cache_value_done(struct cache_value **v); /* CLEANUP */
