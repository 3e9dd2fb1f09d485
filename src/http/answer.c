/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c - the response: head, body from memory, files or pieces. See exchange.h.
 *
 * A head waits for the first bytes of its body and goes out with them, in one system call.
 */
#include "base/clock.h"
#include "http/wire.h"
#include "http/worker.h"
#include "os/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define SMALL_FILE_BYTES KIB(64) /* up to here a copy is cheaper than sendfile */
#define STARTED_WAIT_MS	 10000	 /* for a transfer slot, when the answer has begun */

static str reason_of(int status)
{
	static const struct {
		int status;
		str text;
	} reasons[] = {
		{ 200, STR_INIT("OK") },
		{ 201, STR_INIT("Created") },
		{ 202, STR_INIT("Accepted") },
		{ 204, STR_INIT("No Content") },
		{ 206, STR_INIT("Partial Content") },
		{ 301, STR_INIT("Moved Permanently") },
		{ 302, STR_INIT("Found") },
		{ 303, STR_INIT("See Other") },
		{ 304, STR_INIT("Not Modified") },
		{ 307, STR_INIT("Temporary Redirect") },
		{ 308, STR_INIT("Permanent Redirect") },
		{ 400, STR_INIT("Bad Request") },
		{ 401, STR_INIT("Unauthorized") },
		{ 403, STR_INIT("Forbidden") },
		{ 404, STR_INIT("Not Found") },
		{ 405, STR_INIT("Method Not Allowed") },
		{ 406, STR_INIT("Not Acceptable") },
		{ 408, STR_INIT("Request Timeout") },
		{ 409, STR_INIT("Conflict") },
		{ 411, STR_INIT("Length Required") },
		{ 412, STR_INIT("Precondition Failed") },
		{ 413, STR_INIT("Content Too Large") },
		{ 414, STR_INIT("URI Too Long") },
		{ 415, STR_INIT("Unsupported Media Type") },
		{ 416, STR_INIT("Range Not Satisfiable") },
		{ 417, STR_INIT("Expectation Failed") },
		{ 422, STR_INIT("Unprocessable Content") },
		{ 429, STR_INIT("Too Many Requests") },
		{ 431, STR_INIT("Request Header Fields Too Large") },
		{ 500, STR_INIT("Internal Server Error") },
		{ 501, STR_INIT("Not Implemented") },
		{ 502, STR_INIT("Bad Gateway") },
		{ 503, STR_INIT("Service Unavailable") },
		{ 504, STR_INIT("Gateway Timeout") },
		{ 505, STR_INIT("HTTP Version Not Supported") },
		{ 507, STR_INIT("Insufficient Storage") },
	};
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return STR("Status");
}

void exchange_header(struct exchange *x, str name, str value)
{
	CHECK(!x->response->begun);
	CHECK(http_token_is_valid(name));
	CHECK(http_value_is_valid(value));
	struct buf *fields = &x->response->fields;
	buf_add(fields, name);
	buf_add(fields, STR(": "));
	buf_add(fields, value);
	buf_add(fields, STR("\r\n"));
}

void exchange_header_lines(struct exchange *x, str lines)
{
	CHECK(!x->response->begun);
	buf_add(&x->response->fields, lines);
}

void exchange_header_printf(struct exchange *x, str name, const char *format, ...)
{
	CLEANUP(buf_done) struct buf value = BUF_INIT(KIB(64));
	va_list args;
	va_start(args, format);
	buf_vprintf(&value, format, args);
	va_end(args);
	CHECK(!buf_overrun(&value));
	exchange_header(x, name, buf_str(&value));
}

void exchange_clear_headers(struct exchange *x)
{
	CHECK(!x->response->begun);
	buf_clear(&x->response->fields);
}

/* The line with the date, made once per second and thread. */
static str date_line(struct worker *worker)
{
	int64_t now_us = clock_wall_us();
	if (now_us / 1000000 != worker->date_s) {
		char date[CLOCK_HTTP_MAX];
		str text = clock_http_date(now_us, date);
		worker->date_s = now_us / 1000000;
		worker->date_len = (size_t)snprintf(worker->date, sizeof worker->date,
						    "Date: " STR_FMT "\r\n", STR_ARG(text));
	}
	return (str){ worker->date, worker->date_len };
}

/* Whether the connection ends after this answer; the client is told in its head. */
static bool is_closing(struct exchange *x)
{
	const struct connection *c = x->connection;
	return x->close_after || x->response->broken || !x->head->keep_alive || c->expired ||
	       atomic_load_explicit(&c->server->leaving, memory_order_relaxed) ||
	       !exchange_settle_body(x);
}

static void add_framing(struct exchange *x, uint64_t length)
{
	struct response_state *r = x->response;
	struct buf *head = &r->head;
	bool unknown = length == HTTP_BODY_UNKNOWN;
	r->chunked = unknown && x->head->minor_version >= 1 && !r->bodiless;
	if (unknown && !r->chunked && !r->bodiless)
		r->closing = true; /* the end of the connection is the end of the body */
	if (!unknown && x->status != 204 && x->status != 304) {
		buf_add(head, STR("Content-Length: "));
		buf_add_u64(head, length);
		buf_add(head, STR("\r\n"));
	}
	if (unknown && x->head->minor_version >= 1 && x->status != 204 && x->status != 304)
		buf_add(head, STR("Transfer-Encoding: chunked\r\n"));
	if (r->closing)
		buf_add(head, STR("Connection: close\r\n"));
	else if (x->head->minor_version == 0)
		buf_add(head, STR("Connection: keep-alive\r\n"));
}

err_t exchange_begin(struct exchange *x, int status, uint64_t length)
{
	struct response_state *r = x->response;
	CHECK(!r->begun);
	CHECK(status >= 200 && status <= 599);
	bool bodiless = x->head->method == HTTP_HEAD || status == 204 || status == 304;
	if (!bodiless && length != HTTP_BODY_UNKNOWN && length > HTTP_TRANSFER_FREE)
		TRY(transfer_admit(x, 0));
	if (buf_overrun(&r->fields))
		return fail(x->ctx, ERR_INTERNAL, "answer has too many header fields");

	r->begun = x->answered = true;
	r->bodiless = bodiless;
	r->left_bytes = length;
	r->closing = is_closing(x);
	r->head_pending = true;
	x->status = status;
	struct buf *head = &r->head;
	buf_add(head, STR("HTTP/1.1 "));
	buf_add_u64(head, (uint64_t)status);
	buf_add_byte(head, ' ');
	buf_add(head, reason_of(status));
	buf_add(head, STR("\r\n"));
	buf_add(head, date_line(r->worker));
	buf_add(head, buf_str(&r->fields));
	add_framing(x, length);
	buf_add(head, STR("\r\n"));
	CHECK(!buf_overrun(head));
	return OK;
}

/* What cannot be taken back any more makes the connection useless. */
static err_t spoil(struct exchange *x, err_t err)
{
	if (err != OK)
		x->response->broken = true;
	return err;
}

/* Sends the head if it still waits, and up to three pieces with it. */
static err_t send_pieces(struct exchange *x, const str *pieces, size_t count, bool more)
{
	struct response_state *r = x->response;
	struct iovec places[4];
	size_t used = 0;
	if (r->head_pending)
		places[used++] = (struct iovec){ r->head.ptr, r->head.len };
	r->head_pending = false;
	for (size_t i = 0; i < count; i++)
		if (pieces[i].len)
			places[used++] =
				(struct iovec){ (void *)(uintptr_t)pieces[i].ptr, pieces[i].len };
	if (used == 0)
		return OK;
	return spoil(x, wire_send(x->connection, x->ctx, places, used, more));
}

/* Admits `len` more bytes of body. `*ret_send` false: counted, not sent. */
static err_t admit(struct exchange *x, uint64_t len, bool *ret_send)
{
	struct response_state *r = x->response;
	CHECK(r->begun && !r->ended);
	CHECK(x->ctx->holds == 0);
	if (r->left_bytes != HTTP_BODY_UNKNOWN) {
		CHECK(len <= r->left_bytes);
		r->left_bytes -= len;
	}
	*ret_send = !r->bodiless && len > 0;
	if (*ret_send && !r->has_slot && x->sent_bytes + len > HTTP_TRANSFER_FREE)
		return spoil(x, transfer_admit(x, STARTED_WAIT_MS));
	return OK;
}

/* The last bytes of an answer are mostly its only ones: no look at the clock then. */
static void count_sent(struct exchange *x, uint64_t len)
{
	x->sent_bytes += len;
	if (x->response->left_bytes)
		ctx_progress(x->ctx);
}

static str chunk_head(uint64_t len, char into[24])
{
	return (str){ into, (size_t)snprintf(into, 24, "%llx\r\n", (unsigned long long)len) };
}

err_t exchange_write(struct exchange *x, str bytes)
{
	struct response_state *r = x->response;
	bool send;
	char number[24];
	TRY(admit(x, bytes.len, &send));
	if (!send)
		return OK;
	str pieces[3] = { STR_NONE, bytes, STR_NONE };
	if (r->chunked) {
		pieces[0] = chunk_head(bytes.len, number);
		pieces[2] = STR("\r\n");
	}
	TRY(send_pieces(x, pieces, COUNT_OF(pieces), false));
	count_sent(x, bytes.len);
	return OK;
}

/* A copy of a small range goes out with the head. */
static err_t write_small_file(struct exchange *x, int fd, uint64_t offset, size_t len)
{
	size_t got;
	char *block = worker_block(x->response->worker);
	TRY(spoil(x, file_read_at(x->ctx, fd, offset, block, len, &got)));
	if (got < len)
		return spoil(x, fail(x->ctx, ERR_STORAGE, "file ends before its announced length"));
	return exchange_write(x, (str){ block, len });
}

err_t exchange_write_file(struct exchange *x, int fd, uint64_t offset, uint64_t len)
{
	struct response_state *r = x->response;
	bool send;
	char number[24];
	if (len <= SMALL_FILE_BYTES && !r->bodiless && !x->connection->tls)
		return write_small_file(x, fd, offset, (size_t)len);
	TRY(admit(x, len, &send));
	if (!send)
		return OK;
	str before = r->chunked ? chunk_head(len, number) : STR_NONE;
	TRY(send_pieces(x, &before, 1, true));
	TRY(spoil(x, wire_send_file(x->connection, x->ctx, fd, offset, len)));
	count_sent(x, len);
	str after = r->chunked ? STR("\r\n") : STR_NONE;
	return send_pieces(x, &after, 1, false);
}

err_t exchange_end(struct exchange *x)
{
	struct response_state *r = x->response;
	CHECK(r->begun && !r->ended);
	if (!r->bodiless && r->left_bytes != HTTP_BODY_UNKNOWN && r->left_bytes > 0)
		return spoil(x, fail(x->ctx, ERR_INTERNAL, "answer is %llu bytes short",
				     (unsigned long long)r->left_bytes));
	r->ended = true;
	str last = r->chunked ? STR("0\r\n\r\n") : STR_NONE;
	return send_pieces(x, &last, 1, false);
}

err_t exchange_answer(struct exchange *x, int status, str body)
{
	TRY(exchange_begin(x, status, body.len));
	TRY(exchange_write(x, body));
	return exchange_end(x);
}

err_t exchange_answer_file(struct exchange *x, int status, int fd, uint64_t offset, uint64_t len)
{
	TRY(exchange_begin(x, status, len));
	TRY(exchange_write_file(x, fd, offset, len));
	return exchange_end(x);
}
