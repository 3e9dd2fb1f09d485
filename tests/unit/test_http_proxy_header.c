/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_proxy_header.c - PROXY protocol headers and the addresses in them. */
#include "codec/proxy_header.h"

#include <criterion/criterion.h>
#include <string.h>

static bool says(str bytes, const char *expected, size_t rest_len)
{
	struct proxy_header header;
	size_t len = 0;
	char text[IP_TEXT_MAX];
	for (size_t take = 0; take < bytes.len - rest_len; take++)
		if (proxy_header_parse(str_take(bytes, take), &header, &len) != PROXY_PARSE_MORE)
			return false;
	if (proxy_header_parse(bytes, &header, &len) != PROXY_PARSE_DONE)
		return false;
	if (len != bytes.len - rest_len || header.has_source != (expected != NULL))
		return false;
	return !expected || str_eq(ip_format(header.source, text), str_from(expected));
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

Test(proxy_header, version_1)
{
	cr_assert(says(STR("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET"), "192.0.2.1", 3));
	cr_assert(says(STR("PROXY TCP6 2001:DB8::1 ::1 1 65535\r\n"), "2001:db8::1", 0));
	cr_assert(says(STR("PROXY UNKNOWN\r\n"), NULL, 0));
	cr_assert(says(STR("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), NULL, 0));
}

Test(proxy_header, version_2)
{
	cr_assert(says(STR(SIGNATURE
			   "\x21\x11\x00\x0C\xC0\x00\x02\x01\xC6\x33\x64\x01\x12\x34\x01\xBB"
			   "GET"),
		       "192.0.2.1", 3));
	cr_assert(says(STR(SIGNATURE "\x21\x21\x00\x24"
				     "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"
				     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x34\x01\xBB"),
		       "2001:db8::1", 0));
	/* With a TLV behind the addresses; LOCAL; a Unix socket's addresses. */
	cr_assert(says(STR(SIGNATURE
			   "\x21\x11\x00\x0F\xC0\x00\x02\x01\xC6\x33\x64\x01\x12\x34\x01\xBB"
			   "\x04\x00\x00"),
		       "192.0.2.1", 0));
	cr_assert(says(STR(SIGNATURE "\x20\x00\x00\x00"), NULL, 0));
	cr_assert(says(STR(SIGNATURE "\x21\x31\x00\x01z"), NULL, 0));
}

Test(proxy_header, broken_ones)
{
	static const str rows[] = {
		STR_INIT("GET / HTTP/1.1\r\n"),
		STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"),
		STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n"),
		STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n"),
		STR_INIT("PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n"),
		STR_INIT("PROXY TCP4 ::1 ::1 1 2\r\n"),
		STR_INIT("PROXY TCP6 192.0.2.1 192.0.2.1 1 2\r\n"),
		STR_INIT("PROXY TCP5 192.0.2.1 192.0.2.1 1 2\r\n"),
		STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n"),
		STR_INIT("PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n"),
		STR_INIT("PROXY UNKNOWNX\r\n"),
		STR_INIT("PROXY UNKNOWN "
			 "0123456789012345678901234567890123456789012345678901234567890"
			 "12345678901234567890123456789012345678901234567890"),
		STR_INIT(SIGNATURE "\x11\x11\x00\x0C"),
		STR_INIT(SIGNATURE "\x22\x11\x00\x0C"),
		STR_INIT(SIGNATURE "\x21\x11\xFF\xFF"),
		STR_INIT(SIGNATURE "\x21\x11\x00\x01z"),
		STR_INIT("\r\n\r\n\0\r\nQUIT!"),
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct proxy_header header;
		size_t len;
		cr_expect_eq(proxy_header_parse(rows[i], &header, &len), PROXY_PARSE_BROKEN,
			     "row %zu", i);
	}
}

static bool list_has(const char *list, const char *address)
{
	struct arena arena;
	arena_init(&arena, KIB(64));
	struct cidr_list ranges;
	ip parsed;
	cr_assert(cidr_list_parse(&arena, str_from(list), &ranges), "%s", list);
	cr_assert(ip_parse(str_from(address), &parsed), "%s", address);
	bool has = cidr_list_has(&ranges, parsed);
	arena_done(&arena);
	return has;
}

Test(cidr, membership)
{
	cr_assert(list_has("10.0.0.0/8, 192.0.2.1", "10.255.0.1"));
	cr_assert(list_has("10.0.0.0/8, 192.0.2.1", "192.0.2.1"));
	cr_assert(list_has("10.0.0.0/8 192.0.2.0/25", "192.0.2.127"));
	cr_assert_not(list_has("192.0.2.0/25", "192.0.2.128"));
	cr_assert_not(list_has("", "127.0.0.1"));
	cr_assert(list_has("0.0.0.0/0", "8.8.8.8"));
	cr_assert_not(list_has("0.0.0.0/0", "2001:db8::1"));
	cr_assert(list_has("2001:db8::/33", "2001:db8:7fff::1"));
	cr_assert_not(list_has("2001:db8::/33", "2001:db8:8000::1"));
	cr_assert(list_has("::ffff:10.0.0.1", "10.0.0.1"), "mapped addresses are IPv4");
}

Test(cidr, lists_that_do_not_parse)
{
	static const char *const rows[] = { "10.0.0.0/33", "10.0.0/8",	"::/129",
					    "a",	   "10.0.0.1/", "10.0.0.1/-1" };
	struct arena arena;
	arena_init(&arena, KIB(64));
	struct cidr_list ranges;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		cr_expect_not(cidr_list_parse(&arena, str_from(rows[i]), &ranges), "%s", rows[i]);
	arena_done(&arena);
}

Test(cidr, addresses_as_proxies_write_them)
{
	static const struct {
		const char *text;
		const char *expected; /* NULL: not an address */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1:80", "192.0.2.1" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "[2001:db8::1]:443", "2001:db8::1" },
		{ "unknown", NULL },
		{ "_hidden", NULL },
		{ "192.0.2.1:x", NULL },
		{ "[192.0.2.1", NULL },
		{ "", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		ip address;
		char text[IP_TEXT_MAX];
		bool parsed = ip_parse_with_port(str_from(rows[i].text), &address);
		cr_expect_eq(parsed, rows[i].expected != NULL, "%s", rows[i].text);
		if (parsed && rows[i].expected)
			cr_expect(str_eq(ip_format(address, text), str_from(rows[i].expected)));
	}
}
