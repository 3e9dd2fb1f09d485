/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns.h - how many threads may be busy asking identity providers: one that hangs costs its share
 * of them and no more, so that who is asked elsewhere, or here, does not wait for it.
 *
 *	CLEANUP(turn_done) struct turn turn = TURN_INIT;
 *	TRY(turn_take(ctx, &outside->turns, provider->id, &turn));
 *	… ask …
 */
#pragma once

#include "base/ctx.h"

#include <pthread.h>

struct turns {
	pthread_mutex_t lock;
	int64_t *askers; /* whom each of those under way asks */
	size_t count, count_max;
	size_t each_max;
};

struct turn {
	struct turns *turns; /* NULL: none taken */
	int64_t provider_id;
};
#define TURN_INIT                                                                                  \
	{                                                                                          \
		NULL, 0                                                                            \
	}

/* Three quarters of `threads_max` for all providers together, half of it for each. */
void turns_init(struct turns *turns, unsigned threads_max);
void turns_done(struct turns *turns);

/* ERR_BUSY when too many ask already. */
err_t turn_take(struct ctx *ctx, struct turns *turns, int64_t provider_id, struct turn *ret);
void turn_done(struct turn *turn); /* CLEANUP */
