/* SPDX-License-Identifier: Apache-2.0 */
/* What libpq is told about the servers that a connection string names. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "os/fault.h"
#include "sql/postgres_hosts.h"
#include "sql/postgres_library.h"
#include "sql/driver.h"

static struct arena arena;
static struct ctx ctx;

static void start(void)
{
	static const char *const variables[] = { "PGHOST",    "PGHOSTADDR", "PGPORT",
						 "PGSERVICE", "PGDATABASE", "PGUSER" };
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		unsetenv(variables[i]);
	cr_assert_eq(pq_open(&ctx), OK);
}

static void stop(void)
{
	arena_done(&arena);
}

TestSuite(sql_hosts, .init = start, .fini = stop);

/* "hosts|addresses|ports", and "-" for what is left to libpq. */
static str told(const char *location)
{
	CLEANUP(postgres_hosts_done) struct postgres_hosts hosts = { 0 };
	err_t err = postgres_hosts_find(&ctx, location, clock_now_ns() + 20 * CLOCK_S, &hosts);
	cr_assert_eq(err, OK, "%s: %s", location, ctx.failure.detail);
	return arena_printf(&arena, "%s|%s|%s", hosts.hosts ? hosts.hosts : "-",
			    hosts.addresses ? hosts.addresses : "-",
			    hosts.ports ? hosts.ports : "-");
}

static void expect(const char *location, const char *want)
{
	str got = told(location);
	cr_expect(str_eq(got, str_from(want)), "%s: " STR_FMT, location, STR_ARG(got));
}

Test(sql_hosts, what_is_left_to_libpq)
{
	expect("postgresql:///db", "-|-|-");
	expect("postgresql:///db?host=/run/postgresql", "-|-|-");
	expect("postgresql://%2Frun%2Fa,%2Frun%2Fb/db", "-|-|-");
	expect("postgresql://nowhere.invalid/db?hostaddr=192.0.2.7", "-|-|-");
	expect("postgresql:///db?service=main", "-|-|-");
	expect("postgresql://127.0.0.1:1,127.0.0.2:2/db?port=1,2,3", "-|-|-");
	expect("postgresql://[", "-|-|-");
}

Test(sql_hosts, names_stand_beside_their_addresses)
{
	expect("postgresql://127.0.0.1/db", "127.0.0.1|127.0.0.1|-");
	expect("host=127.0.0.1,/run/a,::1 port=5433", "127.0.0.1,/run/a,::1|127.0.0.1,,::1|-");
	expect("postgresql://127.0.0.1:1,[::1]:2/db", "127.0.0.1,::1|127.0.0.1,::1|1,2");
	str got = told("postgresql://localhost:7,127.0.0.2:8/db");
	cr_expect(str_eq(got, STR("localhost,127.0.0.2|127.0.0.1,127.0.0.2|7,8")) ||
			  str_eq(got, STR("localhost,localhost,127.0.0.2|::1,127.0.0.1,127.0.0.2|7,"
					  "7,8")) ||
			  str_eq(got, STR("localhost,127.0.0.2|::1,127.0.0.2|7,8")),
		  STR_FMT, STR_ARG(got));
	setenv("PGHOST", "127.0.0.9", 1);
	expect("postgresql:///db", "127.0.0.9|127.0.0.9|-");
	expect("postgresql://127.0.0.1/db", "127.0.0.1|127.0.0.1|-");
	setenv("PGHOSTADDR", "127.0.0.8", 1);
	expect("postgresql:///db", "-|-|-");
}

Test(sql_hosts, a_name_that_leads_nowhere_is_left_out)
{
	fault_setup("resolve.lookup:1=errno:5");
	expect("postgresql://gone.example:1,127.0.0.2:2/db", "127.0.0.2|127.0.0.2|2");
}

static err_t find_until(const char *location, int ms)
{
	CLEANUP(postgres_hosts_done) struct postgres_hosts hosts = { 0 };
	return postgres_hosts_find(&ctx, location, clock_now_ns() + ms * CLOCK_MS, &hosts);
}

Test(sql_hosts, a_resolver_that_never_answers_takes_its_share_of_the_time)
{
	fault_setup("resolve.lookup:1=wait:60000,resolve.lookup:1=wait:60000");
	cr_expect_eq(find_until("postgresql://slow.example/db", 100), ERR_DATABASE);
	cr_expect_eq(ctx.failure.sys_errno, SQL_ERRNO_LOST, "worth another try");
	ctx_forgive(&ctx);
	/* The second name has its turn although the first one hangs. */
	cr_expect_eq(find_until("postgresql://slow.example,127.0.0.1/db", 300), OK);
	ctx.deadline_ns = clock_now_ns() + 50 * CLOCK_MS;
	cr_expect_eq(find_until("postgresql://slow.example/db", 60000), ERR_DEADLINE);
}
