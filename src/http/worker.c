/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c - threads that wait together in one epoll set and serve what they are woken for.
 *
 * The kernel wakes one waiter per event. How many wait is bounded (places.h): the others rest. When
 * nobody waits any more and nobody rests, another thread is started; who has been idle for long
 * leaves, as long as somebody stays.
 */
#include "http/wire.h"
#include "http/worker.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/banned.h"

#define QUIET_MS		1000  /* then a worker gives its buffers back */
#define LEAVE_MS		10000 /* then it leaves */
#define ANSWER_FIELDS_BYTES_MAX KIB(64)

char *worker_block(struct worker *worker)
{
	if (!worker->block)
		worker->block = mem_resize(NULL, WORKER_BLOCK_BYTES);
	return worker->block;
}

static void give_memory_back(struct worker *worker)
{
	arena_done(&worker->arena);
	buf_done(&worker->response.fields);
	buf_done(&worker->response.head);
	free(worker->block);
	free(worker->lent);
	worker->block = worker->lent = NULL;
}

/* With a ctx of its own: the worker's may be that of a request under way, which waits meanwhile. */
static void start_another(struct worker *worker)
{
	struct ctx own;
	ctx_init(&own, NULL);
	if (worker_start(&own, worker->server) == ERR_BUSY)
		LOG(LOG_DEBUG, "no further thread", LOG_CSTR("reason", own.failure.detail));
}

/* Whether the server has threads to spare. */
static bool may_leave(struct worker *worker)
{
	struct server *server = worker->server;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	return server->thread_count > WORKERS_KEPT;
}

void worker_step_aside(struct worker *worker)
{
	if (!worker->has_place)
		return;
	worker->has_place = false;
	if (!place_leave(&worker->server->places))
		start_another(worker);
}

static void step_aside(struct ctx_host *host)
{
	worker_step_aside(CONTAINER_OF(host, struct worker, host));
}

bool worker_may_linger(struct worker *worker)
{
	struct places *places = &worker->server->places;
	if (!worker->has_place)
		worker->has_place = place_try(places);
	return worker->has_place && atomic_load_explicit(&places->waiting, memory_order_relaxed);
}

/* A place to wait at; rests when there is none. False when the worker is to leave. */
static bool find_place(struct worker *worker)
{
	struct places *places = &worker->server->places;
	if (worker->has_place && places_are_exceeded(places))
		worker_step_aside(worker);
	for (int rest_ms = QUIET_MS; !worker->has_place; rest_ms = LEAVE_MS - QUIET_MS) {
		enum place got = place_take(places, rest_ms);
		worker->has_place = got == PLACE_TAKEN;
		if (got == PLACE_CLOSED)
			return false;
		if (got == PLACE_TIRED && rest_ms != QUIET_MS && may_leave(worker))
			return false;
		if (got == PLACE_TIRED)
			give_memory_back(worker);
	}
	return true;
}

/* Waits until one comes, or until the worker is to leave. */
static bool wait_in_epoll(struct worker *worker, struct epoll_event *ret)
{
	struct places *places = &worker->server->places;
	int timeout_ms = QUIET_MS;
	place_begin_wait(places);
	for (;;) {
		int got = epoll_wait(worker->server->epoll_fd, ret, 1, timeout_ms);
		CHECK(got >= 0 || errno == EINTR);
		if (got > 0)
			return true;
		if (got < 0)
			continue;
		if (timeout_ms == QUIET_MS)
			give_memory_back(worker);
		else if (may_leave(worker) && place_quit(places))
			return false;
		timeout_ms = LEAVE_MS - QUIET_MS;
	}
}

/* The next event, or NULL when the worker is to leave. */
static struct source *wait_for_event(struct worker *worker)
{
	struct epoll_event event;
	if (!find_place(worker) || !wait_in_epoll(worker, &event))
		return NULL;
	bool is_enough = place_end_wait(&worker->server->places);
	struct source *source = event.data.ptr;
	if (source->kind == SOURCE_STOP)
		return NULL;
	if (!is_enough)
		start_another(worker);
	if (!worker->lent)
		worker->lent = mem_resize(NULL, INBOX_LENT_BYTES + INBOX_SPILL_BYTES);
	return source;
}

static void arm(struct server *server, struct listener *listener)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT,
				     .data.ptr = &listener->source };
	(void)epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, listener->fd, &event);
}

static void pause_listener(struct server *server, struct listener *listener)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	if (!listener->paused)
		LOG(LOG_WARN, "cannot accept connections, out of descriptors or memory");
	listener->paused = true;
}

static bool is_full(struct server *server)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	return server->connection_count >= server->options.connections_max;
}

static void serve_new(struct worker *worker, struct listener *listener, int fd,
		      const struct socket_peer *peer)
{
	struct server *server = worker->server;
	bool full = is_full(server);
	struct connection *c;
	connection_new(server, fd, listener->tls, ip_from_v6(peer->address), peer->is_ip, &c);
	c->worker = worker;
	if (!full) {
		connection_serve(worker, c);
		return;
	}
	/* No lingering for these, what is full must not grow; but unread bytes would make the close
	 * a reset, which swallows the answer. */
	inbox_use_lent(&c->in, worker->lent);
	if (!listener->tls)
		exchange_refuse(worker, c, ERR_BUSY);
	size_t unread;
	(void)wire_receive(c, worker->lent, INBOX_READ_BYTES, false, &unread);
	connection_close(c);
}

/* Takes one connection and lets the next worker have the listener; then looks for more itself. */
static void accept_and_serve(struct worker *worker, struct listener *listener)
{
	struct server *server = worker->server;
	bool armed = false;
	for (;;) {
		struct socket_peer peer;
		int fd;
		enum socket_accept got = socket_accept(listener->fd, &server->socket_options,
						       listener->given, &fd, &peer);
		if (got == SOCKET_EXHAUSTED && !armed) {
			pause_listener(server, listener);
			return;
		}
		if (!armed && got != SOCKET_CLOSED)
			arm(server, listener);
		armed = true;
		if (got != SOCKET_ACCEPTED)
			return;
		serve_new(worker, listener, fd, &peer);
	}
}

static void work(struct worker *worker)
{
	for (;;) {
		struct source *source = wait_for_event(worker);
		if (!source)
			return;
		if (source->kind == SOURCE_LISTENER) {
			accept_and_serve(worker, CONTAINER_OF(source, struct listener, source));
			continue;
		}
		struct connection *c = CONTAINER_OF(source, struct connection, source);
		connection_take(c, worker);
		connection_serve(worker, c);
	}
}

/* Each thread that ends joins the one that ended before it; the last is left for server_free. */
static void leave(struct worker *worker)
{
	struct server *server = worker->server;
	pthread_t self = pthread_self(), before = self;
	give_memory_back(worker);
	free(worker);

	pthread_mutex_lock(&server->lock);
	bool has_before = server->has_left;
	if (has_before)
		before = server->left;
	server->left = self;
	server->has_left = true;
	server->thread_count--;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
	if (has_before)
		pthread_join(before, NULL);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	work(worker);
	leave(worker);
	return NULL;
}

static bool count_in(struct server *server)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	if (server->thread_count >= server->options.threads_max)
		return false;
	server->thread_count++;
	return true;
}

static void count_out(struct server *server)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	server->thread_count--;
}

err_t worker_start(struct ctx *ctx, struct server *server)
{
	if (!count_in(server))
		return OK;
	struct worker *worker = NEW(struct worker);
	worker->server = server;
	worker->host.waits = step_aside;
	worker->response.fields = (struct buf)BUF_INIT(ANSWER_FIELDS_BYTES_MAX);
	worker->response.head = (struct buf)BUF_INIT(ANSWER_FIELDS_BYTES_MAX + KIB(1));
	arena_init(&worker->arena, server->options.arena_bytes_max);
	pthread_t thread; /* joined by way of leave() */
	err_t err = thread_start(ctx, "http worker", worker_main, worker, &thread);
	if (err != OK) {
		count_out(server);
		free(worker);
	}
	return err;
}
