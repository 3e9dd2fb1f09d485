/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_chunked.h - the frame of a chunked body (RFC 9112 §7.1), without its bytes.
 *
 * The decoder eats size lines, extensions and trailers; the data between them never passes through
 * it, so that a caller can read it straight to where it belongs:
 *
 *	switch (http_chunked_frame(&c, &bytes)) {
 *	case HTTP_CHUNKED_DATA: … up to c.left_bytes bytes of data follow; http_chunked_took(&c,
 * count); case HTTP_CHUNKED_MORE: … get more bytes case HTTP_CHUNKED_END:  … the body and its
 * trailers are through; `bytes` is what follows
 *
 * Strict: CRLF only, hexadecimal digits without blanks, at most 16 of them and at most INT64_MAX.
 * Extensions and trailers are checked, bounded over the whole body, and thrown away.
 */
#pragma once

#include "base/str.h"

#define HTTP_CHUNKED_EXTENSION_BYTES_MAX KIB(16)
#define HTTP_CHUNKED_TRAILER_BYTES_MAX	 KIB(8)

struct http_chunked {
	uint64_t left_bytes; /* of the current chunk's data */
	unsigned char state;
	unsigned char digits;
	uint16_t extension_bytes;
	uint16_t trailer_bytes;
};
#define HTTP_CHUNKED_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

enum http_chunked_step {
	HTTP_CHUNKED_DATA,
	HTTP_CHUNKED_MORE,
	HTTP_CHUNKED_END,
	HTTP_CHUNKED_BROKEN, /* and stays so */
};

/* Eats framing off the front of `*bytes`. Works for any split of the input. */
enum http_chunked_step http_chunked_frame(struct http_chunked *c, str *bytes);

/* `count` bytes of data were read, at most c->left_bytes. */
void http_chunked_took(struct http_chunked *c, uint64_t count);
