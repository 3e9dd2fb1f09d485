/* SPDX-License-Identifier: Apache-2.0 */
/* step.c - see step.h. */
#include "base/step.h"
#include "base/clock.h"

#include "base/banned.h"

static const struct step_watch *watching;

void step_watch_set(const struct step_watch *watch)
{
	watching = watch;
}

struct step step_begin(struct ctx *ctx, enum step_kind kind, unsigned value, const char *name)
{
	struct step step = { .kind = kind, .value = value, .name = name };
	if (!watching)
		return step;
	step.began_ns = step.running_ns = clock_now_ns();
	watching->began(ctx, &step);
	return step;
}

void step_pause(struct step *step)
{
	if (!step->running_ns)
		return;
	step->spent_ns += clock_now_ns() - step->running_ns;
	step->running_ns = 0;
}

void step_resume(struct step *step)
{
	if (step->began_ns)
		step->running_ns = clock_now_ns();
}

void step_end(struct ctx *ctx, struct step *step, err_t err)
{
	if (!step->began_ns)
		return;
	step_pause(step);
	watching->ended(ctx, step, err);
	step->began_ns = 0;
}
