/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receive.c - from a socket to a complete request: PROXY header, TLS handshake, head. Each step
 * goes as far as the bytes reach and says what to do next, so that a connection can be parked
 * between any two bytes.
 */
#include "base/clock.h"
#include "codec/proxy_header.h"
#include "http/wire.h"
#include "http/worker.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/banned.h"

enum next {
	NEXT_STEP,    /* this phase is done, look at the next */
	NEXT_REQUEST, /* worker->head is complete */
	NEXT_REFUSE,
	NEXT_PARK,
	NEXT_PARK_FOR_WRITING,
	NEXT_CLOSE,
};

/* Lingers only while somebody else is there for new work. */
static bool may_linger(struct connection *c)
{
	struct server *server = c->server;
	return server->options.linger_ms > 0 && !c->expired &&
	       !atomic_load_explicit(&server->draining, memory_order_relaxed) &&
	       worker_may_linger(c->worker);
}

/* The PROXY header is read without TLS, whatever follows it. */
static enum next read_more(struct connection *c)
{
	size_t got = 0;
	inbox_make_room(&c->in);
	size_t room = MIN(c->in.cap - c->in.len, INBOX_READ_BYTES);
	enum wire wire = wire_receive(c, c->in.bytes + c->in.len, room, may_linger(c), &got);
	if (wire == WIRE_SOME) {
		c->in.len += got;
		return NEXT_STEP;
	}
	return wire == WIRE_LATER && !c->expired ? NEXT_PARK : NEXT_CLOSE;
}

static enum next step_proxy(struct connection *c)
{
	struct proxy_header header;
	size_t len;
	switch (proxy_header_parse(inbox_unread(&c->in), &header, &len)) {
	case PROXY_PARSE_MORE:
		return read_more(c);
	case PROXY_PARSE_BROKEN:
		return NEXT_CLOSE;
	case PROXY_PARSE_DONE:
		break;
	}
	inbox_consume(&c->in, len);
	if (header.has_source) {
		c->address = header.source;
		c->is_ip = true;
		c->trusted = cidr_list_has(&c->server->trusted.ranges, c->address);
		ip_format(c->address, c->peer);
	}
	c->phase = c->wants_tls ? PHASE_TLS : PHASE_HEAD;
	return NEXT_STEP;
}

/*
 * A client that forgot the s begins with the letters of a method; a TLS record of a handshake with
 * the byte 22 (RFC 8446 §5.1). Anything else is left to the handshake, which fails.
 */
static enum next look_for_plain_http(struct connection *c, err_t *ret_err)
{
	str early = inbox_unread(&c->in);
	char first = early.len ? early.ptr[0] : '\0';
	if (!early.len) {
		ssize_t got = recv(c->fd, &first, 1, MSG_PEEK | (may_linger(c) ? 0 : MSG_DONTWAIT));
		if (got < 0 && (errno == EAGAIN || errno == EINTR) && !c->expired)
			return NEXT_PARK;
		if (got <= 0)
			return NEXT_CLOSE;
	}
	if (!((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z')))
		return NEXT_STEP;
	*ret_err = ERR_PLAIN_ON_TLS;
	return NEXT_REFUSE;
}

static enum next step_tls(struct worker *worker, struct connection *c, err_t *ret_err)
{
	if (!c->tls) {
		enum next next = look_for_plain_http(c, ret_err);
		if (next != NEXT_STEP)
			return next;
		str early = inbox_unread(&c->in);
		err_t err = tls_connection_new(&worker->ctx, c->server->options.tls, c->fd, early,
					       &c->tls);
		if (err != OK)
			return NEXT_CLOSE;
		inbox_consume(&c->in, early.len);
	}
	tls_set_waiting(c->tls, may_linger(c));
	switch (tls_handshake(c->tls)) {
	case TLS_DONE:
		c->phase = PHASE_HEAD;
		return NEXT_STEP;
	case TLS_WANT_READ:
		return c->expired ? NEXT_CLOSE : NEXT_PARK;
	case TLS_WANT_WRITE:
		return c->expired ? NEXT_CLOSE : NEXT_PARK_FOR_WRITING;
	case TLS_EOF:
	case TLS_FAILED:
		break;
	}
	return NEXT_CLOSE;
}

/* A head has begun, or the wait for one: the sweeper goes by the deadline. */
static void set_deadline(struct connection *c, bool in_head)
{
	const struct server_options *options = &c->server->options;
	if (c->in_head)
		return;
	if (!in_head && c->deadline_ns)
		return;
	int timeout_ms = in_head ? options->head_timeout_ms : options->idle_timeout_ms;
	c->deadline_ns = clock_now_ns() + timeout_ms * CLOCK_MS;
	c->in_head = in_head;
}

static enum next wait_for_head(struct connection *c, err_t *ret_err)
{
	bool begun = c->in.at < c->in.len;
	if (begun)
		set_deadline(c, true);
	enum next next = begun && clock_now_ns() >= c->deadline_ns ? NEXT_CLOSE : read_more(c);
	if (next == NEXT_PARK)
		set_deadline(c, begun);
	bool late = begun && (c->expired || clock_now_ns() >= c->deadline_ns);
	if (next != NEXT_CLOSE || !late)
		return next;
	*ret_err = ERR_REQUEST_TIMEOUT;
	return NEXT_REFUSE;
}

static enum next step_head(struct worker *worker, struct connection *c, err_t *ret_err)
{
	size_t len;
	str bytes = inbox_unread(&c->in);
	if (bytes.len == 0)
		return wait_for_head(c, ret_err);
	switch (http_head_parse(bytes, &c->in.seen, &worker->head, &len, ret_err)) {
	case HTTP_PARSE_MORE:
		return wait_for_head(c, ret_err);
	case HTTP_PARSE_REFUSED:
		return NEXT_REFUSE;
	case HTTP_PARSE_DONE:
		break;
	}
	c->in.seen = 0;
	if (c->in.own) {
		inbox_use_lent(&c->in, worker->lent);
		return NEXT_STEP;
	}
	c->in.floor = c->in.at + len;
	inbox_consume(&c->in, len);
	return NEXT_REQUEST;
}

/* Eats what a client still sends behind our last word; not decrypted, nobody reads it. */
static enum next step_closing(struct worker *worker, struct connection *c)
{
	ssize_t got = 1;
	while (got > 0 && c->closing_bytes > 0 && !c->expired) {
		got = recv(c->fd, worker->lent, INBOX_READ_BYTES, MSG_DONTWAIT);
		if (got > 0)
			c->closing_bytes -= MIN((unsigned)got, c->closing_bytes);
	}
	bool waits = got < 0 && !c->expired && c->closing_bytes > 0;
	return waits ? NEXT_PARK : NEXT_CLOSE;
}

static enum next step(struct worker *worker, struct connection *c, err_t *ret_err)
{
	switch (c->phase) {
	case PHASE_PROXY:
		return step_proxy(c);
	case PHASE_TLS:
		return step_tls(worker, c, ret_err);
	case PHASE_HEAD:
		return step_head(worker, c, ret_err);
	case PHASE_CLOSING:
		break;
	}
	return step_closing(worker, c);
}

/* Between two requests of one connection. */
static void start_over(struct connection *c)
{
	c->in.floor = 0;
	if (c->in.at == c->in.len)
		c->in.at = c->in.len = 0;
	c->in_head = false;
	c->deadline_ns = 0;
}

void connection_serve(struct worker *worker, struct connection *c)
{
	c->worker = worker;
	if (!c->in.own)
		inbox_use_lent(&c->in, worker->lent);
	for (;;) {
		err_t err = OK;
		switch (step(worker, c, &err)) {
		case NEXT_STEP:
			break;
		case NEXT_REQUEST:
			if (exchange_run(worker, c)) {
				start_over(c);
				break;
			}
			if (c->phase == PHASE_CLOSING)
				break;
			connection_close(c);
			return;
		case NEXT_REFUSE:
			exchange_refuse(worker, c, err);
			break;
		case NEXT_PARK:
			connection_park(c, false);
			return;
		case NEXT_PARK_FOR_WRITING:
			connection_park(c, true);
			return;
		case NEXT_CLOSE:
			connection_close(c);
			return;
		}
	}
}
