/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - the host of a Host field or of an absolute target (RFC 9110 §7.2, RFC 3986 §3.2.2), in
 * the one form in which it is compared: lower case, no port, no dot at the end, addresses as
 * RFC 5952 writes them and without brackets.
 *
 * A name is what DNS can have (RFC 1123 §2.1; "_" besides, as service names have it): up to 253
 * bytes in labels of 1 to 63, of which the last is not all digits: that would be an address.
 */
#pragma once

#include "base/str.h"

#define HOST_BYTES_MAX 253

struct host {
	char text[HOST_BYTES_MAX];
	size_t len;
	bool has_port; /* a colon and perhaps digits came after it */
};

/* False, and nothing set, when it is neither a name nor an address. */
bool host_read(str text, struct host *ret);

static inline str host_str(const struct host *host)
{
	return (str){ host->text, host->len };
}
