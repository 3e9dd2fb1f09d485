/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c - see connection.h. */
#include "http/connection.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/wire.h"
#include "http/worker.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"

#define CLOSING_BYTES_MAX MIB(1)
#define CLOSING_TIME_NS	  (2 * CLOCK_S)

static enum phase first_phase(const struct connection *c)
{
	if (c->server->options.proxy_protocol && c->trusted)
		return PHASE_PROXY;
	return c->wants_tls ? PHASE_TLS : PHASE_HEAD;
}

void connection_new(struct server *server, int fd, bool tls, ip address, bool is_ip,
		    struct connection **ret)
{
	struct connection *c = NEW(struct connection);
	c->source.kind = SOURCE_CONNECTION;
	c->server = server;
	c->fd = fd;
	c->wants_tls = tls;
	c->is_ip = is_ip;
	c->address = address;
	c->trusted =
		is_ip ? cidr_list_has(&server->trusted.ranges, address) : server->trusted.has_unix;
	c->phase = first_phase(c);
	c->deadline_ns = clock_now_ns() + server->options.head_timeout_ms * CLOCK_MS;
	c->in_head = true;
	if (is_ip)
		ip_format(address, c->peer);
	else
		memcpy(c->peer, "unix", sizeof "unix");

	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	c->next = server->connections;
	if (c->next)
		c->next->previous = c;
	server->connections = c;
	server->connection_count++;
	*ret = c;
}

static void forget(struct connection *c)
{
	struct server *server = c->server;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&server->lock);
	if (c->next)
		c->next->previous = c->previous;
	if (c->previous)
		c->previous->next = c->next;
	else
		server->connections = c->next;
	server->connection_count--;
	if (atomic_load(&server->draining))
		pthread_cond_broadcast(&server->changed);
}

void connection_close(struct connection *c)
{
	if (c->tls) {
		if (c->phase == PHASE_HEAD)
			tls_shutdown(c->tls);
		tls_connection_free(c->tls);
	}
	/* Off the list first: the sweeper must never shut down a number that is somebody else's by
	 * now. */
	forget(c);
	close(c->fd);
	if (c->in.own)
		free(c->in.bytes);
	free(c);
}

/* A lent buffer stays with the worker; what is left in it moves to one of the connection's own. */
static void give_buffer_back(struct inbox *in)
{
	str unread = inbox_unread(in);
	if (in->own && unread.len)
		return;
	char *copy = unread.len ? mem_copy(unread) : NULL;
	if (in->own)
		free(in->bytes);
	size_t seen = in->seen;
	*in = (struct inbox){ .bytes = copy, .len = unread.len, .cap = unread.len };
	in->own = copy != NULL;
	in->seen = copy ? seen : 0;
}

/* Whether it is still of any use to wait for this client. Under the lock. */
static bool may_park(struct connection *c)
{
	bool idle = c->phase == PHASE_HEAD && c->in.len == 0;
	return !(idle && atomic_load(&c->server->draining)) && !atomic_load(&c->server->cut);
}

/* Under the lock: the next owner takes it too (connection_take), so all that this thread did with
 * the connection comes before, the system call included. */
static bool give_to_epoll(struct connection *c, uint32_t events)
{
	if (!may_park(c))
		return false;
	struct epoll_event event = {
		.events = EPOLLONESHOT | EPOLLRDHUP | events,
		.data.ptr = &c->source,
	};
	int operation = c->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	c->in_epoll = true;
	c->parked = true;
	if (epoll_ctl(c->server->epoll_fd, operation, c->fd, &event) == 0)
		return true;
	c->parked = false; /* nobody will ever get it */
	return false;
}

void connection_park(struct connection *c, bool for_writing)
{
	struct server *server = c->server;
	give_buffer_back(&c->in);
	c->worker = NULL;

	pthread_mutex_lock(&server->lock);
	bool given = give_to_epoll(c, for_writing ? EPOLLOUT : EPOLLIN);
	pthread_mutex_unlock(&server->lock);
	if (!given)
		connection_close(c);
}

void connection_take(struct connection *c, struct worker *worker)
{
	struct server *server = c->server;
	pthread_mutex_lock(&server->lock);
	c->parked = false;
	pthread_mutex_unlock(&server->lock);
	c->worker = worker;
}

void connection_begin_closing(struct connection *c)
{
	if (c->tls)
		tls_shutdown(c->tls);
	shutdown(c->fd, SHUT_WR);
	c->phase = PHASE_CLOSING;
	c->closing_bytes = CLOSING_BYTES_MAX;
	c->deadline_ns = clock_now_ns() + CLOSING_TIME_NS;
	c->in.at = c->in.len = c->in.floor = 0;
}

str inbox_unread(const struct inbox *in)
{
	return in->bytes ? (str){ in->bytes + in->at, in->len - in->at } : STR_NONE;
}

void inbox_consume(struct inbox *in, size_t count)
{
	CHECK(count <= in->len - in->at);
	in->at += count;
	if (in->at == in->len)
		in->at = in->len = in->floor;
}

void inbox_make_room(struct inbox *in)
{
	if (in->len + (in->own ? (size_t)512 : INBOX_READ_BYTES) <= in->cap)
		return;
	str unread = inbox_unread(in);
	if (in->own) {
		/* A slow head: twice the room, up to what a head may be. */
		in->cap = MIN(MAX(2 * in->cap, (size_t)512) + 512, INBOX_LENT_BYTES);
		in->bytes = mem_resize(in->bytes, in->cap);
		return;
	}
	memmove(in->bytes, unread.ptr, unread.len);
	in->at = 0;
	in->len = unread.len;
}

void inbox_use_lent(struct inbox *in, char *lent)
{
	str unread = inbox_unread(in);
	if (in->bytes == lent)
		return;
	if (unread.len)
		memcpy(lent, unread.ptr, unread.len);
	if (in->own)
		free(in->bytes);
	*in = (struct inbox){ .bytes = lent, .len = unread.len, .cap = INBOX_LENT_BYTES };
}
