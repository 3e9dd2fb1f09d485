/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwks.h - what issuers publish about themselves (OpenID Connect Discovery 1.0) and the keys they
 * sign with, fetched when needed and remembered.
 *
 * Each issuer is an entry of its own: while one of them hangs, only those who need it wait, and no
 * longer than `timeout_ms`. An entry is fetched by one thread at a time; the others use what there
 * is, or wait for that one. It is fetched again when it is older than `fresh_s`, or when a token
 * names a key it lacks, but never more often than every `ask_interval_s`: in between the last
 * failure is the answer, at once. When the issuer is gone its keys are used for `stale_s` more.
 *
 * An issuer with an uploaded key set is never asked anything (clusters that cannot be reached).
 *
 *	struct jwks_issuer issuer = { .url = STR("https://login.example.com") };
 *	CLEANUP(jwk_set_put) struct jwk_set *keys = NULL;
 *	TRY(jwks_keys(ctx, jwks, &issuer, NULL, &keys));
 *
 * Threads share a jwks. The lock is held for look-ups only, never while an issuer is asked.
 */
#pragma once

#include "base/ctx.h"
#include "crypto/jwk.h"
#include "http/outbound.h"

struct jwks;

struct jwks_options {
	const struct outbound *outbound; /* not owned; no redirect is followed */
	int64_t fresh_s;		 /* default 600 */
	int64_t stale_s;		 /* default 86,400 */
	int64_t ask_interval_s;		 /* default 10 */
	int timeout_ms;			 /* for each of the two documents; default 5,000 */
	unsigned issuers_max; /* remembered; default 1024, the least recently used go first */
};

struct jwks *jwks_new(const struct jwks_options *options);
void jwks_free(struct jwks *jwks); /* NULL is fine */

/* How to come by an issuer's keys. */
struct jwks_issuer {
	str url;	   /* exactly as in `iss` of its tokens */
	str uploaded;	   /* its key set as JSON; empty: by discovery */
	str ca_pem;	   /* see client.h */
	bool skip_verify;  /* believe any certificate, and allow plain http to other machines */
	int64_t tenant_id; /* who named it; see outbound.h */
};

/*
 * The keys. `seen` is a set that turned out to lack a key (NULL at first): another one is fetched
 * if that may be done now; the answer is `seen` again when it may not, or when nothing is newer.
 *
 * ERR_UPSTREAM_UNREACHABLE, ERR_UPSTREAM_INVALID (it lies: another issuer, no key set),
 * ERR_REQUEST_INVALID (its URL is no place for secrets), ERR_BUSY, ERR_DEADLINE.
 */
err_t jwks_keys(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
		const struct jwk_set *seen, struct jwk_set **ret);

/* What the issuer says of itself; in the arena, empty when it does not say. */
struct jwks_metadata {
	str authorization_endpoint;
	str token_endpoint;
	str userinfo_endpoint;
	str end_session_endpoint;
	str revocation_endpoint;
	str device_authorization_endpoint;
	bool secret_in_body; /* client_secret_post is the only way it takes a client's secret */
};

/* The same errors; ERR_UPSTREAM_INVALID also for an issuer with an uploaded key set. */
err_t jwks_metadata(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
		    struct jwks_metadata *ret);

/* Asks now, whatever is remembered, and remembers nothing: for trying a configuration. */
err_t jwks_probe(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer);

/*
 * Whether tokens and secrets may travel to this URL: https, or http to this machine itself, or http
 * to anywhere when the administrator said that certificates do not matter.
 */
bool jwks_url_is_safe(str url, bool skip_verify);
