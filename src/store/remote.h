/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.h - what drivers share whose bytes are at another server; private to store.
 *
 * All of them name alike, below a prefix of their own:
 *
 *	blobs/<algorithm>/<first 2 hex digits>/<hex>	a blob
 *	uploads/<id>					how far an upload has come
 */
#pragma once

#include "http/client.h"
#include "store/store.h"

#define REMOTE_TRIES_MAX     7
#define REMOTE_WAIT_FIRST_MS 50
#define REMOTE_WAIT_MAX_MS   5000
#define REMOTE_RETRY_AFTER_S 20 /* the longest Retry-After that is waited for */
#define REMOTE_KEY_MAX	     1024
#define REMOTE_ID_MAX	     64	      /* longest id of an upload */
#define REMOTE_STREAM_BYTES  KIB(256) /* a larger body is sent in pieces: each is progress */
#define REMOTE_PREFIX_MAX    512
#define REMOTE_ETAG_MAX	     128

/* --- the client ---------------------------------------------------------------------------------
 */

/* A client for many requests at a time to one server. */
err_t remote_client_new(struct ctx *ctx, struct client **ret);
/* The certificates of a file ("" is none: the system's), in `memory`. */
err_t remote_ca_read(struct ctx *ctx, str path, struct arena *memory, str *ret_pem);
/* The body of a refusal, as far as it is there, at most so many bytes; in ctx->arena. */
str remote_refusal_read(struct ctx *ctx, struct client_pull *pull, size_t len_max);

/* --- calls ---------------------------------------------------------------------------------- */

/* A call's own memory, and the ctx to make it with: a loop over a hundred thousand requests takes
 * nothing from the outer arena. */
struct remote_call {
	struct arena arena;
	struct ctx ctx;
	struct ctx *outer;
};
void remote_call_begin(struct remote_call *call, struct ctx *outer);
/* CLEANUP: failure and deadline go to the outer one. */
void remote_call_done(struct remote_call *call);
#define REMOTE_CALL(call, outer)                                                                   \
	CLEANUP(remote_call_done) struct remote_call call;                                         \
	remote_call_begin(&(call), (outer))

/* The ctx of a thread that works for who has this one: as his, but for what one thread has alone.
 * `trace` is room for that thread's. */
void remote_thread_ctx(const struct ctx *ctx, const _Atomic(bool) *cancelled, struct trace *trace,
		       struct ctx *ret);

/* Waits before try number `tries` + 1 (from 1 on), at least `after_s`: 50 ms and about twice as
 * long each time. ERR_DEADLINE when there is no time for it, ERR_CANCELLED. */
err_t remote_wait(struct ctx *ctx, unsigned tries, unsigned after_s);

/* Gives the request a body, in pieces when it is large; `left` is the caller's, for the call. */
struct remote_body {
	str left;
};
void remote_body_set(struct client_request *request, struct remote_body *left, str body);

/* What a driver's errors are for who uses a store: what is no part of store.h's is ERR_STORAGE. */
err_t remote_error(err_t err);

/* Without its quotes. ERR_STORAGE when there is none, or one of more than REMOTE_ETAG_MAX bytes. */
err_t remote_etag_copy(struct ctx *ctx, str etag, char into[REMOTE_ETAG_MAX + 1]);

/* --- names ---------------------------------------------------------------------------------- */

bool remote_id_is(str id);

/* NUL-terminated in the caller's array. */
str remote_blob_name(const char *prefix, blob_name name, char into[REMOTE_KEY_MAX]);
str remote_upload_name(const char *prefix, str id, char into[REMOTE_KEY_MAX]);

/* "blobs/sha256/ab/<hex>", without the prefix; false for everything else. */
bool remote_blob_parse(str key, blob_name *ret);

/* --- settings ------------------------------------------------------------------------------- */

str remote_setting(const struct store_place *place, const char *name);

/* Which of `words` (NULL behind the last) a setting is, the first when it is not given. ERR_CONFIG
 * names it. */
err_t remote_choose(struct ctx *ctx, const struct store_place *place, const char *name,
		    const char *const *words, int *ret);

/* A location as what all names begin with: empty, or with one slash at its end. malloc'ed.
 * ERR_CONFIG when it is longer than REMOTE_PREFIX_MAX. */
err_t remote_prefix(struct ctx *ctx, const char *location, char **ret);
