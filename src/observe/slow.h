/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow.h - the slowest of late: requests, and what they waited for.
 *
 * A list keeps the SLOW_MAX slowest of the present SLOW_WINDOW_S and of the one before. What is not
 * slow enough costs a look at two words.
 */
#pragma once

#include "base/str.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define SLOW_MAX      32
#define SLOW_WINDOW_S 300

struct slow_call {
	int64_t took_ns, ended_us; /* since 1970 */
	const char *kind;	   /* a literal: "GET", "sql" */
	char what[160];		   /* cut to fit */
	char request_id[65];
	int status; /* 0: none */
};

struct slow_list {
	pthread_mutex_t lock;
	_Atomic(int64_t) enough_ns; /* what is faster is not kept, until then */
	_Atomic(int64_t) until_ns;  /* the window's end */
	struct slow_call calls[2][SLOW_MAX];
	size_t count[2]; /* of this window, and of the one before */
};
#define SLOW_LIST_INIT                                                                             \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                  \
	}

/* One of this program: requests, and steps. */
extern struct slow_list slow_requests, slow_steps;

struct slow_about {
	const char *kind;
	str what, request_id;
	int status;
};
/* `now_ns`: clock_now_ns(), which who measured has just read. */
void slow_note(struct slow_list *list, int64_t now_ns, int64_t took_ns,
	       const struct slow_about *about);

/* The slowest first; returns how many. */
size_t slow_read(struct slow_list *list, struct slow_call ret[2 * SLOW_MAX]);
