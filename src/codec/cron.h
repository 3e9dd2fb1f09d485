/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cron.h - when a schedule fires: cron lines of six fields, as Harbor writes them, in UTC.
 *
 *	second minute hour day-of-month month day-of-week
 *	0-59   0-59   0-23 1-31         1-12  0-6, Sunday is 0
 *
 * A field is a list, with commas, of `*` or `?` (any), a number, a range `a-b`, and each of these
 * with a step: `*` `/n` from the first, `a/n` from a to the last, `a-b/n`. Months and weekdays have
 * names too, three letters in any case. When day-of-month and day-of-week both name something, a
 * day that either of them names is one; when one of them is any, the other decides.
 *
 * Instead of a line: @yearly (@annually), @monthly, @weekly, @daily (@midnight), @hourly, and
 * `@every 1h30m10s`, which counts from the last time. That is the syntax of robfig/cron, which
 * Harbor reads its schedules with, but for time zones: these are refused.
 *
 *	struct cron cron;
 *	struct cron_problem problem;
 *	if (!cron_parse(text, &cron, &problem))
 *		return fail(ctx, ERR_REQUEST_INVALID, CRON_PROBLEM_FMT, CRON_PROBLEM_ARG(problem));
 *	next_us = cron_next(&cron, now_us);
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

#define CRON_TEXT_MAX 256

/* A bit for each value that counts. */
struct cron {
	uint64_t seconds, minutes;
	uint32_t hours, days, months, weekdays;
	bool any_day, any_weekday; /* `*` or `?` without a step */
	int64_t every_s;	   /* @every; then the rest is nothing. Else 0 */
};

struct cron_problem {
	const char *text;
	size_t at; /* byte offset */
};

#define CRON_PROBLEM_FMT	  "%s near byte %zu"
#define CRON_PROBLEM_ARG(problem) (problem).text, (problem).at

/* False fills `*ret_problem` only; true sets `*ret` only. What would never fire (30 February) is
 * refused. */
bool cron_parse(str text, struct cron *ret, struct cron_problem *ret_problem);

/* The first time after `after_us` (microseconds since 1970, not before): a whole second. */
int64_t cron_next(const struct cron *cron, int64_t after_us);
