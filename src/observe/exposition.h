/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exposition.h - all metrics as text: OpenMetrics 1.0, or Prometheus' older format 0.0.4.
 *
 *	struct samples samples = { .arena = ctx->arena };
 *	samples_add(&samples, METRIC_ID_CONNECTIONS, STR_NONE, STR_NONE, n);	…
 *	exposition_write(&body, format, &samples);
 *
 * A series with several labels is left out until it was counted for the first time; one with a
 * single label, or none, is always there, so that its first rise shows in a rate.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "observe/metric.h"

enum exposition_format { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS };

#define EXPOSITION_BYTES_MAX MIB(4)
#define SAMPLES_MAX	     8192

/* What asked metrics say now. */
struct sample {
	enum metric_id id;
	str labels[METRIC_LABELS_MAX]; /* values, any bytes; as long as the arena */
	int64_t value;		       /* nanoseconds where the unit is seconds */
	uint64_t count;		       /* of a summary, whose sum `value` is */
};
struct samples {
	struct arena *arena;
	struct sample *items;
	size_t count, room;
};

/* Beyond SAMPLES_MAX: nothing. Strs are copied. The first is for what has two labels at most. */
void samples_add(struct samples *samples, enum metric_id id, str first, str second, int64_t value);
void samples_put(struct samples *samples, const struct sample *sample);

/* What an Accept header wants (RFC 9110 §12.5.1); without one, or when it wants neither: the older
 * one. */
enum exposition_format exposition_choose(str accept);
str exposition_media_type(enum exposition_format format);

void exposition_write(struct buf *b, enum exposition_format format, const struct samples *asked);

/* docs/metrics.md: every metric, from the table. */
void exposition_print_reference(struct buf *b);
