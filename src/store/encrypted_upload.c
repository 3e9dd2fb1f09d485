/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encrypted_upload.c - see encrypted.h: bytes in.
 *
 * Whole chunks go to the file that will be the blob. What fills none yet, the tail, is in memory,
 * and from the flush on also sealed in a file beside it: in the one of two places that the last
 * flush did not use, so that a tail that was promised is never overwritten. Nothing is ever sealed
 * twice under one nonce, as each sealing takes a fresh one.
 *
 * Behind the whole chunks the file may have more: of an append that failed, or of a publish that
 * did. It counts for nothing and is cut off before the next chunk. An end that happens to be as
 * long as a chunk shows by not opening as one.
 */
#include "encrypted_internal.h"

#include "base/mem.h"

#include <string.h>

#include "base/banned.h"

#define TAIL_BYTES_MAX (8 + ENCRYPTED_RECORD_BYTES)
#define PLACES	       2

struct encrypted_upload {
	struct encrypted *all;
	struct store_upload inner;
	struct encrypted_reader reader; /* its size_bytes: the whole chunks */
	bool has_header;
	uint64_t chunks;
	unsigned char *tail; /* room for a chunk */
	size_t tail_len;
	bool tail_is_kept; /* by a file beside */
	unsigned place;	   /* the last one used */
	unsigned places;   /* bits: where there is a file */
	char id[ENCRYPTED_ID_MAX + 1];
	size_t id_len;
};

static str id_of(const struct encrypted_upload *up)
{
	return (str){ up->id, up->id_len };
}

static void free_upload(struct encrypted_upload **pointer)
{
	struct encrypted_upload *up = *pointer;
	if (!up)
		return;
	explicit_bzero(up->tail, ENCRYPTED_CHUNK_BYTES);
	free(up->tail);
	encrypted_reader_done(&up->reader);
	store_upload_done(&up->inner);
	free(up);
}

/* Where the next chunk goes. */
static uint64_t stored_bytes(const struct encrypted_upload *up)
{
	return up->has_header ? ENCRYPTED_HEADER_BYTES + up->chunks * ENCRYPTED_RECORD_BYTES : 0;
}

static unsigned char *record_of(struct encrypted_upload *up)
{
	if (!up->reader.record)
		up->reader.record = mem_resize(NULL, ENCRYPTED_RECORD_BYTES);
	return up->reader.record;
}

static err_t append_inner(struct ctx *ctx, struct encrypted_upload *up, const void *bytes,
			  size_t len)
{
	return up->inner.store->driver->upload_append(ctx, &up->inner, (str){ bytes, len });
}

static err_t cut_back(struct ctx *ctx, struct encrypted_upload *up)
{
	if (up->inner.size_bytes == stored_bytes(up))
		return OK;
	return up->inner.store->driver->upload_cut(ctx, &up->inner, stored_bytes(up));
}

/* The file ends with its whole chunks, and has a header. */
static err_t make_ready(struct ctx *ctx, struct encrypted_upload *up)
{
	unsigned char header[ENCRYPTED_HEADER_BYTES];
	TRY(cut_back(ctx, up));
	if (up->has_header)
		return OK;
	encrypted_header_make(header);
	TRY(append_inner(ctx, up, header, sizeof header));
	encrypted_key(&up->all->key, (str){ (const char *)header, sizeof header },
		      &up->reader.aead);
	up->has_header = true;
	return OK;
}

/* --- open ----------------------------------------------------------------------------------- */

static err_t read_inner(struct ctx *ctx, void *file, uint64_t offset, void *into, size_t len,
			size_t *ret_len)
{
	struct store_upload *inner = file;
	return inner->store->driver->upload_read(ctx, inner, offset, into, len, ret_len);
}

/* How many chunks are whole: the end of a publish that failed may look like the last of them. */
static err_t count_chunks(struct ctx *ctx, struct encrypted_upload *up)
{
	uint64_t bytes = up->inner.size_bytes - ENCRYPTED_HEADER_BYTES;
	up->chunks = bytes / ENCRYPTED_RECORD_BYTES;
	if (up->chunks == 0 || bytes % ENCRYPTED_RECORD_BYTES >= ENCRYPTED_END_BYTES)
		return OK;
	err_t err = encrypted_reader_chunk(ctx, &up->reader, up->chunks - 1, ENCRYPTED_CHUNK_BYTES,
					   up->tail);
	if (err != ERR_CORRUPT)
		return err;
	ctx_forgive(ctx);
	up->chunks--;
	return OK;
}

/* The bytes of the tail in `place`, or none: it may be an old one, or half written. */
static err_t read_tail(struct ctx *ctx, struct encrypted_upload *up, unsigned place,
		       unsigned char *record, size_t *ret_len)
{
	struct store *inner = up->all->inner;
	char name[ENCRYPTED_NAME_MAX];
	CLEANUP(store_upload_done) struct store_upload file = STORE_UPLOAD_INIT;
	err_t err = inner->driver->upload_open(
		ctx, inner, encrypted_tail_name(id_of(up), place, name), false, &file);
	*ret_len = 0;
	if (err == ERR_UPLOAD_UNKNOWN) {
		ctx_forgive(ctx);
		return OK;
	}
	TRY(err);
	up->places |= 1u << place;
	return inner->driver->upload_read(ctx, &file, 0, record, TAIL_BYTES_MAX, ret_len);
}

static void take_tail(struct encrypted_upload *up, unsigned place, const unsigned char *record,
		      size_t len)
{
	if (len <= 8 + ENCRYPTED_EXTRA_BYTES || len >= TAIL_BYTES_MAX ||
	    encrypted_get_number(record) != up->chunks)
		return;
	size_t plain_len = len - 8 - ENCRYPTED_EXTRA_BYTES;
	CLEANUP(mem_done) unsigned char *plain = mem_resize(NULL, plain_len);
	if (plain_len > up->tail_len &&
	    encrypted_open(&up->reader.aead, ENCRYPTED_TAIL, up->chunks,
			   (str){ (const char *)record + 8, len - 8 }, plain)) {
		memcpy(up->tail, plain, plain_len);
		up->tail_len = plain_len;
		up->tail_is_kept = true;
		up->place = place;
	}
	explicit_bzero(plain, plain_len);
}

static err_t find_tail(struct ctx *ctx, struct encrypted_upload *up)
{
	CLEANUP(mem_done) unsigned char *record = mem_resize(NULL, TAIL_BYTES_MAX);
	for (unsigned place = 0; place < PLACES; place++) {
		size_t len;
		TRY(read_tail(ctx, up, place, record, &len));
		if (up->has_header)
			take_tail(up, place, record, len);
	}
	return OK;
}

static err_t open_inner(struct ctx *ctx, struct encrypted_upload *up, bool create)
{
	struct store *inner = up->all->inner;
	TRY(inner->driver->upload_open(ctx, inner, id_of(up), create, &up->inner));
	up->reader.read = read_inner;
	up->reader.file = &up->inner;
	up->has_header = up->inner.size_bytes >= ENCRYPTED_HEADER_BYTES;
	if (up->has_header) {
		TRY(encrypted_reader_begin(ctx, &up->reader, &up->all->key));
		TRY(count_chunks(ctx, up));
	}
	up->reader.size_bytes = up->chunks * ENCRYPTED_CHUNK_BYTES;
	return find_tail(ctx, up);
}

err_t encrypted_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
			    struct store_upload *ret)
{
	struct encrypted *all = encrypted_of(store);
	TRY(encrypted_check(ctx, all));
	if (!encrypted_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	CLEANUP(free_upload) struct encrypted_upload *up = NEW(struct encrypted_upload);
	up->inner = (struct store_upload)STORE_UPLOAD_INIT;
	up->all = all;
	up->tail = mem_resize(NULL, ENCRYPTED_CHUNK_BYTES);
	memcpy(up->id, id.ptr, id.len);
	up->id_len = id.len;
	TRY_CTX(ctx, open_inner(ctx, up, create), "upload " STR_FMT, STR_ARG(id));
	*ret = (struct store_upload){ .store = store,
				      .fd = -1,
				      .size_bytes = up->reader.size_bytes + up->tail_len,
				      .version = up->inner.version };
	ret->handle = take(up);
	return OK;
}

void encrypted_upload_close(struct store_upload *upload)
{
	struct encrypted_upload *up = take(upload->handle);
	free_upload(&up);
}

/* --- append --------------------------------------------------------------------------------- */

static err_t append_chunk(struct ctx *ctx, struct encrypted_upload *up, const void *plain)
{
	unsigned char *record = record_of(up);
	encrypted_seal(&up->reader.aead, ENCRYPTED_CHUNK, up->chunks,
		       (str){ plain, ENCRYPTED_CHUNK_BYTES }, record);
	TRY(append_inner(ctx, up, record, ENCRYPTED_RECORD_BYTES));
	up->chunks++;
	return OK;
}

/* The chunks that `bytes` complete; `*rest` is what is left. The tail is completed in place: its
 * bytes up to tail_len stay what they were. */
static err_t append_chunks(struct ctx *ctx, struct encrypted_upload *up, str bytes, str *ret_rest)
{
	if (up->tail_len) {
		size_t len = ENCRYPTED_CHUNK_BYTES - up->tail_len;
		memcpy(up->tail + up->tail_len, bytes.ptr, len);
		TRY(append_chunk(ctx, up, up->tail));
		bytes = str_skip(bytes, len);
	}
	for (; bytes.len >= ENCRYPTED_CHUNK_BYTES; bytes = str_skip(bytes, ENCRYPTED_CHUNK_BYTES))
		TRY(append_chunk(ctx, up, bytes.ptr));
	*ret_rest = bytes;
	return OK;
}

static err_t append(struct ctx *ctx, struct encrypted_upload *up, str bytes)
{
	if (up->tail_len + bytes.len < ENCRYPTED_CHUNK_BYTES) {
		if (bytes.len)
			memcpy(up->tail + up->tail_len, bytes.ptr, bytes.len);
		up->tail_len += bytes.len;
		return OK;
	}
	TRY(make_ready(ctx, up));
	uint64_t before = up->chunks;
	str rest;
	err_t err = append_chunks(ctx, up, bytes, &rest);
	if (err != OK) {
		struct failure first = ctx->failure;
		up->chunks = before;
		if (cut_back(ctx, up) != OK) /* the next append, or publish, tries again */
			ctx_forgive(ctx);
		ctx->failure = first;
		return err;
	}
	if (rest.len)
		memcpy(up->tail, rest.ptr, rest.len);
	up->tail_len = rest.len;
	up->reader.size_bytes = up->chunks * ENCRYPTED_CHUNK_BYTES;
	return OK;
}

err_t encrypted_upload_append(struct ctx *ctx, struct store_upload *upload, str bytes)
{
	struct encrypted_upload *up = upload->handle;
	TRY(encrypted_check(ctx, up->all));
	TRY(append(ctx, up, bytes));
	if (bytes.len)
		up->tail_is_kept = false;
	upload->size_bytes += bytes.len;
	ctx_progress(ctx);
	return OK;
}

/* --- flush ---------------------------------------------------------------------------------- */

static err_t write_file(struct ctx *ctx, struct store *inner, str name, str bytes)
{
	CLEANUP(store_upload_done) struct store_upload file = STORE_UPLOAD_INIT;
	TRY(inner->driver->upload_remove(ctx, inner, name));
	TRY(inner->driver->upload_open(ctx, inner, name, true, &file));
	TRY(inner->driver->upload_append(ctx, &file, bytes));
	return inner->driver->upload_flush(ctx, &file);
}

static err_t flush_tail(struct ctx *ctx, struct encrypted_upload *up)
{
	char name[ENCRYPTED_NAME_MAX];
	if (up->tail_len == 0 || up->tail_is_kept)
		return OK;
	TRY(make_ready(ctx, up));
	size_t len = 8 + up->tail_len + ENCRYPTED_EXTRA_BYTES;
	unsigned place = up->places ? 1 - up->place : 0;
	CLEANUP(mem_done) unsigned char *bytes = mem_resize(NULL, len);
	encrypted_put_number(up->chunks, bytes);
	encrypted_seal(&up->reader.aead, ENCRYPTED_TAIL, up->chunks,
		       (str){ (const char *)up->tail, up->tail_len }, bytes + 8);
	up->places |= 1u << place;
	TRY(write_file(ctx, up->all->inner, encrypted_tail_name(id_of(up), place, name),
		       (str){ (const char *)bytes, len }));
	up->place = place;
	up->tail_is_kept = true;
	return OK;
}

/* The tail first: it counts only with as many whole chunks as it names, and those are promised by
 * what comes after. */
err_t encrypted_upload_flush(struct ctx *ctx, struct store_upload *upload)
{
	struct encrypted_upload *up = upload->handle;
	struct store *inner = up->all->inner;
	TRY(encrypted_check(ctx, up->all));
	TRY(flush_tail(ctx, up));
	TRY(inner->driver->upload_flush(ctx, &up->inner));
	upload->version = up->inner.version;
	return OK;
}

/* --- read, remove, publish ------------------------------------------------------------------ */

static size_t read_tail_bytes(const struct encrypted_upload *up, uint64_t offset, void *into,
			      size_t len)
{
	uint64_t at = MIN(offset - up->reader.size_bytes, (uint64_t)up->tail_len);
	str bytes = str_take(str_skip((str){ (const char *)up->tail, up->tail_len }, at), len);
	if (bytes.len)
		memcpy(into, bytes.ptr, bytes.len);
	return bytes.len;
}

err_t encrypted_upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset,
			    void *into, size_t len, size_t *ret_len)
{
	struct encrypted_upload *up = upload->handle;
	size_t done = 0;
	TRY(encrypted_check(ctx, up->all));
	if (offset < up->reader.size_bytes)
		TRY(encrypted_reader_read(ctx, &up->reader, offset, into, len, &done));
	*ret_len = done +
		   (done < len ? read_tail_bytes(up, offset + done, (char *)into + done, len - done)
			       : 0);
	ctx_progress(ctx);
	return OK;
}

static err_t remove_tails(struct ctx *ctx, struct store *inner, str id)
{
	char name[ENCRYPTED_NAME_MAX];
	for (unsigned place = 0; place < PLACES; place++)
		TRY(inner->driver->upload_remove(ctx, inner, encrypted_tail_name(id, place, name)));
	return OK;
}

err_t encrypted_upload_remove(struct ctx *ctx, struct store *store, str id)
{
	struct store *inner = encrypted_of(store)->inner;
	if (!encrypted_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	TRY(inner->driver->upload_remove(ctx, inner, id));
	return remove_tails(ctx, inner, id);
}

/* The last chunk, if it is a short one, and the end. */
static err_t append_end(struct ctx *ctx, struct encrypted_upload *up, digest d)
{
	size_t len = up->tail_len ? up->tail_len + ENCRYPTED_EXTRA_BYTES : 0;
	CLEANUP(mem_done) unsigned char *bytes = mem_resize(NULL, len + ENCRYPTED_END_BYTES);
	TRY(make_ready(ctx, up));
	if (len)
		encrypted_seal(&up->reader.aead, ENCRYPTED_CHUNK, up->chunks,
			       (str){ (const char *)up->tail, up->tail_len }, bytes);
	encrypted_end_seal(&up->reader.aead, up->reader.size_bytes + up->tail_len, d, bytes + len);
	return append_inner(ctx, up, bytes, len + ENCRYPTED_END_BYTES);
}

err_t encrypted_publish(struct ctx *ctx, struct store *store, struct store_upload *upload, str id,
			blob_name name)
{
	struct encrypted_upload *up = upload->handle;
	struct store *inner = encrypted_of(store)->inner;
	TRY(encrypted_check(ctx, up->all));
	if (!encrypted_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	TRY(append_end(ctx, up, name.digest));
	TRY(inner->driver->publish(ctx, inner, &up->inner, id, name));
	return up->places ? remove_tails(ctx, inner, id) : OK;
}
