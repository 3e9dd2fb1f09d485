/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uses.h - when something was last used, gathered in memory and written in batches: a request never
 * waits for such a write.
 *
 * Bounded: what comes to a full list is not noted; it is used again soon or it does not matter.
 */
#pragma once

#include "base/str.h"

#include <pthread.h>

#define USES_MAX 1024

struct use {
	int64_t id;
	int64_t at_us;
};

struct uses {
	pthread_mutex_t lock;
	struct use list[USES_MAX];
	size_t count;
};

void uses_init(struct uses *uses);
void uses_done(struct uses *uses);

void uses_note(struct uses *uses, int64_t id, int64_t at_us);

/* Empties the list into `into`, of USES_MAX; the number. */
size_t uses_take(struct uses *uses, struct use *into);
