/* SPDX-License-Identifier: Apache-2.0 */
/* remote.c - see remote.h. */
#include "remote.h"
#include "base/buf.h"
#include "base/mem.h"
#include "codec/traceparent.h"
#include "codec/hex.h"
#include "os/backoff.h"
#include "os/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

#define CA_BYTES_MAX  MIB(1)
#define REQUESTS_MAX  512
#define IDLE_MAX      64
#define SILENCE_MS    60000
#define ARENA_BYTES   MIB(16)
#define WAIT_SLICE_MS 100

/* --- the client ---------------------------------------------------------------------------------
 */

err_t remote_client_new(struct ctx *ctx, struct client **ret)
{
	const struct client_options options = {
		.purpose = CLIENT_FOR_STORAGE,
		.requests_max = REQUESTS_MAX,
		.target_requests_max = REQUESTS_MAX,
		.target_waiting_max = REQUESTS_MAX,
		.idle_max = IDLE_MAX,
		.request_timeout_ms = SILENCE_MS,
		.silence_timeout_ms = SILENCE_MS,
	};
	return client_new(ctx, &options, ret);
}

err_t remote_ca_read(struct ctx *ctx, str path, struct arena *memory, str *ret_pem)
{
	if (!path.len)
		return OK;
	TRY_CTX(ctx,
		file_read_all(ctx, AT_FDCWD, arena_cstr(ctx->arena, path), CA_BYTES_MAX, ret_pem),
		"certificates of the storage's server");
	*ret_pem = arena_copy(memory, *ret_pem);
	return OK;
}

str remote_refusal_read(struct ctx *ctx, struct client_pull *pull, size_t len_max)
{
	size_t len = 0, more;
	char *bytes = arena_alloc(ctx->arena, len_max);
	while (len < len_max &&
	       client_pull_read(ctx, pull, bytes + len, len_max - len, &more) == OK && more)
		len += more;
	ctx_forgive(ctx);
	return (str){ bytes, len };
}

/* --- calls ---------------------------------------------------------------------------------- */

void remote_call_begin(struct remote_call *call, struct ctx *outer)
{
	*call = (struct remote_call){ .ctx = *outer, .outer = outer };
	arena_init(&call->arena, ARENA_BYTES);
	call->ctx.arena = &call->arena;
	ctx_forgive(&call->ctx);
}

void remote_call_done(struct remote_call *call)
{
	call->outer->deadline_ns = call->ctx.deadline_ns;
	call->outer->retry_after_s = call->ctx.retry_after_s;
	if (call->ctx.failure.code != OK && call->outer->failure.code == OK)
		call->outer->failure = call->ctx.failure;
	arena_done(&call->arena);
}

void remote_thread_ctx(const struct ctx *ctx, const _Atomic(bool) *cancelled, struct trace *trace,
		       struct ctx *ret)
{
	*ret = (struct ctx){ .deadline_ns = ctx->deadline_ns,
			     .allowance_ns = ctx->allowance_ns,
			     .cancelled = cancelled,
			     .request_id = ctx->request_id };
	if (ctx->trace) {
		*trace = *ctx->trace;
		ret->trace = trace;
	}
	ctx_progress(ret);
}

static void sleep_ms(int ms)
{
	struct timespec left = { ms / 1000, (ms % 1000) * 1000000L };
	nanosleep(&left, NULL);
}

err_t remote_wait(struct ctx *ctx, unsigned tries, unsigned after_s)
{
	int wait_ms = (int)backoff_ms(tries, REMOTE_WAIT_FIRST_MS, REMOTE_WAIT_MAX_MS);
	int left_ms = MAX(wait_ms, 1000 * (int)MIN(after_s, (unsigned)REMOTE_RETRY_AFTER_S));
	if (ctx_left_ms(ctx, left_ms + 1) <= left_ms)
		return ERR_DEADLINE;
	ctx_waits(ctx);
	while (left_ms > 0) {
		int slice_ms = MIN(left_ms, WAIT_SLICE_MS);
		sleep_ms(slice_ms);
		left_ms -= slice_ms;
		struct failure why = ctx->failure;
		ctx_forgive(ctx);
		err_t err = ctx_check(ctx);
		ctx_forgive(ctx);
		ctx->failure = why;
		TRY(err);
	}
	return OK;
}

static err_t give_body(void *arg, void *into, size_t len, size_t *ret_len)
{
	struct remote_body *body = arg;
	str piece = str_take(body->left, len);
	if (piece.len)
		memcpy(into, piece.ptr, piece.len);
	body->left = str_skip(body->left, piece.len);
	*ret_len = piece.len;
	return OK;
}

void remote_body_set(struct client_request *request, struct remote_body *left, str body)
{
	left->left = body;
	if (body.len > REMOTE_STREAM_BYTES) {
		request->send = give_body;
		request->send_bytes = body.len;
		request->arg = left;
	} else {
		request->body = body;
	}
}

err_t remote_error(err_t err)
{
	switch ((int)err) {
	case ERR_ABSENT:
	case ERR_UPSTREAM_UNREACHABLE:
	case ERR_UPSTREAM_INVALID:
	case ERR_REQUEST_INVALID:
	case ERR_LIMIT:
	case ERR_CONFIG:
		return ERR_STORAGE;
	default:
		return err;
	}
}

err_t remote_etag_copy(struct ctx *ctx, str etag, char into[REMOTE_ETAG_MAX + 1])
{
	if (etag.len >= 2 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"')
		etag = str_take(str_skip(etag, 1), etag.len - 2);
	if (etag.len == 0 || etag.len > REMOTE_ETAG_MAX)
		return fail(ctx, ERR_STORAGE, "the server gives no etag that can be used");
	memcpy(into, etag.ptr, etag.len);
	into[etag.len] = '\0';
	return OK;
}

/* --- names ---------------------------------------------------------------------------------- */

bool remote_id_is(str id)
{
	return store_id_is(id, REMOTE_ID_MAX);
}

str remote_blob_name(const char *prefix, blob_name name, char into[REMOTE_KEY_MAX])
{
	char text[BLOB_NAME_TEXT_MAX];
	blob_name_text(name, text);
	int len = snprintf(into, REMOTE_KEY_MAX, "%sblobs/%s/%.2s/%s", prefix,
			   digest_algorithm_name(name.digest.algorithm), text, text);
	return (str){ into, (size_t)len };
}

str remote_upload_name(const char *prefix, str id, char into[REMOTE_KEY_MAX])
{
	int len = snprintf(into, REMOTE_KEY_MAX, "%suploads/" STR_FMT, prefix, STR_ARG(id));
	return (str){ into, (size_t)len };
}

bool remote_blob_parse(str key, blob_name *ret)
{
	enum digest_algorithm algorithm;
	str shelf, shard, text, first;
	blob_name name;
	if (!str_cut(key, '/', &first, &key) || !str_eq(first, STR("blobs")) ||
	    !str_cut(key, '/', &shelf, &key) || !str_cut(key, '/', &shard, &text) ||
	    !digest_algorithm_parse(shelf, &algorithm) ||
	    !blob_name_parse(algorithm, text, &name) || !str_eq(shard, str_take(text, 2)))
		return false;
	*ret = name;
	return true;
}

/* --- settings ------------------------------------------------------------------------------- */

str remote_setting(const struct store_place *place, const char *name)
{
	for (size_t i = 0; i < place->setting_count; i++)
		if (str_eq(place->settings[i].name, str_from(name)))
			return place->settings[i].value;
	return STR_NONE;
}

err_t remote_choose(struct ctx *ctx, const struct store_place *place, const char *name,
		    const char *const *words, int *ret)
{
	str value = remote_setting(place, name);
	int at = 0;
	while (value.len && words[at] && !str_eq(value, str_from(words[at])))
		at++;
	if (!words[at])
		return fail(ctx, ERR_CONFIG, "storage: %s cannot be " STR_FMT, name,
			    STR_ARG(value));
	*ret = at;
	return OK;
}

err_t remote_prefix(struct ctx *ctx, const char *location, char **ret)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	str text = str_from(location);
	while (str_has_prefix(text, STR("/")))
		text = str_skip(text, 1);
	buf_add(&b, text);
	if (text.len && !str_has_suffix(text, STR("/")))
		buf_add_byte(&b, '/');
	if (buf_overrun(&b) || buf_str(&b).len > REMOTE_PREFIX_MAX)
		return fail(ctx, ERR_CONFIG, "storage: a prefix of %zu bytes", text.len);
	*ret = mem_copy(buf_str(&b));
	return OK;
}
