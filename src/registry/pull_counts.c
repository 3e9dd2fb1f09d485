/* SPDX-License-Identifier: Apache-2.0 */
/* pull_counts.c - see pull_counts.h. */
#include "pull_counts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pace.h"
#include "codec/reference.h"
#include "db/db.h"
#include "db/pull.h"
#include "os/thread.h"
#include "settings/system.h"

#include <string.h>

#include "base/banned.h"

#define TABLES	      16
#define ROOM_FIRST    64
#define FLUSH_ARENA   MIB(64)
#define TURN_DEADLINE 60

struct pull {
	int64_t repository_id;
	int64_t manifest_id;
	int64_t count; /* 0: the place is free */
	int64_t last_us;
	char tag[TAG_NAME_MAX + 1];
};

/* Open addressing, never more than half full. */
struct table {
	pthread_mutex_t lock;
	struct pull *places;
	size_t room; /* a power of two */
	size_t used;
	int64_t dropped;
};

struct pull_counts {
	struct sql *db;
	const struct system_settings *settings; /* NULL: defaults */
	struct table tables[TABLES];
	_Atomic(bool) started;
	int64_t interval_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
};

/* --- the tables --------------------------------------------------------------------------------
 */

static uint64_t hash_of(int64_t manifest_id, str tag)
{
	return str_hash((str){ (const char *)&manifest_id, sizeof manifest_id }) * 31 +
	       str_hash(tag);
}

static struct pull *find_place(struct pull *places, size_t room, int64_t manifest_id, str tag)
{
	for (size_t at = hash_of(manifest_id, tag) / TABLES;; at++) {
		struct pull *place = &places[at & (room - 1)];
		if (!place->count ||
		    (place->manifest_id == manifest_id && str_eq(str_from(place->tag), tag)))
			return place;
	}
}

static void grow(struct table *table)
{
	size_t room = table->room ? table->room * 2 : ROOM_FIRST;
	struct pull *places = mem_new(room * sizeof *places);
	for (size_t i = 0; i < table->room; i++) {
		const struct pull *pull = &table->places[i];
		if (pull->count)
			*find_place(places, room, pull->manifest_id, str_from(pull->tag)) = *pull;
	}
	free(table->places);
	table->places = places;
	table->room = room;
}

static void add(struct pull_counts *counts, const struct pull *pull)
{
	str tag = str_from(pull->tag);
	struct table *table = &counts->tables[hash_of(pull->manifest_id, tag) % TABLES];
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&table->lock);
	if (table->used * 2 >= table->room && table->used < PULL_TABLE_ENTRIES_MAX)
		grow(table);
	struct pull *place = find_place(table->places, table->room, pull->manifest_id, tag);
	if (!place->count && table->used == PULL_TABLE_ENTRIES_MAX) {
		table->dropped += pull->count;
		return;
	}
	if (!place->count) {
		*place = *pull;
		table->used++;
		return;
	}
	place->count += pull->count;
	place->last_us = place->last_us > pull->last_us ? place->last_us : pull->last_us;
}

void pull_counts_add(struct pull_counts *counts, int64_t repository_id, int64_t manifest_id,
		     str tag)
{
	struct pull pull = { repository_id, manifest_id, 1, clock_wall_us(), { 0 } };
	if (!atomic_load_explicit(&counts->started, memory_order_relaxed))
		return;
	if (tag.len)
		memcpy(pull.tag, tag.ptr, MIN(tag.len, sizeof pull.tag - 1));
	add(counts, &pull);
}

/* --- writing them down -------------------------------------------------------------------------
 */

/* A repository's part of what was taken: pulls[0 … count). */
struct part {
	const struct pull *pulls;
	size_t count;
	bool keep_counts, keep_times; /* by the settings */
};

static struct pulled what_to_keep(const struct part *part, int64_t id, const struct pull *pull)
{
	return (struct pulled){ id, part->keep_counts ? pull->count : 0,
				part->keep_times ? pull->last_us : 0 };
}

static err_t write_part(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct part *part = arg;
	struct pulled sum = { .id = part->pulls[0].repository_id };
	for (size_t i = 0; i < part->count && part->keep_times; i++)
		if (part->pulls[i].tag[0])
			TRY(db_pull_note_tag(ctx, tx, sum.id, str_from(part->pulls[i].tag),
					     part->pulls[i].last_us));
	for (size_t i = 0; i < part->count; i++) {
		const struct pull *pull = &part->pulls[i];
		struct pulled one = what_to_keep(part, pull->manifest_id, pull);
		TRY(db_pull_add_artifact(ctx, tx, &one, pull->last_us));
		sum.count += one.count;
		sum.last_us = MAX(sum.last_us, one.last_us);
	}
	return db_pull_add_repository(ctx, tx, &sum);
}

/* By repository, manifest and tag: everybody who writes locks in this order. */
static int compare(const void *a, const void *b)
{
	const struct pull *one = a, *two = b;
	if (one->repository_id != two->repository_id)
		return one->repository_id < two->repository_id ? -1 : 1;
	if (one->manifest_id != two->manifest_id)
		return one->manifest_id < two->manifest_id ? -1 : 1;
	return strcmp(one->tag, two->tag);
}

/* Empties a table into `*into`. */
static size_t take_table(struct table *table, struct pull **into, size_t have)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&table->lock);
	*into = mem_resize(*into, (have + table->used + 1) * sizeof **into);
	for (size_t i = 0; i < table->room; i++)
		if (table->places[i].count)
			(*into)[have++] = table->places[i];
	free(take(table->places));
	table->room = table->used = 0;
	if (table->dropped)
		LOG(LOG_WARN, "pulls of too many different artifacts at once are not counted",
		    LOG_I64("count", table->dropped));
	table->dropped = 0;
	return have;
}

/* Unless it is time to stop. */
static void rest(struct pull_counts *counts, struct pace *pace)
{
	int64_t until_ns = pace_rest_until(pace, clock_now_ns());
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&counts->lock);
	while (until_ns && !counts->stopping &&
	       thread_wait_until(&counts->wake, &counts->lock, until_ns))
		;
	if (counts->stopping)
		pace->left_ns = 0;
}

err_t pull_counts_flush(struct ctx *ctx, struct pull_counts *counts)
{
	struct pace pace = pace_begin(clock_now_ns(), counts->interval_ms * CLOCK_MS / 2);
	CLEANUP(mem_done) struct pull *pulls = NULL;
	bool keep_counts = !system_bool(counts->settings, SYSTEM_PULL_COUNT_UPDATE_DISABLE);
	bool keep_times = !system_bool(counts->settings, SYSTEM_PULL_TIME_UPDATE_DISABLE);
	size_t count = 0;
	err_t err = OK;
	for (size_t i = 0; i < TABLES; i++)
		count = take_table(&counts->tables[i], &pulls, count);
	if (count)
		qsort(pulls, count, sizeof *pulls, compare);
	for (size_t at = 0, next = 0; at < count; at = next) {
		while (next < count && pulls[next].repository_id == pulls[at].repository_id)
			next++;
		struct part part = { &pulls[at], next - at, keep_counts, keep_times };
		if (err == OK && (keep_counts || keep_times))
			err = db_run(ctx, counts->db, SQL_WRITE_RELAXED, write_part, &part);
		for (size_t i = at; i < next && err != OK; i++) /* with the next flush */
			add(counts, &pulls[i]);
		if (err == OK && next < count)
			rest(counts, &pace);
	}
	return err;
}

/* --- the thread --------------------------------------------------------------------------------
 */

static void turn(struct ctx *ctx, struct pull_counts *counts)
{
	if (sql_reach(counts->db) != SQL_REACH_ALL)
		return; /* which has been said */
	ctx->deadline_ns = clock_now_ns() + TURN_DEADLINE * CLOCK_S;
	if (pull_counts_flush(ctx, counts) != OK)
		LOG(LOG_WARN, "pulls could not be counted, later again",
		    LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
	arena_reset(ctx->arena);
}

/* False when it is time to stop. */
static bool wait_for_turn(struct pull_counts *counts)
{
	int64_t until_ns = clock_now_ns() + counts->interval_ms * CLOCK_MS;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&counts->lock);
	while (!counts->stopping && thread_wait_until(&counts->wake, &counts->lock, until_ns))
		;
	return !counts->stopping;
}

static void *run(void *arg)
{
	struct pull_counts *counts = arg;
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, FLUSH_ARENA);
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	while (wait_for_turn(counts))
		turn(&ctx, counts);
	turn(&ctx, counts);
	return NULL;
}

struct pull_counts *pull_counts_new(struct sql *db, const struct system_settings *settings)
{
	struct pull_counts *counts = NEW(struct pull_counts);
	counts->db = db;
	counts->settings = settings;
	pthread_mutex_init(&counts->lock, NULL);
	thread_condition_init(&counts->wake);
	for (size_t i = 0; i < TABLES; i++)
		pthread_mutex_init(&counts->tables[i].lock, NULL);
	return counts;
}

err_t pull_counts_start(struct ctx *ctx, struct pull_counts *counts, int64_t interval_ms)
{
	counts->interval_ms = interval_ms;
	TRY(thread_start(ctx, "pulls", run, counts, &counts->thread));
	atomic_store(&counts->started, true);
	return OK;
}

static void stop(struct pull_counts *counts)
{
	{
		CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&counts->lock);
		counts->stopping = true;
		pthread_cond_signal(&counts->wake);
	}
	pthread_join(counts->thread, NULL);
}

void pull_counts_free(struct pull_counts *counts)
{
	if (!counts)
		return;
	if (atomic_load(&counts->started))
		stop(counts);
	for (size_t i = 0; i < TABLES; i++) {
		free(counts->tables[i].places);
		pthread_mutex_destroy(&counts->tables[i].lock);
	}
	pthread_cond_destroy(&counts->wake);
	pthread_mutex_destroy(&counts->lock);
	free(counts);
}
