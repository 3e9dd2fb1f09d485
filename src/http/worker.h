/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - the server's state and that of a thread in it. Internal to this folder.
 *
 * Locks: server->lock guards the list of connections, the thread count and the listeners' state; it
 * is held for a few instructions, or one epoll_ctl, and never while anything blocks.
 */
#pragma once

#include "base/buf.h"
#include "codec/http_chunked.h"
#include "http/connection.h"
#include "http/places.h"
#include "http/server.h"
#include "os/socket.h"
#include "os/thread.h"

#include <semaphore.h>
#include <stdatomic.h>

#define LISTENERS_MAX 16
#define WORKERS_KEPT  4

struct listener {
	struct source source;
	int fd;
	bool tls;
	bool paused; /* out of descriptors; the sweeper arms it again */
	bool given;  /* by socket activation: others may hold it too */
	char *path;  /* of a Unix socket, removed at the end */
};

struct server {
	struct server_options options;
	struct socket_options socket_options;
	struct arena arena;	  /* for what lives as long as the server */
	struct peer_list trusted; /* proxies */

	struct source stop;
	int epoll_fd;
	int stop_fd;
	struct listener listeners[LISTENERS_MAX];
	size_t listener_count;

	sem_t transfers; /* free slots */
	struct places places;
	_Atomic(bool) leaving; /* each answer ends its connection */
	_Atomic(bool) draining;
	_Atomic(bool) cut; /* every exchange ends now */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a connection or thread is gone; the sweeper is to stop */
	struct connection *connections;
	unsigned connection_count;
	unsigned thread_count;
	bool started, sweeping;
	bool has_left; /* a worker ended and is to be joined by the next that ends */
	pthread_t left;
	pthread_t sweeper;
};

/* One exchange from the server's side: what is left of its body, what is said of its answer. */
struct response_state {
	struct worker *worker;

	uint64_t body_left_bytes; /* with a known length */
	struct http_chunked frame;
	bool body_chunked;
	bool body_done;
	bool continue_due; /* the client waits for 100 Continue */

	struct buf fields;   /* of the answer, "name: value\r\n" each */
	struct buf head;     /* the whole head, once begun */
	uint64_t left_bytes; /* of the announced length */
	bool chunked;
	bool bodiless;	   /* HEAD, 204, 304 */
	bool head_pending; /* not sent yet: goes out with the first bytes */
	bool begun;
	bool ended;
	bool closing; /* said Connection: close */
	bool broken;  /* the connection cannot be used again */
	bool has_slot;
};

struct worker {
	struct server *server;
	struct ctx_host host; /* of ctx: worker_step_aside() */
	bool has_place;	      /* places.h */
	struct arena arena;
	struct ctx ctx;
	struct http_head head;
	struct exchange exchange;
	struct response_state response;
	char *lent;  /* INBOX_LENT_BYTES and INBOX_SPILL_BYTES; only what was used is resident */
	char *block; /* WORKER_BLOCK_BYTES, made on demand, gone when idle */
	int64_t date_s;
	char date[CTX_DETAIL_MAX / 4]; /* "Date: …\r\n" */
	size_t date_len;
};

#define WORKER_BLOCK_BYTES KIB(128)

err_t worker_start(struct ctx *ctx, struct server *server);
/* Gives the worker's place to another: it may wait now, for a peer or for something else. */
void worker_step_aside(struct worker *worker);
/* Whether it may wait a moment for the next request of a connection, instead of somebody's. */
bool worker_may_linger(struct worker *worker);
char *worker_block(struct worker *worker);

/* Serves a connection until it is closed or parked. */
void connection_serve(struct worker *worker, struct connection *c);

/* Runs the handler on the request in worker->head. False when the connection is to be closed. */
bool exchange_run(struct worker *worker, struct connection *c);
/* Answers a request that cannot be served with `err`; the connection turns to PHASE_CLOSING. */
void exchange_refuse(struct worker *worker, struct connection *c, err_t err);

/* Fills peer, scheme and host from the connection and the fields of trusted proxies. */
void exchange_find_origin(struct exchange *x);

/*
 * Before an answer: whether so little is left of the request's body, or nothing, that draining it
 * is cheaper than a new connection. How much is left of a chunked body nobody knows: what has come
 * of it, or comes within the linger time, is eaten at once, and the end must be in it. Clients that
 * do not know the length of their body announce chunks even for an empty one.
 */
bool exchange_settle_body(struct exchange *x);
/* Behind the answer: eats what is left. False when it is too much or too slow. */
bool exchange_drain_body(struct exchange *x);

/* A slot for a large body: ERR_BUSY when there is none after `wait_ms`. Held until the exchange
 * ends. */
err_t transfer_admit(struct exchange *x, int wait_ms);
void transfer_release(struct exchange *x);
