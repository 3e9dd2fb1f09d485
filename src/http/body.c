/* SPDX-License-Identifier: Apache-2.0 */
/* body.c - the request's body: lengths, chunks, limits. See exchange.h. */
#include "base/clock.h"
#include "http/wire.h"
#include "http/worker.h"

#include <string.h>

#include "base/banned.h"

#define DRAIN_BYTES_MAX KIB(256)
#define DRAIN_TIME_NS	(2 * CLOCK_S)
#define CHUNKS_EATEN	KIB(64) /* of a chunked body nobody reads, before its answer */

uint64_t exchange_body_length(const struct exchange *x)
{
	return x->head->chunked ? HTTP_BODY_UNKNOWN : x->head->length_bytes;
}

err_t transfer_admit(struct exchange *x, int wait_ms)
{
	struct response_state *r = x->response;
	if (r->has_slot)
		return OK;
	sem_t *slots = &x->connection->server->transfers;
	int64_t until_ns = clock_now_ns() + wait_ms * CLOCK_MS;
	struct timespec until = { until_ns / CLOCK_S, until_ns % CLOCK_S };
	if (sem_trywait(slots) != 0) {
		ctx_waits(x->ctx);
		if (wait_ms == 0 || sem_clockwait(slots, CLOCK_MONOTONIC, &until) != 0)
			return fail(x->ctx, ERR_BUSY, "all transfers are taken");
	}
	r->has_slot = true;
	return OK;
}

void transfer_release(struct exchange *x)
{
	if (x->response->has_slot)
		sem_post(&x->connection->server->transfers);
	x->response->has_slot = false;
}

static err_t check_limits(struct exchange *x)
{
	struct response_state *r = x->response;
	uint64_t expected = r->body_chunked ? 0 : r->body_left_bytes;
	if (expected > x->body_max_bytes || x->received_bytes > x->body_max_bytes - expected)
		return fail(x->ctx, ERR_REQUEST_TOO_LARGE, "body is larger than %llu bytes",
			    (unsigned long long)x->body_max_bytes);
	if (x->received_bytes + expected > HTTP_TRANSFER_FREE)
		return transfer_admit(x, 0);
	return OK;
}

static err_t send_continue(struct exchange *x)
{
	if (!x->response->continue_due)
		return OK;
	x->response->continue_due = false;
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char copy[sizeof text];
	memcpy(copy, text, sizeof text);
	struct iovec piece = { copy, sizeof text - 1 };
	return wire_send(x->connection, x->ctx, &piece, 1, false);
}

static size_t take_from_inbox(struct inbox *in, void *into, size_t len)
{
	str unread = str_take(inbox_unread(in), len);
	if (unread.len) {
		memcpy(into, unread.ptr, unread.len);
		inbox_consume(in, unread.len);
	}
	return unread.len;
}

/* One receive, waiting for it when `must`. `*ret_len` 0 when there was nothing and there need not
 * be. */
static err_t receive(struct exchange *x, const struct iovec places[2], bool must, size_t *ret_len)
{
	struct connection *c = x->connection;
	size_t got = 0;
	for (;;) {
		int64_t before_ns = must ? clock_now_ns() : 0;
		enum wire wire = wire_receive_split(c, places, must, &got);
		if (wire == WIRE_END)
			break;
		if (must)
			TRY(pace_waited(c, x->ctx, clock_now_ns() - before_ns));
		if (wire == WIRE_SOME || !must) {
			*ret_len = got;
			return OK;
		}
		TRY(wire_wait(c, x->ctx));
	}
	if (atomic_load(&c->server->cut))
		return fail(x->ctx, ERR_SHUTTING_DOWN, "server is shutting down");
	return fail(x->ctx, ERR_UPLOAD_TRUNCATED, "client closed after %llu bytes of the body",
		    (unsigned long long)x->received_bytes);
}

static err_t read_known_length(struct exchange *x, void *into, size_t len, size_t *ret_len)
{
	struct response_state *r = x->response;
	len = (size_t)MIN((uint64_t)len, r->body_left_bytes);
	size_t got = take_from_inbox(&x->connection->in, into, len);
	if (got == 0 && len) {
		struct iovec places[2] = { { into, len }, { NULL, 0 } };
		TRY(receive(x, places, true, &got));
	}
	r->body_left_bytes -= got;
	r->body_done = r->body_left_bytes == 0;
	*ret_len = got;
	return OK;
}

/* Eats the frame in front of the next data. OK with `*ret_data` false when the inbox ran dry. */
static err_t eat_frame(struct exchange *x, bool *ret_data)
{
	struct response_state *r = x->response;
	struct inbox *in = &x->connection->in;
	str unread = inbox_unread(in), rest = unread;
	enum http_chunked_step step = http_chunked_frame(&r->frame, &rest);
	inbox_consume(in, unread.len - rest.len);
	if (step == HTTP_CHUNKED_BROKEN)
		return fail(x->ctx, ERR_REQUEST_INVALID, "chunked body is malformed");
	r->body_done = step == HTTP_CHUNKED_END;
	*ret_data = step == HTTP_CHUNKED_DATA;
	return OK;
}

/* Some of the current chunk, from the inbox or straight into `into`, and what comes behind into the
 * inbox. */
static err_t read_chunk(struct exchange *x, void *into, size_t len, bool must, size_t *ret_len)
{
	struct response_state *r = x->response;
	struct inbox *in = &x->connection->in;
	len = (size_t)MIN((uint64_t)len, r->frame.left_bytes);
	size_t got = take_from_inbox(in, into, len);
	if (got == 0) {
		/* Only a whole chunk may spill: bytes behind a part of one are its own data. */
		bool whole = len == r->frame.left_bytes;
		struct iovec places[2] = { { into, len },
					   { in->bytes + in->len, whole ? INBOX_SPILL_BYTES : 0 } };
		TRY(receive(x, places, must, &got));
		if (got > len) {
			in->len += got - len;
			got = len;
		}
	}
	http_chunked_took(&r->frame, got);
	*ret_len = got;
	return OK;
}

static err_t read_frame_bytes(struct exchange *x, bool must, size_t *ret_len)
{
	struct inbox *in = &x->connection->in;
	struct iovec places[2] = { { in->bytes + in->len, INBOX_SPILL_BYTES }, { NULL, 0 } };
	size_t got = 0;
	TRY(receive(x, places, must, &got));
	in->len += got;
	*ret_len = got;
	return OK;
}

/* Fills `into` with as many chunks as are there; waits only for the first byte. */
static err_t read_chunked(struct exchange *x, void *into, size_t len, size_t *ret_len)
{
	size_t have = 0, got = 1;
	while (have < len && got) {
		bool data;
		TRY(eat_frame(x, &data));
		if (x->response->body_done)
			break;
		if (data) {
			TRY(read_chunk(x, (char *)into + have, len - have, have == 0, &got));
			have += got;
		} else {
			TRY(read_frame_bytes(x, have == 0, &got));
		}
	}
	*ret_len = have;
	return OK;
}

static err_t read_some(struct exchange *x, void *into, size_t len, size_t *ret_len)
{
	struct response_state *r = x->response;
	size_t got = 0;
	TRY(check_limits(x));
	TRY(send_continue(x));
	TRY(r->body_chunked ? read_chunked(x, into, len, &got)
			    : read_known_length(x, into, len, &got));
	x->received_bytes += got;
	TRY(check_limits(x));
	ctx_progress(x->ctx);
	*ret_len = got;
	return OK;
}

err_t exchange_read(struct exchange *x, void *into, size_t len, size_t *ret_len)
{
	CHECK(x->ctx->holds == 0);
	CHECK(len > 0);
	if (x->response->body_done) {
		*ret_len = 0;
		return OK;
	}
	err_t err = read_some(x, into, len, ret_len);
	/* After these there is no telling where the next request would begin. */
	if (err != OK && err != ERR_REQUEST_TOO_LARGE && err != ERR_BUSY)
		x->response->broken = true;
	return err;
}

static err_t read_into(struct exchange *x, char *into, size_t len, size_t *ret_have)
{
	size_t got = 1;
	while (*ret_have < len && got) {
		TRY(exchange_read(x, into + *ret_have, len - *ret_have, &got));
		*ret_have += got;
	}
	return OK;
}

err_t exchange_read_all(struct exchange *x, size_t max_bytes, str *ret_body)
{
	x->body_max_bytes = MIN(x->body_max_bytes, (uint64_t)max_bytes);
	uint64_t length = exchange_body_length(x);
	bool known = length != HTTP_BODY_UNKNOWN;
	if (known && length > x->body_max_bytes)
		return fail(x->ctx, ERR_REQUEST_TOO_LARGE, "body is larger than %zu bytes",
			    max_bytes);
	size_t room = known ? (size_t)length : KIB(16);
	size_t have = 0;
	char *bytes = arena_try(x->ctx->arena, room + 1);
	while (bytes) {
		TRY(read_into(x, bytes, room, &have));
		/* The end of a chunked body shows only behind its last byte. */
		size_t more = 0;
		char next[1];
		if (have == room && !x->response->body_done)
			TRY(exchange_read(x, next, sizeof next, &more));
		if (more == 0) {
			*ret_body = (str){ bytes, have };
			return OK;
		}
		char *old = bytes;
		room = MIN(2 * room, max_bytes);
		bytes = arena_try(x->ctx->arena, room + 1);
		if (bytes) {
			memcpy(bytes, old, have);
			bytes[have++] = next[0];
		}
	}
	return fail(x->ctx, ERR_LIMIT, "body does not fit into memory");
}

/* Reads on without keeping anything. False when the end is too far off, in bytes or in time. */
static bool eat_body(struct exchange *x, uint64_t bytes_max, int64_t time_ns)
{
	char scrap[KIB(4)];
	size_t got = 1;
	uint64_t received = x->received_bytes;
	struct failure failure = x->ctx->failure;
	struct pace *pace = &x->connection->pace;
	pace->until_ns = clock_now_ns() + time_ns;
	x->body_max_bytes = received + bytes_max;
	while (got && exchange_read(x, scrap, sizeof scrap, &got) == OK)
		;
	pace->until_ns = 0;
	x->received_bytes = received;
	x->ctx->failure = failure; /* that of the request, if any; this one is nobody's */
	return x->response->body_done;
}

bool exchange_settle_body(struct exchange *x)
{
	struct response_state *r = x->response;
	if (r->body_done)
		return true;
	if (r->continue_due || r->broken)
		return false;
	if (!r->body_chunked)
		return r->body_left_bytes <= DRAIN_BYTES_MAX;
	return eat_body(x, CHUNKS_EATEN, x->connection->server->options.linger_ms * CLOCK_MS);
}

bool exchange_drain_body(struct exchange *x)
{
	struct response_state *r = x->response;
	return r->body_done || (!r->broken && eat_body(x, DRAIN_BYTES_MAX, DRAIN_TIME_NS));
}
