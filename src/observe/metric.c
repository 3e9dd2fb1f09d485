/* SPDX-License-Identifier: Apache-2.0 */
/* metric.c - see metric.h. */
#include "observe/metric.h"
#include "base/clock.h"
#include "base/compiler.h"

#include "base/banned.h"

#define LINE_BYTES 64

/* A copy is whole lines, so that two copies share none. */
#define CELLS_OF_LINE (LINE_BYTES / sizeof(uint64_t))
#define CELLS	      ((METRIC_CELL_COUNT + CELLS_OF_LINE - 1) / CELLS_OF_LINE * CELLS_OF_LINE)

static _Alignas(LINE_BYTES) _Atomic(uint64_t) cells[METRIC_SHARDS][CELLS];

const int64_t metric_bounds_ns[METRIC_BOUNDS] = {
	100 * CLOCK_US, 250 * CLOCK_US, 500 * CLOCK_US, CLOCK_MS,	5 * CLOCK_MS,
	10 * CLOCK_MS,	25 * CLOCK_MS,	50 * CLOCK_MS,	100 * CLOCK_MS, 250 * CLOCK_MS,
	500 * CLOCK_MS, CLOCK_S,	5 * CLOCK_S,	15 * CLOCK_S,	60 * CLOCK_S,
};

unsigned metric_shard(void)
{
	static _Atomic(unsigned) threads;
	static _Thread_local unsigned shard; /* plus one */
	if (__builtin_expect(!shard, 0))
		shard = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) %
				    METRIC_SHARDS;
	return shard - 1;
}

static _Atomic(uint64_t) *cell_of(size_t cell)
{
	return &cells[metric_shard()][cell];
}

void metric_add(size_t cell, uint64_t count)
{
	atomic_fetch_add_explicit(cell_of(cell), count, memory_order_relaxed);
}

void metric_time(size_t cell, int64_t took_ns)
{
	size_t bucket = 0;
	while (bucket < METRIC_BOUNDS && took_ns > metric_bounds_ns[bucket])
		bucket++;
	metric_add(cell + bucket, 1);
	metric_add(cell + METRIC_TIMES - 1, (uint64_t)MAX(took_ns, 0));
}

uint64_t metric_read(size_t cell)
{
	uint64_t sum = 0;
	for (size_t shard = 0; shard < METRIC_SHARDS; shard++)
		sum += atomic_load_explicit(&cells[shard][cell], memory_order_relaxed);
	return sum;
}

/* --- the table -------------------------------------------------------------------------------- */

#define VALUE(label, name, text) text,
#define LABEL(label, text)                                                                         \
	static const char *const values_##label[] = { METRIC_LABEL_VALUES_##label(VALUE) };        \
	static const struct metric_label label_##label = { text, values_##label,                   \
							   COUNT_OF(values_##label) };
METRIC_LABEL_TABLE(LABEL)
#undef LABEL
#undef VALUE

#define FREE_LABEL(name)                                                                           \
	&(const struct metric_label)                                                               \
	{                                                                                          \
		name, NULL, 0                                                                      \
	}

const struct metric metric_table[METRIC_COUNT] = {
#define COUNTED(id_, type_, name_, unit_, l1, l2, l3, help_)                                       \
	{ .type = METRIC_##type_,                                                                  \
	  .name = name_,                                                                           \
	  .unit = unit_,                                                                           \
	  .labels = { &label_##l1, &label_##l2, &label_##l3 },                                     \
	  .help = help_,                                                                           \
	  .cell = METRIC_CELL_##id_ },
	METRIC_COUNTED_TABLE(COUNTED)
#undef COUNTED
#define ASKED(id_, type_, name_, unit_, l1, l2, l3, help_)                                         \
	{ .type = METRIC_##type_,                                                                  \
	  .name = name_,                                                                           \
	  .unit = unit_,                                                                           \
	  .labels = { FREE_LABEL(l1), FREE_LABEL(l2), FREE_LABEL(l3) },                            \
	  .help = help_ },
		METRIC_ASKED_TABLE(ASKED)
#undef ASKED
};
