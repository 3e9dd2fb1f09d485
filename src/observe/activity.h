/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activity.h - what each thread does at this moment: which request it runs, and in which step it
 * is.
 *
 * A thread has a place in a table from the first thing it does until it ends. It writes words that
 * others read at any time: what belongs together may be read half old and half new, which is good
 * enough for people who look.
 */
#pragma once

#include "base/step.h"

#define ACTIVITY_THREADS_MAX 1024 /* one more is not seen */

/* A request that began then; literals. */
void activity_begin(const char *method, const char *route, int64_t began_ns);
void activity_end(void);
void activity_step_begin(const struct step *step);
void activity_step_end(const struct step *step);

struct activity {
	int64_t thread_id;
	const char *method, *route; /* NULL: no request */
	int64_t request_ns;	    /* how long that has been going on */
	const char *step;	    /* NULL: none */
	enum step_kind kind;
	int64_t step_ns;
	const char *transaction; /* the mode of the open one; NULL: none */
	int64_t transaction_ns;
};

/* The threads that do something; returns how many. */
size_t activity_read(struct activity *ret, size_t max);
