/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cidr.h - IP addresses as values, and lists of address ranges.
 *
 * An IPv4 address is kept as its IPv4-mapped IPv6 form, so there is one kind of address and one way
 * to compare. Text follows RFC 5952 for IPv6 and the dotted quad for IPv4.
 */
#pragma once

#include "base/arena.h"

typedef struct ip {
	uint8_t bytes[16];
} ip;

#define IP_TEXT_MAX 46

ip ip_from_v4(const uint8_t bytes[4]);
ip ip_from_v6(const uint8_t bytes[16]);

/* "192.0.2.1" or "2001:db8::1"; no brackets, no port, no zone. */
bool ip_parse(str text, ip *ret);
/* The same with what proxies put around it: "[2001:db8::1]", "[2001:db8::1]:443", "192.0.2.1:80".
 */
bool ip_parse_with_port(str text, ip *ret);

/* What tells one customer from another, for counting: all of an IPv4 address and the /64 of an IPv6
 * one, because a customer has at least that much; the text itself when it is no address ("unix").
 */
str ip_customer(str address, ip *into);

/* Formats into the caller's array and returns a view of it. */
str ip_format(ip address, char into[IP_TEXT_MAX]);

/* One that the whole world can reach: in none of IANA's special-purpose registries (RFC 6890), and
 * no multicast. What carries an IPv4 address inside (NAT64, 6to4, IPv4-compatible) is not: what it
 * leads to depends on the network here. */
bool ip_is_public(ip address);

struct cidr {
	ip network;
	unsigned prefix_bits; /* of 128 */
};

struct cidr_list {
	struct cidr *items;
	size_t count;
};

#define CIDR_LIST_MAX 256

/* "10.0.0.0/8, 2001:db8::/32, 192.0.2.1": separated by commas or blanks. False when one does not
 * parse. */
bool cidr_list_parse(struct arena *arena, str text, struct cidr_list *ret);
bool cidr_list_has(const struct cidr_list *list, ip address);

/* The same with the word "unix" for every peer on a Unix socket. */
struct peer_list {
	struct cidr_list ranges;
	bool has_unix;
};
bool peer_list_parse(struct arena *arena, str text, struct peer_list *ret);
/* `peer` is an address as ip_format() writes it, or "unix". */
bool peer_list_has(const struct peer_list *list, str peer);
