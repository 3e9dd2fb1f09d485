/* SPDX-License-Identifier: Apache-2.0 */
/* s3_reader.c - see s3_object.h: reading. */
#include "base/mem.h"
#include "s3_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static err_t take_etag(struct ctx *ctx, const struct client_response *raw,
		       char into[S3_ETAG_MAX + 1])
{
	str etag = client_response_field(raw, STR("ETag"));
	if (etag.len > S3_ETAG_MAX)
		return fail(ctx, ERR_STORAGE, "an etag of %zu bytes", etag.len);
	if (etag.len)
		memcpy(into, etag.ptr, etag.len);
	into[etag.len] = '\0';
	return OK;
}

static err_t check_answer(struct ctx *ctx, const struct client_response *raw, uint64_t first,
			  uint64_t last, bool ranged, uint64_t *ret_size_bytes)
{
	if (ranged && raw->status == 206) {
		if (!remote_range_is(client_response_field(raw, STR("Content-Range")), first, last,
				     ret_size_bytes))
			return fail(ctx, ERR_STORAGE,
				    "the server answers with another range than was asked for");
		return OK;
	}
	if (raw->status != 200 || first != 0)
		return fail(ctx, ERR_STORAGE, "the server answers %d to a range", raw->status);
	if (!str_to_u64(client_response_field(raw, STR("Content-Length")), INT64_MAX,
			ret_size_bytes))
		return fail(ctx, ERR_STORAGE, "the server does not say how long its answer is");
	return OK;
}

/* From `first` on; to the end when `last` is UINT64_MAX. Of the object with this etag, if one is
 * known. */
static err_t begin(struct ctx *ctx, struct s3_client *client, str key, uint64_t first,
		   uint64_t last, struct s3_object *object, struct client_pull **ret_pull)
{
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	struct aws_pair fields[2];
	struct s3_request rq = { .method = "GET", .key = key, .fields = fields };
	struct client_response raw;
	struct s3_object found;
	bool ranged = first > 0 || last != UINT64_MAX;
	if (ranged)
		fields[rq.field_count++] = (struct aws_pair){
			STR("range"),
			last == UINT64_MAX
				? arena_printf(ctx->arena, "bytes=%llu-", (unsigned long long)first)
				: arena_printf(ctx->arena, "bytes=%llu-%llu",
					       (unsigned long long)first, (unsigned long long)last)
		};
	if (object->etag[0])
		fields[rq.field_count++] =
			(struct aws_pair){ STR("if-match"), str_from(object->etag) };
	TRY(s3_pull(ctx, client, &rq, &raw, &pull));
	TRY(check_answer(ctx, &raw, first, last, ranged, &found.size_bytes));
	TRY(take_etag(ctx, &raw, found.etag));
	if (object->etag[0] &&
	    (found.size_bytes != object->size_bytes || strcmp(found.etag, object->etag) != 0))
		return fail(ctx, ERR_STORAGE, "object " STR_FMT " was replaced while it was read",
			    STR_ARG(key));
	*object = found;
	*ret_pull = take(pull);
	return OK;
}

void s3_reader_done(struct s3_reader *reader)
{
	remote_reader_done(&reader->body);
	free(reader->key);
	*reader = (struct s3_reader){ 0 };
}

static err_t begin_at(struct ctx *ctx, void *arg, uint64_t offset, struct client_pull **ret)
{
	struct s3_reader *r = arg;
	return begin(ctx, r->client, str_from(r->key), offset, UINT64_MAX, &r->object, ret);
}

err_t s3_reader_read(struct ctx *ctx, struct s3_reader *r, uint64_t offset, void *into, size_t len,
		     size_t *ret_len)
{
	r->body.begin = begin_at;
	r->body.arg = r;
	r->body.size_bytes = r->object.size_bytes;
	return remote_reader_read(ctx, &r->body, offset, into, len, ret_len);
}

err_t s3_get(struct ctx *ctx, struct s3_client *client, str key, size_t len_max,
	     struct s3_object *ret_object, char **ret_bytes, size_t *ret_len)
{
	CLEANUP(s3_reader_done) struct s3_reader reader = { .client = client };
	{
		S3_CALL(call, ctx);
		TRY(begin(&call.ctx, client, key, 0, len_max - 1, &reader.object,
			  &reader.body.pull));
	}
	reader.key = mem_copy(key);
	size_t want = MIN((uint64_t)len_max, reader.object.size_bytes);
	CLEANUP(mem_done) char *bytes = mem_new(want + 1);
	for (size_t have = 0, more; have < want; have += more)
		TRY(s3_reader_read(ctx, &reader, have, bytes + have, want - have, &more));
	*ret_object = reader.object;
	*ret_len = want;
	*ret_bytes = take(bytes);
	return OK;
}

/* An empty object has no first byte to ask for. */
static err_t open_empty(struct ctx *ctx, struct s3_client *client, str key, struct s3_reader *r)
{
	TRY(s3_head(ctx, client, key, &r->object));
	if (r->object.size_bytes)
		return fail(ctx, ERR_STORAGE, "the server gives no beginning of " STR_FMT,
			    STR_ARG(key));
	return OK;
}

err_t s3_reader_open(struct ctx *ctx, struct s3_client *client, str key, struct s3_reader *ret)
{
	CLEANUP(s3_reader_done) struct s3_reader reader = { .client = client };
	err_t err = s3_get(ctx, client, key, S3_FIRST_BYTES, &reader.object, &reader.body.first,
			   &reader.body.first_len);
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		err = open_empty(ctx, client, key, &reader);
	}
	TRY(err);
	reader.key = mem_copy(key);
	*ret = reader;
	reader = (struct s3_reader){ 0 };
	return OK;
}
