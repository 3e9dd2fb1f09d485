/* SPDX-License-Identifier: Apache-2.0 */
/* client_internal.h - what the files of the client share. */
#pragma once

#include "base/buf.h"
#include "base/step.h"
#include "client_library.h"
#include "codec/cidr.h"
#include "http/client.h"

#include <pthread.h>

/* A libcurl handle with its connections. In use by one thread, or idle in the pool. */
struct client_handle {
	CURL *curl;
	CURLM *pulls; /* has the connections of what is pulled; made when it is needed */
	struct client_handle *next;
	char *target; /* whom it asked last: there its connection is */
	int64_t idle_since_ns;
};

/* Counts the requests to one target; exists as long as there are any. */
struct client_target {
	struct client_target *next;
	char *name;
	unsigned running;
	unsigned waiting;
};

struct client {
	struct client_options options;
	struct arena memory; /* the options' strings, the allow list */
	struct cidr_list allow;
	struct {
		char *http, *https, *none; /* proxies' URLs and the exceptions; NULL for none */
	} proxy;

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t turn;
	struct client_target *targets;
	struct client_handle *idle; /* the youngest first */
	unsigned idle_count;
	unsigned running;
};

/* A URL taken apart. */
struct client_url {
	char *text; /* NUL-terminated */
	str host;
	str target; /* "https://example.com:443" */
	bool https;
};

/* False unless client_url_is_valid(). In the arena. */
bool client_url_parse(struct arena *arena, str url, struct client_url *ret);

/* The proxy that requests to this URL go through, or NULL. */
const char *client_proxy_of(const struct client *client, const struct client_url *url);

/* client_guard.c: may this client connect there? */
bool client_may_connect(const struct client *client, ip address);
bool client_may_connect_to(const struct client *client, const struct sockaddr *address);
/* The same for a host as written, where only a proxy will resolve it. */
bool client_may_name(const struct client *client, str host);

/* A turn at a target, and a handle for the time. */
err_t client_borrow(struct ctx *ctx, struct client *client, const struct client_url *url,
		    struct client_target **ret_target, struct client_handle **ret);
void client_give_back(struct client *client, struct client_target *target,
		      struct client_handle *handle);

/* What a request is checked for before anything is asked; `*ret` is its URL. */
err_t client_check(struct ctx *ctx, struct client *client, const struct client_request *request,
		   struct client_url *ret);

/* Begins the step of its purpose, with the wait for a turn; what cannot be asked at all is none. */
struct step client_step(struct ctx *ctx, const struct client *client);

/* client_transfer.c: one request on a handle that is ours for the time. */
struct client_transfer {
	struct ctx *ctx;
	const struct client *client;
	const struct client_request *request;
	CURL *curl;
	struct curl_slist *fields;
	struct client_response response;
	struct buf head; /* of the answer being received */
	struct buf body;
	size_t head_bytes; /* of all answers, interim ones and redirects too */
	err_t err;	   /* a callback failed, and recorded why */
	bool is_pulled;	   /* client_pull.c: somebody else takes the body */
	bool by_proxy;	   /* whoever is connected to is the proxy */
	bool forbidden;	   /* the guard refused an address */
	char reason[CURL_ERROR_SIZE];
};

err_t client_transfer(struct ctx *ctx, struct client *client, CURL *curl,
		      const struct client_url *url, const struct client_request *request,
		      struct client_response *ret);

/* Its steps: all options of the handle, from ctx, client, request and curl; status and fields once
 * they are there; and what came of it, with the body. */
void client_transfer_init(struct client_transfer *t, const struct client_url *url);
void client_transfer_fill(struct client_transfer *t);
err_t client_transfer_finish(struct client_transfer *t, CURLcode code);
void client_transfer_done(struct client_transfer *t); /* CLEANUP */
