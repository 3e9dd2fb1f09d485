/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.h - HTTP to registry: the table of routes and the one way every request takes.
 *
 *	match → authenticate → authorise → handler → error answer and log line
 *
 * A handler is a function in oci_*.c, harbor_*.c or token.c: parse, call one registry or auth
 * function, answer. It never decides who may do what; that is the permission column of its row in
 * routes.c.
 */
#pragma once

#include "auth/auth.h"
#include "base/buf.h"
#include "http/exchange.h"
#include "registry/registry.h"

/* Whom rate limits count; see api/rate.h. */
enum rate_who {
	RATE_ADDRESS,
	RATE_ANONYMOUS,
	RATE_USER,
	RATE_ROBOT,
	RATE_TENANT,
	RATE_WHO_COUNT,
};

struct samples; /* observe/exposition.h */
struct tracer;

struct api_options {
	struct auth *auth;		  /* not owned */
	struct registry *registry;	  /* not owned */
	struct system_settings *settings; /* not owned; NULL: defaults */
	struct audit *audit;		  /* not owned; NULL: no audit trail */
	struct jobs *jobs;		  /* not owned */
	struct webhooks *webhooks;	  /* notify/webhook.h; not owned */
	const char *version;		  /* of this program */
	str ca_pem;	  /* certificates that clients may need to trust us; empty: none */
	str external_url; /* "https://registry.example.com"; empty: what the client called us */
	bool auto_create_projects;	 /* an administrator's push makes its project */
	bool anonymous_pull;		 /* public projects are readable without credentials */
	bool anonymous_off;		 /* nothing is open to who has not logged in */
	bool deletes;			 /* manifests and blobs may be deleted */
	size_t tags_page_max;		 /* default 10000 */
	size_t catalog_page_max;	 /* default 1000 */
	str rate_limits[RATE_WHO_COUNT]; /* as config/rates.h reads them; all empty: none */
	str metrics_networks; /* who may read metrics without logging in (codec/cidr.h: peers) */
	/* What metrics say that are kept elsewhere; NULL: nothing. */
	void (*collect)(struct ctx *ctx, void *arg, struct samples *samples);
	void *collect_arg;
	struct tracer *tracer; /* observe/tracer.h; not owned; NULL: no traces */
};

struct api;
struct system_settings;
struct audit; /* notify/audit.h */
struct webhooks;
struct jobs; /* jobs/jobs.h */

struct api *api_new(const struct api_options *options);
void api_free(struct api *api);

/* For server_options.handle and .refuse. */
void api_handle(void *api, struct exchange *x);
void api_refuse(void *api, struct exchange *x, err_t err);

/* For a server whose address is for watching only: metrics and probes, open to who reaches it. */
void api_handle_sight(void *api, struct exchange *x);

/* From now on this node says that it is not ready, and goes on serving. */
void api_set_draining(struct api *api);

/* Prints routes × roles, one line per route: the matrix that a test compares with a committed file.
 */
void api_print_matrix(struct buf *b);
