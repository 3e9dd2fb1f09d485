/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_proxy_header.c - PROXY headers: a verdict, once given, holds for every longer input. */
#include "base/error.h"
#include "codec/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str whole = { (const char *)bytes, len };
	struct proxy_header header;
	size_t header_len = 0, early_len = 0;
	enum proxy_parse verdict = proxy_header_parse(whole, &header, &header_len);
	if (verdict == PROXY_PARSE_DONE)
		CHECK(header_len <= len && header_len <= PROXY_HEADER_BYTES_MAX);
	for (size_t take = 0; take < len && take < PROXY_HEADER_BYTES_MAX; take++) {
		enum proxy_parse early =
			proxy_header_parse(str_take(whole, take), &header, &early_len);
		CHECK(early == PROXY_PARSE_MORE || early == verdict);
		CHECK(early != PROXY_PARSE_DONE || early_len == header_len);
	}

	ip address;
	char text[IP_TEXT_MAX];
	if (ip_parse_with_port(whole, &address)) {
		ip again;
		CHECK(ip_parse(ip_format(address, text), &again));
	}
	return 0;
}
