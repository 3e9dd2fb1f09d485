/* SPDX-License-Identifier: Apache-2.0 */
/* swift_reader.c - see swift_object.h: reading. */
#include "base/mem.h"
#include "swift_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct wanted {
	uint64_t first, last; /* last UINT64_MAX: to the end */
	bool newest;
};

static err_t check_answer(struct ctx *ctx, const struct client_response *raw,
			  const struct wanted *wanted, bool ranged, uint64_t *ret_size_bytes)
{
	if (ranged && raw->status == 206) {
		if (!remote_range_is(client_response_field(raw, STR("Content-Range")),
				     wanted->first, wanted->last, ret_size_bytes))
			return fail(ctx, ERR_STORAGE,
				    "the server answers with another range than was asked for");
		return OK;
	}
	if (raw->status != 200 || wanted->first != 0)
		return fail(ctx, ERR_STORAGE, "the server answers %d to a range", raw->status);
	if (!str_to_u64(client_response_field(raw, STR("Content-Length")), INT64_MAX,
			ret_size_bytes))
		return fail(ctx, ERR_STORAGE, "the server does not say how long its answer is");
	return OK;
}

static str range_of(struct ctx *ctx, const struct wanted *wanted)
{
	return wanted->last == UINT64_MAX
		       ? arena_printf(ctx->arena, "bytes=%llu-", (unsigned long long)wanted->first)
		       : arena_printf(ctx->arena, "bytes=%llu-%llu",
				      (unsigned long long)wanted->first,
				      (unsigned long long)wanted->last);
}

/* Of the object with this etag, if one is known. */
static err_t begin(struct ctx *ctx, struct swift_client *client, str key,
		   const struct wanted *wanted, struct swift_object *object,
		   struct client_pull **ret_pull)
{
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	struct client_field fields[2];
	struct swift_request rq = { .method = "GET", .key = key, .fields = fields };
	struct client_response raw;
	struct swift_object found;
	bool ranged = wanted->first > 0 || wanted->last != UINT64_MAX;
	if (ranged)
		fields[rq.field_count++] =
			(struct client_field){ STR("Range"), range_of(ctx, wanted) };
	if (wanted->newest)
		fields[rq.field_count++] = (struct client_field){ STR("X-Newest"), STR("true") };
	TRY(swift_pull(ctx, client, &rq, &raw, &pull));
	TRY(check_answer(ctx, &raw, wanted, ranged, &found.size_bytes));
	TRY(swift_object_read(ctx, &raw, &found));
	if (object->etag[0] &&
	    (found.size_bytes != object->size_bytes || strcmp(found.etag, object->etag) != 0))
		return fail(ctx, ERR_STORAGE, "object " STR_FMT " was replaced while it was read",
			    STR_ARG(key));
	*object = found;
	*ret_pull = take(pull);
	return OK;
}

void swift_reader_done(struct swift_reader *reader)
{
	remote_reader_done(&reader->body);
	free(reader->key);
	*reader = (struct swift_reader){ 0 };
}

static err_t begin_at(struct ctx *ctx, void *arg, uint64_t offset, struct client_pull **ret)
{
	struct swift_reader *r = arg;
	const struct wanted wanted = { offset, UINT64_MAX, false };
	return begin(ctx, r->client, str_from(r->key), &wanted, &r->object, ret);
}

err_t swift_reader_read(struct ctx *ctx, struct swift_reader *r, uint64_t offset, void *into,
			size_t len, size_t *ret_len)
{
	r->body.begin = begin_at;
	r->body.arg = r;
	r->body.size_bytes = r->object.size_bytes;
	return remote_reader_read(ctx, &r->body, offset, into, len, ret_len);
}

static err_t get(struct ctx *ctx, struct swift_reader *reader, str key, const struct wanted *wanted,
		 char **ret_bytes, size_t *ret_len)
{
	{
		REMOTE_CALL(call, ctx);
		TRY(begin(&call.ctx, reader->client, key, wanted, &reader->object,
			  &reader->body.pull));
	}
	reader->key = mem_copy(key);
	size_t want = MIN(wanted->last + 1, reader->object.size_bytes);
	CLEANUP(mem_done) char *bytes = mem_new(want + 1);
	for (size_t have = 0, more; have < want; have += more)
		TRY(swift_reader_read(ctx, reader, have, bytes + have, want - have, &more));
	*ret_len = want;
	*ret_bytes = take(bytes);
	return OK;
}

err_t swift_get(struct ctx *ctx, struct swift_client *client, str key, size_t len_max,
		struct swift_object *ret_object, char **ret_bytes, size_t *ret_len)
{
	CLEANUP(swift_reader_done) struct swift_reader reader = { .client = client };
	const struct wanted wanted = { 0, len_max - 1, true };
	TRY(get(ctx, &reader, key, &wanted, ret_bytes, ret_len));
	*ret_object = reader.object;
	return OK;
}

/* An empty object has no first byte to ask for. */
static err_t open_empty(struct ctx *ctx, struct swift_client *client, str key,
			struct swift_reader *r)
{
	TRY(swift_head(ctx, client, key, false, &r->object));
	if (r->object.size_bytes)
		return fail(ctx, ERR_STORAGE, "the server gives no beginning of " STR_FMT,
			    STR_ARG(key));
	free(r->key);
	r->key = mem_copy(key);
	return OK;
}

err_t swift_reader_open(struct ctx *ctx, struct swift_client *client, str key,
			struct swift_reader *ret)
{
	CLEANUP(swift_reader_done) struct swift_reader reader = { .client = client };
	const struct wanted wanted = { 0, REMOTE_FIRST_BYTES - 1, false };
	err_t err = get(ctx, &reader, key, &wanted, &reader.body.first, &reader.body.first_len);
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		err = open_empty(ctx, client, key, &reader);
	}
	TRY(err);
	client_pull_end(&reader.body.pull);
	*ret = reader;
	reader = (struct swift_reader){ 0 };
	return OK;
}
