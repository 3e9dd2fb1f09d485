/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h - how often somebody may do something: token buckets in a table of fixed size.
 *
 * A policy is `count` times in each `window_ns`, of which `burst` may come at once. A bucket is
 * kept as the one time at which it is full again (the generic cell rate algorithm): taking moves
 * that time on by window / count, and is refused when it would lie more than burst steps ahead. So
 * there is nothing to refill, and a bucket that is full need not be remembered.
 *
 * The table never grows and nothing is allocated after rate_table_new(). A key stands in one of 8
 * places; where all are taken, the one that is full soonest makes room. Whoever floods the table
 * with keys of his own lets others have more, never less. Locks are per shard of the table.
 *
 *	const struct rate_policy policy = { .count = 100, .window_ns = CLOCK_S, .burst = 200 };
 *	struct rate rate;
 *	if (!rate_take(table, key, &policy, clock_now_ns(), &rate))
 *		… come again in rate.wait_ns
 */
#pragma once

#include "base/str.h"

struct rate_policy {
	int64_t count; /* 0: no limit */
	int64_t window_ns;
	int64_t burst; /* at least 1 */
};

struct rate {
	int64_t remaining; /* how often at once from now on */
	int64_t full_ns;   /* from now until the bucket is full */
	int64_t wait_ns;   /* refused: from now until one is to be had; else 0 */
};

struct rate_table;

/* Room for at least `entries_max` keys, 16 bytes each. */
struct rate_table *rate_table_new(size_t entries_max);
void rate_table_free(struct rate_table *table); /* NULL is fine */

/* Takes one. False, and nothing is taken, when there is none. `key` is a hash (str_hash());
 * `now_ns` never runs backwards by more than the callers' race for the lock. */
bool rate_take(struct rate_table *table, uint64_t key, const struct rate_policy *policy,
	       int64_t now_ns, struct rate *ret);
