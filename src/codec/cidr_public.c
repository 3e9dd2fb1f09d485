/* SPDX-License-Identifier: Apache-2.0 */
/* cidr_public.c - which addresses are the whole world's; see ip_is_public(). */
#include "codec/cidr.h"

#include "base/banned.h"

#define V4(a, b, c, bits)                                                                          \
	{                                                                                          \
		{ { [10] = 0xff, [11] = 0xff, [12] = (a), [13] = (b), [14] = (c) } }, 96 + (bits)  \
	}
#define V6(bits, ...)                                                                              \
	{                                                                                          \
		{ { __VA_ARGS__ } }, (bits)                                                        \
	}

/* IANA's registries of special-purpose addresses, multicast, and what carries IPv4 inside. */
static const struct cidr special[] = {
	V4(0, 0, 0, 8),
	V4(10, 0, 0, 8),
	V4(100, 64, 0, 10),
	V4(127, 0, 0, 8),
	V4(169, 254, 0, 16),
	V4(172, 16, 0, 12),
	V4(192, 0, 0, 24),
	V4(192, 0, 2, 24),
	V4(192, 88, 99, 24),
	V4(192, 168, 0, 16),
	V4(198, 18, 0, 15),
	V4(198, 51, 100, 24),
	V4(203, 0, 113, 24),
	V4(224, 0, 0, 4),
	V4(240, 0, 0, 4),
	V6(96, 0),			      /* ::/96 */
	V6(96, 0x00, 0x64, 0xff, 0x9b),	      /* 64:ff9b::/96 */
	V6(48, 0x00, 0x64, 0xff, 0x9b, 0, 1), /* 64:ff9b:1::/48 */
	V6(64, 0x01),			      /* 100::/64 */
	V6(23, 0x20, 0x01),		      /* 2001::/23 */
	V6(32, 0x20, 0x01, 0x0d, 0xb8),	      /* 2001:db8::/32 */
	V6(16, 0x20, 0x02),		      /* 2002::/16 */
	V6(20, 0x3f, 0xff),		      /* 3fff::/20 */
	V6(16, 0x5f),			      /* 5f00::/16 */
	V6(7, 0xfc),			      /* fc00::/7 */
	V6(10, 0xfe, 0x80),		      /* fe80::/10 */
	V6(10, 0xfe, 0xc0),		      /* fec0::/10 */
	V6(8, 0xff),			      /* ff00::/8 */
};

bool ip_is_public(ip address)
{
	const struct cidr_list list = { (struct cidr *)(uintptr_t)special, COUNT_OF(special) };
	return !cidr_list_has(&list, address);
}
