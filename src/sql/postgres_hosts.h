/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres_hosts.h - the addresses of the servers that a connection string names, looked up by a
 * deadline; private to sql.
 *
 * libpq looks names up with a call that cannot be interrupted. So they are looked up here
 * (os/resolve.h), for every connection anew, and libpq is told both: `host` stays, because
 * certificates, Kerberos and the password file go by it, and `hostaddr` is where it connects. A
 * name with several addresses stands once for each, as libpq tries all of one name too; a name that
 * leads nowhere is left out when others do not.
 *
 * Left to libpq: addresses and Unix sockets when there are no names, a string that does not parse
 * or gives hostaddr itself, lists of hosts and ports that do not fit together or are longer than
 * POSTGRES_HOSTS_MAX, and a service that the string names (what PGSERVICE and the other variables
 * say is seen).
 */
#pragma once

#include "base/ctx.h"

#define POSTGRES_HOSTS_MAX 64

/* All NULL when nothing is to be said. In `memory`. */
struct postgres_hosts {
	const char *hosts, *addresses, *ports; /* `ports` NULL: as the string says */
	struct arena memory;
};

/*
 * ERR_DATABASE with SQL_ERRNO_LOST when no name has an address or none could be looked up until
 * then, ctx's ERR_DEADLINE and ERR_CANCELLED. A name gets an equal share of the time, and a share
 * is left for connecting.
 */
err_t postgres_hosts_find(struct ctx *ctx, const char *location, int64_t until_ns,
			  struct postgres_hosts *ret);
void postgres_hosts_done(struct postgres_hosts *hosts); /* CLEANUP; zeroed is fine */
