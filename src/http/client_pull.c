/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_pull.c - see client.h: an answer that its reader takes piece by piece.
 *
 * libcurl gives bytes when it has them, and its reader wants them when he asks. So it runs only
 * while somebody asks, and is paused when what it gives does not fit: at most one of its buffers is
 * then kept here.
 */
#include "client_internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

#include "base/banned.h"

#define ARENA_BYTES KIB(256)
#define LOOK_MS	    1000 /* how often a waiting reader looks at his deadline */
#define SPARE_MAX   MIB(1)
#define CONNECTIONS 2L

struct client_pull {
	struct client *client;
	struct client_target *target;
	struct client_handle *handle;
	struct client_transfer transfer;
	struct client_request request; /* of the transfer; its URL is in the arena */
	struct arena arena;
	bool added;  /* the handle is among `handle->pulls` */
	bool ended;  /* nothing more comes from libcurl */
	bool paused; /* libcurl keeps a piece that did not fit */
	err_t err;   /* what it ended with */
	char *into;  /* the reader's, while he asks */
	size_t room;
	struct buf spare; /* received, and not yet read */
};

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct client_pull *pull = arg;
	str piece = { bytes, size * count };
	if (!pull->transfer.response.status)
		client_transfer_fill(&pull->transfer);
	if (pull->spare.len) {
		pull->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	str direct = str_take(piece, pull->room);
	if (direct.len) { /* there is nowhere to put it while the head is waited for */
		memcpy(pull->into, direct.ptr, direct.len);
		pull->into += direct.len;
		pull->room -= direct.len;
	}
	buf_add(&pull->spare, str_skip(piece, direct.len));
	return buf_overrun(&pull->spare) ? 0 : piece.len;
}

/* Ends it when libcurl has. */
static err_t look_for_end(struct client_pull *pull)
{
	int left;
	const CURLMsg *message = libcurl.curl_multi_info_read(pull->handle->pulls, &left);
	if (!message)
		return OK;
	pull->ended = true;
	pull->err = client_transfer_finish(&pull->transfer, message->data.result);
	return pull->err;
}

static err_t move_once(struct ctx *ctx, struct client_pull *pull, bool waits)
{
	int running;
	CURLMcode code = CURLM_OK;
	if (waits)
		code = libcurl.curl_multi_poll(pull->handle->pulls, NULL, 0, LOOK_MS, NULL);
	if (code == CURLM_OK)
		code = libcurl.curl_multi_perform(pull->handle->pulls, &running);
	if (code != CURLM_OK) {
		pull->ended = true;
		pull->err =
			fail(ctx, ERR_INTERNAL, "libcurl: %s", libcurl.curl_multi_strerror(code));
		return pull->err;
	}
	return look_for_end(pull);
}

static err_t move_until(struct ctx *ctx, struct client_pull *pull)
{
	size_t before = pull->room;
	if (pull->paused) {
		pull->paused = false;
		libcurl.curl_easy_pause(pull->handle->curl, CURLPAUSE_CONT);
	}
	for (bool waits = false; !pull->ended && pull->room == before && !pull->spare.len;
	     waits = true) {
		ctx_waits(ctx);
		TRY(ctx_check(ctx));
		TRY(move_once(ctx, pull, waits));
	}
	return OK;
}

/* Runs libcurl until there are bytes (or, at the beginning, a status), or the end. The reader's ctx
 * is there as long as he asks. */
static err_t move(struct ctx *ctx, struct client_pull *pull)
{
	pull->transfer.ctx = ctx;
	err_t err = move_until(ctx, pull);
	pull->transfer.ctx = NULL;
	return err;
}

static err_t start(struct ctx *ctx, struct client_pull *pull, const struct client_url *url)
{
	TRY(client_borrow(ctx, pull->client, url, &pull->target, &pull->handle));
	struct client_handle *handle = pull->handle;
	if (!handle->pulls) {
		handle->pulls = libcurl.curl_multi_init();
		CHECK(handle->pulls);
		libcurl.curl_multi_setopt(handle->pulls, CURLMOPT_MAXCONNECTS, CONNECTIONS);
	}
	pull->transfer = (struct client_transfer){ .ctx = ctx,
						   .client = pull->client,
						   .request = &pull->request,
						   .curl = handle->curl,
						   .is_pulled = true };
	client_transfer_init(&pull->transfer, url);
	CHECK(libcurl.curl_easy_setopt(handle->curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK);
	CHECK(libcurl.curl_easy_setopt(handle->curl, CURLOPT_WRITEDATA, pull) == CURLE_OK);
	CHECK(libcurl.curl_easy_setopt(handle->curl, CURLOPT_BUFFERSIZE, (long)CLIENT_PULL_BYTES) ==
	      CURLE_OK);
	CHECK(libcurl.curl_multi_add_handle(handle->pulls, handle->curl) == CURLM_OK);
	pull->added = true;
	return move(ctx, pull);
}

err_t client_pull_begin(struct ctx *ctx, struct client *client,
			const struct client_request *request, struct client_response *ret,
			struct client_pull **ret_pull)
{
	struct client_url url;
	CHECK(!request->send && !request->receive && !request->body.len);
	TRY(client_check(ctx, client, request, &url));
	CLEANUP(client_pull_end) struct client_pull *pull = NEW(struct client_pull);
	arena_init(&pull->arena, ARENA_BYTES);
	pull->client = client;
	pull->request = *request;
	pull->request.url = arena_copy(&pull->arena, request->url);
	pull->spare = (struct buf)BUF_INIT(SPARE_MAX);
	struct step step = client_step(ctx, client); /* until its status is there */
	err_t err = start(ctx, pull, &url);
	step_end(ctx, &step, err);
	TRY(err);
	*ret = pull->transfer.response;
	*ret_pull = take(pull);
	return OK;
}

err_t client_pull_read(struct ctx *ctx, struct client_pull *pull, void *into, size_t len,
		       size_t *ret_len)
{
	size_t kept = MIN(pull->spare.len, len);
	if (kept)
		memcpy(into, pull->spare.ptr, kept);
	buf_drop(&pull->spare, kept);
	pull->into = (char *)into + kept;
	pull->room = len - kept;
	err_t err = pull->err;
	if (kept == 0 && err == OK)
		err = move(ctx, pull);
	*ret_len = len - pull->room;
	pull->into = NULL;
	pull->room = 0;
	if (*ret_len)
		ctx_progress(ctx);
	else if (err != OK)
		return ctx->failure.code == OK ? fail(ctx, err, "the answer had ended before")
					       : err;
	return OK;
}

void client_pull_end(struct client_pull **pointer)
{
	struct client_pull *pull = take(*pointer);
	if (!pull)
		return;
	if (pull->added)
		libcurl.curl_multi_remove_handle(pull->handle->pulls, pull->handle->curl);
	if (pull->handle)
		client_give_back(pull->client, pull->target, pull->handle);
	client_transfer_done(&pull->transfer);
	buf_done(&pull->spare);
	arena_done(&pull->arena);
	free(pull);
}
