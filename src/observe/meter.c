/* SPDX-License-Identifier: Apache-2.0 */
/* meter.c - see meter.h. */
#include "observe/meter.h"
#include "base/clock.h"
#include "observe/activity.h"
#include "observe/metric.h"
#include "observe/slow.h"
#include "observe/tracer.h"

#include "base/banned.h"

/* Where a step's duration is counted: the first cell, and how many values its kind has. */
static const struct {
	size_t cell;
	unsigned values;
} times[STEP_KIND_COUNT] = {
	[STEP_SQL_WAIT] = { METRIC_CELL_SQL_WAIT_SECONDS, METRIC_VALUES_MODE },
	[STEP_SQL_TRANSACTION] = { METRIC_CELL_SQL_TRANSACTION_SECONDS, METRIC_VALUES_MODE },
	[STEP_SQL_COMMIT] = { METRIC_CELL_SQL_COMMIT_SECONDS, METRIC_VALUES_MODE },
	[STEP_SQL_STATEMENT] = { METRIC_CELL_SQL_STATEMENT_SECONDS, METRIC_VALUES_NONE },
	[STEP_STORAGE] = { METRIC_CELL_STORAGE_SECONDS, METRIC_VALUES_OPERATION },
	[STEP_UPSTREAM] = { METRIC_CELL_UPSTREAM_SECONDS, METRIC_VALUES_PURPOSE },
};

const char *meter_step_name(unsigned kind)
{
	static const char *const names[] = {
#define NAME(label, name, text) text,
		METRIC_LABEL_VALUES_STEP(NAME)
#undef NAME
	};
	CHECK(kind < COUNT_OF(names));
	return names[kind];
}

static void began(struct ctx *ctx, struct step *step)
{
	activity_step_begin(step);
	tracer_step_began(ctx, step);
}

static void ended(struct ctx *ctx, const struct step *step, err_t err)
{
	CHECK(step->value < times[step->kind].values);
	const struct slow_about about = { .kind = meter_step_name(step->kind),
					  .what = str_from(step->name),
					  .request_id = ctx->request_id };
	activity_step_end(step);
	metric_time(times[step->kind].cell + METRIC_TIMES * step->value, step->spent_ns);
	if (error_info(err)->status >= 500)
		metric_add(METRIC_AT1(STEP_ERRORS, step->kind), 1);
	slow_note(&slow_steps, clock_now_ns(), step->spent_ns, &about);
	tracer_step_ended(ctx, step, err);
}

void meter_start(void)
{
	static const struct step_watch watch = { began, ended };
	step_watch_set(&watch);
}
