/* SPDX-License-Identifier: Apache-2.0 */
/* flight.c - see flight.h. One lock and one condition for all: they are few and short. */
#include "auth/flight.h"

#include "base/clock.h"
#include "base/mem.h"
#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

#define WAIT_MAX_NS (60 * CLOCK_S)

struct flight {
	struct flights *flights;
	struct flight *next;
	unsigned char key[FLIGHT_KEY_BYTES];
	pthread_t leader;
	unsigned people;
	bool landed;
	err_t answer;
};

struct flights {
	pthread_mutex_t lock;
	pthread_cond_t landed;
	struct flight *first; /* those under way */
};

struct flights *flights_new(void)
{
	struct flights *flights = NEW(struct flights);
	pthread_mutex_init(&flights->lock, NULL);
	thread_condition_init(&flights->landed);
	return flights;
}

void flights_free(struct flights *flights)
{
	if (!flights)
		return;
	CHECK(!flights->first);
	pthread_cond_destroy(&flights->landed);
	pthread_mutex_destroy(&flights->lock);
	free(flights);
}

static struct flight *find(const struct flights *flights, const unsigned char *key)
{
	struct flight *flight = flights->first;
	while (flight && memcmp(flight->key, key, FLIGHT_KEY_BYTES) != 0)
		flight = flight->next;
	return flight;
}

static struct flight *start(struct flights *flights, const unsigned char *key)
{
	struct flight *flight = NEW(struct flight);
	flight->flights = flights;
	flight->next = flights->first;
	flight->leader = pthread_self();
	flight->people = 1;
	memcpy(flight->key, key, FLIGHT_KEY_BYTES);
	flights->first = flight;
	return flight;
}

/* Under the lock. */
static void land(struct flight *flight, err_t answer)
{
	struct flight **at = &flight->flights->first;
	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	flight->landed = true;
	flight->answer = answer;
	pthread_cond_broadcast(&flight->flights->landed);
}

err_t flight_join(struct ctx *ctx, struct flights *flights,
		  const unsigned char key[FLIGHT_KEY_BYTES], struct flight **ret)
{
	int64_t until_ns = clock_now_ns() + WAIT_MAX_NS;
	if (ctx->deadline_ns)
		until_ns = MIN(until_ns, ctx->deadline_ns);
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&flights->lock);
	struct flight *flight = find(flights, key);
	if (!flight) {
		*ret = start(flights, key);
		return OK;
	}
	flight->people++;
	while (!flight->landed)
		if (!thread_wait_until(&flights->landed, &flights->lock, until_ns))
			break;
	if (flight->landed) {
		*ret = flight;
		return OK;
	}
	flight->people--; /* its leader is still in it */
	return fail(ctx, ERR_DEADLINE, "waited for somebody who asks the same");
}

bool flight_leads(const struct flight *flight)
{
	return pthread_equal(flight->leader, pthread_self());
}

void flight_land(struct flight *flight, err_t answer)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&flight->flights->lock);
	land(flight, answer);
}

err_t flight_answer(const struct flight *flight)
{
	CHECK(flight->landed);
	return flight->answer;
}

void flight_done(struct flight **flight)
{
	struct flight *f = *flight;
	if (!f)
		return;
	pthread_mutex_t *held = thread_lock(&f->flights->lock);
	if (!f->landed)
		land(f, ERR_CANCELLED);
	bool last = --f->people == 0;
	thread_unlock(&held);
	if (last)
		free(f);
}
