/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - one request and its response, as a handler sees them.
 *
 * A handler is an ordinary function on a thread of its own: it reads the request's fields, reads
 * the body with blocking calls, and answers exactly once. It knows nothing of sockets, TLS,
 * chunking, keep-alive or draining; the connection does.
 *
 * Reading, before the answer begins (what is unread by then is lost):
 *	while (exchange_read(x, block, sizeof block, &len) == OK && len) …
 * Answering, one of:
 *	exchange_answer(x, status, body)          bytes from memory
 *	exchange_answer_file(x, status, fd, …)    a range of a file (sendfile when the socket is
 * plain) exchange_begin(x, status, length) + exchange_write… + exchange_end(x) after
 * exchange_header() for each field. Date, Content-Length, Transfer-Encoding and Connection are the
 * server's. HEAD needs no care: bodies are counted, not sent. 204 and 304 have no body.
 *
 * ctx->deadline_ns is what the handler may take without moving bytes of a body: each read and write
 * sets it anew, and neither is ended by it (ctx_progress(); rates watch over them).
 *
 * Bytes of bodies move only while ctx->holds is zero (checked): no transaction, no lock waits for a
 * client. A body read or written beyond HTTP_TRANSFER_FREE bytes counts as a transfer; the server
 * admits a bounded number of those (ERR_BUSY beyond), so that slow clients never use up the
 * threads.
 *
 * Errors: ERR_UPLOAD_TRUNCATED (the peer closed inside the body), ERR_REQUEST_INVALID (broken
 * chunks), ERR_REQUEST_TOO_LARGE (more than `body_max`), ERR_REQUEST_TIMEOUT (idle too long, or
 * slower than the minimum rate), ERR_BUSY, ERR_PEER_GONE (writing, also to a reader
 * that is too slow), ERR_SHUTTING_DOWN, ERR_STORAGE (a file shorter than promised).
 */
#pragma once

#include "base/ctx.h"
#include "codec/cidr.h"
#include "codec/http_head.h"

#define HTTP_TRANSFER_FREE KIB(128)
#define HTTP_BODY_UNKNOWN  UINT64_MAX

struct connection;

struct exchange {
	struct ctx *ctx;
	const struct http_head *head;
	struct connection *connection;

	/* Who asks and how they named us, after PROXY protocol and trusted proxy headers. */
	str peer;		/* "192.0.2.1", "2001:db8::1", "unix" */
	str scheme;		/* "http" or "https" */
	str host;		/* never empty; the Host the client used */
	str client_certificate; /* DER, verified by us or by a trusted proxy; empty: none */

	uint64_t body_max_bytes; /* UINT64_MAX at first; a handler lowers it before reading */

	int64_t began_ns; /* clock_now_ns(), when its head was there */

	/* Filled while answering; read by the log. */
	int status;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	bool answered;
	bool close_after; /* a handler may set it */

	struct response_state *response; /* the server's own */
};

/* Whether `peer` is the client itself, and its address in `*ret`: not a proxy that we trust and
 * that did not say for whom it asks, not one that we do not trust and that says it is one, no
 * socket without addresses. */
bool exchange_client(const struct exchange *x, ip *ret);

/* Body length if announced, HTTP_BODY_UNKNOWN for chunked, 0 without a body. */
uint64_t exchange_body_length(const struct exchange *x);

/* Reads some bytes, at least one unless the body is at its end (`*ret_len` 0). Sends 100 Continue
 * first when the client waits for it. */
err_t exchange_read(struct exchange *x, void *into, size_t len, size_t *ret_len);

/* Reads the whole body into the arena; ERR_REQUEST_TOO_LARGE past `max_bytes`. */
err_t exchange_read_all(struct exchange *x, size_t max_bytes, str *ret_body);

/* Adds a response field. The value must not contain CR, LF or NUL (checked). */
void exchange_header(struct exchange *x, str name, str value);
void exchange_header_printf(struct exchange *x, str name, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Adds whole fields, "Name: value\r\n" each, made of constants and numbers: nothing is checked. For
 * what every answer has. */
void exchange_header_lines(struct exchange *x, str lines);
void exchange_clear_headers(struct exchange *x); /* before an error answer replaces a started one */

err_t exchange_answer(struct exchange *x, int status, str body);
err_t exchange_answer_file(struct exchange *x, int status, int fd, uint64_t offset, uint64_t len);

/* `length` HTTP_BODY_UNKNOWN sends chunks (or closes, for HTTP/1.0). */
err_t exchange_begin(struct exchange *x, int status, uint64_t length);
err_t exchange_write(struct exchange *x, str bytes);
err_t exchange_write_file(struct exchange *x, int fd, uint64_t offset, uint64_t len);
err_t exchange_end(struct exchange *x);
