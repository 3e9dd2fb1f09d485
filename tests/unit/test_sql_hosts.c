/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers a connection string names, and what libpq is told about each. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "os/fault.h"
#include "sql/postgres_hosts.h"
#include "sql/postgres_servers.h"
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

/* "hosts|addresses", or "|" for what is left to libpq. */
static str told(const char *host)
{
	struct postgres_hosts hosts;
	err_t err = postgres_hosts_find(&ctx, host, clock_now_ns() + 20 * CLOCK_S, &hosts);
	cr_assert_eq(err, OK, "%s: %s", host, ctx.failure.detail);
	return arena_printf(&arena, "%s|%s", hosts.hosts, hosts.addresses);
}

static void expect(const char *host, const char *want)
{
	str got = told(host);
	cr_expect(str_eq(got, str_from(want)), "%s: " STR_FMT, host, STR_ARG(got));
}

/* "host,address,port" of each server, and "-" for what is left to libpq. */
static void expect_servers(const char *location, const char *want)
{
	struct postgres_servers servers;
	str got = STR_NONE;
	postgres_servers_init(&servers, location);
	for (size_t i = 0; i < servers.count; i++) {
		const struct postgres_server *s = &servers.list[i];
		got = arena_printf(&arena, STR_FMT "%s%s,%s,%s", STR_ARG(got), i ? " " : "",
				   s->host ? s->host : "-", s->address ? s->address : "-",
				   s->port ? s->port : "-");
	}
	postgres_servers_done(&servers);
	cr_expect(str_eq(got, str_from(want)), "%s: " STR_FMT, location, STR_ARG(got));
}

Test(sql_hosts, each_server_of_the_string_stands_for_itself)
{
	expect_servers("postgresql:///db", "-,-,-");
	expect_servers("postgresql:///db?service=main", "-,-,-");
	expect_servers("postgresql://[", "-,-,-");
	expect_servers("postgresql://one:1,[::1]:2/db", "one,-,1 ::1,-,2");
	expect_servers("host=one,/run/a port=5433", "one,-,5433 /run/a,-,5433");
	expect_servers("host=one,two hostaddr=192.0.2.1,192.0.2.2 port=1",
		       "one,192.0.2.1,1 two,192.0.2.2,1");
}

Test(sql_hosts, the_environment_says_what_the_string_does_not)
{
	setenv("PGPORT", "7", 1);
	setenv("PGHOST", "other", 1);
	expect_servers("postgresql:///db", "other,-,7");
	expect_servers("postgresql://one/db", "one,-,7");
	setenv("PGHOSTADDR", "192.0.2.8", 1);
	expect_servers("postgresql://one:1/db", "one,192.0.2.8,1");
}

Test(sql_hosts, sockets_are_left_to_libpq)
{
	expect("/run/postgresql", "|");
	expect("@abstract", "|");
	expect("", "|");
}

Test(sql_hosts, names_stand_beside_their_addresses)
{
	expect("127.0.0.1", "127.0.0.1|127.0.0.1");
	expect("::1", "::1|::1");
	str got = told("localhost");
	cr_expect(str_eq(got, STR("localhost|127.0.0.1")) || str_eq(got, STR("localhost|::1")) ||
			  str_eq(got, STR("localhost,localhost|::1,127.0.0.1")),
		  STR_FMT, STR_ARG(got));
}

static err_t find_until(const char *host, int ms)
{
	struct postgres_hosts hosts;
	return postgres_hosts_find(&ctx, host, clock_now_ns() + ms * CLOCK_MS, &hosts);
}

Test(sql_hosts, a_name_that_leads_nowhere_is_worth_another_try)
{
	fault_setup("resolve.lookup:1=errno:5");
	cr_expect_eq(find_until("gone.example", 20000), ERR_DATABASE);
	cr_expect_eq(ctx.failure.sys_errno, SQL_ERRNO_LOST);
}

Test(sql_hosts, a_resolver_that_never_answers_takes_its_share_of_the_time)
{
	fault_setup("resolve.lookup:1=wait:60000,resolve.lookup:1=wait:60000");
	cr_expect_eq(find_until("slow.example", 100), ERR_DATABASE);
	cr_expect_eq(ctx.failure.sys_errno, SQL_ERRNO_LOST, "worth another try");
	ctx_forgive(&ctx);
	ctx.deadline_ns = clock_now_ns() + 50 * CLOCK_MS;
	cr_expect_eq(find_until("slow.example", 60000), ERR_DEADLINE);
}
