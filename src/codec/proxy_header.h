/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy_header.h - the PROXY protocol, versions 1 and 2: who really connected, said by a load
 * balancer in front of the first byte of the connection (specification of HAProxy,
 * proxy-protocol.txt).
 */
#pragma once

#include "codec/cidr.h"

#define PROXY_HEADER_BYTES_MAX KIB(4)

struct proxy_header {
	bool has_source; /* false: LOCAL, UNKNOWN or another family; keep the socket's own peer */
	ip source;
	uint16_t source_port;
};

enum proxy_parse {
	PROXY_PARSE_DONE,
	PROXY_PARSE_MORE,
	PROXY_PARSE_BROKEN,
};

/* Parses the header at the start of `bytes`; `*ret_len` is its length, at most
 * PROXY_HEADER_BYTES_MAX. */
enum proxy_parse proxy_header_parse(str bytes, struct proxy_header *ret, size_t *ret_len);
