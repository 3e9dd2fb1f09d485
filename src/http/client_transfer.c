/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_transfer.c - one request on one libcurl handle: its options, its callbacks, and what
 * libcurl's errors mean here.
 */
#include "client_internal.h"

#include "base/buf.h"
#include "codec/traceparent.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"

#define RESPONSE_BYTES_MAX_DEFAULT MIB(1)

static bool is_streamed(const struct client_transfer *t)
{
	return t->is_pulled || t->request->send || t->request->receive;
}

/* --- callbacks ------------------------------------------------------------------------------ */

/* Called with the resolved address, before connecting: the guard's place. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *at)
{
	struct client_transfer *t = arg;
	(void)purpose;
	if (!t->by_proxy && !client_may_connect_to(t->client, &at->addr)) {
		t->forbidden = true; /* another address of the name may still do */
		return CURL_SOCKET_BAD;
	}
	return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

static size_t take_head(char *bytes, size_t size, size_t count, void *arg)
{
	struct client_transfer *t = arg;
	str line = { bytes, size * count };
	t->head_bytes += line.len;
	if (t->head_bytes > CLIENT_HEAD_BYTES_MAX) {
		t->err = fail(t->ctx, ERR_UPSTREAM_INVALID, "head of more than %zu bytes",
			      CLIENT_HEAD_BYTES_MAX);
		return 0;
	}
	if (str_has_prefix(line, STR("HTTP/")))
		buf_clear(&t->head);
	buf_add(&t->head, line);
	return line.len;
}

void client_transfer_fill(struct client_transfer *t)
{
	long status = 0;
	libcurl.curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	t->response.status = (int)status;
	t->response.fields = arena_copy(t->ctx->arena, buf_str(&t->head));
}

static err_t receive_piece(struct client_transfer *t, str bytes)
{
	if (!t->response.status)
		client_transfer_fill(t);
	ctx_progress(t->ctx);
	return t->request->receive(t->request->arg, &t->response, bytes);
}

static err_t keep_piece(struct client_transfer *t, str bytes)
{
	buf_add(&t->body, bytes);
	if (buf_overrun(&t->body))
		return fail(t->ctx, ERR_UPSTREAM_INVALID, "answer of more than %zu bytes",
			    t->body.max);
	return OK;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct client_transfer *t = arg;
	str piece = { bytes, size * count };
	t->err = t->request->receive ? receive_piece(t, piece) : keep_piece(t, piece);
	return t->err == OK ? piece.len : 0;
}

static size_t give_body(char *into, size_t size, size_t count, void *arg)
{
	struct client_transfer *t = arg;
	size_t len = 0;
	t->err = t->request->send(t->request->arg, into, size * count, &len);
	if (t->err != OK)
		return CURL_READFUNC_ABORT;
	ctx_progress(t->ctx);
	return len;
}

/* Pieces cannot be had twice: libcurl wants them again when a kept connection turns out dead. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
	(void)arg;
	(void)offset;
	(void)origin;
	return CURL_SEEKFUNC_FAIL;
}

/* Called about once a second whatever happens. */
static int look_around(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		       curl_off_t up)
{
	struct client_transfer *t = arg;
	(void)down_all, (void)down, (void)up_all, (void)up;
	if (t->err == OK && t->ctx) /* a pull that is ended has none */
		t->err = ctx_check(t->ctx);
	return t->err == OK ? 0 : 1;
}

/* --- options -------------------------------------------------------------------------------- */

#define SET(option, value) CHECK(libcurl.curl_easy_setopt(t->curl, (option), (value)) == CURLE_OK)

static void set_where(struct client_transfer *t, const struct client_url *url)
{
	const char *proxy = client_proxy_of(t->client, url);
	const char *none = t->client->proxy.none;
	/* With the guard there are no exceptions: either all addresses are looked at here, or none.
	 */
	t->by_proxy = proxy && t->client->options.guard;
	SET(CURLOPT_URL, url->text);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_PROXY, proxy ? proxy : "");
	SET(CURLOPT_NOPROXY, t->by_proxy || !none ? "" : none);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, t->client->options.user_agent.ptr);
	SET(CURLOPT_MAXCONNECTS, 2L);
	SET(CURLOPT_FRESH_CONNECT, (long)t->request->once);
	/* By a proxy the name behind a redirect cannot be looked at: the guard follows none. */
	if (!t->request->redirects_max || t->by_proxy)
		return;
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)t->request->redirects_max);
	SET(CURLOPT_REDIR_PROTOCOLS_STR, url->https ? "https" : "http,https");
}

static void set_times(struct client_transfer *t)
{
	const struct client_options *o = &t->client->options;
	int request_ms = t->request->timeout_ms ? t->request->timeout_ms : o->request_timeout_ms;
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* a look-up that hangs is left behind */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)ctx_left_ms(t->ctx, o->connect_timeout_ms) + 1);
	if (is_streamed(t)) {
		SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
		SET(CURLOPT_LOW_SPEED_TIME, (long)MAX(o->silence_timeout_ms / 1000, 1));
	} else {
		/* One more, so that the deadline has come when it is what ends the request. */
		SET(CURLOPT_TIMEOUT_MS, (long)ctx_left_ms(t->ctx, request_ms) + 1);
	}
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, look_around);
	SET(CURLOPT_XFERINFODATA, t);
}

static void set_trust(struct client_transfer *t)
{
	const struct client_request *request = t->request;
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (request->ca_pem.len) {
		struct curl_blob blob = { (void *)(uintptr_t)request->ca_pem.ptr,
					  request->ca_pem.len, CURL_BLOB_COPY };
		SET(CURLOPT_CAINFO_BLOB, &blob);
		SET(CURLOPT_CAPATH, NULL);
	}
	if (request->skip_verify) {
		SET(CURLOPT_SSL_VERIFYPEER, 0L);
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_body(struct client_transfer *t)
{
	const struct client_request *request = t->request;
	bool is_get = strcmp(request->method, "GET") == 0;
	if (request->send) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_READFUNCTION, give_body);
		SET(CURLOPT_READDATA, t);
		SET(CURLOPT_SEEKFUNCTION, rewind_body);
		if (request->send_bytes != CLIENT_LENGTH_UNKNOWN)
			SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->send_bytes);
	} else if (request->body.len || strcmp(request->method, "POST") == 0 ||
		   strcmp(request->method, "PUT") == 0) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
		SET(CURLOPT_POSTFIELDS, request->body.len ? request->body.ptr : "");
	} else if (strcmp(request->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
		return;
	}
	if (!is_get || request->body.len)
		SET(CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_answer(struct client_transfer *t)
{
	SET(CURLOPT_HEADERFUNCTION, take_head);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_ERRORBUFFER, t->reason);
}

static void add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = libcurl.curl_slist_append(*list, line);
	CHECK(longer);
	*list = longer;
}

/* For whom we ask: so that who answers can say so too. */
static void add_origin(struct client_transfer *t, struct curl_slist **list)
{
	const struct ctx *ctx = t->ctx;
	char parent[TRACEPARENT_LEN + 1];
	if (ctx->request_id.len)
		add_line(list, arena_printf(ctx->arena, "X-Request-Id: " STR_FMT,
					    STR_ARG(ctx->request_id))
				       .ptr);
	if (!ctx->trace)
		return;
	traceparent_format(ctx->trace, parent);
	add_line(list, arena_printf(ctx->arena, "traceparent: %s", parent).ptr);
	if (ctx->trace->state.len)
		add_line(list, arena_printf(ctx->arena, "tracestate: " STR_FMT,
					    STR_ARG(ctx->trace->state))
				       .ptr);
}

/* `Name: value`, and `Name;` for an empty value, as libcurl wants it. */
static void add_fields(struct client_transfer *t, struct curl_slist **list)
{
	bool has_type = false;
	for (size_t i = 0; i < t->request->field_count; i++) {
		const struct client_field *field = &t->request->fields[i];
		has_type = has_type || str_eq_nocase(field->name, STR("Content-Type"));
		add_line(list,
			 arena_printf(t->ctx->arena, STR_FMT "%s" STR_FMT, STR_ARG(field->name),
				      field->value.len ? ": " : ";", STR_ARG(field->value))
				 .ptr);
	}
	add_origin(t, list);
	add_line(list, "Expect:"); /* no waiting for 100 Continue */
	if (!has_type)
		add_line(list, "Content-Type:"); /* libcurl would say it is a form */
	SET(CURLOPT_HTTPHEADER, *list);
}

/* --- the end -------------------------------------------------------------------------------- */

/* What is not here did not reach the upstream or was cut off by it. */
static bool is_nonsense(CURLcode code)
{
	static const CURLcode codes[] = {
		CURLE_WEIRD_SERVER_REPLY, CURLE_TOO_MANY_REDIRECTS,    CURLE_UNSUPPORTED_PROTOCOL,
		CURLE_URL_MALFORMAT,	  CURLE_HTTP_RETURNED_ERROR,   CURLE_BAD_CONTENT_ENCODING,
		CURLE_WRITE_ERROR,	  CURLE_BAD_FUNCTION_ARGUMENT,
	};
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

/* By the guard. A name that does not exist is told in the same words: which names exist inside is
 * nobody's business who may not go there. */
static bool is_refused(const struct client_transfer *t, CURLcode code)
{
	return (code == CURLE_COULDNT_CONNECT && t->forbidden) ||
	       (code == CURLE_COULDNT_RESOLVE_HOST && t->client->options.guard && !t->by_proxy);
}

err_t client_transfer_finish(struct client_transfer *t, CURLcode code)
{
	if (t->err != OK)
		return t->err;
	if (code == CURLE_OPERATION_TIMEDOUT)
		TRY(ctx_check(t->ctx));
	if (is_refused(t, code))
		return fail(t->ctx, ERR_UPSTREAM_FORBIDDEN,
			    STR_FMT " has no address that may be connected to",
			    STR_ARG(str_take(t->request->url, 120)));
	if (code != CURLE_OK)
		return fail(t->ctx,
			    is_nonsense(code) ? ERR_UPSTREAM_INVALID : ERR_UPSTREAM_UNREACHABLE,
			    STR_FMT ": %s", STR_ARG(str_take(t->request->url, 120)),
			    t->reason[0] ? t->reason : libcurl.curl_easy_strerror(code));
	client_transfer_fill(t);
	str body = buf_str(&t->body);
	char *copy = arena_try(t->ctx->arena, body.len + 1);
	if (!copy)
		return fail(t->ctx, ERR_LIMIT, "answer of %zu bytes", body.len);
	if (body.len)
		memcpy(copy, body.ptr, body.len);
	t->response.body = (str){ copy, body.len };
	return OK;
}

void client_transfer_init(struct client_transfer *t, const struct client_url *url)
{
	size_t body_max = t->request->response_bytes_max ? t->request->response_bytes_max
							 : RESPONSE_BYTES_MAX_DEFAULT;
	t->head = (struct buf)BUF_INIT(CLIENT_HEAD_BYTES_MAX);
	t->body = (struct buf)BUF_INIT(body_max);
	set_where(t, url);
	set_times(t);
	set_trust(t);
	set_body(t);
	set_answer(t);
	add_fields(t, &t->fields);
}

void client_transfer_done(struct client_transfer *t)
{
	libcurl.curl_slist_free_all(t->fields);
	buf_done(&t->head);
	buf_done(&t->body);
}

err_t client_transfer(struct ctx *ctx, struct client *client, CURL *curl,
		      const struct client_url *url, const struct client_request *request,
		      struct client_response *ret)
{
	CLEANUP(client_transfer_done)
	struct client_transfer t = {
		.ctx = ctx, .client = client, .request = request, .curl = curl
	};
	client_transfer_init(&t, url);
	TRY(client_transfer_finish(&t, libcurl.curl_easy_perform(curl)));
	*ret = t.response;
	return OK;
}
