/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - see wire.h. Fault points: http.read, http.write. */
#include "http/wire.h"
#include "base/clock.h"
#include "http/worker.h"
#include "os/fault.h"
#include "os/file.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "base/banned.h"

#define PACE_WINDOW_NS	    (60 * CLOCK_S)
#define WAIT_STEP_MS	    1000
#define SENDFILE_BYTES	    MIB(2)
#define SENDFILE_WARM_BYTES KIB(256) /* mostly in memory, and what a socket's buffer takes */
#define SENDFILE_SLOW_BYTES                                                                        \
	KIB(64) /* for slow readers, so that we look at the clock now and then */
#define SLOW_NS		 (100 * CLOCK_MS)
#define TLS_RECORD_BYTES KIB(16)
#define TLS_FILE_BYTES	 KIB(32) /* read at a time: still in a near cache when encrypted */

static int64_t silence_max_ns(const struct connection *c)
{
	return c->server->options.body_timeout_ms * CLOCK_MS;
}

/* The first window begins after a grace, so that a slow start is no crime. */
void pace_start(struct connection *c)
{
	c->pace = (struct pace){ .waited_ns = -silence_max_ns(c) };
}

static void pace_moved(struct connection *c, size_t bytes)
{
	c->pace.silent_ns = 0;
	c->pace.moved_bytes += bytes;
}

err_t pace_waited(struct connection *c, struct ctx *ctx, int64_t waited_ns)
{
	struct pace *pace = &c->pace;
	int64_t window_ns = MIN(PACE_WINDOW_NS, silence_max_ns(c));
	pace->silent_ns += waited_ns;
	pace->waited_ns += waited_ns;
	if (pace->silent_ns >= silence_max_ns(c))
		return fail(ctx, ERR_REQUEST_TIMEOUT, "peer was silent for too long");
	if (pace->waited_ns < window_ns)
		return OK;
	double seconds = (double)pace->waited_ns / (double)CLOCK_S;
	if ((double)pace->moved_bytes < seconds * (double)c->server->options.rate_min_bytes_per_s)
		return fail(ctx, ERR_REQUEST_TIMEOUT, "peer moved %llu bytes in %.0f s",
			    (unsigned long long)pace->moved_bytes, seconds);
	pace->waited_ns = 0;
	pace->moved_bytes = 0;
	return OK;
}

static err_t check_end(struct connection *c, struct ctx *ctx)
{
	if (atomic_load_explicit(&c->server->cut, memory_order_relaxed))
		return fail(ctx, ERR_SHUTTING_DOWN, "server is shutting down");
	return OK;
}

static err_t wait_for(struct connection *c, struct ctx *ctx, short events)
{
	TRY(check_end(c, ctx));
	worker_step_aside(c->worker);
	int64_t before_ns = clock_now_ns();
	int64_t left_ns = silence_max_ns(c) - c->pace.silent_ns;
	if (c->pace.until_ns)
		left_ns = MIN(left_ns, MAX(c->pace.until_ns - before_ns, 0));
	int64_t left_ms = MIN(left_ns / CLOCK_MS + 1, WAIT_STEP_MS);
	socket_wait(c->fd, events, (int)left_ms);
	int64_t now_ns = clock_now_ns();
	if (c->pace.until_ns && now_ns >= c->pace.until_ns)
		return fail(ctx, ERR_REQUEST_TIMEOUT, "peer took too long");
	return pace_waited(c, ctx, now_ns - before_ns);
}

err_t wire_wait(struct connection *c, struct ctx *ctx)
{
	return wait_for(c, ctx, POLLIN);
}

static enum wire receive_tls(struct connection *c, void *into, size_t len, bool waits,
			     size_t *ret_len)
{
	tls_set_waiting(c->tls, waits);
	switch (tls_read(c->tls, into, len, ret_len)) {
	case TLS_DONE:
		pace_moved(c, *ret_len);
		return WIRE_SOME;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		return WIRE_LATER;
	case TLS_EOF:
	case TLS_FAILED:
		break;
	}
	return WIRE_END;
}

static enum wire receive_verdict(struct connection *c, ssize_t got, size_t *ret_len)
{
	if (got > 0) {
		*ret_len = (size_t)got;
		pace_moved(c, (size_t)got);
		return WIRE_SOME;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? WIRE_LATER : WIRE_END;
}

enum wire wire_receive(struct connection *c, void *into, size_t len, bool waits, size_t *ret_len)
{
	if (FAULT("http.read"))
		return WIRE_END;
	if (c->tls)
		return receive_tls(c, into, len, waits, ret_len);
	return receive_verdict(c, recv(c->fd, into, len, waits ? 0 : MSG_DONTWAIT), ret_len);
}

enum wire wire_receive_split(struct connection *c, const struct iovec into[2], bool waits,
			     size_t *ret_len)
{
	if (c->tls)
		return wire_receive(c, into[0].iov_base, into[0].iov_len, waits, ret_len);
	if (FAULT("http.read"))
		return WIRE_END;
	struct iovec places[2] = { into[0], into[1] };
	struct msghdr message = { .msg_iov = places, .msg_iovlen = 2 };
	return receive_verdict(c, recvmsg(c->fd, &message, waits ? 0 : MSG_DONTWAIT), ret_len);
}

static err_t fail_write(struct connection *c, struct ctx *ctx)
{
	if (atomic_load_explicit(&c->server->cut, memory_order_relaxed))
		return fail(ctx, ERR_SHUTTING_DOWN, "server is shutting down");
	return fail_errno(ctx, ERR_PEER_GONE, "could not send to the client");
}

/* A slow reader is gone, for those who write to it. */
static err_t wait_to_send(struct connection *c, struct ctx *ctx)
{
	err_t err = wait_for(c, ctx, POLLOUT);
	return err == ERR_REQUEST_TIMEOUT ? ERR_PEER_GONE : err;
}

static void skip_sent(struct iovec **pieces, size_t *count, size_t sent)
{
	while (*count && sent >= (*pieces)->iov_len) {
		sent -= (*pieces)->iov_len;
		(*pieces)++;
		(*count)--;
	}
	if (*count) {
		(*pieces)->iov_base = (char *)(*pieces)->iov_base + sent;
		(*pieces)->iov_len -= sent;
	}
}

static err_t send_plain(struct connection *c, struct ctx *ctx, struct iovec *pieces, size_t count,
			bool more)
{
	int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
	for (;;) {
		struct msghdr message = { .msg_iov = pieces, .msg_iovlen = count };
		ssize_t sent = FAULT("http.write") ? -1 : sendmsg(c->fd, &message, flags);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return fail_write(c, ctx);
		if (sent > 0) {
			pace_moved(c, (size_t)sent);
			skip_sent(&pieces, &count, (size_t)sent);
		}
		if (count == 0)
			return OK;
		TRY(wait_to_send(c, ctx));
	}
}

static err_t send_tls_piece(struct connection *c, struct ctx *ctx, const char *bytes, size_t len)
{
	while (len) {
		size_t sent = 0;
		enum tls_want want = TLS_FAILED;
		if (!FAULT("http.write"))
			want = tls_write(c->tls, bytes, len, &sent);
		if (want == TLS_FAILED || want == TLS_EOF)
			return fail_write(c, ctx);
		if (want == TLS_DONE) {
			pace_moved(c, sent);
			bytes += sent;
			len -= sent;
			continue;
		}
		TRY(want == TLS_WANT_READ ? wire_wait(c, ctx) : wait_to_send(c, ctx));
	}
	return OK;
}

/* Small pieces share a record. */
static err_t send_tls(struct connection *c, struct ctx *ctx, struct iovec *pieces, size_t count)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += pieces[i].iov_len;
	if (count > 1 && total <= TLS_RECORD_BYTES) {
		char *block = worker_block(c->worker);
		size_t at = 0;
		for (size_t i = 0; i < count; i++) {
			if (pieces[i].iov_len)
				memcpy(block + at, pieces[i].iov_base, pieces[i].iov_len);
			at += pieces[i].iov_len;
		}
		return send_tls_piece(c, ctx, block, total);
	}
	for (size_t i = 0; i < count; i++)
		TRY(send_tls_piece(c, ctx, pieces[i].iov_base, pieces[i].iov_len));
	return OK;
}

err_t wire_send(struct connection *c, struct ctx *ctx, struct iovec *pieces, size_t count,
		bool more)
{
	return c->tls ? send_tls(c, ctx, pieces, count) : send_plain(c, ctx, pieces, count, more);
}

static err_t send_file_tls(struct connection *c, struct ctx *ctx, int fd, uint64_t offset,
			   uint64_t len)
{
	char *block = worker_block(c->worker);
	while (len) {
		size_t got;
		size_t want = (size_t)MIN(len, (uint64_t)TLS_FILE_BYTES);
		TRY(file_read_at(ctx, fd, offset, block, want, &got));
		if (got < want)
			return fail(ctx, ERR_STORAGE, "file ends before its announced length");
		TRY(check_end(c, ctx));
		TRY(send_tls_piece(c, ctx, block, got));
		offset += got;
		len -= got;
	}
	return OK;
}

static err_t send_file_plain(struct connection *c, struct ctx *ctx, int fd, uint64_t offset,
			     uint64_t len)
{
	off_t at = (off_t)offset;
	uint64_t step = SENDFILE_BYTES;
	if (len > SENDFILE_WARM_BYTES)
		worker_step_aside(c->worker);
	while (len) {
		int64_t before_ns = clock_now_ns();
		ssize_t sent = -1;
		if (!FAULT("http.write"))
			sent = sendfile(c->fd, fd, &at, (size_t)MIN(len, step));
		if (sent == 0)
			return fail(ctx, ERR_STORAGE, "file ends before its announced length");
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return fail_write(c, ctx);
		if (sent > 0) {
			pace_moved(c, (size_t)sent);
			len -= (uint64_t)sent;
		}
		int64_t took_ns = clock_now_ns() - before_ns;
		step = took_ns > SLOW_NS ? SENDFILE_SLOW_BYTES : SENDFILE_BYTES;
		err_t err = took_ns > SLOW_NS ? pace_waited(c, ctx, took_ns) : OK;
		if (err != OK)
			return err == ERR_REQUEST_TIMEOUT ? ERR_PEER_GONE : err;
		TRY(check_end(c, ctx));
	}
	return OK;
}

err_t wire_send_file(struct connection *c, struct ctx *ctx, int fd, uint64_t offset, uint64_t len)
{
	return c->tls ? send_file_tls(c, ctx, fd, offset, len)
		      : send_file_plain(c, ctx, fd, offset, len);
}
