/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - an HTTP/1.1 server of blocking threads.
 *
 * Idle workers, some at a time, wait in one shared epoll set for a connection or a listener to
 * become ready, take it (one-shot), read the head, run the handler, answer, linger a moment for the
 * next request, and give the socket back. A head that arrives in pieces is parked, with its bytes,
 * so a slow head costs memory but no thread; a sweeper ends what missed its deadline. Threads are
 * made when none is idle and leave when idle for long.
 *
 * `transfers_max` of the `threads_max` threads may move large bodies at a time; the rest always
 * remain for short requests.
 *
 *	server_new(ctx, &options, &server);
 *	server_listen(ctx, server, STR("127.0.0.1:5000"), false, NULL);
 *	server_start(ctx, server);
 *	…
 *	server_drain(server, 30000);
 *	server_free(server);
 */
#pragma once

#include "http/exchange.h"

struct server;
struct tls_server; /* crypto/tls.h */

struct server_options {
	void (*handle)(void *arg,
		       struct exchange *x); /* answers; whatever it leaves unanswered is a 500 */
	/* Answers a request that never became an exchange (bad head, overload): adds headers and a
	 * body for `err` through the same exchange calls. */
	void (*refuse)(void *arg, struct exchange *x, err_t err);
	void *arg;

	unsigned threads_max;	      /* default 320 */
	unsigned transfers_max;	      /* default 256 */
	unsigned connections_max;     /* default 16384; beyond: 503 and close */
	size_t arena_bytes_max;	      /* per request; default 48 MiB */
	int head_timeout_ms;	      /* default 10,000: whole head, TLS handshake, PROXY header */
	int idle_timeout_ms;	      /* default 75,000: keep-alive */
	int body_timeout_ms;	      /* default 60,000: longest silence inside a body */
	int request_timeout_ms;	      /* default 60,000: what a handler may take without moving
					 bytes of a body; see ctx_progress() */
	int64_t rate_min_bytes_per_s; /* 0 for none; averaged over 60 s after a grace of
					 body_timeout */
	int linger_ms;		      /* default 5 */
	bool proxy_protocol;	      /* v1 and v2, required from peers in trusted_proxies */
	const char *trusted_proxies;  /* CIDR list, "unix" for Unix sockets; X-Forwarded-For/-Proto/
					 -Host are believed from these */
	const char *certificate_header; /* in which they pass a client's certificate on
					   (codec/client_certificate.h); NULL or empty: none */
	struct tls_server *tls;		/* for listeners that ask for it; not owned */
};

err_t server_new(struct ctx *ctx, const struct server_options *options, struct server **ret);

/*
 * Adds a listener: "127.0.0.1:5000", "[::1]:5000", ":5000" (all addresses), "unix:/run/berth.sock",
 * or "fd:3" (socket activation). `*ret_bound` (may be NULL) is the address with the real port, in
 * ctx's arena.
 */
err_t server_listen(struct ctx *ctx, struct server *server, str address, bool tls, str *ret_bound);

err_t server_start(struct ctx *ctx, struct server *server);

/* Still accepts and serves, but each answer says Connection: close: clients and proxies that keep
 * connections go elsewhere by themselves, and few are left whose next request meets the end. */
void server_leave(struct server *server);

/* Stops accepting, closes idle connections, answers what runs (with Connection: close), waits at
 * most `timeout_ms`, then cuts. */
void server_drain(struct server *server, int timeout_ms);
void server_free(struct server *server); /* drained before */

struct server_stats {
	unsigned connections;
	unsigned threads;
	unsigned threads_idle; /* waiting or resting */
	unsigned transfers;
};
void server_stats(struct server *server, struct server_stats *ret);
