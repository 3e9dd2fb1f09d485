/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_places.c - who waits for events, who rests, and when there is one more. */
#include "http/places.h"
#include "base/clock.h"
#include "os/thread.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <unistd.h>

#include "base/banned.h"

#define LONG_MS 20000

static struct places places;

static void start(void)
{
	places_init(&places, 1000);
}

static void stop(void)
{
	places_done(&places);
}

TestSuite(http_places, .init = start, .fini = stop, .timeout = 60);

static void take_all(void)
{
	for (unsigned i = 0; i < places.count; i++)
		cr_assert_eq(place_take(&places, 0), PLACE_TAKEN);
}

struct rester {
	pthread_t thread;
	int rest_ms;
	enum place got;
	_Atomic(bool) done;
};

static void *rest_main(void *arg)
{
	struct rester *rester = arg;
	rester->got = place_take(&places, rester->rest_ms);
	atomic_store(&rester->done, true);
	return NULL;
}

static void begin_rest(struct rester *rester, int rest_ms)
{
	*rester = (struct rester){ .rest_ms = rest_ms };
	cr_assert_eq(pthread_create(&rester->thread, NULL, rest_main, rester), 0);
	while (atomic_load(&places.resting) == 0 && !atomic_load(&rester->done))
		sched_yield();
}

static enum place end_rest(struct rester *rester)
{
	pthread_join(rester->thread, NULL);
	return rester->got;
}

Test(http_places, there_are_never_more_than_threads)
{
	places_done(&places);
	places_init(&places, 1);
	cr_assert(place_try(&places));
	cr_assert_not(place_try(&places));
	cr_assert_not(places_are_exceeded(&places));
}

Test(http_places, the_last_who_waits_asks_for_another_thread)
{
	take_all();
	place_begin_wait(&places);
	place_begin_wait(&places);
	cr_assert(place_end_wait(&places));
	cr_assert_not(place_end_wait(&places), "nobody waits and nobody rests");
	cr_assert_not(place_leave(&places), "likewise");
}

Test(http_places, who_finds_none_rests_and_gets_tired)
{
	take_all();
	place_begin_wait(&places); /* somebody looks for work: no reason to look after it */
	cr_assert_eq(place_take(&places, 1), PLACE_TIRED);
	cr_assert_eq(places_idle(&places), 1);
}

Test(http_places, a_freed_place_is_taken_by_who_rests)
{
	struct rester rester;
	take_all();
	place_begin_wait(&places);
	begin_rest(&rester, LONG_MS);
	cr_assert(place_end_wait(&places), "somebody rests");
	place_leave(&places); /* true, or he has it already */
	cr_assert_eq(end_rest(&rester), PLACE_TAKEN);
	cr_assert_eq(atomic_load(&places.resting), 0);
}

Test(http_places, when_nothing_moves_there_is_one_more)
{
	struct rester rester;
	take_all();
	begin_rest(&rester, LONG_MS); /* all have places and none waits: they are stuck */
	cr_assert_eq(end_rest(&rester), PLACE_TAKEN);
	cr_assert(places_are_exceeded(&places));
	cr_assert_not(atomic_load(&places.looking), "the next may look");
	place_leave(&places);
	cr_assert_not(places_are_exceeded(&places));
}

Test(http_places, while_something_moves_there_is_not)
{
	struct rester rester;
	take_all();
	begin_rest(&rester, LONG_MS);
	int64_t until_ns = clock_now_ns() + 100 * CLOCK_MS;
	while (clock_now_ns() < until_ns && atomic_load(&places.resting)) {
		place_begin_wait(&places);
		place_end_wait(&places);
	}
	/* Our thread may have been kept from the processor between two events; then there may be
	 * one more, and rightly. What must not be is a place without its taker. */
	unsigned expected = places.count + (atomic_load(&places.resting) ? 0 : 1);
	cr_assert_eq(atomic_load(&places.taken), expected);
	place_begin_wait(&places);
	places_close(&places);
	end_rest(&rester);
}

Test(http_places, the_end_ends_every_rest)
{
	struct rester rester;
	take_all();
	place_begin_wait(&places);
	begin_rest(&rester, LONG_MS);
	places_close(&places);
	cr_assert_eq(end_rest(&rester), PLACE_CLOSED);
	cr_assert_eq(place_take(&places, LONG_MS), PLACE_CLOSED);
}

Test(http_places, the_last_one_does_not_quit)
{
	take_all();
	place_begin_wait(&places);
	place_begin_wait(&places);
	cr_assert(place_quit(&places));
	cr_assert_not(place_quit(&places));
	cr_assert_eq(atomic_load(&places.taken), places.count - 1);
}
