/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres_hosts.h - the addresses of one server, looked up by a deadline; private to sql.
 *
 * libpq looks names up with a call that cannot be interrupted. So they are looked up here
 * (os/resolve.h), for every connection anew, and libpq is told both: `host` stays, because
 * certificates, Kerberos and the password file go by it, and `hostaddr` is where it connects. A
 * name with several addresses stands once for each, as libpq tries all of one name too; one port
 * counts for all of them.
 *
 * Unix sockets are left to libpq.
 */
#pragma once

#include "base/ctx.h"
#include "os/resolve.h"

/* Lists as libpq reads them, separated by commas; both empty when nothing is to be said. */
struct postgres_hosts {
	char hosts[RESOLVE_ADDRESSES_MAX * (RESOLVE_NAME_MAX + 1)];
	char addresses[RESOLVE_ADDRESSES_MAX * RESOLVE_TEXT_MAX];
};

/*
 * ERR_DATABASE with SQL_ERRNO_LOST when the name has no address or could not be looked up in half
 * of the time until then (the other half is for connecting); ctx's ERR_DEADLINE and ERR_CANCELLED.
 */
err_t postgres_hosts_find(struct ctx *ctx, const char *host, int64_t until_ns,
			  struct postgres_hosts *ret);
