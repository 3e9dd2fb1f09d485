/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong passwords: who sends them waits, and nobody else; and many who ask the same ask once. */
#include "auth/flight.h"
#include "auth/lockout.h"
#include "auth/uses.h"
#include "base/clock.h"

#include <criterion/criterion.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LONG_MS 3600000

static struct arena own_arena;
static struct ctx own;

static void set_up(void)
{
	arena_init(&own_arena, MIB(4));
	ctx_init(&own, &own_arena);
}

static void tear_down(void)
{
	arena_done(&own_arena);
}

TestSuite(lockout, .init = set_up, .fini = tear_down);

static struct lockout *make(unsigned name_attempts, unsigned address_attempts)
{
	return lockout_new(&(struct lockout_options){ .name_attempts = name_attempts,
						      .name_interval_ms = LONG_MS,
						      .address_attempts = address_attempts,
						      .address_interval_ms = LONG_MS,
						      .at_once_max = 4,
						      .at_once_known_max = 6,
						      .entries_max = 1024 });
}

static err_t try(struct lockout *lockout, const char *address, const char *name, uint64_t proof,
		 enum verdict verdict)
{
	struct attempt attempt = { .name = str_from(name),
				   .address = str_from(address),
				   .proof = proof };
	ctx_forgive(&own);
	own.retry_after_s = 0;
	err_t err = lockout_begin(&own, lockout, &attempt);
	if (err == OK)
		lockout_end(lockout, &attempt, verdict);
	return err;
}

Test(lockout, a_name_waits_at_one_address_only)
{
	struct lockout *lockout = make(3, 0);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(try(lockout, "192.0.2.1", "anna", 7, VERDICT_WRONG), OK);
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 8, VERDICT_WRONG), ERR_TOO_MANY_REQUESTS);
	cr_expect_gt(own.retry_after_s, 0);
	cr_expect_leq(own.retry_after_s, LONG_MS / 1000 + 1);
	cr_expect_eq(try(lockout, "192.0.2.2", "anna", 8, VERDICT_RIGHT), OK);
	cr_expect_eq(try(lockout, "192.0.2.1", "berta", 8, VERDICT_RIGHT), OK);
	lockout_free(lockout);
}

Test(lockout, a_name_in_another_case_is_the_same_name)
{
	struct lockout *lockout = make(2, 0);
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 1, VERDICT_WRONG), OK);
	cr_expect_eq(try(lockout, "192.0.2.1", "ANNA", 2, VERDICT_WRONG), OK);
	cr_expect_eq(try(lockout, "192.0.2.1", "Anna", 3, VERDICT_WRONG), ERR_TOO_MANY_REQUESTS);
	cr_expect_eq(try(lockout, "192.0.2.1", "anne", 3, VERDICT_WRONG), OK);
	lockout_free(lockout);
}

Test(lockout, who_was_right_before_passes_whatever_others_do)
{
	struct lockout *lockout = make(3, 5);
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 42, VERDICT_RIGHT), OK);
	for (int i = 0; i < 10; i++)
		(void)!try(lockout, "192.0.2.1", i % 2 ? "anna" : "berta", 1 + i, VERDICT_WRONG);
	cr_expect_eq(try(lockout, "192.0.2.1", "carla", 1, VERDICT_WRONG), ERR_TOO_MANY_REQUESTS);
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 42, VERDICT_RIGHT), OK);
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 43, VERDICT_RIGHT), ERR_TOO_MANY_REQUESTS);
	/* His password is another now: from then on he is nobody special. */
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 42, VERDICT_WRONG), OK);
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 42, VERDICT_WRONG), ERR_TOO_MANY_REQUESTS);
	lockout_free(lockout);
}

Test(lockout, only_wrong_ones_cost)
{
	struct lockout *lockout = make(2, 2);
	for (int i = 0; i < 50; i++) {
		cr_expect_eq(try(lockout, "192.0.2.1", "anna", 7, VERDICT_RIGHT), OK);
		cr_expect_eq(try(lockout, "192.0.2.1", "berta", 7, VERDICT_NONE), OK);
	}
	lockout_free(lockout);
}

Test(lockout, a_network_of_ipv6_is_one_address)
{
	struct lockout *lockout = make(0, 2);
	cr_expect_eq(try(lockout, "2001:db8::1", "anna", 1, VERDICT_WRONG), OK);
	cr_expect_eq(try(lockout, "2001:db8::ffff:2", "berta", 1, VERDICT_WRONG), OK);
	cr_expect_eq(try(lockout, "2001:db8::3", "carla", 1, VERDICT_WRONG), ERR_TOO_MANY_REQUESTS);
	cr_expect_eq(try(lockout, "2001:db8:0:1::3", "carla", 1, VERDICT_WRONG), OK);
	lockout_free(lockout);
}

Test(lockout, tokens_come_back_with_time)
{
	struct lockout *lockout = lockout_new(&(struct lockout_options){
		.name_attempts = 1, .name_interval_ms = 20, .at_once_max = 1, .entries_max = 8 });
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 1, VERDICT_WRONG), OK);
	int64_t until_ns = clock_now_ns() + 10 * CLOCK_S;
	while (try(lockout, "192.0.2.1", "anna", 1, VERDICT_RIGHT) != OK)
		cr_assert_lt(clock_now_ns(), until_ns);
	lockout_free(lockout);
}

/* Attempts that are under way have taken their tokens: a thousand at once are no way around. */
Test(lockout, attempts_at_once_count_and_are_bounded)
{
	struct lockout *lockout = make(100, 100);
	struct attempt attempts[5];
	for (int i = 0; i < 4; i++) {
		attempts[i] = (struct attempt){ .name = STR("anna"), .address = STR("unix") };
		cr_expect_eq(lockout_begin(&own, lockout, &attempts[i]), OK);
	}
	attempts[4] = (struct attempt){ .name = STR("berta"), .address = STR("192.0.2.9") };
	cr_expect_eq(lockout_begin(&own, lockout, &attempts[4]), ERR_BUSY);
	for (int i = 0; i < 4; i++)
		lockout_end(lockout, &attempts[i], VERDICT_NONE);
	lockout_free(lockout);
}

/* A flood of other names and addresses does not wash away who is guilty. */
Test(lockout, guilt_survives_a_flood)
{
	struct lockout *lockout = make(1, 0);
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 1, VERDICT_WRONG), OK);
	for (int i = 0; i < 20000; i++) {
		char name[32];
		snprintf(name, sizeof name, "name %d", i);
		cr_expect_eq(try(lockout, "192.0.2.7", name, 1, VERDICT_RIGHT), OK);
	}
	cr_expect_eq(try(lockout, "192.0.2.1", "anna", 1, VERDICT_WRONG), ERR_TOO_MANY_REQUESTS);
	lockout_free(lockout);
}

/* --- flights ---------------------------------------------------------------------------------- */

#define PASSENGERS 8

static struct flights *flights;
static _Atomic(int) joining, worked, answered;
static const unsigned char key[FLIGHT_KEY_BYTES] = { 1 };

static void *fly(void *unused)
{
	struct arena a;
	struct ctx c;
	arena_init(&a, MIB(1));
	ctx_init(&c, &a);
	{
		CLEANUP(flight_done) struct flight *flight = NULL;
		atomic_fetch_add(&joining, 1);
		cr_assert_eq(flight_join(&c, flights, key, &flight), OK);
		if (flight_leads(flight)) {
			atomic_fetch_add(&worked, 1);
			while (atomic_load(&joining) < PASSENGERS)
				poll(NULL, 0, 1);
			poll(NULL, 0, 50); /* they wait by now; who comes later flies alone */
			flight_land(flight, ERR_UNAUTHORIZED);
		} else if (flight_answer(flight) == ERR_UNAUTHORIZED) {
			atomic_fetch_add(&answered, 1);
		}
	}
	arena_done(&a);
	return NULL;
}

Test(lockout, one_works_for_all_who_ask_the_same)
{
	pthread_t threads[PASSENGERS];
	flights = flights_new();
	for (int i = 0; i < PASSENGERS; i++)
		pthread_create(&threads[i], NULL, fly, NULL);
	for (int i = 0; i < PASSENGERS; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(worked + answered, PASSENGERS);
	cr_expect_geq(answered, 1);
	flights_free(flights);
}

static void *wait_in_vain(void *unused)
{
	struct arena a;
	struct ctx c;
	struct flight *flight = NULL;
	arena_init(&a, MIB(1));
	ctx_init(&c, &a);
	c.deadline_ns = clock_now_ns() + 10 * CLOCK_MS;
	err_t err = flight_join(&c, flights, key, &flight);
	arena_done(&a);
	return (void *)(uintptr_t)err;
}

Test(lockout, who_waits_gives_up_at_his_deadline)
{
	struct flight *leader = NULL;
	pthread_t waiter;
	void *err;
	flights = flights_new();
	cr_assert_eq(flight_join(&own, flights, key, &leader), OK);
	pthread_create(&waiter, NULL, wait_in_vain, NULL);
	pthread_join(waiter, &err);
	cr_expect_eq((uintptr_t)err, ERR_DEADLINE);
	flight_done(&leader); /* without an answer: nobody waits for ever */
	flights_free(flights);
}

/* --- uses ------------------------------------------------------------------------------------- */

Test(lockout, uses_are_gathered_once_each_and_bounded)
{
	static struct uses uses;
	static struct use list[USES_MAX];
	uses_init(&uses);
	uses_note(&uses, 7, 1);
	uses_note(&uses, 7, 2);
	for (int i = 0; i < 2 * USES_MAX; i++)
		uses_note(&uses, 1000 + i, 3);
	cr_expect_eq(uses_take(&uses, list), USES_MAX);
	cr_expect_eq(list[0].id, 7);
	cr_expect_eq(list[0].at_us, 2);
	cr_expect_eq(uses_take(&uses, list), 0);
	uses_done(&uses);
}
