/* SPDX-License-Identifier: Apache-2.0 */
/* places.c - see places.h. */
#include "http/places.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "os/thread.h"

#include <unistd.h>

#include "base/banned.h"

#define CALM_LOOKS 50 /* after so many looks at a waiting worker the look-out ends */

void places_init(struct places *places, unsigned threads_max)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	*places = (struct places){ .count = PLACES_PER_CORE * (unsigned)MAX(cores, 1L) };
	places->count = MIN(places->count, threads_max);
	pthread_mutex_init(&places->lock, NULL);
	thread_condition_init(&places->freed);
}

void places_done(struct places *places)
{
	pthread_cond_destroy(&places->freed);
	pthread_mutex_destroy(&places->lock);
}

void places_close(struct places *places)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&places->lock);
	places->closed = true;
	pthread_cond_broadcast(&places->freed);
}

bool place_try(struct places *places)
{
	unsigned taken = atomic_load(&places->taken);
	while (taken < places->count)
		if (atomic_compare_exchange_weak(&places->taken, &taken, taken + 1))
			return true;
	return false;
}

bool places_are_exceeded(const struct places *places)
{
	return atomic_load_explicit(&places->taken, memory_order_relaxed) > places->count;
}

unsigned places_idle(const struct places *places)
{
	return atomic_load(&places->waiting) + atomic_load(&places->resting);
}

static bool is_stalled(struct places *places, unsigned events)
{
	return atomic_load(&places->waiting) == 0 && atomic_load(&places->events) == events;
}

/*
 * Looks after those who have the places; the lock is held, and free between the looks. True with a
 * place: a free one, or one more when nothing moves. False when somebody has waited for a while.
 */
static bool look_out(struct places *places)
{
	for (int calm = 0; calm < CALM_LOOKS && !places->closed;) {
		unsigned events = atomic_load(&places->events);
		thread_wait_until(&places->freed, &places->lock,
				  clock_now_ns() + PLACES_LOOK_MS * CLOCK_MS);
		if (place_try(places))
			return true;
		if (is_stalled(places, events)) {
			atomic_fetch_add(&places->taken, 1);
			return true;
		}
		calm = atomic_load(&places->waiting) ? calm + 1 : 0;
	}
	return false;
}

static enum place rest(struct places *places, int64_t until_ns)
{
	while (!places->closed) {
		if (place_try(places))
			return PLACE_TAKEN;
		if (atomic_load(&places->waiting) == 0 && !atomic_load(&places->looking)) {
			atomic_store(&places->looking, true);
			bool taken = look_out(places);
			atomic_store(&places->looking, false);
			if (taken)
				return PLACE_TAKEN;
		} else if (!thread_wait_until(&places->freed, &places->lock, until_ns)) {
			return PLACE_TIRED;
		}
	}
	return PLACE_CLOSED;
}

enum place place_take(struct places *places, int rest_ms)
{
	if (place_try(places))
		return PLACE_TAKEN;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&places->lock);
	atomic_fetch_add(&places->resting, 1);
	enum place got = rest(places, clock_now_ns() + rest_ms * CLOCK_MS);
	atomic_fetch_sub(&places->resting, 1);
	return got;
}

/* Nobody waits: wakes a resting worker if there is something for him, a place or the look-out. */
static bool call(struct places *places)
{
	if (atomic_load(&places->resting) == 0)
		return false;
	if (atomic_load(&places->taken) >= places->count && atomic_load(&places->looking))
		return true;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&places->lock);
	pthread_cond_signal(&places->freed);
	return true;
}

bool place_leave(struct places *places)
{
	atomic_fetch_sub(&places->taken, 1);
	return atomic_load(&places->waiting) > 0 || call(places);
}

void place_begin_wait(struct places *places)
{
	atomic_fetch_add(&places->waiting, 1);
}

bool place_end_wait(struct places *places)
{
	atomic_fetch_add_explicit(&places->events, 1, memory_order_relaxed);
	return atomic_fetch_sub(&places->waiting, 1) > 1 || call(places);
}

bool place_quit(struct places *places)
{
	unsigned waiting = atomic_load(&places->waiting);
	while (waiting > 1)
		if (atomic_compare_exchange_weak(&places->waiting, &waiting, waiting - 1)) {
			atomic_fetch_sub(&places->taken, 1);
			return true;
		}
	return false;
}
