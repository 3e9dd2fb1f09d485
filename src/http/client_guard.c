/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_guard.c - which addresses are the whole world's (IANA's special-purpose registries, RFC
 * 6890), so that a URL somebody else chose reaches nothing that only this machine can reach.
 *
 * Addresses that carry an IPv4 address inside (NAT64, 6to4, IPv4-compatible) are not the world's
 * either: what they lead to depends on this network.
 */
#include "client_internal.h"

#include <pthread.h>

#include "base/banned.h"

/* As text, and read once: the table is then the registry's. */
static const char special[] =
	"0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, "
	"192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, "
	"198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4, "
	"::/96, 64:ff9b::/96, 64:ff9b:1::/48, 100::/64, 2001::/23, 2001:db8::/32, 2002::/16, "
	"3fff::/20, 5f00::/16, fc00::/7, fe80::/10, fec0::/10, ff00::/8";

static struct cidr_list special_list;
static struct arena special_memory;

static void read_special(void)
{
	arena_init(&special_memory, KIB(64));
	CHECK(cidr_list_parse(&special_memory, str_from(special), &special_list));
}

bool client_may_connect(const struct client *client, ip address)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (!client->options.guard || cidr_list_has(&client->allow, address))
		return true;
	pthread_once(&once, read_special);
	return !cidr_list_has(&special_list, address);
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
