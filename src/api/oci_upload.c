/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_upload.c - blobs in: the five ways a client may send one (distribution-spec, "Pushing
 * blobs").
 *
 *	POST ?digest=D  body        at once
 *	POST, PUT ?digest=D  body   in two
 *	POST, PATCH…, PUT           in chunks, with Content-Range or just one after another
 *	POST, PATCH chunked, PUT    streamed
 *	POST ?mount=D[&from=N]      not at all: borrowed from another repository
 */
#include "api/handlers.h"
#include "base/mem.h"
#include "codec/http_range.h"
#include "registry/mount.h"
#include "registry/upload.h"

#include "base/banned.h"

#define RECEIVE_BLOCK	     KIB(128)
#define MOUNT_CANDIDATES_MAX 16

/* Headers that tell a client where its upload stands; on success and on a refused range alike. */
static void describe(struct request *rq, str id, uint64_t size_bytes)
{
	answer_location(rq, "blobs/uploads/" STR_FMT, STR_ARG(id));
	/* Nothing yet is "0-0" too: the only value every client parses (distribution-spec#577). */
	exchange_header_printf(rq->x, STR("Range"), "0-%llu",
			       (unsigned long long)(size_bytes ? size_bytes - 1 : 0));
	exchange_header(rq->x, STR("Docker-Upload-UUID"), id);
}

static err_t receive(struct ctx *ctx, struct request *rq, struct upload *up, const digest *want)
{
	uint64_t announced = exchange_body_length(rq->x);
	if (announced == 0)
		return OK;
	if (announced != HTTP_BODY_UNKNOWN)
		TRY(upload_announce(ctx, up, announced, want));
	size_t size = (size_t)MIN(announced, (uint64_t)RECEIVE_BLOCK);
	CLEANUP(mem_done) char *block = mem_resize(NULL, size);
	for (;;) {
		size_t room_len, len;
		char *room = upload_room(up, &room_len);
		if (!room) {
			room = block;
			room_len = size;
		}
		TRY(exchange_read(rq->x, room, room_len, &len));
		if (len == 0)
			return OK;
		TRY(upload_append(ctx, up, (str){ room, len }));
	}
}

static err_t parse_digest_parameter(struct ctx *ctx, struct request *rq, digest *ret)
{
	if (!digest_parse(request_query(rq, STR("digest")), ret))
		return fail(ctx, ERR_DIGEST_INVALID, "digest parameter does not parse");
	return OK;
}

static err_t answer_created(struct request *rq, digest d)
{
	answer_location(rq, "blobs/" DIGEST_FMT, DIGEST_ARG(d));
	answer_digest(rq, d);
	return answer_empty(rq, 201);
}

static err_t answer_accepted(struct request *rq, str id, uint64_t size_bytes)
{
	describe(rq, id, size_bytes);
	return answer_empty(rq, 202);
}

/* A refused range keeps the session; the client learns where it stands. */
static err_t refuse_range(struct ctx *ctx, struct request *rq, const struct upload *up)
{
	describe(rq, up->id, up->file.size_bytes);
	rq->keep_headers = true;
	return fail(ctx, ERR_UPLOAD_RANGE, "upload has %llu bytes",
		    (unsigned long long)up->file.size_bytes);
}

/* A Content-Range must continue exactly where the upload ends, and fit the body. */
static err_t check_range(struct ctx *ctx, struct request *rq, const struct upload *up)
{
	str header = request_header(rq, STR("Content-Range"));
	if (!header.len)
		return OK;
	struct byte_range range;
	if (!content_range_parse(header, &range))
		return fail(ctx, ERR_UPLOAD_INVALID, "malformed Content-Range");
	uint64_t announced = exchange_body_length(rq->x);
	bool closing_empty = rq->x->head->method == HTTP_PUT && announced == 0;
	if (closing_empty && range.last + 1 == up->file.size_bytes)
		return OK;
	if (range.first != up->file.size_bytes)
		return refuse_range(ctx, rq, up);
	if (announced != HTTP_BODY_UNKNOWN && announced != range.last - range.first + 1)
		return fail(ctx, ERR_SIZE_INVALID, "Content-Range and Content-Length differ");
	return OK;
}

/* Opens the session; a second writer is told where the first one is. */
static err_t open_upload(struct ctx *ctx, struct request *rq, str id, struct upload *ret)
{
	struct registry *registry = rq->api->options.registry;
	err_t err = upload_open(ctx, registry, rq->repository, id, ret);
	if (err == ERR_UPLOAD_BUSY) {
		uint64_t size_bytes;
		TRY(upload_size(ctx, registry, rq->repository, id, &size_bytes));
		describe(rq, id, size_bytes);
		rq->keep_headers = true;
	}
	return err;
}

static err_t begin(struct ctx *ctx, struct request *rq, enum digest_algorithm algorithm,
		   char id[UPLOAD_ID_MAX + 1])
{
	return upload_begin(ctx, rq->api->options.registry, rq->repository,
			    request_project_maker(rq), algorithm, id);
}

static err_t cancel_failed(struct ctx *ctx, struct upload *up, err_t err)
{
	struct failure first = ctx->failure;
	if (!up->ended && upload_cancel(ctx, up) != OK)
		ctx_forgive(ctx); /* the session expires by itself */
	ctx->failure = first;
	return err;
}

/* Begins an upload that only this request knows: whoever ended it, or has its writer's place to end
 * it, deletes the repository. */
static err_t begin_own(struct ctx *ctx, struct request *rq, enum digest_algorithm algorithm,
		       char id[UPLOAD_ID_MAX + 1], struct upload *ret)
{
	TRY(begin(ctx, rq, algorithm, id));
	err_t err = upload_open(ctx, rq->api->options.registry, rq->repository, str_from(id), ret);
	if (err != ERR_UPLOAD_BUSY && err != ERR_UPLOAD_UNKNOWN)
		return err;
	ctx_forgive(ctx);
	return fail(ctx, ERR_NAME_UNKNOWN, "the repository was deleted just now");
}

/*
 * The writer's place is given back before the answer goes out: a client may send its next request
 * on another connection the moment it reads this one's status.
 */
static err_t store_whole(struct ctx *ctx, struct request *rq, digest want)
{
	char id[UPLOAD_ID_MAX + 1];
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	TRY(begin_own(ctx, rq, want.algorithm, id, &up));
	err_t err = receive(ctx, rq, &up, &want);
	if (err == OK)
		err = upload_finish(ctx, &up, want);
	return err == OK ? OK : cancel_failed(ctx, &up, err);
}

/* POST ?digest=: the whole blob in one request. Nobody knows the session: a failure ends it. */
static err_t post_whole(struct ctx *ctx, struct request *rq)
{
	digest want;
	TRY(parse_digest_parameter(ctx, rq, &want));
	TRY(store_whole(ctx, rq, want));
	return answer_created(rq, want);
}

static err_t post_session(struct ctx *ctx, struct request *rq)
{
	enum digest_algorithm algorithm = DIGEST_SHA256;
	if (request_has_query(rq, STR("digest-algorithm")) &&
	    !digest_algorithm_parse(request_query(rq, STR("digest-algorithm")), &algorithm))
		return fail(ctx, ERR_DIGEST_INVALID, "unknown digest-algorithm");
	char id[UPLOAD_ID_MAX + 1];
	TRY(begin(ctx, rq, algorithm, id));
	return answer_accepted(rq, str_from(id), 0);
}

static err_t may_pull(struct ctx *ctx, struct request *rq, str repository, bool *ret)
{
	struct decision decision;
	TRY(request_may(ctx, rq, ACTION_REPOSITORY_PULL, repository, &decision));
	*ret = decision.allowed;
	return OK;
}

/* Where to mount from: the named repository, or any holder; only one the client may pull from. */
static err_t find_source(struct ctx *ctx, struct request *rq, digest d, str *ret_source)
{
	str from = request_query(rq, STR("from"));
	str *candidates = &from;
	size_t count = 1;
	if (!from.len)
		TRY(blob_holders(ctx, rq->api->options.registry, d, MOUNT_CANDIDATES_MAX,
				 &candidates, &count));
	else if (!reference_is_repository(from))
		return ERR_ABSENT;
	else if (!str_has_byte(from, '/'))
		from = arena_printf(ctx->arena, "library/" STR_FMT, STR_ARG(from));
	for (size_t i = 0; i < count; i++) {
		bool allowed;
		TRY(may_pull(ctx, rq, candidates[i], &allowed));
		if (allowed) {
			*ret_source = candidates[i];
			return OK;
		}
	}
	return ERR_ABSENT;
}

/* Whatever stands in the way of a mount, the answer is a session the client can go on with. */
static err_t post_mount(struct ctx *ctx, struct request *rq)
{
	digest d;
	if (!digest_parse(request_query(rq, STR("mount")), &d))
		return fail(ctx, ERR_DIGEST_INVALID, "mount parameter does not parse");
	str source;
	err_t err = find_source(ctx, rq, d, &source);
	if (err == OK)
		err = blob_mount(ctx, rq->api->options.registry, source, d, rq->repository,
				 request_project_maker(rq));
	if (err == OK)
		return answer_created(rq, d);
	if (err != ERR_ABSENT && err != ERR_BLOB_UNKNOWN)
		return err;
	ctx_forgive(ctx);
	return post_session(ctx, rq);
}

err_t oci_upload_post(struct ctx *ctx, struct request *rq)
{
	if (request_has_query(rq, STR("mount")))
		return post_mount(ctx, rq);
	if (request_has_query(rq, STR("digest")))
		return post_whole(ctx, rq);
	return post_session(ctx, rq);
}

static err_t append_chunk(struct ctx *ctx, struct request *rq, uint64_t *ret_size_bytes)
{
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	TRY(open_upload(ctx, rq, rq->upload_id, &up));
	TRY(check_range(ctx, rq, &up));
	err_t err = receive(ctx, rq, &up, NULL);
	TRY(err == ERR_QUOTA ? cancel_failed(ctx, &up, err) : err);
	TRY(upload_flush(ctx, &up));
	*ret_size_bytes = up.file.size_bytes;
	return OK;
}

err_t oci_upload_patch(struct ctx *ctx, struct request *rq)
{
	uint64_t size_bytes;
	TRY(append_chunk(ctx, rq, &size_bytes));
	return answer_accepted(rq, rq->upload_id, size_bytes);
}

static err_t finish(struct ctx *ctx, struct request *rq, digest want)
{
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	TRY(open_upload(ctx, rq, rq->upload_id, &up));
	TRY(check_range(ctx, rq, &up));
	upload_expect(&up, want.algorithm);
	err_t err = receive(ctx, rq, &up, &want);
	if (err == OK)
		err = upload_finish(ctx, &up, want);
	return err == ERR_QUOTA ? cancel_failed(ctx, &up, err) : err;
}

err_t oci_upload_put(struct ctx *ctx, struct request *rq)
{
	digest want;
	TRY(parse_digest_parameter(ctx, rq, &want));
	TRY(finish(ctx, rq, want));
	return answer_created(rq, want);
}

err_t oci_upload_get(struct ctx *ctx, struct request *rq)
{
	uint64_t size_bytes;
	TRY(upload_size(ctx, rq->api->options.registry, rq->repository, rq->upload_id,
			&size_bytes));
	describe(rq, rq->upload_id, size_bytes);
	return answer_empty(rq, 204);
}

static err_t cancel(struct ctx *ctx, struct request *rq)
{
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	TRY(open_upload(ctx, rq, rq->upload_id, &up));
	return upload_cancel(ctx, &up);
}

err_t oci_upload_delete(struct ctx *ctx, struct request *rq)
{
	TRY(cancel(ctx, rq));
	return answer_empty(rq, 204);
}
