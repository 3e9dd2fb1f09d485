/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_hosts.c - see postgres_hosts.h. */
#include "postgres_hosts.h"
#include "postgres_library.h"

#include "base/buf.h"
#include "base/clock.h"
#include "os/resolve.h"
#include "driver.h"

#include <string.h>

#include "base/banned.h"

#define MEMORY_BYTES_MAX KIB(256)
#define LIST_BYTES_MAX	 KIB(64)

/* What the string says, and what the environment says where it does not. */
struct parameters {
	PQconninfoOption *given, *defaults;
};

static void parameters_done(struct parameters *parameters)
{
	libpq.PQconninfoFree(parameters->given);
	libpq.PQconninfoFree(parameters->defaults);
}

static str value_of(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return str_from(o->val);
	return STR_NONE;
}

static str parameter(const struct parameters *parameters, const char *keyword)
{
	str given = value_of(parameters->given, keyword);
	return given.len ? given : value_of(parameters->defaults, keyword);
}

/* Items of a list, separated by commas; an empty text is a list of one that is empty. The last one
 * has the rest when there are too many. */
static size_t split(str text, str items[POSTGRES_HOSTS_MAX])
{
	size_t count = 0;
	str item, rest;
	while (count < POSTGRES_HOSTS_MAX - 1 && str_cut(text, ',', &item, &rest)) {
		items[count++] = item;
		text = rest;
	}
	items[count++] = text;
	return count;
}

/* A path is a Unix socket's, and so is what begins with "@". */
static bool is_on_network(str host)
{
	return host.len && host.ptr[0] != '/' && host.ptr[0] != '@';
}

/* The three lists as they grow. */
struct lists {
	struct buf hosts, addresses, ports;
	size_t count;
};

static void lists_done(struct lists *lists)
{
	buf_done(&lists->hosts);
	buf_done(&lists->addresses);
	buf_done(&lists->ports);
}

static void add(struct lists *lists, str host, str address, str port)
{
	struct buf *const bufs[] = { &lists->hosts, &lists->addresses, &lists->ports };
	const str texts[] = { host, address, port };
	for (size_t i = 0; i < COUNT_OF(bufs); i++) {
		if (lists->count)
			buf_add_byte(bufs[i], ',');
		buf_add(bufs[i], texts[i]);
	}
	lists->count++;
}

static err_t add_host(struct ctx *ctx, struct lists *lists, str host, str port, int64_t until_ns)
{
	struct resolved found;
	char text[RESOLVE_TEXT_MAX];
	if (!is_on_network(host)) {
		add(lists, host, STR_NONE, port);
		return OK;
	}
	const struct resolve_query query = { .host = host, .until_ns = until_ns };
	TRY(resolve(ctx, &query, &found));
	for (size_t i = 0; i < found.count; i++)
		add(lists, host, resolved_text(&found.at[i], text), port);
	return OK;
}

/* Names that cannot be looked up are left out; the failure stays in ctx when none is left. */
static err_t add_hosts(struct ctx *ctx, struct lists *lists, const str *hosts, const str *ports,
		       const size_t counts[2], int64_t until_ns)
{
	for (size_t i = 0; i < counts[0]; i++) {
		int64_t now_ns = clock_now_ns();
		int64_t share_ns = (until_ns - now_ns) / (int64_t)(counts[0] - i + 1);
		err_t err = add_host(ctx, lists, hosts[i], ports[counts[1] > 1 ? i : 0],
				     now_ns + share_ns);
		if (err == ERR_DEADLINE || err == ERR_CANCELLED)
			return err;
		bool is_last = i + 1 == counts[0] && !lists->count;
		if (err != OK && !is_last)
			ctx_forgive(ctx);
	}
	if (lists->count)
		return OK;
	ctx->failure.code = ERR_DATABASE;
	ctx->failure.sys_errno = SQL_ERRNO_LOST;
	ctx_note(ctx, "could not connect to the database");
	return ERR_DATABASE;
}

static const char *keep(struct postgres_hosts *hosts, const struct buf *b)
{
	return arena_cstr(&hosts->memory, buf_str(b));
}

static err_t find(struct ctx *ctx, str host_list, str port_list, int64_t until_ns,
		  struct postgres_hosts *ret)
{
	str hosts[POSTGRES_HOSTS_MAX], ports[POSTGRES_HOSTS_MAX];
	const size_t counts[] = { split(host_list, hosts), split(port_list, ports) };
	CLEANUP(lists_done)
	struct lists lists = { BUF_INIT(LIST_BYTES_MAX), BUF_INIT(LIST_BYTES_MAX),
			       BUF_INIT(LIST_BYTES_MAX), 0 };
	bool any = false;
	for (size_t i = 0; i < counts[0]; i++)
		any = any || is_on_network(hosts[i]);
	if (!any || (counts[1] > 1 && counts[1] != counts[0]) ||
	    str_has_byte(hosts[counts[0] - 1], ','))
		return OK;
	TRY(add_hosts(ctx, &lists, hosts, ports, counts, until_ns));
	if (buf_overrun(&lists.hosts) || buf_overrun(&lists.addresses))
		return fail(ctx, ERR_CONFIG, "database.url names too many hosts");
	ret->hosts = keep(ret, &lists.hosts);
	ret->addresses = keep(ret, &lists.addresses);
	ret->ports = counts[1] > 1 ? keep(ret, &lists.ports) : NULL;
	return OK;
}

err_t postgres_hosts_find(struct ctx *ctx, const char *location, int64_t until_ns,
			  struct postgres_hosts *ret)
{
	CLEANUP(parameters_done)
	struct parameters from = { libpq.PQconninfoParse(location, NULL), libpq.PQconndefaults() };
	arena_init(&ret->memory, MEMORY_BYTES_MAX);
	if (!from.given || value_of(from.given, "service").len ||
	    parameter(&from, "hostaddr").len || !parameter(&from, "host").len)
		return OK;
	return find(ctx, parameter(&from, "host"), parameter(&from, "port"), until_ns, ret);
}

void postgres_hosts_done(struct postgres_hosts *hosts)
{
	arena_done(&hosts->memory);
}
