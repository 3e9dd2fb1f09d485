/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c - one request from head to the last byte of its answer, and what remains of the
 * connection. */
#include "http/exchange.h"
#include "base/clock.h"
#include "http/wire.h"
#include "http/worker.h"

#include <string.h>
#include <sys/socket.h>

#include "base/banned.h"

static void response_reset(struct response_state *r, struct worker *worker)
{
	struct buf fields = r->fields, head = r->head;
	*r = (struct response_state){ .worker = worker, .fields = fields, .head = head };
	buf_clear(&r->fields);
	buf_clear(&r->head);
}

static struct exchange *prepare(struct worker *worker, struct connection *c)
{
	struct exchange *x = &worker->exchange;
	ctx_init(&worker->ctx, &worker->arena);
	worker->ctx.cancelled = &worker->server->cut;
	worker->ctx.host = &worker->host;
	worker->ctx.allowance_ns = worker->server->options.request_timeout_ms * CLOCK_MS;
	ctx_progress(&worker->ctx);
	response_reset(&worker->response, worker);
	*x = (struct exchange){
		.ctx = &worker->ctx,
		.head = &worker->head,
		.connection = c,
		.body_max_bytes = UINT64_MAX,
		/* what ctx_progress() has just read */
		.began_ns = worker->ctx.deadline_ns - worker->ctx.allowance_ns,
		.response = &worker->response,
	};
	pace_start(c);
	return x;
}

static void prepare_body(struct exchange *x)
{
	struct response_state *r = x->response;
	r->body_chunked = x->head->chunked;
	r->body_left_bytes = x->head->length_bytes;
	r->body_done = !r->body_chunked && r->body_left_bytes == 0;
	r->continue_due = x->head->expect_continue && !r->body_done;
}

/* The last resort: nothing but the status. */
static void answer_bare(struct exchange *x, err_t err)
{
	exchange_clear_headers(x);
	err = exchange_answer(x, error_info(err)->status, STR_NONE);
	if (err != OK)
		x->response->broken = true;
}

static void ask_refuse(struct exchange *x, err_t err)
{
	const struct server_options *options = &x->connection->server->options;
	exchange_clear_headers(x);
	if (options->refuse)
		options->refuse(options->arg, x, err);
	if (!x->response->begun)
		answer_bare(x, err);
}

/* An answer that stops in the middle must not look whole: without a length only a reset tells. */
static void cut_off(struct connection *c, const struct response_state *r)
{
	tls_connection_free(take(c->tls));
	bool ends_by_close =
		r->begun && !r->bodiless && !r->chunked && r->left_bytes == HTTP_BODY_UNKNOWN;
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	if (ends_by_close)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

/* Whether the connection lives on, and if not, how it ends. */
static bool finish(struct exchange *x)
{
	struct connection *c = x->connection;
	struct response_state *r = x->response;
	if (!r->ended) {
		cut_off(c, r);
		return false;
	}
	if (!r->closing && exchange_drain_body(x))
		return !r->broken;
	/* The client asked for the end and has nothing more to say: close at once. */
	if (!x->head->keep_alive && r->body_done && c->in.at == c->in.len)
		return false;
	connection_begin_closing(c);
	return false;
}

static bool conclude(struct worker *worker, struct exchange *x)
{
	transfer_release(x);
	bool lives = finish(x);
	transfer_release(x);
	arena_reset(&worker->arena);
	return lives;
}

bool exchange_run(struct worker *worker, struct connection *c)
{
	struct exchange *x = prepare(worker, c);
	prepare_body(x);
	exchange_find_origin(x);
	const struct server_options *options = &worker->server->options;
	options->handle(options->arg, x);
	CHECK(worker->ctx.holds == 0);
	if (!x->response->begun)
		ask_refuse(x, ERR_INTERNAL);
	return conclude(worker, x);
}

void exchange_refuse(struct worker *worker, struct connection *c, err_t err)
{
	memset(&worker->head, 0, offsetof(struct http_head, fields));
	worker->head.field_count = 0;
	worker->head.method = HTTP_METHOD_OTHER;
	worker->head.path = STR("/");
	worker->head.minor_version = 1;
	struct exchange *x = prepare(worker, c);
	x->response->body_done = true;
	x->close_after = true;
	exchange_find_origin(x);
	ask_refuse(x, err);
	conclude(worker, x);
	if (c->phase != PHASE_CLOSING)
		connection_begin_closing(c);
}
