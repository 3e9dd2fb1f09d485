/* SPDX-License-Identifier: Apache-2.0 */
/* client_internal.h - what the files of the client share. */
#pragma once

#include "client_library.h"
#include "codec/cidr.h"
#include "http/client.h"

#include <pthread.h>

/* A libcurl handle with its connections. In use by one thread, or idle in the pool. */
struct client_handle {
	CURL *curl;
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
/* The same for a host as written, where only a proxy will resolve it. */
bool client_may_name(const struct client *client, str host);

/* client_transfer.c: the request itself, on a handle that is ours for the time. */
err_t client_transfer(struct ctx *ctx, struct client *client, CURL *curl,
		      const struct client_url *url, const struct client_request *request,
		      struct client_response *ret);
