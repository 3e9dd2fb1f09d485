/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric.h - what is counted while the program runs: the table of it (metric_table.h), and the
 * cells.
 *
 *	metric_add(METRIC_AT2(RATE_LIMITED, who, class), 1);
 *	metric_time(METRIC_AT1(HTTP_SECONDS, route), took_ns);
 *
 * Labels have lists of values that are written down in the table, so the number of series is known
 * when the program is built, and no client can make one more.
 *
 * Cells are words of memory in METRIC_SHARDS copies; a thread adds to one of them and reading sums
 * them up, so threads seldom write to the same line. Nothing is allocated, no lock is taken: an add
 * costs some nanoseconds. Numbers never fall while the program runs.
 */
#pragma once

#include "observe/metric_table.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define METRIC_SHARDS	  16
#define METRIC_LABELS_MAX 3

/* The upper bounds of a histogram in nanoseconds; the last bucket has none. */
#define METRIC_BOUNDS 15
#define METRIC_TIMES  (METRIC_BOUNDS + 2) /* cells of a histogram: buckets, and the sum */

/* How many cells a series has, by type. */
enum {
	METRIC_CELLS_COUNTER = 1,
	METRIC_CELLS_HISTOGRAM = METRIC_TIMES,
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_SUMMARY };

/* Of every family of the table, in its order. */
enum metric_id {
#define METRIC_COUNTED_ID(id, ...) METRIC_ID_##id,
	METRIC_COUNTED_TABLE(METRIC_COUNTED_ID)
#undef METRIC_COUNTED_ID
		METRIC_COUNTED_COUNT,
	METRIC_BEFORE_ASKED = METRIC_COUNTED_COUNT - 1,
#define METRIC_ASKED_ID(id, ...) METRIC_ID_##id,
	METRIC_ASKED_TABLE(METRIC_ASKED_ID)
#undef METRIC_ASKED_ID
		METRIC_COUNT,
};

/* Values of labels. */
#define METRIC_VALUE(label, name, text) METRIC_##label##_##name,
#define METRIC_LABEL_ENUM(label, text)                                                             \
	enum metric_label_##label{ METRIC_LABEL_VALUES_##label(METRIC_VALUE)                       \
					   METRIC_VALUES_##label };
METRIC_LABEL_TABLE(METRIC_LABEL_ENUM)
#undef METRIC_LABEL_ENUM
#undef METRIC_VALUE

/* Where the cells of each counted family begin. */
enum metric_cell {
#define METRIC_CELL(id, type, name, unit, l1, l2, l3, help)                                        \
	METRIC_CELL_##id,                                                                          \
		METRIC_CELL_LAST_##id = METRIC_CELL_##id - 1 +                                     \
					METRIC_CELLS_##type * METRIC_VALUES_##l1 *                 \
						METRIC_VALUES_##l2 * METRIC_VALUES_##l3,
	METRIC_COUNTED_TABLE(METRIC_CELL)
#undef METRIC_CELL
		METRIC_CELL_COUNT,
};

/* The series of a family by the values of its labels, whose lists differ in length. */
#define METRIC_AT3(id, n2, n3, i1, i2, i3)                                                         \
	(METRIC_CELL_##id + (((size_t)(i1)) * (n2) + (size_t)(i2)) * (n3) + (size_t)(i3))
#define METRIC_AT2(id, n2, i1, i2) (METRIC_CELL_##id + (size_t)(i1) * (n2) + (size_t)(i2))
#define METRIC_AT1(id, i1)	   (METRIC_CELL_##id + (size_t)(i1))
#define METRIC_TIMES_AT1(id, i1)   (METRIC_CELL_##id + METRIC_TIMES * (size_t)(i1))

/* Which of the METRIC_SHARDS copies is this thread's. */
unsigned metric_shard(void);

void metric_add(size_t cell, uint64_t count);

/* Puts a duration into a histogram. */
void metric_time(size_t cell, int64_t took_ns);

/* What a cell holds. */
uint64_t metric_read(size_t cell);

extern const int64_t metric_bounds_ns[METRIC_BOUNDS];

/* A label and its values, in the order of its enum. */
struct metric_label {
	const char *name; /* NULL: no label */
	const char *const *values;
	size_t count; /* 0: free values, of which there is a bounded number */
};

struct metric {
	enum metric_type type;
	const char *name; /* without _total; ends in the unit, if there is one */
	const char *unit; /* "seconds" of numbers in nanoseconds, "bytes", or "" */
	const struct metric_label *labels[METRIC_LABELS_MAX];
	const char *help;
	size_t cell; /* of a counted one */
};

extern const struct metric metric_table[METRIC_COUNT];
