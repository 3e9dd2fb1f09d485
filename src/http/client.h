/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - asking other servers: HTTP/1.1 by libcurl in plain blocking calls, nothing unbounded.
 *
 * A client is for one kind of upstream (identity providers, webhooks, registries, …): a pool of
 * connections with limits of its own, so that what hangs in one cannot starve another. Within it
 * each target (scheme, host and port) has a bound of its own too. Threads share a client. What it
 * asks is a step of its purpose (base/step.h), and carries the id and the trace of the request
 * that it is for.
 *
 *	struct client_request rq = { .method = "GET", .url = url, .response_bytes_max = KIB(64) };
 *	struct client_response answer;
 *	TRY_CTX(ctx, client_send(ctx, client, &rq, &answer), "discovery");
 *	if (answer.status != 200) …
 *
 * Time: connecting, waiting for a turn and (without callbacks) the whole request are bounded by the
 * client's options, and everything by ctx's deadline and cancellation. A request whose body is
 * moved by callbacks has no bound in all: each piece is progress (ctx_progress()), and silence ends
 * it.
 *
 * The guard: when `guard` is set, a connection goes only to addresses that the whole world can
 * reach, and to those in `allow`. The address is looked at after the name was resolved and before
 * connecting, so no name, redirect or second answer of a name server gets around it. A name without
 * an address is refused in the same words as one with a forbidden address. Behind a proxy the proxy
 * resolves names: then only addresses written as such, and names of this machine, can be refused
 * here, and the rest is the proxy's to decide.
 *
 * Nobody speaks HTTP while holding a transaction or a lock (ctx->holds is checked).
 *
 * Errors: ERR_UPSTREAM_UNREACHABLE (no name, no connection, no TLS, no answer in time, cut short),
 * ERR_UPSTREAM_INVALID (an answer that is no HTTP, too large, or redirects too often),
 * ERR_UPSTREAM_FORBIDDEN (the guard), ERR_REQUEST_INVALID (the URL or a field), ERR_BUSY (too many
 * wait for this target), ERR_DEADLINE and ERR_CANCELLED (ctx's), ERR_LIMIT (the arena is full), and
 * whatever a callback failed with. An answer with any status is OK: what it means is the caller's
 * business.
 */
#pragma once

#include "base/ctx.h"

#define CLIENT_LENGTH_UNKNOWN UINT64_MAX
#define CLIENT_URL_BYTES_MAX  KIB(8)
#define CLIENT_HEAD_BYTES_MAX KIB(64) /* of an answer, all its redirects included */

struct client;

/* What kinds of upstream there are. X(list, name, text), as in base/step.h */
#define CLIENT_PURPOSE_TABLE(X, list)                                                              \
	X(list, OTHER, "other")                                                                    \
	X(list, IDENTITY, "identity") /* identity providers and issuers of tokens */               \
	X(list, AUDIT, "audit")	      /* receivers of audit records */                             \
	X(list, TRACES, "traces")     /* who collects traces */                                    \
	X(list, WEBHOOK, "webhook")   /* receivers of webhooks */                                  \
	X(list, MAIL, "mail")	      /* the mail server (smtp.h) */                               \
	X(list, STORAGE, "storage")   /* where blobs are kept, and who gives the keys to it */

#define CLIENT_PURPOSE_ENUM(list, name, text) list##_##name,
enum client_purpose { CLIENT_PURPOSE_TABLE(CLIENT_PURPOSE_ENUM, CLIENT_FOR) CLIENT_PURPOSE_COUNT };
#undef CLIENT_PURPOSE_ENUM

struct client_options {
	enum client_purpose purpose;
	str user_agent;		      /* default "berth" */
	unsigned requests_max;	      /* at once, in all; default 64 */
	unsigned target_requests_max; /* at once, to one target; default 8 */
	unsigned target_waiting_max;  /* that wait for their turn there; default 32 */
	unsigned idle_max;	      /* connections kept; default 16, for a minute at most */
	int connect_timeout_ms;	      /* name, TCP and TLS; default 5,000 */
	int request_timeout_ms;	      /* all of a request without callbacks; default 30,000 */
	int silence_timeout_ms;	      /* inside a body moved by callbacks; default 30,000 */
	bool guard;		      /* see above */
	str allow;		      /* CIDR list that the guard lets through */
	bool ignore_proxy; /* do not look at http_proxy, https_proxy, all_proxy, no_proxy */
};

/* ERR_CONFIG for an `allow` that does not parse. */
err_t client_new(struct ctx *ctx, const struct client_options *options, struct client **ret);
void client_free(struct client *client); /* no request may be running; NULL is fine */

struct client_field {
	str name;
	str value;
};

struct client_response {
	int status;
	str body;   /* in the arena; empty when `receive` took it */
	str fields; /* the raw head of the last answer, in the arena: see client_response_field() */
};

struct client_request {
	const char *method;
	str url; /* absolute, http or https, without user and password */
	const struct client_field *fields;
	size_t field_count;

	/* The body: bytes, or (when `send` is set) pieces: up to `len` bytes into `into`, 0 at the
	 * end. */
	str body;
	err_t (*send)(void *arg, void *into, size_t len, size_t *ret_len);
	uint64_t send_bytes; /* their number, or CLIENT_LENGTH_UNKNOWN */

	/* The answer's body: in memory up to a maximum (default 1 MiB), or (when `receive` is set)
	 * in pieces; `response` has its status and fields from the first one on. */
	size_t response_bytes_max;
	err_t (*receive)(void *arg, const struct client_response *response, str bytes);
	void *arg; /* for both callbacks */

	/* How many redirects to follow, for GET and HEAD only. Never from https to http;
	 * `Authorization` and `Cookie` stay at the first host, other fields go along. */
	unsigned redirects_max;

	/* It goes out once, on a connection of its own: libcurl by itself sends again what it sent
	 * on a kept one that broke. */
	bool once;

	int timeout_ms;	  /* instead of the client's request_timeout_ms */
	str ca_pem;	  /* trust these certificates, and not the system's */
	bool skip_verify; /* believe any certificate: for those who configured it so */
};

err_t client_send(struct ctx *ctx, struct client *client, const struct client_request *request,
		  struct client_response *ret);

/*
 * The same for a body that the caller reads when he wants it, in his own loop and without a thread:
 * nothing is received ahead of him but what the system and libcurl buffer (CLIENT_PULL_BYTES). The
 * request has no body and no callbacks; silence ends it as it ends one with callbacks, but time
 * between two reads does not count. `ret->body` stays empty, and a pull holds a turn at its target
 * until it is ended.
 *
 *	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
 *	TRY(client_pull_begin(ctx, client, &rq, &answer, &pull));
 *	do
 *		TRY(client_pull_read(ctx, pull, block, sizeof block, &len));
 *	while (len);
 */
#define CLIENT_PULL_BYTES KIB(256)

struct client_pull;

/* Returns when status and fields are there. */
err_t client_pull_begin(struct ctx *ctx, struct client *client,
			const struct client_request *request, struct client_response *ret,
			struct client_pull **ret_pull);

/* Some bytes, at least one; `*ret_len` is 0 behind the last. A body that is cut short fails, as
 * above; so does whoever reads on after a failure. */
err_t client_pull_read(struct ctx *ctx, struct client_pull *pull, void *into, size_t len,
		       size_t *ret_len);

/* CLEANUP; NULL is fine. What was not read to its end costs the connection. */
void client_pull_end(struct client_pull **pull);

/* The value of the first field `name`, without blanks around it; STR_NONE when there is none. */
str client_response_field(const struct client_response *response, str name);

/* The seconds of Retry-After, when it is a number up to a day; 0 otherwise. */
unsigned client_response_retry_after_s(const struct client_response *response);

/* Whether `url` may be asked at all: absolute, http or https, a host, no user info, no control
 * bytes. */
bool client_url_is_valid(str url);
