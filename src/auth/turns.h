/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns.h - how many threads may be busy asking identity providers: one that hangs costs its share
 * of them and no more, so that who is asked elsewhere, or here, does not wait for it. A tenant's
 * providers together get two thirds of what the others' leave: however many of its own hang, the
 * next tenant's are asked.
 *
 *	CLEANUP(turn_done) struct turn turn = TURN_INIT;
 *	TRY(turn_take(ctx, &outside->turns, (struct asked){ tenant_id, provider->id }, &turn));
 *	… ask …
 */
#pragma once

#include "base/ctx.h"

#include <pthread.h>

/* Whose provider is asked, and which; 0: one of them, which shows inside. */
struct asked {
	int64_t tenant_id, provider_id;
};

struct turns {
	pthread_mutex_t lock;
	struct asked *under_way;
	size_t count, count_max;
	size_t each_max;
};

struct turn {
	struct turns *turns; /* NULL: none taken */
	struct asked asked;
};
#define TURN_INIT                                                                                  \
	{                                                                                          \
		NULL,                                                                              \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

/* Three quarters of `threads_max` for all providers together, three eighths of it for each. */
void turns_init(struct turns *turns, unsigned threads_max);
void turns_done(struct turns *turns);

/* ERR_BUSY when too many ask already. */
err_t turn_take(struct ctx *ctx, struct turns *turns, struct asked asked, struct turn *ret);
void turn_done(struct turn *turn); /* CLEANUP */
