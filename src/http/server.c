/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - the life of a server: options, listeners, the sweeper, draining. See server.h. */
#include "http/server.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"

#define SEND_TIMEOUT_MS 1000
#define CUT_WAIT_NS	(10 * CLOCK_S)

static void set_defaults(struct server_options *options)
{
	static const struct server_options defaults = {
		.threads_max = 320,
		.transfers_max = 256,
		.connections_max = 16384,
		.arena_bytes_max = MIB(48),
		.head_timeout_ms = 10000,
		.idle_timeout_ms = 75000,
		.body_timeout_ms = 60000,
		.request_timeout_ms = 60000,
		.linger_ms = 5,
	};
#define DEFAULT(member) options->member = options->member ? options->member : defaults.member
	DEFAULT(threads_max);
	DEFAULT(transfers_max);
	DEFAULT(connections_max);
	DEFAULT(arena_bytes_max);
	DEFAULT(head_timeout_ms);
	DEFAULT(idle_timeout_ms);
	DEFAULT(body_timeout_ms);
	DEFAULT(request_timeout_ms);
	DEFAULT(linger_ms);
#undef DEFAULT
}

static err_t parse_trusted(struct ctx *ctx, struct server *server)
{
	if (!peer_list_parse(&server->arena, str_from(server->options.trusted_proxies),
			     &server->trusted))
		return fail(ctx, ERR_CONFIG, "trusted proxies: not a list of address ranges");
	return OK;
}

static err_t open_descriptors(struct ctx *ctx, struct server *server)
{
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &server->stop };
	if (server->epoll_fd < 0 || server->stop_fd < 0 ||
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->stop_fd, &event) != 0)
		return fail_errno(ctx, ERR_CONFIG, "could not make an epoll set");
	return OK;
}

err_t server_new(struct ctx *ctx, const struct server_options *options, struct server **ret)
{
	CHECK(options->handle != NULL);
	struct server *server = NEW(struct server);
	server->options = *options;
	set_defaults(&server->options);
	server->socket_options = (struct socket_options){
		.receive_timeout_ms = server->options.linger_ms,
		.send_timeout_ms = SEND_TIMEOUT_MS,
	};
	arena_init(&server->arena, MIB(1));
	pthread_mutex_init(&server->lock, NULL);
	thread_condition_init(&server->changed);
	places_init(&server->places, server->options.threads_max);
	sem_init(&server->transfers, 0, server->options.transfers_max);
	server->stop.kind = SOURCE_STOP;
	server->epoll_fd = server->stop_fd = -1;
	err_t err = open_descriptors(ctx, server);
	if (err == OK)
		err = parse_trusted(ctx, server);
	if (err != OK) {
		server_free(server);
		return err;
	}
	*ret = server;
	return OK;
}

err_t server_listen(struct ctx *ctx, struct server *server, str address, bool tls, str *ret_bound)
{
	CHECK(!server->started);
	if (server->listener_count == LISTENERS_MAX)
		return fail(ctx, ERR_CONFIG, "more than %d listen addresses", LISTENERS_MAX);
	if (tls && !server->options.tls)
		return fail(ctx, ERR_CONFIG, "listen " STR_FMT ": TLS needs a certificate",
			    STR_ARG(address));
	struct listener *listener = &server->listeners[server->listener_count];
	str bound;
	TRY(socket_listen(ctx, address, &server->socket_options, &listener->fd, &bound));
	listener->source.kind = SOURCE_LISTENER;
	listener->tls = tls;
	listener->given = str_has_prefix(address, STR("fd:"));
	if (str_has_prefix(address, STR("unix:")))
		listener->path = mem_copy(str_skip(address, 5));
	server->listener_count++;
	if (ret_bound)
		*ret_bound = bound;
	return OK;
}

/* The sweeper. */

static bool sweep_connection(struct connection *c, int64_t now_ns)
{
	if (!c->parked || c->expired || now_ns < c->deadline_ns)
		return false;
	c->expired = true;
	/* Wakes a worker, which says 408 or nothing, and closes. What has already arrived is still
	 * read. */
	shutdown(c->fd, c->phase == PHASE_CLOSING ? SHUT_RDWR : SHUT_RD);
	return true;
}

static void rearm_paused(struct server *server)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		struct listener *listener = &server->listeners[i];
		struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT,
					     .data.ptr = &listener->source };
		if (!listener->paused || atomic_load(&server->draining))
			continue;
		listener->paused = false;
		(void)epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, listener->fd, &event);
	}
}

static void *sweeper_main(void *arg)
{
	struct server *server = arg;
	int shortest_ms = MIN(server->options.head_timeout_ms, server->options.idle_timeout_ms);
	int64_t tick_ns = MAX(10, MIN(shortest_ms / 4, 1000)) * CLOCK_MS;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	for (int64_t next_ns = clock_now_ns() + tick_ns; server->sweeping;) {
		if (thread_wait_until(&server->changed, &server->lock, next_ns))
			continue;
		int64_t now_ns = clock_now_ns();
		for (struct connection *c = server->connections; c; c = c->next)
			sweep_connection(c, now_ns);
		rearm_paused(server);
		next_ns = now_ns + tick_ns;
	}
	return NULL;
}

static err_t add_listener(struct ctx *ctx, struct server *server, struct listener *listener)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT,
				     .data.ptr = &listener->source };
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, listener->fd, &event) != 0)
		return fail_errno(ctx, ERR_CONFIG, "could not watch a listener");
	return OK;
}

err_t server_start(struct ctx *ctx, struct server *server)
{
	CHECK(!server->started);
	server->started = true;
	TRY(worker_start(ctx, server));
	server->sweeping = true;
	err_t err = thread_start(ctx, "http sweeper", sweeper_main, server, &server->sweeper);
	if (err != OK) {
		server->sweeping = false;
		return err;
	}
	for (size_t i = 0; i < server->listener_count; i++)
		TRY(add_listener(ctx, server, &server->listeners[i]));
	return OK;
}

/* Draining. */

/* Nobody new. Who waits in the queue is still let in: to them we were open when they came. */
static void stop_listening(struct server *server, struct listener *listener)
{
	struct socket_peer peer;
	int fd;
	epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
	while (socket_accept(listener->fd, &server->socket_options, listener->given, &fd, &peer) ==
	       SOCKET_ACCEPTED) {
		struct connection *c;
		connection_new(server, fd, listener->tls, ip_from_v6(peer.address), peer.is_ip, &c);
		connection_park(c, false);
	}
	socket_bury(listener->fd);
	if (listener->path)
		unlink(listener->path);
}

/* Bytes that nobody has read yet are a request; their worker is on its way, or will be when one is
 * free. Ending the connection's reading now would cut off the body that follows. */
static bool is_idle(const struct connection *c)
{
	return c->parked && c->phase == PHASE_HEAD && c->in.len == 0 &&
	       socket_wait(c->fd, POLLIN, 0) == 0;
}

static void shut_down(struct server *server, bool all)
{
	for (struct connection *c = server->connections; c; c = c->next)
		if (all || is_idle(c))
			shutdown(c->fd, all ? SHUT_RDWR : SHUT_RD);
}

static bool wait_until_empty(struct server *server, int64_t until_ns)
{
	while (server->connection_count)
		if (!thread_wait_until(&server->changed, &server->lock, until_ns))
			return server->connection_count == 0;
	return true;
}

void server_leave(struct server *server)
{
	atomic_store(&server->leaving, true);
}

void server_drain(struct server *server, int timeout_ms)
{
	if (!server->started || atomic_load(&server->draining))
		return;
	for (size_t i = 0; i < server->listener_count; i++)
		stop_listening(server, &server->listeners[i]);
	server_leave(server);
	atomic_store(&server->draining, true);

	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	shut_down(server, false);
	if (wait_until_empty(server, clock_now_ns() + timeout_ms * CLOCK_MS))
		return;
	atomic_store(&server->cut, true);
	shut_down(server, true);
	wait_until_empty(server, clock_now_ns() + CUT_WAIT_NS);
}

static void stop_threads(struct server *server)
{
	uint64_t one = 1;
	ssize_t written = write(server->stop_fd, &one, sizeof one);
	CHECK(written == (ssize_t)sizeof one);
	places_close(&server->places);
	pthread_mutex_lock(&server->lock);
	bool sweeping = server->sweeping;
	server->sweeping = false;
	pthread_cond_broadcast(&server->changed);
	while (server->thread_count)
		pthread_cond_wait(&server->changed, &server->lock);
	bool has_left = server->has_left;
	pthread_mutex_unlock(&server->lock);
	if (sweeping)
		pthread_join(server->sweeper, NULL);
	if (has_left)
		pthread_join(server->left, NULL);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	server_drain(server, 0);
	if (server->started)
		stop_threads(server);
	while (server->connections)
		connection_close(server->connections);
	for (size_t i = 0; i < server->listener_count; i++) {
		if (server->listeners[i].path && !server->started)
			unlink(server->listeners[i].path);
		close(server->listeners[i].fd);
		free(server->listeners[i].path);
	}
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	if (server->stop_fd >= 0)
		close(server->stop_fd);
	sem_destroy(&server->transfers);
	places_done(&server->places);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->lock);
	arena_done(&server->arena);
	free(server);
}

void server_stats(struct server *server, struct server_stats *ret)
{
	int free_slots = 0;
	sem_getvalue(&server->transfers, &free_slots);
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	*ret = (struct server_stats){
		.connections = server->connection_count,
		.threads = server->thread_count,
		.threads_idle = places_idle(&server->places),
		.transfers = server->options.transfers_max - (unsigned)MAX(free_slots, 0),
	};
}
