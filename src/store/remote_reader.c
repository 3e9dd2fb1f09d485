/* SPDX-License-Identifier: Apache-2.0 */
/* remote_reader.c - see remote_reader.h. */
#include "remote_reader.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define READ_BLOCK MIB(1)

struct wanted {
	uint64_t first, last; /* last UINT64_MAX: to the end */
	bool newest;
};

/* --- one request ---------------------------------------------------------------------------- */

static bool is_ranged(const struct wanted *wanted)
{
	return wanted->first > 0 || wanted->last != UINT64_MAX;
}

static str range_of(struct ctx *ctx, const struct wanted *wanted)
{
	if (!is_ranged(wanted))
		return STR_NONE;
	return wanted->last == UINT64_MAX
		       ? arena_printf(ctx->arena, "bytes=%llu-", (unsigned long long)wanted->first)
		       : arena_printf(ctx->arena, "bytes=%llu-%llu",
				      (unsigned long long)wanted->first,
				      (unsigned long long)wanted->last);
}

/* Of "bytes 5-9/10": that it is what was asked for, and how large all of the object is. */
static bool range_is(str field, const struct wanted *wanted, uint64_t *ret_size_bytes)
{
	str unit, rest, range, all, from, to;
	uint64_t have_first, have_last;
	return str_cut(field, ' ', &unit, &rest) && str_cut(rest, '/', &range, &all) &&
	       str_cut(range, '-', &from, &to) && str_to_u64(from, INT64_MAX, &have_first) &&
	       str_to_u64(to, INT64_MAX, &have_last) &&
	       str_to_u64(all, INT64_MAX, ret_size_bytes) && have_first == wanted->first &&
	       have_last <= wanted->last;
}

static err_t check_answer(struct ctx *ctx, const struct client_response *raw,
			  const struct wanted *wanted, uint64_t *ret_size_bytes)
{
	if (is_ranged(wanted) && raw->status == 206) {
		if (!range_is(client_response_field(raw, STR("Content-Range")), wanted,
			      ret_size_bytes))
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

/* The first time, what the object is; later, that it is still that. */
static err_t identify(struct ctx *ctx, struct remote_reader *r, uint64_t size_bytes, str etag)
{
	if (etag.len > REMOTE_ETAG_MAX)
		return fail(ctx, ERR_STORAGE, "an etag of %zu bytes", etag.len);
	if (r->etag[0] && (size_bytes != r->size_bytes || !str_eq(etag, str_from(r->etag))))
		return fail(ctx, ERR_STORAGE, "object %s was replaced while it was read", r->key);
	r->size_bytes = size_bytes;
	if (etag.len)
		memcpy(r->etag, etag.ptr, etag.len);
	r->etag[etag.len] = '\0';
	return OK;
}

static err_t begin(struct ctx *ctx, struct remote_reader *r, const struct wanted *wanted)
{
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	const struct remote_ask ask = { .key = str_from(r->key),
					.range = range_of(ctx, wanted),
					.etag = str_from(r->etag),
					.newest = wanted->newest };
	struct client_response raw;
	uint64_t size_bytes;
	str etag;
	TRY(r->source.ops->pull(ctx, r->source.client, &ask, &raw, &etag, &pull));
	TRY(check_answer(ctx, &raw, wanted, &size_bytes));
	TRY(identify(ctx, r, size_bytes, etag));
	r->pull = take(pull);
	r->offset = wanted->first;
	return OK;
}

/* --- reading -------------------------------------------------------------------------------- */

static bool is_broken_off(err_t err)
{
	return err == ERR_UPSTREAM_UNREACHABLE || err == ERR_UPSTREAM_INVALID;
}

/* One try, on what is there or on a new request. */
static err_t read_some(struct ctx *ctx, struct remote_reader *r, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	REMOTE_CALL(call, ctx);
	if (r->pull && r->offset != offset)
		client_pull_end(&r->pull);
	if (!r->pull) {
		const struct wanted wanted = { offset, UINT64_MAX, false };
		err_t err = begin(&call.ctx, r, &wanted);
		if (err != OK) /* that was tried often enough */
			return is_broken_off(err) ? ERR_STORAGE : err;
	}
	err_t err = client_pull_read(&call.ctx, r->pull, into, len, ret_len);
	if (err == OK && *ret_len == 0)
		err = fail(&call.ctx, ERR_UPSTREAM_UNREACHABLE,
			   "an object ends at %llu of %llu bytes", (unsigned long long)offset,
			   (unsigned long long)r->size_bytes);
	if (err != OK)
		client_pull_end(&r->pull);
	else
		r->offset += *ret_len;
	return err;
}

err_t remote_reader_read(struct ctx *ctx, struct remote_reader *r, uint64_t offset, void *into,
			 size_t len, size_t *ret_len)
{
	len = MIN((uint64_t)len, r->size_bytes - MIN(offset, r->size_bytes));
	*ret_len = offset < r->first_len ? MIN(len, r->first_len - (size_t)offset) : 0;
	if (*ret_len) {
		memcpy(into, r->first + offset, *ret_len);
		return OK;
	}
	for (unsigned try = 1; len > 0; try++) {
		err_t err = read_some(ctx, r, offset, into, len, ret_len);
		if (err == OK || !is_broken_off(err))
			return err == ERR_ABSENT ? ERR_STORAGE : err;
		if (try >= REMOTE_TRIES_MAX || remote_wait(ctx, try, 0) != OK)
			return ERR_STORAGE;
		ctx_forgive(ctx);
	}
	return OK;
}

err_t remote_reader_read_all(struct ctx *ctx, struct remote_reader *r, uint64_t offset, void *into,
			     size_t len)
{
	for (size_t have = 0, more; have < len; have += more) {
		TRY(remote_reader_read(ctx, r, offset + have, (char *)into + have, len - have,
				       &more));
		if (!more)
			return fail(ctx, ERR_STORAGE, "object %s is too short", r->key);
	}
	return OK;
}

err_t remote_reader_hash(struct ctx *ctx, struct remote_reader *r, enum digest_algorithm algorithm,
			 digest *ret)
{
	CLEANUP(mem_done) char *block = mem_new(READ_BLOCK);
	CLEANUP(hash_done) struct hash hash;
	hash_init(&hash, algorithm);
	for (uint64_t at = 0; at < r->size_bytes;) {
		size_t len;
		TRY(remote_reader_read(ctx, r, at, block, READ_BLOCK, &len));
		hash_update(&hash, block, len);
		at += len;
	}
	*ret = hash_final(&hash);
	return OK;
}

void remote_reader_done(struct remote_reader *reader)
{
	client_pull_end(&reader->pull);
	free(reader->first);
	free(reader->key);
	*reader = (struct remote_reader){ 0 };
}

/* --- opening -------------------------------------------------------------------------------- */

static err_t begin_first(struct ctx *ctx, struct remote_reader *r, const struct wanted *wanted)
{
	REMOTE_CALL(call, ctx);
	return begin(&call.ctx, r, wanted);
}

static err_t read_first(struct ctx *ctx, struct remote_reader *r, const struct wanted *wanted)
{
	TRY(begin_first(ctx, r, wanted));
	size_t len = MIN(wanted->last + 1, r->size_bytes);
	r->first = mem_new(len + 1);
	TRY(remote_reader_read_all(ctx, r, 0, r->first, len));
	r->first_len = len;
	client_pull_end(&r->pull);
	return OK;
}

/* An empty object has no first byte to ask for. */
static err_t open_empty(struct ctx *ctx, struct remote_reader *r)
{
	TRY(r->source.ops->size(ctx, r->source.client, str_from(r->key), &r->size_bytes));
	if (r->size_bytes)
		return fail(ctx, ERR_STORAGE, "the server gives no beginning of %s", r->key);
	return OK;
}

static err_t open_reader(struct ctx *ctx, struct remote_source source, str key,
			 const struct wanted *wanted, struct remote_reader *ret)
{
	CLEANUP(remote_reader_done)
	struct remote_reader reader = { .source = source, .key = mem_copy(key) };
	err_t err = read_first(ctx, &reader, wanted);
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		err = open_empty(ctx, &reader);
	}
	TRY(err);
	*ret = reader;
	reader = (struct remote_reader){ 0 };
	return OK;
}

err_t remote_reader_open(struct ctx *ctx, struct remote_source source, str key,
			 struct remote_reader *ret)
{
	const struct wanted wanted = { 0, REMOTE_FIRST_BYTES - 1, false };
	return open_reader(ctx, source, key, &wanted, ret);
}

err_t remote_reader_open_newest(struct ctx *ctx, struct remote_source source, str key,
				size_t first_bytes, struct remote_reader *ret)
{
	const struct wanted wanted = { 0, first_bytes - 1, true };
	return open_reader(ctx, source, key, &wanted, ret);
}

/* --- blobs ---------------------------------------------------------------------------------- */

static err_t absent_is_unknown(err_t err)
{
	return err == ERR_ABSENT ? ERR_BLOB_UNKNOWN : remote_error(err);
}

err_t remote_blob_open(struct ctx *ctx, struct store *store, struct remote_source source, str key,
		       struct store_blob *ret)
{
	struct remote_reader reader;
	err_t err = remote_reader_open(ctx, source, key, &reader);
	if (err != OK)
		return absent_is_unknown(err);
	struct remote_reader *kept = NEW(struct remote_reader);
	*kept = reader;
	*ret = (struct store_blob){
		.store = store, .fd = -1, .handle = kept, .size_bytes = reader.size_bytes
	};
	return OK;
}

err_t remote_blob_read(struct ctx *ctx, struct store_blob *blob, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	return remote_error(remote_reader_read(ctx, blob->handle, offset, into, len, ret_len));
}

void remote_blob_close(struct store_blob *blob)
{
	struct remote_reader *reader = take(blob->handle);
	remote_reader_done(reader);
	free(reader);
}

err_t remote_blob_size(struct ctx *ctx, struct remote_source source, str key,
		       uint64_t *ret_size_bytes)
{
	return absent_is_unknown(source.ops->size(ctx, source.client, key, ret_size_bytes));
}
