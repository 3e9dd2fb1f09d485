/* SPDX-License-Identifier: Apache-2.0 */
/* http_chunked.c - see http_chunked.h. One byte, one step; data is never stepped through. */
#include "codec/http_chunked.h"
#include "base/error.h"
#include "codec/http_head.h"

#include "base/banned.h"

#define DIGITS_MAX 16

enum state {
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START, /* at the start of a line behind the last chunk */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	END,
	BROKEN,
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum state step_size(struct http_chunked *c, char byte)
{
	int value = hex_value(byte);
	if (value >= 0) {
		if (++c->digits > DIGITS_MAX || c->left_bytes > (uint64_t)INT64_MAX >> 4)
			return BROKEN;
		c->left_bytes = c->left_bytes << 4 | (unsigned)value;
		return SIZE;
	}
	if (c->digits == 0)
		return BROKEN;
	return byte == '\r' ? SIZE_LF : byte == ';' ? EXTENSION : BROKEN;
}

static enum state step_extension(struct http_chunked *c, char byte)
{
	if (byte == '\r')
		return SIZE_LF;
	bool fits = ++c->extension_bytes <= HTTP_CHUNKED_EXTENSION_BYTES_MAX;
	return fits && http_value_is_valid((str){ &byte, 1 }) ? EXTENSION : BROKEN;
}

static enum state step_trailer(struct http_chunked *c, char byte)
{
	if (++c->trailer_bytes > HTTP_CHUNKED_TRAILER_BYTES_MAX)
		return BROKEN;
	if (c->state == TRAILER_VALUE) {
		if (byte == '\r')
			return TRAILER_LF;
		return http_value_is_valid((str){ &byte, 1 }) ? TRAILER_VALUE : BROKEN;
	}
	if (c->state == TRAILER_START && byte == '\r')
		return END_LF;
	if (c->state == TRAILER_NAME && byte == ':')
		return TRAILER_VALUE;
	return http_token_is_valid((str){ &byte, 1 }) ? TRAILER_NAME : BROKEN;
}

static enum state step(struct http_chunked *c, char byte)
{
	switch ((enum state)c->state) {
	case SIZE:
		return step_size(c, byte);
	case EXTENSION:
		return step_extension(c, byte);
	case SIZE_LF:
		c->digits = 0;
		return byte != '\n' ? BROKEN : c->left_bytes ? DATA : TRAILER_START;
	case DATA_CR:
		return byte == '\r' ? DATA_LF : BROKEN;
	case DATA_LF:
		return byte == '\n' ? SIZE : BROKEN;
	case TRAILER_START:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return step_trailer(c, byte);
	case TRAILER_LF:
		return byte == '\n' ? TRAILER_START : BROKEN;
	case END_LF:
		return byte == '\n' ? END : BROKEN;
	case DATA:
	case END:
	case BROKEN:
		break;
	}
	return BROKEN;
}

enum http_chunked_step http_chunked_frame(struct http_chunked *c, str *bytes)
{
	while (c->state != DATA && c->state != END && c->state != BROKEN) {
		if (bytes->len == 0)
			return HTTP_CHUNKED_MORE;
		c->state = (unsigned char)step(c, bytes->ptr[0]);
		*bytes = str_skip(*bytes, 1);
	}
	return c->state == DATA	 ? HTTP_CHUNKED_DATA
	       : c->state == END ? HTTP_CHUNKED_END
				 : HTTP_CHUNKED_BROKEN;
}

void http_chunked_took(struct http_chunked *c, uint64_t count)
{
	CHECK(c->state == DATA && count <= c->left_bytes);
	c->left_bytes -= count;
	if (c->left_bytes == 0)
		c->state = DATA_CR;
}
