/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_header.c - see proxy_header.h. */
#include "codec/proxy_header.h"

#include <string.h>

#include "base/banned.h"

#define V1_BYTES_MAX  107
#define V2_HEAD_BYTES 16

static const str v1_signature = STR_INIT("PROXY ");
static const str v2_signature = STR_INIT("\r\n\r\n\0\r\nQUIT\n");

static bool is_start_of(str bytes, str signature)
{
	return str_has_prefix(signature, str_take(bytes, signature.len));
}

/* TCP4|TCP6 source destination source-port destination-port */
static bool parse_v1_words(str words, struct proxy_header *ret)
{
	str family, source, destination, source_port, destination_port;
	uint64_t port, unused_port;
	ip unused_ip;
	if (!str_cut(words, ' ', &family, &words) || !str_cut(words, ' ', &source, &words) ||
	    !str_cut(words, ' ', &destination, &words) ||
	    !str_cut(words, ' ', &source_port, &destination_port))
		return false;
	bool v6 = str_eq(family, STR("TCP6"));
	if (!v6 && !str_eq(family, STR("TCP4")))
		return false;
	if (str_has_byte(source, ':') != v6 || str_has_byte(destination, ':') != v6)
		return false;
	if (!ip_parse(source, &ret->source) || !ip_parse(destination, &unused_ip))
		return false;
	if (!str_to_u64(source_port, 65535, &port) ||
	    !str_to_u64(destination_port, 65535, &unused_port))
		return false;
	ret->has_source = true;
	ret->source_port = (uint16_t)port;
	return true;
}

static enum proxy_parse parse_v1(str bytes, struct proxy_header *ret, size_t *ret_len)
{
	const char *end = memchr(bytes.ptr, '\n', MIN(bytes.len, (size_t)V1_BYTES_MAX));
	if (!end)
		return bytes.len < V1_BYTES_MAX ? PROXY_PARSE_MORE : PROXY_PARSE_BROKEN;
	size_t len = (size_t)(end - bytes.ptr) + 1;
	if (end[-1] != '\r')
		return PROXY_PARSE_BROKEN;
	str words = str_skip(str_take(bytes, len - 2), v1_signature.len);
	struct proxy_header header = { 0 };
	bool unknown = str_eq(words, STR("UNKNOWN")) || str_has_prefix(words, STR("UNKNOWN "));
	if (!unknown && !parse_v1_words(words, &header))
		return PROXY_PARSE_BROKEN;
	*ret = header;
	*ret_len = len;
	return PROXY_PARSE_DONE;
}

static bool parse_v2_addresses(uint8_t family, str body, struct proxy_header *ret)
{
	const uint8_t *at = (const uint8_t *)body.ptr;
	size_t address_bytes;
	if (family == 0x11 && body.len >= 12) {
		ret->source = ip_from_v4(at);
		address_bytes = 4;
	} else if (family == 0x21 && body.len >= 36) {
		ret->source = ip_from_v6(at);
		address_bytes = 16;
	} else {
		/* Other families are not ours to read; the two we know must be complete. */
		return family != 0x11 && family != 0x21;
	}
	ret->has_source = true;
	ret->source_port = (uint16_t)(at[2 * address_bytes] << 8 | at[2 * address_bytes + 1]);
	return true;
}

static enum proxy_parse parse_v2(str bytes, struct proxy_header *ret, size_t *ret_len)
{
	if (bytes.len < V2_HEAD_BYTES)
		return PROXY_PARSE_MORE;
	const uint8_t *head = (const uint8_t *)bytes.ptr;
	uint8_t version = head[12] >> 4, command = head[12] & 0x0F, family = head[13];
	size_t len = V2_HEAD_BYTES + ((size_t)head[14] << 8 | head[15]);
	if (version != 2 || command > 1 || len > PROXY_HEADER_BYTES_MAX)
		return PROXY_PARSE_BROKEN;
	if (bytes.len < len)
		return PROXY_PARSE_MORE;
	struct proxy_header header = { 0 };
	str body = str_skip(str_take(bytes, len), V2_HEAD_BYTES);
	if (command == 1 && !parse_v2_addresses(family, body, &header))
		return PROXY_PARSE_BROKEN;
	*ret = header;
	*ret_len = len;
	return PROXY_PARSE_DONE;
}

enum proxy_parse proxy_header_parse(str bytes, struct proxy_header *ret, size_t *ret_len)
{
	if (bytes.len >= v1_signature.len && is_start_of(bytes, v1_signature))
		return parse_v1(bytes, ret, ret_len);
	if (bytes.len >= v2_signature.len && is_start_of(bytes, v2_signature))
		return parse_v2(bytes, ret, ret_len);
	bool may_become = is_start_of(bytes, v1_signature) || is_start_of(bytes, v2_signature);
	return may_become ? PROXY_PARSE_MORE : PROXY_PARSE_BROKEN;
}
