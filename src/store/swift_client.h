/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_client.h - one container of a Swift server: requests with a token, sent again when that may
 * help; private to store.
 *
 * A request is tried up to REMOTE_TRIES_MAX times while the server says that it is slow, busy or
 * broken, and while the network cuts it off (remote_wait()). A token that is refused is renewed
 * once. All verbs used here may be repeated. A redirect is never followed.
 *
 * Errors: ERR_ABSENT (404), ERR_BUSY (still slow after all tries), ERR_UPSTREAM_UNREACHABLE and
 * ERR_UPSTREAM_INVALID (no answer after all tries, or none that can be read), ERR_STORAGE_FULL,
 * ERR_DEADLINE, ERR_CANCELLED, ERR_CORRUPT (a range behind the end), ERR_STORAGE (everything else),
 * with a detail that names request and cause.
 */
#pragma once

#include "codec/swift_answer.h"
#include "remote.h"
#include "swift_auth.h"

enum swift_verify { SWIFT_VERIFY_ETAG, SWIFT_VERIFY_CONTENT };

struct swift_options {
	struct swift_auth_options auth; /* but for its certificates */
	str container;
	enum swift_verify verify;
	str ca_file; /* PEM; empty: the system's */
};

struct swift_client {
	struct arena memory;
	str container;
	enum swift_verify verify;
	str ca_pem;
	struct client *http;
	struct swift_auth *auth;
	_Atomic(int) bulk; /* enum swift_bulk */
};

/* ERR_CONFIG for options that make no sense. Asks nobody. */
err_t swift_client_new(struct ctx *ctx, const struct swift_options *options,
		       struct swift_client **ret);
void swift_client_free(struct swift_client *client); /* NULL is fine */

enum swift_at { SWIFT_AT_CONTAINER, SWIFT_AT_ACCOUNT, SWIFT_AT_INFO };

struct swift_request {
	const char *method;
	enum swift_at at;
	str key;   /* an object of the container; empty: the container itself */
	str query; /* escaped; empty: none */
	const struct client_field *fields;
	size_t field_count;
	str body;
	bool once;     /* not again, whatever comes of it */
	bool no_words; /* the caller expects refusals: the answer is given back as it is, and OK */
	bool is_there; /* it was written before: who does not find it looks again */
};

/* OK for any 2xx. `ctx` is a call's: all of `*ret` is in its arena. */
err_t swift_send(struct ctx *ctx, struct swift_client *client, const struct swift_request *rq,
		 struct client_response *ret);

/* The same for a body that is read piece by piece; only beginning is tried again. */
err_t swift_pull(struct ctx *ctx, struct swift_client *client, const struct swift_request *rq,
		 struct client_response *ret, struct client_pull **ret_pull);

/* "container/key", escaped but for the slashes. */
str swift_path(struct ctx *ctx, const struct swift_client *client, str key);
