/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_connect.h - connected sockets to directories, made here and not by libldap: it looks names
 * up past any deadline, and connects wherever they lead.
 */
#pragma once

#include "auth/ldap_link.h"
#include "codec/host.h"

/* "ldap://host[:port]" or "ldaps://…" taken apart, with "/" at the end or not; the port is the
 * usual one when there is none. False for anything else. */
bool ldap_url_read(str url, struct host *ret_host, uint16_t *ret_port);

/*
 * One of a server's URLs: the first of its addresses that takes the connection, of those that it
 * may have (http/outbound.h), until `until_ns`. ERR_UPSTREAM_UNREACHABLE, ERR_UPSTREAM_FORBIDDEN,
 * ERR_BUSY, and ctx's. Fault point: ldap.connect.
 */
err_t ldap_connect_to(struct ctx *ctx, const struct ldap_server *server, str url, int64_t until_ns,
		      int *ret_fd);
