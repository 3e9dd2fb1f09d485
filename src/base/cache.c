/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.c - see cache.h. Sixteen shards, each a hash table with chaining and a clock hand over a
 * ring of its entries. A shard's generation counts drops; a ticket is the generation it was taken
 * at.
 */
#include "base/cache.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/banned.h"

#define BUCKETS_FIRST 64

struct entry {
	struct cache_value value; /* first: a value is its entry */
	_Atomic(unsigned) pins;	  /* the table's own counts as one */
	bool used;		  /* since the hand last passed */
	bool recheck;		  /* to be read again when it expires, rather than be gone */
	uint64_t age;		  /* of the shard when it was filled */
	struct entry *chain;
	struct entry *next, *previous; /* the ring */
	uint64_t hash;
	str key;
	size_t size_bytes;
};

struct shard {
	pthread_mutex_t lock;
	struct entry **buckets;
	size_t bucket_count;
	size_t entries;
	size_t bytes;
	struct entry *hand;
	uint64_t generation;
	uint64_t age; /* how often everything before stopped to count */
	uint64_t hits, misses, evictions;
};

struct cache {
	struct shard shards[CACHE_SHARDS];
	_Atomic(enum cache_trust) trust;
	size_t shard_bytes_max;
};

struct cache *cache_new(size_t bytes_max)
{
	struct cache *c = NEW(struct cache);
	c->shard_bytes_max = bytes_max / CACHE_SHARDS;
	for (size_t i = 0; i < CACHE_SHARDS; i++)
		pthread_mutex_init(&c->shards[i].lock, NULL);
	return c;
}

static size_t shard_number(uint64_t hash)
{
	return hash >> 60;
}

static struct shard *shard_of(struct cache *c, uint64_t hash)
{
	return &c->shards[shard_number(hash)];
}

static struct entry **find(struct shard *s, uint64_t hash, str key)
{
	if (!s->bucket_count)
		return NULL;
	struct entry **at = &s->buckets[hash & (s->bucket_count - 1)];
	while (*at && ((*at)->hash != hash || !str_eq((*at)->key, key)))
		at = &(*at)->chain;
	return at;
}

void cache_put(struct cache_value *v)
{
	struct entry *e = (struct entry *)v;
	if (e && atomic_fetch_sub_explicit(&e->pins, 1, memory_order_acq_rel) == 1)
		free(e);
}

void cache_value_done(struct cache_value **v)
{
	cache_put(*v);
}

/* Takes `*at` out of table and ring and gives up the table's pin. */
static void unlink_entry(struct shard *s, struct entry **at)
{
	struct entry *e = *at;
	*at = e->chain;
	if (e->next == e) {
		s->hand = NULL;
	} else {
		e->next->previous = e->previous;
		e->previous->next = e->next;
		if (s->hand == e)
			s->hand = e->next;
	}
	s->entries--;
	s->bytes -= e->size_bytes;
	cache_put(&e->value);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	cache_drop_all(c);
	for (size_t i = 0; i < CACHE_SHARDS; i++) {
		free(c->shards[i].buckets);
		pthread_mutex_destroy(&c->shards[i].lock);
	}
	free(c);
}

static bool is_expired(const struct entry *e)
{
	return e->value.expires_ns && e->value.expires_ns <= clock_now_ns();
}

static bool counts(const struct cache *c, const struct shard *s, const struct entry *e)
{
	enum cache_trust trust = atomic_load_explicit(&c->trust, memory_order_relaxed);
	if (trust == CACHE_KEPT)
		return e->age == s->age && !is_expired(e);
	return trust == CACHE_STALE;
}

static struct cache_value *get(struct cache *c, str key, bool proof)
{
	uint64_t hash = str_hash(key);
	struct shard *s = shard_of(c, hash);
	struct cache_value *value = NULL;

	pthread_mutex_lock(&s->lock);
	struct entry **at = find(s, hash, key);
	if (at && *at && !(*at)->recheck && is_expired(*at))
		unlink_entry(s, at);
	else if (at && *at && (proof || counts(c, s, *at))) {
		(*at)->used = true;
		atomic_fetch_add_explicit(&(*at)->pins, 1, memory_order_relaxed);
		value = &(*at)->value;
	}
	*(value ? &s->hits : &s->misses) += 1;
	pthread_mutex_unlock(&s->lock);
	return value;
}

struct cache_value *cache_get(struct cache *c, str key)
{
	return get(c, key, false);
}

struct cache_value *cache_get_proof(struct cache *c, str key)
{
	return get(c, key, true);
}

/* What is being read at this moment may be from before: its fill is refused. */
static void grow_old(struct cache *c)
{
	for (size_t i = 0; i < CACHE_SHARDS; i++) {
		struct shard *s = &c->shards[i];
		pthread_mutex_lock(&s->lock);
		s->generation++;
		s->age++;
		pthread_mutex_unlock(&s->lock);
	}
}

void cache_trust(struct cache *c, enum cache_trust trust)
{
	if (trust == CACHE_KEPT && atomic_load(&c->trust) != CACHE_KEPT)
		grow_old(c);
	atomic_store(&c->trust, trust);
}

static uint64_t generation_of(struct shard *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t generation = s->generation;
	pthread_mutex_unlock(&s->lock);
	return generation;
}

uint64_t cache_ticket(struct cache *c, str key)
{
	return generation_of(shard_of(c, str_hash(key)));
}

void cache_take_tickets(struct cache *c, struct cache_tickets *ret)
{
	for (size_t i = 0; i < CACHE_SHARDS; i++)
		ret->of_shard[i] = generation_of(&c->shards[i]);
}

uint64_t cache_ticket_for(const struct cache_tickets *tickets, str key)
{
	return tickets->of_shard[shard_number(str_hash(key))];
}

static struct entry *new_entry(str key, uint64_t hash, str bytes, int64_t expires_ns)
{
	size_t value_at = (sizeof(struct entry) + 15) & ~(size_t)15;
	size_t key_at = value_at + bytes.len;
	size_t size_bytes = key_at + key.len;
	char *memory = mem_resize(NULL, size_bytes);
	struct entry *e = (struct entry *)memory;
	*e = (struct entry){ .hash = hash, .size_bytes = size_bytes };
	if (bytes.len)
		memcpy(memory + value_at, bytes.ptr, bytes.len);
	if (key.len)
		memcpy(memory + key_at, key.ptr, key.len);
	e->value = (struct cache_value){ { memory + value_at, bytes.len }, expires_ns };
	e->key = (str){ memory + key_at, key.len };
	atomic_init(&e->pins, 1);
	return e;
}

static void grow(struct shard *s)
{
	size_t count = s->bucket_count ? s->bucket_count * 2 : BUCKETS_FIRST;
	struct entry **buckets = mem_new(count * sizeof *buckets);
	for (size_t i = 0; i < s->bucket_count; i++)
		for (struct entry *e = s->buckets[i], *following; e; e = following) {
			following = e->chain;
			e->chain = buckets[e->hash & (count - 1)];
			buckets[e->hash & (count - 1)] = e;
		}
	free(s->buckets);
	s->buckets = buckets;
	s->bucket_count = count;
}

/* Moves the hand until `need` more bytes fit: an entry used since the last pass gets another round.
 */
static void evict(struct shard *s, size_t need, size_t bytes_max)
{
	while (s->hand && s->bytes + need > bytes_max) {
		struct entry *e = s->hand;
		s->hand = e->next;
		if (e->used) {
			e->used = false;
			continue;
		}
		unlink_entry(s, find(s, e->hash, e->key));
		s->evictions++;
	}
}

static void insert(struct shard *s, struct entry *e)
{
	if (s->entries >= s->bucket_count)
		grow(s);
	struct entry **bucket = &s->buckets[e->hash & (s->bucket_count - 1)];
	e->chain = *bucket;
	*bucket = e;
	if (!s->hand) {
		e->next = e->previous = e;
		s->hand = e;
	} else { /* behind the hand: it comes by last */
		e->next = s->hand;
		e->previous = s->hand->previous;
		e->next->previous = e->previous->next = e;
	}
	s->entries++;
	s->bytes += e->size_bytes;
	atomic_fetch_add_explicit(&e->pins, 1, memory_order_relaxed);
}

static struct cache_value *keep(struct cache *c, struct entry *e, uint64_t ticket)
{
	struct shard *s = shard_of(c, e->hash);
	pthread_mutex_lock(&s->lock);
	if (s->generation == ticket && e->size_bytes <= c->shard_bytes_max) {
		struct entry **old = find(s, e->hash, e->key);
		if (old && *old)
			unlink_entry(s, old);
		evict(s, e->size_bytes, c->shard_bytes_max);
		e->age = s->age;
		insert(s, e);
	}
	pthread_mutex_unlock(&s->lock);
	return &e->value;
}

struct cache_value *cache_fill(struct cache *c, str key, uint64_t ticket, str bytes,
			       int64_t expires_ns)
{
	return keep(c, new_entry(key, str_hash(key), bytes, expires_ns), ticket);
}

struct cache_value *cache_fill_recheck(struct cache *c, str key, uint64_t ticket, str bytes,
				       int64_t recheck_ns)
{
	struct entry *e = new_entry(key, str_hash(key), bytes, recheck_ns);
	e->recheck = true;
	return keep(c, e, ticket);
}

void cache_drop(struct cache *c, str key)
{
	uint64_t hash = str_hash(key);
	struct shard *s = shard_of(c, hash);
	pthread_mutex_lock(&s->lock);
	s->generation++;
	struct entry **at = find(s, hash, key);
	if (at && *at)
		unlink_entry(s, at);
	pthread_mutex_unlock(&s->lock);
}

static void drop_prefix_from(struct shard *s, str prefix)
{
	for (size_t i = 0; i < s->bucket_count; i++)
		for (struct entry **at = &s->buckets[i]; *at;)
			if (str_has_prefix((*at)->key, prefix))
				unlink_entry(s, at);
			else
				at = &(*at)->chain;
}

void cache_drop_prefix(struct cache *c, str prefix)
{
	for (size_t i = 0; i < CACHE_SHARDS; i++) {
		struct shard *s = &c->shards[i];
		pthread_mutex_lock(&s->lock);
		s->generation++;
		drop_prefix_from(s, prefix);
		pthread_mutex_unlock(&s->lock);
	}
}

void cache_drop_all(struct cache *c)
{
	for (size_t i = 0; i < CACHE_SHARDS; i++) {
		struct shard *s = &c->shards[i];
		pthread_mutex_lock(&s->lock);
		s->generation++;
		while (s->hand)
			unlink_entry(s, find(s, s->hand->hash, s->hand->key));
		pthread_mutex_unlock(&s->lock);
	}
}

void cache_stats(struct cache *c, struct cache_stats *ret)
{
	*ret = (struct cache_stats){ 0 };
	for (size_t i = 0; i < CACHE_SHARDS; i++) {
		struct shard *s = &c->shards[i];
		pthread_mutex_lock(&s->lock);
		ret->hits += s->hits;
		ret->misses += s->misses;
		ret->evictions += s->evictions;
		ret->bytes += s->bytes;
		ret->entries += s->entries;
		pthread_mutex_unlock(&s->lock);
	}
}
