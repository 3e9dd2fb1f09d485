/* SPDX-License-Identifier: Apache-2.0 */
/* Names of hosts: addresses written out, look-ups that end in time although the resolver does not,
 * and how many there may be. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "os/fault.h"
#include "os/resolve.h"

static struct arena arena;
static struct ctx ctx;

static void start(void)
{
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
}

static void stop(void)
{
	arena_done(&arena);
}

TestSuite(resolve, .init = start, .fini = stop);

static err_t look_up(const char *host, int ms, int64_t owner, struct resolved *ret)
{
	struct resolve_query query = { .host = str_from(host),
				       .port = 389,
				       .until_ns = clock_now_ns() + ms * CLOCK_MS,
				       .owner = owner };
	return resolve(&ctx, &query, ret);
}

static void expect(const char *host, int ms, int64_t owner, err_t want)
{
	struct resolved found;
	err_t err = look_up(host, ms, owner, &found);
	cr_expect_eq(err, want, "%s: %d, %s", host, err, ctx.failure.detail);
	ctx_forgive(&ctx);
}

Test(resolve, addresses_are_their_own_answer)
{
	static const struct {
		const char *host, *text;
	} cases[] = { { "127.0.0.1", "127.0.0.1" },
		      { "[2001:db8::1]", "2001:db8::1" },
		      { "::ffff:10.1.2.3", "::ffff:10.1.2.3" },
		      { "127.1", "127.0.0.1" },
		      { "0x7f000001", "127.0.0.1" } };
	char text[RESOLVE_TEXT_MAX];
	struct resolved found;
	fault_setup("resolve.lookup:1=kill"); /* nobody looks anything up */
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cr_assert_eq(look_up(cases[i].host, 0, 0, &found), OK, "%s", cases[i].host);
		cr_expect_eq(found.count, 1);
		cr_expect(str_eq(resolved_text(&found.at[0], text), str_from(cases[i].text)));
	}
}

Test(resolve, a_name_has_its_addresses_and_the_port)
{
	struct resolved found;
	cr_assert_eq(look_up("localhost", 20000, 0, &found), OK, "%s", ctx.failure.detail);
	cr_assert_gt(found.count, 0);
	for (size_t i = 0; i < found.count; i++) {
		char text[RESOLVE_TEXT_MAX];
		str address = resolved_text(&found.at[i], text);
		cr_expect(str_has_prefix(address, STR("127.")) || str_eq(address, STR("::1")));
	}
}

Test(resolve, what_cannot_be_a_name)
{
	static char many[RESOLVE_NAME_MAX + 2];
	struct resolved found;
	memset(many, 'a', sizeof many - 1);
	expect(many, 1000, 0, ERR_REQUEST_INVALID);
	expect("", 1000, 0, ERR_REQUEST_INVALID);
	struct resolve_query query = { .host = STR("a\0b"), .until_ns = INT64_MAX };
	cr_expect_eq(resolve(&ctx, &query, &found), ERR_REQUEST_INVALID);
}

Test(resolve, a_resolver_that_fails)
{
	fault_setup("resolve.lookup:1=errno:5,thread.start:1=errno:11");
	expect("first.example", 20000, 0, ERR_BUSY);
	expect("first.example", 20000, 0, ERR_UPSTREAM_UNREACHABLE);
	expect("localhost", 20000, 0, OK);
}

Test(resolve, a_resolver_that_never_answers_is_left_behind)
{
	fault_setup("resolve.lookup:1=wait:60000");
	expect("localhost", 50, 0, ERR_UPSTREAM_UNREACHABLE);
	/* Who asks for the same joins him who waits; another owner does not. */
	expect("localhost", 50, 0, ERR_UPSTREAM_UNREACHABLE);
	expect("localhost", 20000, 7, OK);
}

Test(resolve, the_deadline_and_the_end_of_the_work_count)
{
	_Atomic(bool) cancelled = true;
	fault_setup("resolve.lookup:1=wait:60000");
	ctx.deadline_ns = clock_now_ns() + 50 * CLOCK_MS;
	expect("localhost", 60000, 0, ERR_DEADLINE);
	ctx.deadline_ns = 0;
	ctx.cancelled = &cancelled;
	expect("localhost", 60000, 0, ERR_CANCELLED);
}

Test(resolve, names_of_one_owner_take_no_more_than_their_share)
{
	char waits[RESOLVE_OWNER_MAX * 40] = "", host[32];
	for (int i = 1; i <= RESOLVE_OWNER_MAX; i++)
		snprintf(waits + strlen(waits), sizeof waits - strlen(waits),
			 "%sresolve.lookup:1=wait:60000", i > 1 ? "," : "");
	fault_setup(waits); /* each rule stops the first that the rules before it let through */
	for (int i = 1; i <= RESOLVE_OWNER_MAX; i++) {
		snprintf(host, sizeof host, "slow-%d.example", i);
		expect(host, 20, 7, ERR_UPSTREAM_UNREACHABLE);
	}
	expect("localhost", 20, 7, ERR_UPSTREAM_UNREACHABLE);
	expect("localhost", 20000, 8, OK);
}

static void *join_in(void *arg)
{
	struct ctx own;
	struct arena memory;
	struct resolved found;
	arena_init(&memory, MIB(1));
	ctx_init(&own, &memory);
	struct resolve_query query = { .host = STR("localhost"),
				       .until_ns = clock_now_ns() + 60 * CLOCK_S };
	*(err_t *)arg = resolve(&own, &query, &found);
	arena_done(&memory);
	return NULL;
}

/* A second look-up would fail: of many who ask at a time, all get the answer of the one. */
Test(resolve, who_asks_the_same_waits_for_the_same_answer)
{
	pthread_t threads[8];
	err_t said[COUNT_OF(threads)];
	fault_setup("resolve.lookup:1=wait:700,resolve.lookup:2=errno:5");
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, join_in, &said[i]), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], NULL);
		cr_expect_eq(said[i], OK);
	}
}
