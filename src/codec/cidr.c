/* SPDX-License-Identifier: Apache-2.0 */
/* cidr.c - see cidr.h. */
#include "codec/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/banned.h"

#define V6_CUSTOMER_BYTES 8

static const uint8_t mapped_prefix[12] = { [10] = 0xFF, [11] = 0xFF };

ip ip_from_v4(const uint8_t bytes[4])
{
	ip address;
	memcpy(address.bytes, mapped_prefix, sizeof mapped_prefix);
	memcpy(address.bytes + 12, bytes, 4);
	return address;
}

ip ip_from_v6(const uint8_t bytes[16])
{
	ip address;
	memcpy(address.bytes, bytes, 16);
	return address;
}

static bool is_v4(ip address)
{
	return memcmp(address.bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool ip_parse(str text, ip *ret)
{
	char terminated[IP_TEXT_MAX];
	uint8_t bytes[16];
	if (text.len == 0 || text.len >= sizeof terminated || str_has_byte(text, '\0'))
		return false;
	memcpy(terminated, text.ptr, text.len);
	terminated[text.len] = '\0';
	if (inet_pton(AF_INET, terminated, bytes) == 1)
		*ret = ip_from_v4(bytes);
	else if (inet_pton(AF_INET6, terminated, bytes) == 1)
		*ret = ip_from_v6(bytes);
	else
		return false;
	return true;
}

bool ip_parse_with_port(str text, ip *ret)
{
	str address, port;
	uint64_t number;
	if (ip_parse(text, ret))
		return true;
	if (!str_has_suffix(text, STR("]"))) {
		if (!str_cut_last(text, ':', &address, &port) || !str_to_u64(port, 65535, &number))
			return false;
		text = address;
	}
	if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
		text = str_take(str_skip(text, 1), text.len - 2);
	else if (str_has_byte(text, ':'))
		return false;
	return ip_parse(text, ret);
}

str ip_customer(str address, ip *into)
{
	if (!ip_parse(address, into))
		return address;
	size_t len = is_v4(*into) ? sizeof into->bytes : V6_CUSTOMER_BYTES;
	return (str){ (const char *)into->bytes, len };
}

str ip_format(ip address, char into[IP_TEXT_MAX])
{
	const char *text = is_v4(address)
				   ? inet_ntop(AF_INET, address.bytes + 12, into, IP_TEXT_MAX)
				   : inet_ntop(AF_INET6, address.bytes, into, IP_TEXT_MAX);
	return str_from(text);
}

static bool cidr_parse(str text, struct cidr *ret)
{
	str address = text, bits_text = STR_NONE;
	bool has_bits = str_cut(text, '/', &address, &bits_text);
	if (!ip_parse(address, &ret->network))
		return false;
	uint64_t family_bits = str_has_byte(address, ':') ? 128 : 32;
	uint64_t bits = family_bits;
	if (has_bits && !str_to_u64(bits_text, family_bits, &bits))
		return false;
	ret->prefix_bits = (unsigned)(128 - family_bits + bits);
	return true;
}

bool cidr_list_parse(struct arena *arena, str text, struct cidr_list *ret)
{
	struct cidr items[CIDR_LIST_MAX];
	size_t count = 0;
	for (str piece; str_next(&text, ',', &piece);) {
		str rest = str_trim(piece);
		for (str word; str_next(&rest, ' ', &word);) {
			if (word.len == 0)
				continue;
			if (count == CIDR_LIST_MAX || !cidr_parse(word, &items[count]))
				return false;
			count++;
		}
	}
	ret->items = ARENA_ARRAY(arena, struct cidr, count);
	ret->count = count;
	if (count)
		memcpy(ret->items, items, count * sizeof items[0]);
	return true;
}

static bool cidr_has(const struct cidr *range, ip address)
{
	size_t whole = range->prefix_bits / 8;
	unsigned rest = range->prefix_bits % 8;
	if (memcmp(range->network.bytes, address.bytes, whole) != 0)
		return false;
	return rest == 0 || (range->network.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0;
}

bool cidr_list_has(const struct cidr_list *list, ip address)
{
	for (size_t i = 0; i < list->count; i++)
		if (cidr_has(&list->items[i], address))
			return true;
	return false;
}

bool peer_list_parse(struct arena *arena, str text, struct peer_list *ret)
{
	struct peer_list list = { 0 };
	struct cidr *items = ARENA_ARRAY(arena, struct cidr, CIDR_LIST_MAX);
	for (str item; str_next(&text, ',', &item);) {
		struct cidr_list one;
		if (str_eq(str_trim(item), STR("unix"))) {
			list.has_unix = true;
			continue;
		}
		if (!cidr_list_parse(arena, item, &one) ||
		    one.count > CIDR_LIST_MAX - list.ranges.count)
			return false;
		for (size_t i = 0; i < one.count; i++)
			items[list.ranges.count++] = one.items[i];
	}
	list.ranges.items = items;
	*ret = list;
	return true;
}

bool peer_list_has(const struct peer_list *list, str peer)
{
	ip address;
	if (!ip_parse(peer, &address))
		return list->has_unix;
	return cidr_list_has(&list->ranges, address);
}
