/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - see http/stream.h. Fault point: stream.write. */
#include "http/stream.h"
#include "client_library.h"

#include "base/clock.h"
#include "base/mem.h"
#include "os/fault.h"
#include "os/socket.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/banned.h"

#define SLICE_MS 100 /* how long nobody looks at the deadline */
/* A server that refuses our certificate says so after TLS 1.3 has been set up. */
#define REFUSAL_MS     250
#define ACKNOWLEDGE_MS 5 /* between two looks */

struct stream {
	CURL *curl;
	int fd;
	int write_timeout_ms;
	struct ctx *ctx; /* while it is opened */
	char reason[CURL_ERROR_SIZE];
};

#define SET(option, value)                                                                         \
	CHECK(libcurl.curl_easy_setopt(stream->curl, (option), (value)) == CURLE_OK)

static int look_around(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		       curl_off_t up)
{
	const struct stream *stream = arg;
	(void)down_all, (void)down, (void)up_all, (void)up;
	return ctx_check(stream->ctx) == OK ? 0 : 1;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *at)
{
	(void)arg;
	(void)purpose;
	return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

static void set_trust(struct stream *stream, const struct stream_options *options)
{
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (options->ca_pem.len) {
		struct curl_blob blob = { (void *)(uintptr_t)options->ca_pem.ptr,
					  options->ca_pem.len, CURL_BLOB_COPY };
		SET(CURLOPT_CAINFO_BLOB, &blob);
		SET(CURLOPT_CAPATH, NULL);
	}
	if (options->certificate_path) {
		SET(CURLOPT_SSLCERT, options->certificate_path);
		SET(CURLOPT_SSLKEY, options->key_path);
	}
}

/* A URL, because libcurl wants one; nothing is said in HTTP. */
static void set_where(struct ctx *ctx, struct stream *stream, const struct stream_options *options)
{
	str url = arena_printf(ctx->arena, "%s://" STR_FMT "/", options->tls ? "https" : "http",
			       STR_ARG(options->authority));
	SET(CURLOPT_URL, url.ptr);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_ERRORBUFFER, stream->reason);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)ctx_left_ms(ctx, options->connect_timeout_ms) + 1);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, look_around);
	SET(CURLOPT_XFERINFODATA, stream);
}

static err_t broken(struct ctx *ctx, const struct stream *stream, CURLcode code)
{
	bool ours = code == CURLE_SSL_CERTPROBLEM;
	return fail(ctx, ours ? ERR_CONFIG : ERR_UPSTREAM_UNREACHABLE, "%s",
		    stream->reason[0] ? stream->reason : libcurl.curl_easy_strerror(code));
}

static err_t closed(struct ctx *ctx)
{
	return fail(ctx, ERR_UPSTREAM_UNREACHABLE, "the connection was closed by the other side");
}

static err_t connect_now(struct ctx *ctx, struct stream *stream,
			 const struct stream_options *options)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	stream->ctx = ctx;
	CURLcode code = libcurl.curl_easy_perform(stream->curl);
	stream->ctx = NULL;
	if (code != CURLE_OK) {
		TRY(ctx_check(ctx));
		return broken(ctx, stream, code);
	}
	libcurl.curl_easy_getinfo(stream->curl, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD)
		return closed(ctx);
	stream->fd = fd;
	if (options->tls)
		socket_wait(fd, POLLIN, REFUSAL_MS);
	return stream_is_open(stream) ? OK : closed(ctx);
}

err_t stream_open(struct ctx *ctx, const struct stream_options *options, struct stream **ret)
{
	TRY(ctx_check(ctx));
	TRY(curl_open(ctx));
	CLEANUP(stream_close) struct stream *stream = NEW(struct stream);
	stream->fd = -1;
	stream->write_timeout_ms = options->write_timeout_ms;
	stream->curl = libcurl.curl_easy_init();
	CHECK(stream->curl);
	set_where(ctx, stream, options);
	set_trust(stream, options);
	TRY(connect_now(ctx, stream, options));
	*ret = take(stream);
	return OK;
}

bool stream_is_open(struct stream *stream)
{
	char bytes[512];
	for (;;) {
		size_t len = 0;
		CURLcode code = libcurl.curl_easy_recv(stream->curl, bytes, sizeof bytes, &len);
		if (code == CURLE_AGAIN)
			return true;
		if (code != CURLE_OK || !len)
			return false;
	}
}

/* --- writing -------------------------------------------------------------------------------- */

/* Waits for a little; ERR_UPSTREAM_UNREACHABLE when nothing has moved since `moved_ns`. */
static err_t wait_a_slice(struct ctx *ctx, const struct stream *stream, short events, int slice_ms,
			  int64_t moved_ns)
{
	TRY(ctx_check(ctx));
	if (clock_now_ns() - moved_ns > stream->write_timeout_ms * CLOCK_MS)
		return fail(ctx, ERR_UPSTREAM_UNREACHABLE, "nothing was taken for %d ms",
			    stream->write_timeout_ms);
	socket_wait(stream->fd, events, slice_ms);
	return OK;
}

static err_t send_all(struct ctx *ctx, struct stream *stream, str bytes)
{
	int64_t moved_ns = clock_now_ns();
	while (bytes.len) {
		size_t len = 0;
		CURLcode code = libcurl.curl_easy_send(stream->curl, bytes.ptr, bytes.len, &len);
		if (code == CURLE_AGAIN) {
			TRY(wait_a_slice(ctx, stream, POLLOUT, SLICE_MS, moved_ns));
			continue;
		}
		if (code != CURLE_OK)
			return broken(ctx, stream, code);
		bytes = str_skip(bytes, len);
		moved_ns = clock_now_ns();
	}
	return OK;
}

/* Until the other kernel has all of it. */
static err_t wait_acknowledged(struct ctx *ctx, struct stream *stream)
{
	int64_t moved_ns = clock_now_ns();
	int left = 0, before = 0;
	while (ioctl(stream->fd, SIOCOUTQ, &left) == 0 && left > 0) {
		moved_ns = left != before ? clock_now_ns() : moved_ns;
		before = left;
		TRY(wait_a_slice(ctx, stream, 0, ACKNOWLEDGE_MS, moved_ns));
		if (!stream_is_open(stream))
			return closed(ctx);
	}
	return OK;
}

err_t stream_write(struct ctx *ctx, struct stream *stream, str bytes)
{
	CHECK(ctx->holds == 0);
	if (FAULT("stream.write"))
		return fail_errno(ctx, ERR_UPSTREAM_UNREACHABLE, "could not write");
	stream->reason[0] = '\0';
	if (!stream_is_open(stream))
		return closed(ctx);
	TRY(send_all(ctx, stream, bytes));
	TRY(wait_acknowledged(ctx, stream));
	return stream_is_open(stream) ? OK : closed(ctx);
}

void stream_close(struct stream **stream)
{
	if (!*stream)
		return;
	if ((*stream)->curl)
		libcurl.curl_easy_cleanup((*stream)->curl);
	free(*stream);
	*stream = NULL;
}
