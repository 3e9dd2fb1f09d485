/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h - lets a fixed number of threads in, the others in the order they came; private to sql.
 *
 * Waiting honours the deadline and the cancellation of ctx, and ends after GATE_WAIT_MAX_S at the
 * latest. A thread that leaves hands its place to the first one waiting, so nobody who comes later
 * can overtake.
 */
#pragma once

#include "sql/sql.h"

#include <pthread.h>

#define GATE_WAIT_MAX_S 30

struct gate_waiter;

struct gate {
	pthread_mutex_t lock;
	unsigned places; /* free ones; waiters exist only when it is 0 */
	unsigned waiting;
	struct gate_waiter *first, *last;
};

void gate_init(struct gate *gate, unsigned places);
void gate_done(struct gate *gate);

/* ERR_BUSY, ERR_DEADLINE or ERR_CANCELLED. `noun` says in the error what there was none of. */
err_t gate_enter(struct ctx *ctx, struct gate *gate, const char *noun);
void gate_leave(struct gate *gate);

/* Hands the caller's place to the first waiter. False when nobody waits: the caller keeps it. */
bool gate_pass(struct gate *gate);

/* As a line of sql_pools(), of `size` places. */
struct sql_pool gate_pool(struct gate *gate, const char *name, unsigned size);
