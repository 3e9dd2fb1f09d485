/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream.h - a small server on a loopback port for tests of what asks others: it answers with
 * bytes that the test chooses, good or bad, or hangs until the asker goes away.
 */
#pragma once

#include "base/clock.h"
#include "base/compiler.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define UPSTREAM_CONNECTIONS_MAX 256
#define UPSTREAM_PATIENCE_S	 30

struct upstream_request {
	char head[16384]; /* request line and fields */
	char method[16];
	char path[8192];
	char *body; /* NUL-terminated */
	size_t body_len;
};

struct upstream {
	/* Answers by upstream_say() and friends; true keeps the connection. */
	bool (*answer)(struct upstream *u, int fd, const struct upstream_request *request);
	void *arg;
	int listener;
	uint16_t port;
	_Atomic(int) connections, requests, hanging, running_most;
	_Atomic(int) running;
	_Atomic(bool) stopping, gate_open;
	pthread_t acceptor;
	pthread_t threads[UPSTREAM_CONNECTIONS_MAX];
	int fds[UPSTREAM_CONNECTIONS_MAX];
};

#define upstream_wait_until(condition)                                                             \
	do {                                                                                       \
		int64_t wait_end_ns_ = clock_now_ns() + UPSTREAM_PATIENCE_S * CLOCK_S;             \
		while (!(condition)) {                                                             \
			cr_assert_lt(clock_now_ns(), wait_end_ns_, "never: " #condition);          \
			poll(NULL, 0, 1);                                                          \
		}                                                                                  \
	} while (0)

static inline void upstream_say_bytes(int fd, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t sent = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		done += (size_t)sent;
	}
}

static inline void upstream_say(int fd, const char *text)
{
	upstream_say_bytes(fd, text, strlen(text));
}

/* A whole answer. `fields` are complete lines, may be empty. */
static inline void upstream_say_answer(int fd, int status, const char *fields, const char *body)
{
	char head[128];
	snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n", status,
		 strlen(body));
	upstream_say(fd, head);
	upstream_say(fd, fields);
	upstream_say(fd, "\r\n");
	upstream_say(fd, body);
}

/* Says nothing until the other side closes or the test ends. */
static inline void upstream_hang(struct upstream *u, int fd)
{
	char rest[512];
	atomic_fetch_add(&u->hanging, 1);
	while (recv(fd, rest, sizeof rest, 0) > 0)
		;
	atomic_fetch_sub(&u->hanging, 1);
}

/* Waits for the test to set gate_open. */
static inline void upstream_wait_at_gate(struct upstream *u)
{
	atomic_fetch_add(&u->hanging, 1);
	while (!atomic_load(&u->gate_open) && !atomic_load(&u->stopping))
		poll(NULL, 0, 1);
	atomic_fetch_sub(&u->hanging, 1);
}

static inline bool upstream_hear_chunk(int fd, struct upstream_request *rq)
{
	char line[32] = { 0 };
	for (size_t len = 0; len + 1 < sizeof line && !strstr(line, "\r\n"); len++)
		if (recv(fd, line + len, 1, 0) != 1)
			return false;
	size_t size = strtoul(line, NULL, 16), all = size + 2;
	rq->body = realloc(rq->body, rq->body_len + all + 1);
	for (size_t have = 0; have < all;) {
		ssize_t got = recv(fd, rq->body + rq->body_len + have, all - have, 0);
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	rq->body_len += size;
	return size > 0;
}

static inline const char *upstream_field(const struct upstream_request *rq, const char *name)
{
	return strcasestr(rq->head, name);
}

static inline bool upstream_hear(int fd, struct upstream_request *rq)
{
	size_t len = 0;
	rq->body = NULL;
	rq->body_len = 0;
	rq->head[0] = '\0';
	while (!strstr(rq->head + (len > 4 ? len - 4 : 0), "\r\n\r\n")) {
		if (len + 1 == sizeof rq->head || recv(fd, rq->head + len, 1, 0) != 1)
			return false;
		rq->head[++len] = '\0';
	}
	if (sscanf(rq->head, "%15s %8191s ", rq->method, rq->path) != 2)
		return false;
	char *host = strstr(rq->path, "://"), *path = host ? strchr(host + 3, '/') : NULL;
	if (path) /* asked as a proxy */
		memmove(rq->path, path, strlen(path) + 1);
	const char *length = upstream_field(rq, "\r\nContent-Length:");
	size_t wanted = length ? strtoul(length + 17, NULL, 10) : 0;
	rq->body = calloc(1, wanted + 1);
	while (rq->body_len < wanted) {
		ssize_t got = recv(fd, rq->body + rq->body_len, wanted - rq->body_len, 0);
		if (got <= 0)
			return false;
		rq->body_len += (size_t)got;
	}
	if (upstream_field(rq, "\r\nTransfer-Encoding: chunked"))
		while (upstream_hear_chunk(fd, rq))
			;
	rq->body[rq->body_len] = '\0';
	return true;
}

struct upstream_connection {
	struct upstream *u;
	int fd;
};

static inline void *upstream_serve(void *arg)
{
	struct upstream_connection c = *(struct upstream_connection *)arg;
	struct upstream_request *rq = malloc(sizeof *rq);
	free(arg);
	bool goes_on = true;
	while (goes_on && upstream_hear(c.fd, rq)) {
		atomic_fetch_add(&c.u->requests, 1);
		int running = atomic_fetch_add(&c.u->running, 1) + 1;
		if (running > atomic_load(&c.u->running_most))
			atomic_store(&c.u->running_most, running);
		goes_on = c.u->answer(c.u, c.fd, rq);
		atomic_fetch_sub(&c.u->running, 1);
		free(rq->body);
		rq->body = NULL;
	}
	free(rq->body);
	free(rq);
	shutdown(c.fd, SHUT_RDWR);
	return NULL;
}

static inline void *upstream_accept(void *arg)
{
	struct upstream *u = arg;
	for (;;) {
		int fd = accept4(u->listener, NULL, NULL, SOCK_CLOEXEC);
		int at = atomic_load(&u->connections);
		if (fd < 0 || at == UPSTREAM_CONNECTIONS_MAX)
			return NULL;
		struct upstream_connection *c = malloc(sizeof *c);
		*c = (struct upstream_connection){ u, fd };
		u->fds[at] = fd;
		pthread_create(&u->threads[at], NULL, upstream_serve, c);
		atomic_store(&u->connections, at + 1);
	}
}

/* Fill `answer` and `arg` before. */
static inline void upstream_start(struct upstream *u)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	u->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(u->listener, (struct sockaddr *)&at, sizeof at), 0);
	cr_assert_eq(listen(u->listener, 64), 0);
	getsockname(u->listener, (struct sockaddr *)&at, &len);
	u->port = ntohs(at.sin_port);
	pthread_create(&u->acceptor, NULL, upstream_accept, u);
}

static inline void upstream_stop(struct upstream *u)
{
	atomic_store(&u->stopping, true);
	shutdown(u->listener, SHUT_RDWR);
	pthread_join(u->acceptor, NULL);
	close(u->listener);
	for (int i = 0; i < atomic_load(&u->connections); i++) {
		shutdown(u->fds[i], SHUT_RDWR);
		pthread_join(u->threads[i], NULL);
		close(u->fds[i]);
	}
}

/* "http://127.0.0.1:PORT<path>", in one of a few static places. */
static inline const char *upstream_url(const struct upstream *u, const char *path)
{
	static _Thread_local char urls[8][256];
	static _Thread_local unsigned next;
	char *url = urls[next++ % 8];
	snprintf(url, sizeof urls[0], "http://127.0.0.1:%u%s", u->port, path);
	return url;
}

/* A loopback port that nobody listens on. */
static inline uint16_t upstream_dead_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	close(fd);
	return ntohs(at.sin_port);
}
