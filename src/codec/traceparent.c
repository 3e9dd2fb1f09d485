/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent.c - see traceparent.h. */
#include "codec/traceparent.h"
#include "codec/hex.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

/* Takes `len` bytes written in lower-case hex off `*rest`. */
static bool take_hex(str *rest, unsigned char *into, size_t len)
{
	if (rest->len < 2 * len || !hex_decode(str_take(*rest, 2 * len), into))
		return false;
	*rest = str_skip(*rest, 2 * len);
	return true;
}

static bool take_dash(str *rest)
{
	bool is_there = rest->len && rest->ptr[0] == '-';
	*rest = str_skip(*rest, is_there);
	return is_there;
}

static uint64_t big_endian(const unsigned char bytes[8])
{
	uint64_t number = 0;
	for (size_t i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

bool traceparent_parse(str header, struct trace *ret)
{
	static const unsigned char zeros[TRACE_ID_BYTES];
	unsigned char version, flags, span[8];
	struct trace trace = { 0 };
	str rest = header;
	if (!take_hex(&rest, &version, 1) || version == 0xff || !take_dash(&rest) ||
	    !take_hex(&rest, trace.id, TRACE_ID_BYTES) || !take_dash(&rest) ||
	    !take_hex(&rest, span, sizeof span) || !take_dash(&rest) || !take_hex(&rest, &flags, 1))
		return false;
	if (rest.len && (version == 0 || rest.ptr[0] != '-'))
		return false;
	trace.span = big_endian(span);
	trace.sampled = flags & 1;
	if (!trace.span || memcmp(trace.id, zeros, sizeof zeros) == 0)
		return false;
	*ret = trace;
	return true;
}

str traceparent_format(const struct trace *trace, char into[TRACEPARENT_LEN + 1])
{
	char id[2 * TRACE_ID_BYTES];
	hex_encode((str){ (const char *)trace->id, TRACE_ID_BYTES }, id);
	snprintf(into, TRACEPARENT_LEN + 1, "00-%.*s-%016llx-%02x", (int)sizeof id, id,
		 (unsigned long long)trace->span, trace->sampled);
	return (str){ into, TRACEPARENT_LEN };
}

str traceparent_of_all(const struct trace *trace, char into[TRACEPARENT_LEN + 1])
{
	if (!trace)
		return STR_NONE;
	struct trace all = *trace;
	all.span = trace->root;
	return traceparent_format(&all, into);
}

str trace_id_text(struct arena *arena, const struct trace *trace)
{
	char text[2 * TRACE_ID_BYTES];
	if (!trace || !trace->sampled)
		return STR_NONE;
	hex_encode((str){ (const char *)trace->id, TRACE_ID_BYTES }, text);
	return arena_copy(arena, (str){ text, sizeof text });
}

bool tracestate_is_valid(str header)
{
	for (size_t i = 0; i < header.len; i++)
		if (header.ptr[i] < ' ' || header.ptr[i] > '~')
			return false;
	return header.len && header.len <= TRACESTATE_LEN_MAX;
}
