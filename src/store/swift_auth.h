/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_auth.h - the token that requests to Swift carry, and where the account is; private to
 *store.
 *
 * Two ways, by what is given:
 *	an application credential	of Keystone (Identity API v3): the token's catalog names the
 *					object store of the region and the interface
 *	a user and a key		"v1": what Ceph's gateway and Swift's own tempauth have
 *
 * A token is kept and renewed before it expires, as far as its server says when, and when a request
 * was refused with it. Threads share it; while one fetches a new one the others wait.
 */
#pragma once

#include "http/client.h"

#define SWIFT_TOKEN_BYTES_MAX KIB(16)

struct swift_auth_options {
	str url; /* Keystone's, with or without /v3; of v1 all of it: "http://ceph:7480/auth/v1.0"
		  */
	str region;    /* empty: the first */
	str interface; /* empty: public */
	str credential_id, credential_secret;
	str user, key;
	str ca_pem;
};

struct swift_auth;

/* ERR_CONFIG for options that make no sense. `http` is the caller's, and outlives it. */
err_t swift_auth_new(struct ctx *ctx, const struct swift_auth_options *options, struct client *http,
		     struct swift_auth **ret);
void swift_auth_free(struct swift_auth *auth); /* NULL is fine */

struct swift_session {
	str token;
	str url; /* of the account, without a slash at its end */
};

/* Copied into the arena. ERR_STORAGE when it is refused; ERR_BUSY, ERR_UPSTREAM_UNREACHABLE and
 * ERR_UPSTREAM_INVALID when another try may do. */
err_t swift_auth_get(struct ctx *ctx, struct swift_auth *auth, struct swift_session *ret);

/* A request was refused with this token: the next get asks for another one, unless somebody has
 * already. */
void swift_auth_expire(struct swift_auth *auth, str token);
