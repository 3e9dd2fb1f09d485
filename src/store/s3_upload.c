/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_upload.c - see s3.h: bytes in. Fault points: s3.part, s3.state, s3.complete, s3.remove.
 *
 * An upload is, in this order: bytes of the data object (`base_bytes`), or else parts; and the
 * tail. What the state's object says is what was promised; parts sent since then are not lost for
 * this process, and for another one they never were: it sends them again under their numbers.
 *
 * The last S3_TAIL_KEPT bytes always stay in the tail, and the first S3_HEAD_BYTES in the state:
 * who encrypts looks there each time he opens an upload, and they cannot be read in a part.
 */
#include "base/mem.h"
#include "crypto/random.h"
#include "os/fault.h"
#include "s3_upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define S3_TAIL_KEPT	 KIB(128)
#define PART_BYTES_FIRST MIB(8)
#define PARTS_OF_A_SIZE                                                                            \
	2000 /* then parts get twice as large: 8, 16, 32, 64 MiB and up to 300 GiB in all */
#define DOUBLINGS_MAX 3

str s3_upload_id(const struct s3_upload *up)
{
	return str_from(up->id);
}

uint64_t s3_upload_before_tail(const struct s3_upload *up)
{
	return up->state.base_bytes + up->state.parts_bytes;
}

size_t s3_upload_part_bytes(const struct s3_upload *up)
{
	size_t doublings = MIN(up->state.part_count / PARTS_OF_A_SIZE, (size_t)DOUBLINGS_MAX);
	return PART_BYTES_FIRST << doublings;
}

static void free_upload(struct s3_upload **pointer)
{
	struct s3_upload *up = *pointer;
	if (!up)
		return;
	s3_reader_done(&up->reader);
	s3_state_done(&up->state);
	free(up->tail);
	free(up);
}

static void make_room(struct s3_upload *up, size_t len)
{
	if (len <= up->tail_capacity)
		return;
	size_t capacity = MAX(up->tail_capacity, KIB(64));
	while (capacity < len)
		capacity *= 2;
	up->tail = mem_resize(up->tail, capacity);
	up->tail_capacity = capacity;
}

err_t s3_upload_check(struct ctx *ctx, const struct s3_upload *up)
{
	if (up->broken)
		return fail(ctx, ERR_STORAGE, "upload %s has lost bytes in a failure before",
			    up->id);
	return ctx_check(ctx);
}

/* --- the state ------------------------------------------------------------------------------ */

/* A state's object, as far as it was read: all lines, and of the tail what is near. */
struct loaded {
	struct s3_state state;
	struct s3_object object;
	char *bytes;
	size_t len;
	size_t lines_len; /* of them, in front of the tail */
};

static void loaded_done(struct loaded *loaded)
{
	s3_state_done(&loaded->state);
	free(loaded->bytes);
}

static err_t get_state(struct ctx *ctx, struct s3_store *s3, str id, struct loaded *ret)
{
	char key[S3_KEY_MAX];
	TRY(s3_get(ctx, s3->client, s3_state_key(s3, id, key), S3_STATE_TEXT_MAX, &ret->object,
		   &ret->bytes, &ret->len));
	if (!s3_state_parse((str){ ret->bytes, ret->len }, &ret->state, &ret->lines_len) ||
	    ret->state.tail_bytes != ret->object.size_bytes - ret->lines_len)
		return fail(ctx, ERR_CORRUPT, "object %s is no state of an upload", key);
	return OK;
}

err_t s3_upload_save(struct ctx *ctx, struct s3_upload *up, bool with_tail)
{
	char key[S3_KEY_MAX];
	struct s3_state state = up->state;
	CLEANUP(buf_done) struct buf b = BUF_INIT(S3_STATE_TEXT_MAX + up->state.tail_bytes);
	random_bytes(&state.version, sizeof state.version);
	state.tail_bytes = with_tail ? up->state.tail_bytes : 0;
	s3_state_print(&b, &state);
	buf_add(&b, (str){ up->tail, state.tail_bytes });
	if (buf_overrun(&b))
		return fail(ctx, ERR_STORAGE, "the state of upload %s is too long", up->id);
	if (FAULT("s3.state"))
		return fail_errno(ctx, ERR_STORAGE, "could not write the state of upload %s",
				  up->id);
	TRY(s3_put(ctx, up->s3->client, s3_state_key(up->s3, s3_upload_id(up), key), buf_str(&b),
		   NULL));
	up->state.version = state.version;
	up->exists = true;
	up->dirty = !with_tail && up->state.tail_bytes;
	return OK;
}

err_t s3_upload_load_tail(struct ctx *ctx, struct s3_upload *up)
{
	char key[S3_KEY_MAX];
	if (up->tail_is_here)
		return OK;
	CLEANUP(s3_reader_done)
	struct s3_reader reader = { .client = up->s3->client, .object = up->stored };
	reader.key = mem_copy(s3_state_key(up->s3, s3_upload_id(up), key));
	make_room(up, up->state.tail_bytes);
	for (uint64_t have = 0; have < up->state.tail_bytes;) {
		size_t len;
		TRY(s3_reader_read(ctx, &reader, up->lines_len + have, up->tail + have,
				   up->state.tail_bytes - have, &len));
		have += len;
	}
	up->tail_is_here = true;
	return OK;
}

/* --- parts ---------------------------------------------------------------------------------- */

/* The server gives what is in the data object to a new multipart upload, in even parts that none is
 * too small of. */
static err_t copy_base(struct ctx *ctx, struct s3_upload *up, uint64_t base_bytes)
{
	char key[S3_KEY_MAX];
	str data = s3_data_key(up->s3, s3_upload_id(up), key);
	uint64_t count = (base_bytes + MIB(1024) - 1) / MIB(1024),
		 step = (base_bytes + count - 1) / count;
	for (uint64_t at = 0; at < base_bytes; at += step) {
		struct s3_part part;
		const struct s3_piece piece = { data, at, MIN(base_bytes - at, step) };
		TRY(s3_part_copy(ctx, up->s3->client, data, up->state.multipart,
				 (unsigned)up->state.part_count + 1, &piece, &part));
		s3_state_add_part(&up->state, &part);
		ctx_progress(ctx);
	}
	return OK;
}

static err_t open_data(struct ctx *ctx, struct s3_upload *up)
{
	char key[S3_KEY_MAX];
	if (up->reader.client)
		return OK;
	TRY(s3_reader_open(ctx, up->s3->client, s3_data_key(up->s3, s3_upload_id(up), key),
			   &up->reader));
	if (up->reader.object.size_bytes < up->state.base_bytes)
		return fail(ctx, ERR_STORAGE, "object %s is too short", key);
	return OK;
}

/* A base too small to be a part goes to the front of the tail. */
static err_t take_base(struct ctx *ctx, struct s3_upload *up, size_t len)
{
	TRY(open_data(ctx, up));
	make_room(up, len + up->state.tail_bytes);
	if (up->state.tail_bytes)
		memmove(up->tail + len, up->tail, up->state.tail_bytes);
	for (size_t have = 0, more; have < len; have += more) {
		err_t err =
			s3_reader_read(ctx, &up->reader, have, up->tail + have, len - have, &more);
		if (err != OK) {
			memmove(up->tail, up->tail + len, up->state.tail_bytes);
			return err;
		}
	}
	up->state.tail_bytes += len;
	up->state.base_bytes = 0;
	return OK;
}

static err_t begin_parts(struct ctx *ctx, struct s3_upload *up)
{
	char key[S3_KEY_MAX];
	uint64_t base_bytes = up->state.base_bytes;
	if (base_bytes && base_bytes < S3_PART_BYTES_MIN)
		TRY(take_base(ctx, up, base_bytes));
	base_bytes = up->state.base_bytes;
	str data = s3_data_key(up->s3, s3_upload_id(up), key);
	bool more;
	TRY(s3_multipart_begin(ctx, up->s3->client, data, up->state.multipart, &more));
	up->may_have_more |= more;
	err_t err = base_bytes ? copy_base(ctx, up, base_bytes) : OK;
	if (err == OK) {
		up->state.base_bytes = 0;
		err = s3_upload_save(ctx, up, up->exists);
	}
	if (err != OK) {
		struct failure why = ctx->failure;
		(void)!s3_multipart_abort(ctx, up->s3->client, data, str_from(up->state.multipart));
		ctx->failure = why;
		s3_state_drop_parts(&up->state);
		up->state.base_bytes = base_bytes;
	}
	return err;
}

/* A completion may have happened before: its answer was lost, or the process that asked for it
 * died. Then the data object is these very parts, as its etag proves; an object that is merely as
 * long may be an older one. `err` if it does not. */
static err_t find_completed(struct ctx *ctx, struct s3_upload *up, err_t err)
{
	char key[S3_KEY_MAX], want[S3_WHOLE_ETAG_BYTES];
	struct s3_object object;
	struct failure why = ctx->failure;
	if ((err != ERR_ABSENT && err != ERR_STORAGE) ||
	    !s3_whole_etag(up->state.parts, up->state.part_count, want))
		return err;
	ctx_forgive(ctx);
	if (s3_head(ctx, up->s3->client, s3_data_key(up->s3, s3_upload_id(up), key), &object) ==
		    OK &&
	    object.size_bytes == up->state.parts_bytes && strcmp(object.etag, want) == 0)
		return OK;
	ctx_forgive(ctx);
	ctx->failure = why;
	return err;
}

err_t s3_upload_complete(struct ctx *ctx, struct s3_upload *up)
{
	char key[S3_KEY_MAX];
	str data = s3_data_key(up->s3, s3_upload_id(up), key);
	if (!up->state.multipart[0])
		return OK;
	if (FAULT("s3.complete"))
		return fail_errno(ctx, ERR_STORAGE, "could not complete %s", key);
	s3_reader_done(&up->reader);
	if (up->state.part_count == 0) {
		TRY(s3_multipart_abort(ctx, up->s3->client, data, str_from(up->state.multipart)));
	} else {
		err_t err = s3_multipart_complete(ctx, up->s3->client, data, up->state.multipart,
						  up->state.parts, up->state.part_count);
		TRY(err == OK ? OK : find_completed(ctx, up, err));
	}
	up->state.base_bytes = up->state.parts_bytes;
	s3_state_drop_parts(&up->state);
	up->dirty = true;
	ctx_progress(ctx);
	return OK;
}

/* The last part may be a small one, after a publish that failed: then it is the last. */
static bool ends_short(const struct s3_upload *up)
{
	return up->state.part_count &&
	       up->state.parts[up->state.part_count - 1].size_bytes < S3_PART_BYTES_MIN;
}

static err_t put_part(struct ctx *ctx, struct s3_upload *up, size_t len, struct s3_part *ret)
{
	char key[S3_KEY_MAX];
	if (!up->state.multipart[0])
		TRY(begin_parts(ctx, up));
	return s3_part_put(ctx, up->s3->client, s3_data_key(up->s3, s3_upload_id(up), key),
			   up->state.multipart, (unsigned)up->state.part_count + 1,
			   (str){ up->tail, len }, ret);
}

err_t s3_upload_send_part(struct ctx *ctx, struct s3_upload *up, size_t len)
{
	struct s3_part part;
	if (FAULT("s3.part"))
		return fail_errno(ctx, ERR_STORAGE, "could not send a part of upload %s", up->id);
	if (up->state.part_count >= S3_PARTS_MAX - 1 || ends_short(up))
		TRY(s3_upload_complete(ctx, up)); /* few large ones take their place */
	err_t err = put_part(ctx, up, len, &part);
	if (err == ERR_ABSENT) { /* completed by a process that died before it could say so */
		ctx_forgive(ctx);
		TRY(s3_upload_complete(ctx, up));
		err = put_part(ctx, up, len, &part);
	}
	TRY(err);
	s3_state_add_part(&up->state, &part);
	up->state.tail_bytes -= len;
	memmove(up->tail, up->tail + len, up->state.tail_bytes);
	up->dirty = true;
	ctx_progress(ctx);
	return OK;
}

/* --- open ----------------------------------------------------------------------------------- */

static err_t read_upload(struct ctx *ctx, struct s3_upload *up)
{
	CLEANUP(loaded_done) struct loaded loaded = { 0 };
	TRY(get_state(ctx, up->s3, s3_upload_id(up), &loaded));
	up->state = loaded.state;
	loaded.state = (struct s3_state){ 0 };
	up->stored = loaded.object;
	up->lines_len = loaded.lines_len;
	up->exists = true;
	up->tail_is_here = loaded.len == up->stored.size_bytes;
	if (up->tail_is_here && up->state.tail_bytes) {
		make_room(up, up->state.tail_bytes);
		memcpy(up->tail, loaded.bytes + up->lines_len, up->state.tail_bytes);
	}
	return OK;
}

err_t s3_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
		     struct store_upload *ret)
{
	if (!remote_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	CLEANUP(free_upload) struct s3_upload *up = NEW(struct s3_upload);
	up->s3 = s3_of(store);
	memcpy(up->id, id.ptr, id.len);
	err_t err = read_upload(ctx, up);
	if (err == ERR_ABSENT && create) {
		ctx_forgive(ctx);
		up->tail_is_here = true;
		err = OK;
	}
	if (err != OK)
		return err == ERR_ABSENT ? ERR_UPLOAD_UNKNOWN : remote_error(err);
	*ret = (struct store_upload){ .store = store,
				      .fd = -1,
				      .size_bytes =
					      s3_upload_before_tail(up) + up->state.tail_bytes,
				      .version = up->state.version };
	ret->handle = take(up);
	return OK;
}

void s3_upload_close(struct store_upload *upload)
{
	struct s3_upload *up = take(upload->handle);
	free_upload(&up);
}

err_t s3_upload_bytes(struct ctx *ctx, struct s3_store *s3, str id, uint64_t *ret_bytes)
{
	CLEANUP(loaded_done) struct loaded loaded = { 0 };
	TRY(get_state(ctx, s3, id, &loaded));
	*ret_bytes = loaded.state.base_bytes + loaded.state.parts_bytes + loaded.state.tail_bytes;
	return OK;
}

/* --- append, cut, flush --------------------------------------------------------------------- */

static void keep_head(struct s3_upload *up, uint64_t size_bytes, str bytes)
{
	if (size_bytes >= S3_HEAD_BYTES)
		return;
	str more = str_take(bytes, S3_HEAD_BYTES - size_bytes);
	if (more.len)
		memcpy(up->state.head + size_bytes, more.ptr, more.len);
	up->state.head_len = size_bytes + more.len;
}

/* Sends a part first when the tail has one, so that a failure comes before a byte of the piece is
 * taken. */
static err_t append_piece(struct ctx *ctx, struct s3_upload *up, str piece)
{
	if (up->state.tail_bytes >= s3_upload_part_bytes(up) + S3_TAIL_KEPT)
		TRY(s3_upload_send_part(ctx, up, s3_upload_part_bytes(up)));
	make_room(up, up->state.tail_bytes + piece.len);
	memcpy(up->tail + up->state.tail_bytes, piece.ptr, piece.len);
	up->state.tail_bytes += piece.len;
	up->dirty = true;
	return OK;
}

static err_t cut(struct ctx *ctx, struct s3_upload *up, uint64_t size_bytes)
{
	if (size_bytes < s3_upload_before_tail(up)) {
		TRY(s3_upload_complete(ctx, up));
		up->state.base_bytes = size_bytes;
		up->state.tail_bytes = 0;
	} else {
		up->state.tail_bytes = size_bytes - s3_upload_before_tail(up);
	}
	up->state.head_len = MIN((uint64_t)up->state.head_len, size_bytes);
	up->dirty = true;
	return OK;
}

err_t s3_upload_append(struct ctx *ctx, struct store_upload *upload, str bytes)
{
	struct s3_upload *up = upload->handle;
	TRY(s3_upload_check(ctx, up));
	err_t err = s3_upload_load_tail(ctx, up);
	str rest = bytes;
	while (err == OK && rest.len) {
		str piece = str_take(rest, s3_upload_part_bytes(up));
		err = append_piece(ctx, up, piece);
		rest = str_skip(rest, err == OK ? piece.len : 0);
	}
	if (err != OK) {
		struct failure why = ctx->failure;
		ctx_forgive(ctx);
		up->broken = rest.len < bytes.len && cut(ctx, up, upload->size_bytes) != OK;
		ctx_forgive(ctx);
		ctx->failure = why;
		return remote_error(err);
	}
	keep_head(up, upload->size_bytes, bytes);
	upload->size_bytes += bytes.len;
	ctx_progress(ctx);
	return OK;
}

err_t s3_upload_cut(struct ctx *ctx, struct store_upload *upload, uint64_t size_bytes)
{
	struct s3_upload *up = upload->handle;
	CHECK(size_bytes <= upload->size_bytes);
	TRY(s3_upload_check(ctx, up));
	err_t err = s3_upload_load_tail(ctx, up);
	if (err == OK)
		err = cut(ctx, up, size_bytes);
	if (err == OK)
		upload->size_bytes = size_bytes;
	return remote_error(err);
}

/* What is enough for a part is not written twice. */
static err_t flush(struct ctx *ctx, struct s3_upload *up)
{
	size_t enough = MAX(s3_upload_part_bytes(up) / 2, (size_t)S3_PART_BYTES_MIN);
	if (up->exists && !up->dirty)
		return OK;
	TRY(s3_upload_load_tail(ctx, up));
	if (up->state.tail_bytes >= enough + S3_TAIL_KEPT)
		TRY(s3_upload_send_part(
			ctx, up,
			MIN(up->state.tail_bytes - S3_TAIL_KEPT, s3_upload_part_bytes(up))));
	return s3_upload_save(ctx, up, true);
}

err_t s3_upload_flush(struct ctx *ctx, struct store_upload *upload)
{
	struct s3_upload *up = upload->handle;
	TRY(s3_upload_check(ctx, up));
	err_t err = flush(ctx, up);
	upload->version = up->state.version;
	return remote_error(err);
}

/* --- read ----------------------------------------------------------------------------------- */

static err_t read_object(struct ctx *ctx, struct s3_upload *up, uint64_t offset, void *into,
			 size_t len, size_t *ret_len)
{
	if (up->state.multipart[0]) {
		TRY(s3_upload_complete(ctx, up));
		TRY(s3_upload_save(ctx, up, true));
	}
	TRY(open_data(ctx, up));
	uint64_t left = up->state.base_bytes - offset;
	return s3_reader_read(ctx, &up->reader, offset, into, MIN(left, (uint64_t)len), ret_len);
}

static err_t read_some(struct ctx *ctx, struct s3_upload *up, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	uint64_t before = s3_upload_before_tail(up);
	if (offset < before && offset + len > up->state.head_len)
		TRY(s3_upload_load_tail(ctx, up)); /* completing parts writes the state anew */
	if (offset < before && offset + len > up->state.head_len)
		return read_object(ctx, up, offset, into, len, ret_len);
	str from = { up->state.head, up->state.head_len };
	if (offset >= before) {
		TRY(s3_upload_load_tail(ctx, up));
		from = (str){ up->tail, up->state.tail_bytes };
		offset -= before;
	}
	str piece = str_take(str_skip(from, MIN(offset, (uint64_t)from.len)), len);
	if (piece.len)
		memcpy(into, piece.ptr, piece.len);
	*ret_len = piece.len;
	return OK;
}

err_t s3_upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset, void *into,
		     size_t len, size_t *ret_len)
{
	struct s3_upload *up = upload->handle;
	TRY(s3_upload_check(ctx, up));
	err_t err = read_some(ctx, up, offset, into, len, ret_len);
	ctx_progress(ctx);
	return remote_error(err);
}

/* --- remove --------------------------------------------------------------------------------- */

struct abort_work {
	struct s3_store *s3;
	str data;
};

static err_t abort_one(struct ctx *ctx, void *arg, str key, str id)
{
	const struct abort_work *work = arg;
	return str_eq(key, work->data) ? s3_multipart_abort(ctx, work->s3->client, key, id) : OK;
}

err_t s3_upload_abort_all(struct ctx *ctx, struct s3_store *s3, str data)
{
	struct abort_work work = { s3, data };
	const struct s3_visitor visitor = { .upload = abort_one, .arg = &work };
	return s3_multipart_list(ctx, s3->client, data, &visitor);
}

err_t s3_upload_remove_objects(struct ctx *ctx, struct s3_store *s3, str id)
{
	char state_text[S3_KEY_MAX], data_text[S3_KEY_MAX];
	const str keys[] = { s3_state_key(s3, id, state_text), s3_data_key(s3, id, data_text) };
	if (FAULT("s3.remove"))
		return fail_errno(ctx, ERR_STORAGE, "could not remove upload " STR_FMT,
				  STR_ARG(id));
	return s3_remove(ctx, s3->client, keys, COUNT_OF(keys));
}

static err_t remove_upload(struct ctx *ctx, struct s3_store *s3, str id)
{
	CLEANUP(loaded_done) struct loaded loaded = { 0 };
	char key[S3_KEY_MAX];
	err_t err = get_state(ctx, s3, id, &loaded);
	bool unknown = err == ERR_ABSENT || err == ERR_CORRUPT;
	if (!unknown)
		TRY(err);
	ctx_forgive(ctx);
	if (unknown || loaded.state.multipart[0])
		TRY(s3_upload_abort_all(ctx, s3, s3_data_key(s3, id, key)));
	return s3_upload_remove_objects(ctx, s3, id);
}

err_t s3_upload_remove(struct ctx *ctx, struct store *store, str id)
{
	if (!remote_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	return remote_error(remove_upload(ctx, s3_of(store), id));
}
