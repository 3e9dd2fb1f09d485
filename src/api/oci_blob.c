/* SPDX-License-Identifier: Apache-2.0 */
/* oci_blob.c - blobs out: whole, one range, or many (RFC 9110 §14); and away. */
#include "api/handlers.h"
#include "api/watch.h"
#include "base/mem.h"
#include "codec/etag.h"
#include "codec/http_range.h"
#include "registry/collect.h"
#include "registry/delete.h"
#include "registry/pull.h"

#include "base/banned.h"

#define BOUNDARY   "berth-part-8d3f1c7a"
#define COPY_BLOCK KIB(256)

struct blob_answer {
	struct request *rq;
	struct blob_view *blob;
};

/* Sends one range: from memory, from the file if the driver has one, else by copying. */
static err_t write_range(struct ctx *ctx, struct blob_answer *answer, struct byte_range range)
{
	struct blob_view *blob = answer->blob;
	uint64_t left = range.last - range.first + 1;
	if (blob->bytes.len)
		return exchange_write(answer->rq->x,
				      str_take(str_skip(blob->bytes, range.first), left));
	if (blob->fd >= 0)
		return exchange_write_file(answer->rq->x, blob->fd, range.first, left);

	CLEANUP(mem_done) char *block = mem_new(COPY_BLOCK);
	for (uint64_t at = range.first; left;) {
		size_t len;
		TRY(blob_read(ctx, blob, at, block, MIN(left, (uint64_t)COPY_BLOCK), &len));
		if (len == 0)
			return fail(ctx, ERR_STORAGE, "blob is shorter than its size");
		TRY(exchange_write(answer->rq->x, (str){ block, len }));
		at += len;
		left -= len;
	}
	return OK;
}

static err_t send_range(struct ctx *ctx, struct blob_answer *answer, int status,
			struct byte_range range)
{
	struct exchange *x = answer->rq->x;
	uint64_t len = range.last - range.first + 1;
	if (answer->blob->fd >= 0)
		return exchange_answer_file(x, status, answer->blob->fd, range.first, len);
	TRY(exchange_begin(x, status, len));
	if (x->head->method != HTTP_HEAD)
		TRY(write_range(ctx, answer, range));
	return exchange_end(x);
}

static str part_head(struct arena *arena, struct byte_range range, uint64_t size_bytes)
{
	return arena_printf(arena,
			    "\r\n--" BOUNDARY "\r\nContent-Type: application/octet-stream\r\n"
			    "Content-Range: bytes %llu-%llu/%llu\r\n\r\n",
			    (unsigned long long)range.first, (unsigned long long)range.last,
			    (unsigned long long)size_bytes);
}

/* As many parts as ranges, in their order, unmerged: clients count them (containers/image). */
static err_t send_parts(struct ctx *ctx, struct blob_answer *answer,
			const struct byte_range *ranges, size_t count)
{
	const str end = STR("\r\n--" BOUNDARY "--\r\n");
	struct exchange *x = answer->rq->x;
	str *heads = ARENA_ARRAY(ctx->arena, str, count);
	uint64_t total = end.len;
	for (size_t i = 0; i < count; i++) {
		heads[i] = part_head(ctx->arena, ranges[i], answer->blob->size_bytes);
		total += heads[i].len + ranges[i].last - ranges[i].first + 1;
	}
	exchange_header(x, STR("Content-Type"), STR("multipart/byteranges; boundary=" BOUNDARY));
	TRY(exchange_begin(x, 206, total));
	for (size_t i = 0; i < count && x->head->method != HTTP_HEAD; i++) {
		TRY(exchange_write(x, heads[i]));
		TRY(write_range(ctx, answer, ranges[i]));
	}
	if (x->head->method != HTTP_HEAD)
		TRY(exchange_write(x, end));
	return exchange_end(x);
}

static err_t send_whole(struct ctx *ctx, struct blob_answer *answer)
{
	exchange_header(answer->rq->x, STR("Content-Type"), STR("application/octet-stream"));
	if (answer->blob->size_bytes == 0)
		return exchange_answer(answer->rq->x, 200, STR_NONE);
	return send_range(ctx, answer, 200, (struct byte_range){ 0, answer->blob->size_bytes - 1 });
}

static err_t send_single(struct ctx *ctx, struct blob_answer *answer, struct byte_range range)
{
	exchange_header(answer->rq->x, STR("Content-Type"), STR("application/octet-stream"));
	exchange_header_printf(answer->rq->x, STR("Content-Range"), "bytes %llu-%llu/%llu",
			       (unsigned long long)range.first, (unsigned long long)range.last,
			       (unsigned long long)answer->blob->size_bytes);
	return send_range(ctx, answer, 206, range);
}

static err_t refuse_range(struct ctx *ctx, struct blob_answer *answer)
{
	exchange_header_printf(answer->rq->x, STR("Content-Range"), "bytes */%llu",
			       (unsigned long long)answer->blob->size_bytes);
	answer->rq->keep_headers = true;
	return fail(ctx, ERR_RANGE_UNSATISFIABLE, "range outside of %llu bytes",
		    (unsigned long long)answer->blob->size_bytes);
}

static str wanted_ranges(struct request *rq, str etag)
{
	str if_range = request_header(rq, STR("If-Range"));
	if (if_range.len && !str_eq(if_range, etag))
		return STR_NONE;
	return request_header(rq, STR("Range"));
}

/* Elsewhere a GET is signed and no HEAD, many ranges are none, and the etag is another one. */
static bool client_address(const void *arg, ip *ret)
{
	const struct request *rq = arg;
	const struct http_head *head = rq->x->head;
	return head->method == HTTP_GET && !http_head_get(head, STR("If-Range")).len &&
	       !http_head_get(head, STR("If-Match")).len &&
	       !str_has_byte(http_head_get(head, STR("Range")), ',') && exchange_client(rq->x, ret);
}

/* For this client, and for a while. */
static err_t send_elsewhere(struct blob_answer *answer)
{
	struct exchange *x = answer->rq->x;
	answer_digest(answer->rq, answer->rq->digest);
	exchange_header(x, STR("Location"), answer->blob->url);
	exchange_header(x, STR("Cache-Control"), STR("no-store"));
	TRY(exchange_answer(x, 307, STR_NONE));
	watch_redirect();
	return OK;
}

/* Of the blob itself, as it is here. */
static void describe(struct request *rq, str etag)
{
	answer_digest(rq, rq->digest);
	exchange_header(rq->x, STR("ETag"), etag);
	exchange_header(rq->x, STR("Cache-Control"), STR("private, max-age=31536000, immutable"));
}

err_t oci_blob_get(struct ctx *ctx, struct request *rq)
{
	CLEANUP(blob_view_done) struct blob_view blob = BLOB_VIEW_INIT;
	const struct blob_reader reader = { client_address, rq,
					    .relies = rq->x->head->method == HTTP_HEAD };
	TRY(blob_open_for(ctx, rq->api->options.registry, rq->repository, rq->digest, &reader,
			  &blob));

	str etag = arena_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(rq->digest_text));
	str if_none_match = request_header(rq, STR("If-None-Match"));
	if (if_none_match.len && etag_matches(if_none_match, etag)) {
		describe(rq, etag);
		return answer_empty(rq, 304);
	}
	struct blob_answer answer = { rq, &blob };
	struct byte_range *ranges;
	size_t count;
	enum range_verdict wanted = http_range_resolve(ctx->arena, wanted_ranges(rq, etag),
						       blob.size_bytes, &ranges, &count);
	if (wanted == RANGE_UNSATISFIABLE)
		return refuse_range(ctx, &answer);
	if (blob.url.len)
		return send_elsewhere(&answer);
	describe(rq, etag);
	exchange_header(rq->x, STR("Accept-Ranges"), STR("bytes"));
	if (wanted == RANGE_WHOLE)
		return send_whole(ctx, &answer);
	return count == 1 ? send_single(ctx, &answer, ranges[0])
			  : send_parts(ctx, &answer, ranges, count);
}

err_t oci_blob_delete(struct ctx *ctx, struct request *rq)
{
	if (!rq->api->options.deletes)
		return fail(ctx, ERR_UNSUPPORTED, "deletes are switched off");
	TRY(blob_delete(ctx, rq->api->options.registry, rq->repository, rq->digest));
	return answer_empty(rq, 202);
}
