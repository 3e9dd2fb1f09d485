/* SPDX-License-Identifier: Apache-2.0 */
/* gate.c - see gate.h. */
#include "gate.h"
#include "base/clock.h"

#include <time.h>

#include "base/banned.h"

/* How often a waiter that can be cancelled looks whether it was. */
#define CANCEL_LOOK_NS (200 * CLOCK_MS)

struct gate_waiter {
	pthread_cond_t granted_cond;
	bool granted;
	struct gate_waiter *next;
};

void gate_init(struct gate *gate, unsigned places)
{
	*gate = (struct gate){ .places = places };
	CHECK(pthread_mutex_init(&gate->lock, NULL) == 0);
}

void gate_done(struct gate *gate)
{
	CHECK(!gate->first);
	pthread_mutex_destroy(&gate->lock);
}

static void append(struct gate *gate, struct gate_waiter *waiter)
{
	if (gate->last)
		gate->last->next = waiter;
	else
		gate->first = waiter;
	gate->last = waiter;
}

static void withdraw(struct gate *gate, const struct gate_waiter *waiter)
{
	struct gate_waiter *before = NULL;
	for (struct gate_waiter *w = gate->first; w != waiter; w = w->next)
		before = w;
	if (before)
		before->next = waiter->next;
	else
		gate->first = waiter->next;
	if (gate->last == waiter)
		gate->last = before;
}

static void wait_until(struct gate_waiter *waiter, pthread_mutex_t *lock, int64_t until_ns)
{
	struct timespec until = { .tv_sec = until_ns / CLOCK_S, .tv_nsec = until_ns % CLOCK_S };
	pthread_cond_timedwait(&waiter->granted_cond, lock, &until);
}

/* Under the lock. A place that was granted is taken, even past the deadline: who granted it counts
 * on that. */
static err_t await_grant(struct ctx *ctx, struct gate *gate, struct gate_waiter *waiter,
			 const char *noun)
{
	int64_t last_ns = clock_now_ns() + GATE_WAIT_MAX_S * CLOCK_S;
	for (;;) {
		int64_t now_ns = clock_now_ns();
		int64_t until_ns = last_ns;
		if (ctx->deadline_ns)
			until_ns = MIN(until_ns, ctx->deadline_ns);
		if (ctx->cancelled)
			until_ns = MIN(until_ns, now_ns + CANCEL_LOOK_NS);
		wait_until(waiter, &gate->lock, until_ns);
		if (waiter->granted)
			return OK;
		err_t err = ctx_check(ctx);
		if (err != OK)
			ctx_note(ctx, "waited for a %s", noun);
		else if (clock_now_ns() >= last_ns)
			err = fail(ctx, ERR_BUSY, "no %s within %d s", noun, GATE_WAIT_MAX_S);
		if (err != OK) {
			withdraw(gate, waiter);
			return err;
		}
	}
}

static err_t queue_up(struct ctx *ctx, struct gate *gate, const char *noun)
{
	struct gate_waiter waiter = { 0 };
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	CHECK(pthread_cond_init(&waiter.granted_cond, &monotonic) == 0);
	pthread_condattr_destroy(&monotonic);

	append(gate, &waiter);
	gate->waiting++;
	err_t err = await_grant(ctx, gate, &waiter, noun);
	gate->waiting--;
	pthread_cond_destroy(&waiter.granted_cond);
	return err;
}

err_t gate_enter(struct ctx *ctx, struct gate *gate, const char *noun)
{
	TRY(ctx_check(ctx));
	pthread_mutex_lock(&gate->lock);
	err_t err = OK;
	if (gate->places)
		gate->places--;
	else
		err = queue_up(ctx, gate, noun);
	pthread_mutex_unlock(&gate->lock);
	return err;
}

static bool grant_first(struct gate *gate)
{
	struct gate_waiter *waiter = gate->first;
	if (!waiter)
		return false;
	gate->first = waiter->next;
	if (!gate->first)
		gate->last = NULL;
	waiter->granted = true;
	/* Inside the lock: the waiter's condition ends with its stack frame. */
	pthread_cond_signal(&waiter->granted_cond);
	return true;
}

void gate_leave(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	if (!grant_first(gate))
		gate->places++;
	pthread_mutex_unlock(&gate->lock);
}

bool gate_pass(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	bool passed = grant_first(gate);
	pthread_mutex_unlock(&gate->lock);
	return passed;
}

struct sql_pool gate_pool(struct gate *gate, const char *name, unsigned size)
{
	pthread_mutex_lock(&gate->lock);
	struct sql_pool pool = { name, size, size - gate->places, gate->waiting };
	pthread_mutex_unlock(&gate->lock);
	return pool;
}
