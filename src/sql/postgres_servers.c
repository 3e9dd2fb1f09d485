/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_servers.c - see postgres_servers.h. */
#include "postgres_servers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "os/backoff.h"
#include "os/thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define CONNECT_MAX_NS (10 * CLOCK_S)

/* --- which there are -------------------------------------------------------------------------- */

static str find_option(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val)
			return str_from(o->val);
	return STR_NONE;
}

static size_t count_items(str list)
{
	size_t count = list.len ? 1 : 0;
	for (size_t i = 0; i < list.len; i++)
		count += list.ptr[i] == ',';
	return count;
}

/* The item at `at`; the last one of a shorter list, as libpq reads a single port for many hosts. */
static char *copy_item(str list, size_t at)
{
	str item = STR_NONE;
	for (size_t i = 0; i <= at; i++)
		if (!str_next(&list, ',', &item))
			break;
	return item.len ? mem_copy(item) : NULL;
}

void postgres_servers_init(struct postgres_servers *servers, const char *location)
{
	CLEANUP(pq_options_done) PQconninfoOption *given = libpq.PQconninfoParse(location, NULL);
	CLEANUP(pq_options_done) PQconninfoOption *defaults = libpq.PQconndefaults();
	str host = find_option(given, "host"), address = find_option(given, "hostaddr");
	str port = find_option(given, "port");
	bool elsewhere = find_option(given, "service").len > 0; /* it may name them */
	if (!host.len && !elsewhere)
		host = find_option(defaults, "host");
	if (!address.len && !elsewhere)
		address = find_option(defaults, "hostaddr");
	if (!port.len)
		port = find_option(defaults, "port");
	size_t named = MAX(count_items(host), count_items(address));

	*servers = (struct postgres_servers){ .location = mem_copy(str_from(location)),
					      .count = MAX(named, (size_t)1) };
	servers->list = mem_new(servers->count * sizeof *servers->list);
	for (size_t i = 0; i < named; i++)
		servers->list[i] =
			(struct postgres_server){ copy_item(host, i), copy_item(address, i),
						  copy_item(port, i) };
	CHECK(pthread_mutex_init(&servers->lock, NULL) == 0);
}

void postgres_servers_done(struct postgres_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++) {
		free(servers->list[i].host);
		free(servers->list[i].address);
		free(servers->list[i].port);
	}
	free(servers->list);
	free(servers->location);
	pthread_mutex_destroy(&servers->lock);
}

/* --- what was found --------------------------------------------------------------------------- */

/* Whoever failed before need not wait any longer. */
static void begin_anew(struct postgres_servers *servers)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&servers->lock);
	servers->reading.next_ns = 0;
	servers->writing.next_ns = 0;
}

void postgres_servers_found(struct postgres_servers *servers, enum sql_reach reach)
{
	enum sql_reach before = atomic_exchange(&servers->reach, reach);
	if (before == reach)
		return;
	atomic_fetch_add(&servers->generation, 1);
	begin_anew(servers);
	if (reach == SQL_REACH_ALL)
		LOG(LOG_NOTICE, "the database can be written again");
	else if (reach == SQL_REACH_READ)
		LOG(LOG_WARN, "the database can only be read: pulls go on, pushes are refused");
	else
		LOG(LOG_ERROR, "no server of the database answers: what is in memory is served");
}

/* --- trying again ----------------------------------------------------------------------------- */

static int64_t backoff_ns(unsigned failures)
{
	return backoff_ms(failures, POSTGRES_BACKOFF_MIN_MS, POSTGRES_BACKOFF_MAX_MS) * CLOCK_MS;
}

static bool take_turn(struct postgres_servers *servers, struct postgres_attempts *attempts)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&servers->lock);
	if (!attempts->failures)
		return true;
	if (attempts->trying || clock_now_ns() < attempts->next_ns)
		return false;
	attempts->trying = true;
	return true;
}

static void end_turn(struct postgres_servers *servers, struct postgres_attempts *attempts,
		     bool good)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&servers->lock);
	attempts->trying = false;
	attempts->failures = good ? 0 : attempts->failures + 1;
	if (!good)
		attempts->next_ns = clock_now_ns() + backoff_ns(attempts->failures);
}

static void leave_turn(struct postgres_servers *servers, struct postgres_attempts *attempts)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&servers->lock);
	attempts->trying = false;
}

static err_t refuse(struct ctx *ctx, bool writes)
{
	ctx->retry_after_s = MAX(ctx->retry_after_s, 1u);
	if (writes)
		return fail(ctx, ERR_DATABASE_READ_ONLY, "no server of the database can write");
	return fail(ctx, ERR_DATABASE, "no server of the database answers");
}

err_t postgres_servers_check_writes(struct ctx *ctx, struct postgres_servers *servers)
{
	if (atomic_load(&servers->reach) != SQL_REACH_READ)
		return OK;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&servers->lock);
	const struct postgres_attempts *attempts = &servers->writing;
	bool wait = attempts->failures && (attempts->trying || clock_now_ns() < attempts->next_ns);
	return wait ? refuse(ctx, true) : OK;
}

/* --- connecting ------------------------------------------------------------------------------- */

static size_t newest(struct postgres_servers *servers)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&servers->lock);
	return servers->newest;
}

static void set_newest(struct postgres_servers *servers, size_t at)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&servers->lock);
	servers->newest = at;
}

/* Asks one after the other. `*ret` is the best that was found, NULL when none lets us in. */
static void ask_all(struct ctx *ctx, const struct sql *db, struct postgres_servers *servers,
		    bool writes, struct postgres_connection **ret)
{
	size_t first = newest(servers);
	int64_t until_ns = clock_now_ns() + CONNECT_MAX_NS;
	if (ctx->deadline_ns)
		until_ns = MIN(until_ns, ctx->deadline_ns);
	bool any_will_do = !writes && atomic_load(&servers->reach) == SQL_REACH_READ;
	*ret = NULL;
	for (size_t i = 0; i < servers->count; i++) {
		size_t at = (first + i) % servers->count;
		struct postgres_connection *c;
		int64_t limit_ns = MIN(until_ns, clock_now_ns() + POSTGRES_SERVER_MAX_NS);
		if (postgres_connect(ctx, db, servers, at, limit_ns, &c) != OK)
			continue;
		if (*ret && !c->writable) {
			postgres_disconnect(c);
			continue;
		}
		postgres_disconnect(*ret);
		*ret = c;
		set_newest(servers, at);
		if (c->writable || any_will_do)
			return;
	}
}

static err_t connect_any(struct ctx *ctx, const struct sql *db, struct postgres_servers *servers,
			 bool writes, struct postgres_connection **ret)
{
	struct postgres_connection *c;
	ask_all(ctx, db, servers, writes, &c);
	if (!c) {
		TRY(ctx_check(ctx)); /* the caller had no time: that says nothing of the servers */
		return ctx->failure.code;
	}
	ctx_forgive(ctx); /* others did not let us in */
	postgres_servers_found(servers, c->writable ? SQL_REACH_ALL : SQL_REACH_READ);
	c->generation = atomic_load(&servers->generation);
	if (writes && !c->writable) {
		postgres_disconnect(c);
		return refuse(ctx, true);
	}
	*ret = c;
	return OK;
}

err_t postgres_servers_connect(struct ctx *ctx, const struct sql *db,
			       struct postgres_servers *servers, bool writes,
			       struct postgres_connection **ret)
{
	if (writes && !take_turn(servers, &servers->writing))
		return refuse(ctx, true);
	if (!take_turn(servers, &servers->reading)) {
		if (writes)
			leave_turn(servers, &servers->writing);
		return refuse(ctx, false);
	}
	err_t err = connect_any(ctx, db, servers, writes, ret);
	end_turn(servers, &servers->reading, err == OK || err == ERR_DATABASE_READ_ONLY);
	if (writes)
		end_turn(servers, &servers->writing, err == OK);
	return err;
}
