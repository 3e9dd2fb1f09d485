/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pull_counts.h - how often what was pulled, and when last: gathered in memory, written in batches.
 *
 * A pull adds to a table behind one of a few locks and never waits for the database. A thread
 * writes the tables down every interval and once more at the end, each repository in a transaction
 * of its own: tags, artifacts, repository; between them it rests (base/pace.h), for half an
 * interval at most. What a crash loses is one interval. A write that fails is tried again with the
 * next; what a full table has no room for is counted and said in the log.
 *
 * What the settings pull_count_update_disable and pull_time_update_disable say when a table is
 * written down counts for all of it.
 *
 * Several nodes may write at once: they add.
 */
#pragma once

#include "base/ctx.h"
#include "sql/sql.h"

#define PULL_TABLE_ENTRIES_MAX 4096 /* different tags and manifests in each of the tables */

struct pull_counts;
struct system_settings;

struct pull_counts *pull_counts_new(struct sql *db, const struct system_settings *settings);
/* Writes down what there is, if it was started. */
void pull_counts_free(struct pull_counts *counts);

/* Starts the thread that writes. Without it nothing is counted. */
err_t pull_counts_start(struct ctx *ctx, struct pull_counts *counts, int64_t interval_ms);

/* `tag` is empty when it was pulled by its digest. */
void pull_counts_add(struct pull_counts *counts, int64_t repository_id, int64_t manifest_id,
		     str tag);

/* Writes down what there is now; for the thread and for tests. */
err_t pull_counts_flush(struct ctx *ctx, struct pull_counts *counts);
