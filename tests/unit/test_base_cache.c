/* SPDX-License-Identifier: Apache-2.0 */
/* The cache keeps to its bytes, pins what is in use, and never keeps a fill that a drop has
 * overtaken. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/cache.h"
#include "base/clock.h"

static void fill(struct cache *c, str key, str bytes)
{
	cache_put(cache_fill(c, key, cache_ticket(c, key), bytes, 0));
}

Test(cache, gives_back_what_was_filled)
{
	struct cache *c = cache_new(MIB(1));
	struct cache_stats stats;
	cr_assert_null(cache_get(c, STR("k")));
	fill(c, STR("k"), STR("one"));
	fill(c, STR("k"), STR("two"));
	struct cache_value *v = cache_get(c, STR("k"));
	cr_assert(v && str_eq(v->bytes, STR("two")) && (uintptr_t)v->bytes.ptr % 16 == 0);
	cache_stats(c, &stats);
	cr_assert(stats.entries == 1 && stats.hits == 1 && stats.misses == 1);
	cache_drop(c, STR("k"));
	cr_assert_null(cache_get(c, STR("k")));
	cr_assert(str_eq(v->bytes, STR("two")), "a pinned value outlives its drop");
	cache_free(c);
	cr_assert(str_eq(v->bytes, STR("two")), "and its cache");
	cache_put(v);
}

Test(cache, expired_values_are_absent)
{
	struct cache *c = cache_new(MIB(1));
	str key = STR("k");
	cache_put(cache_fill(c, key, cache_ticket(c, key), STR("old"), clock_now_ns() - 1));
	cr_assert_null(cache_get(c, key));
	cache_put(cache_fill(c, key, cache_ticket(c, key), STR("new"),
			     clock_now_ns() + 3600 * CLOCK_S));
	struct cache_value *v = cache_get(c, key);
	cr_assert_not_null(v);
	cache_put(v);
	cache_free(c);
}

Test(cache, a_stale_fill_is_returned_but_not_kept)
{
	struct cache *c = cache_new(MIB(1));
	uint64_t ticket = cache_ticket(c, STR("k"));
	cache_drop(c, STR("k"));
	struct cache_value *v = cache_fill(c, STR("k"), ticket, STR("stale"), 0);
	cr_assert(str_eq(v->bytes, STR("stale")));
	cache_put(v);
	cr_assert_null(cache_get(c, STR("k")));

	ticket = cache_ticket(c, STR("k"));
	cache_drop_all(c);
	cache_put(cache_fill(c, STR("k"), ticket, STR("stale"), 0));
	cr_assert_null(cache_get(c, STR("k")));
	cache_free(c);
}

Test(cache, keeps_to_its_bytes_and_prefers_what_is_used)
{
	struct cache *c = cache_new(KIB(256));
	char bytes[200] = { 0 }, key[32];
	fill(c, STR("hot"), STR("hot"));
	for (int i = 0; i < 20000; i++) {
		int len = snprintf(key, sizeof key, "key-%d", i);
		fill(c, (str){ key, (size_t)len }, (str){ bytes, sizeof bytes });
		struct cache_value *hot = cache_get(c, STR("hot"));
		cr_assert_not_null(hot, "after %d", i);
		cache_put(hot);
	}
	struct cache_stats stats;
	cache_stats(c, &stats);
	cr_assert(stats.bytes <= KIB(256) && stats.bytes > KIB(128), "%zu bytes", stats.bytes);
	cr_assert(stats.evictions + stats.entries == 20001);
	cache_free(c);
}

Test(cache, what_is_too_large_is_not_kept)
{
	struct cache *c = cache_new(KIB(16));
	char bytes[2000] = { 0 };
	fill(c, STR("small"), STR("x"));
	fill(c, STR("large"), (str){ bytes, sizeof bytes });
	cr_assert_null(cache_get(c, STR("large")));
	struct cache_value *v = cache_get(c, STR("small"));
	cr_assert_not_null(v);
	cache_put(v);
	cache_free(c);
}

/*
 * A "database" of version numbers behind the cache. A writer raises a version, then drops the key;
 * from then on no reader that starts may see an older version through the cache.
 */
#define KEYS	24
#define READERS 3
#define WRITES	60000

struct world {
	struct cache *cache;
	_Atomic(uint64_t) stored[KEYS];	   /* what the database has */
	_Atomic(uint64_t) published[KEYS]; /* dropped from the cache up to this version */
	_Atomic(bool) finished;
	_Atomic(unsigned) stale;
};

static str key_of(char into[16], unsigned i)
{
	return (str){ into, (size_t)snprintf(into, 16, "key-%u", i) };
}

static uint64_t read_through(struct world *w, unsigned i)
{
	char text[16];
	str key = key_of(text, i);
	struct cache_value *v = cache_get(w->cache, key);
	if (!v) {
		uint64_t ticket = cache_ticket(w->cache, key);
		uint64_t version = atomic_load(&w->stored[i]);
		v = cache_fill(w->cache, key, ticket, (str){ (char *)&version, sizeof version }, 0);
	}
	uint64_t seen;
	memcpy(&seen, v->bytes.ptr, sizeof seen);
	cache_put(v);
	return seen;
}

static void *reader(void *arg)
{
	struct world *w = arg;
	for (unsigned i = 0; !atomic_load(&w->finished); i = (i + 7) % KEYS) {
		uint64_t at_least = atomic_load(&w->published[i]);
		if (read_through(w, i) < at_least)
			atomic_fetch_add(&w->stale, 1);
	}
	return NULL;
}

Test(cache, readers_never_see_what_was_dropped_before_they_came, .timeout = 120)
{
	static struct world w;
	pthread_t threads[READERS];
	char text[16];
	w.cache = cache_new(KIB(64));
	for (int i = 0; i < READERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, reader, &w), 0);
	for (unsigned n = 0; n < WRITES; n++) {
		unsigned i = n % KEYS;
		uint64_t version = atomic_fetch_add(&w.stored[i], 1) + 1;
		if (n % 1000 == 0)
			cache_drop_all(w.cache);
		else
			cache_drop(w.cache, key_of(text, i));
		atomic_store(&w.published[i], version);
	}
	atomic_store(&w.finished, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(w.stale, 0);
	for (unsigned i = 0; i < KEYS; i++)
		cr_assert_eq(read_through(&w, i), atomic_load(&w.stored[i]));
	cache_free(w.cache);
}

Test(cache, a_prefix_is_dropped_with_all_that_begin_with_it)
{
	struct cache *c = cache_new(MIB(1));
	struct cache_stats stats;
	char key[32];
	for (int i = 0; i < 1000; i++) {
		int len = snprintf(key, sizeof key, "%c-%d", i % 2 ? 'a' : 'b', i);
		fill(c, (str){ key, (size_t)len }, STR("bytes"));
	}
	uint64_t ticket = cache_ticket(c, STR("a-new"));
	cache_drop_prefix(c, STR("a-"));
	cache_stats(c, &stats);
	cr_assert_eq(stats.entries, 500);
	cr_assert_null(cache_get(c, STR("a-1")));
	cache_put(cache_fill(c, STR("a-new"), ticket, STR("stale"), 0));
	cr_assert_null(cache_get(c, STR("a-new")), "what was being fetched meanwhile is not kept");
	cache_free(c);
}

static bool has(struct cache *c, str key)
{
	struct cache_value *v = cache_get(c, key);
	cache_put(v);
	return v != NULL;
}

Test(cache, what_others_may_have_changed_is_not_found)
{
	struct cache *c = cache_new(MIB(1));
	fill(c, STR("k"), STR("one"));
	cache_trust(c, CACHE_NONE);
	cr_assert_not(has(c, STR("k")));
	fill(c, STR("new"), STR("two"));
	cr_assert_not(has(c, STR("new")));
	uint64_t ticket = cache_ticket(c, STR("raced"));
	cache_trust(c, CACHE_KEPT);
	cr_assert_not(has(c, STR("k")), "its change may have been missed");
	cr_assert_not(has(c, STR("new")));
	cache_put(cache_fill(c, STR("raced"), ticket, STR("old"), 0));
	cr_assert_not(has(c, STR("raced")), "it was being read before");
	fill(c, STR("k"), STR("three"));
	cr_assert(has(c, STR("k")));
	cache_trust(c, CACHE_KEPT);
	cr_assert(has(c, STR("k")), "nothing was missed");
	cache_free(c);
}

Test(cache, tickets_of_all_keys_are_as_good_as_each_ones)
{
	struct cache *c = cache_new(MIB(1));
	struct cache_tickets tickets;
	char name[16];
	for (int i = 0; i < 100; i++) {
		str key = { name, (size_t)snprintf(name, sizeof name, "key-%d", i) };
		cache_take_tickets(c, &tickets);
		cr_assert_eq(cache_ticket_for(&tickets, key), cache_ticket(c, key));
		cache_put(cache_fill(c, key, cache_ticket_for(&tickets, key), STR("one"), 0));
		cr_assert(has(c, key));
		cache_drop(c, key);
		cache_put(cache_fill(c, key, cache_ticket_for(&tickets, key), STR("old"), 0));
		cr_assert_not(has(c, key), "it was dropped after the tickets were taken");
	}
	cache_free(c);
}

Test(cache, while_nothing_can_be_read_what_was_kept_is_found)
{
	struct cache *c = cache_new(MIB(1));
	int64_t past_ns = clock_now_ns() - 1;
	str soft = STR("soft"), hard = STR("hard");
	fill(c, STR("k"), STR("one"));
	cache_put(cache_fill_recheck(c, soft, cache_ticket(c, soft), STR("two"), past_ns));
	cache_put(cache_fill(c, hard, cache_ticket(c, hard), STR("three"), past_ns));
	cr_assert_not(has(c, soft));
	cache_trust(c, CACHE_NONE);
	cache_trust(c, CACHE_STALE);
	cr_assert(has(c, STR("k")));
	cr_assert(has(c, soft), "it was only to be read again");
	cr_assert_not(has(c, hard), "its time is over whoever can be asked");
	cache_drop(c, soft);
	cr_assert_not(has(c, soft));
	cache_trust(c, CACHE_KEPT);
	cr_assert_not(has(c, STR("k")));
	struct cache_value *proof = cache_get_proof(c, STR("k"));
	cr_assert(proof && str_eq(proof->bytes, STR("one")));
	cache_put(proof);
	cache_free(c);
}
