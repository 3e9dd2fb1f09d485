/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace.h - rests of work that nobody waits for, so that it does not take a processor, or the
 * database's only writer, from those who do wait.
 *
 *	struct pace pace = pace_begin(clock_now_ns(), rest_max_ns);
 *	while (…a piece of the work…)
 *		if ((until_ns = pace_rest_until(&pace, clock_now_ns())))
 *			…wait until then…
 *
 * Who works long at a time interrupts others for long, who rests after everything interrupts them
 * often; both show in their slowest answers. So a rest comes after some milliseconds of work, and
 * is a multiple of them. All rests together have a bound: with more to do than that leaves time
 * for, the work goes on without any.
 */
#pragma once

#include "base/clock.h"

#define PACE_WORK_NS (2 * CLOCK_MS) /* at a time, or as long as one piece takes */
#define PACE_RESTS   4		    /* a rest is so many times the work before it */

struct pace {
	int64_t since_ns; /* when it went on last */
	int64_t left_ns;  /* of all rests; set to 0 by who is in a hurry */
};

static inline struct pace pace_begin(int64_t now_ns, int64_t rest_max_ns)
{
	return (struct pace){ now_ns, rest_max_ns };
}

/* Between two pieces of work: until when to wait, or 0. */
static inline int64_t pace_rest_until(struct pace *pace, int64_t now_ns)
{
	int64_t worked_ns = now_ns - pace->since_ns;
	if (worked_ns < PACE_WORK_NS || pace->left_ns <= 0)
		return 0;
	int64_t rest_ns = MIN(PACE_RESTS * worked_ns, pace->left_ns);
	pace->left_ns -= rest_ns;
	pace->since_ns = now_ns + rest_ns;
	return pace->since_ns;
}
