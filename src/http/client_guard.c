/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_guard.c - where a client may connect, so that a URL somebody else chose reaches nothing
 * that only this machine can reach.
 */
#include "client_internal.h"

#include <netinet/in.h>

#include "base/banned.h"

bool client_may_connect(const struct client *client, ip address)
{
	return !client->options.guard || cidr_list_has(&client->allow, address) ||
	       ip_is_public(address);
}

bool client_may_connect_to(const struct client *client, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	if (address->sa_family == AF_INET)
		return client_may_connect(client, ip_from_v4((const uint8_t *)&v4->sin_addr));
	return address->sa_family == AF_INET6 &&
	       client_may_connect(client, ip_from_v6((const uint8_t *)&v6->sin6_addr));
}

/* "localhost", "x.localhost" and names without a dot are this machine's or this network's own. */
static bool is_local_name(str host)
{
	if (str_has_suffix(host, STR(".")))
		host = str_take(host, host.len - 1);
	return !str_has_byte(host, '.') ||
	       (host.len > 10 && str_eq_nocase(str_skip(host, host.len - 10), STR(".localhost")));
}

bool client_may_name(const struct client *client, str host)
{
	ip address;
	if (!client->options.guard)
		return true;
	if (ip_parse_with_port(host, &address))
		return client_may_connect(client, address);
	return !is_local_name(host);
}
