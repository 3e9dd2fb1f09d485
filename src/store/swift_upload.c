/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_upload.c - see swift.h: bytes in. Fault points: swift.segment, swift.state, swift.remove.
 *
 * An upload is segments, and the tail. What the state's object says is what was promised; segments
 * sent since then are not lost for this process, and for another one they never were: it sends them
 * again, under other names.
 *
 * The last SWIFT_TAIL_KEPT bytes always stay in the tail: who encrypts looks there each time he
 * opens an upload, and cuts there.
 */
#include "swift_upload.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "os/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define SWIFT_TAIL_KEPT	    KIB(128)
#define SEGMENT_BYTES_FIRST MIB(8)
#define SEGMENTS_OF_A_SIZE  100 /* then they get twice as large: up to 149 GiB in all */
#define DOUBLINGS_MAX	    5
#define FLUSH_BYTES_MIN	    MIB(4) /* what the flush makes a segment of */

str swift_upload_id(const struct swift_upload *up)
{
	return str_from(up->id);
}

size_t swift_upload_segment_bytes(const struct swift_upload *up)
{
	size_t doublings = MIN(up->state.count / SEGMENTS_OF_A_SIZE, (size_t)DOUBLINGS_MAX);
	return SEGMENT_BYTES_FIRST << doublings;
}

static void free_upload(struct swift_upload **pointer)
{
	struct swift_upload *up = *pointer;
	if (!up)
		return;
	swift_reader_done(&up->reader);
	swift_state_done(&up->state);
	free(up->tail);
	free(up);
}

static void make_room(struct swift_upload *up, size_t len)
{
	if (len <= up->tail_capacity)
		return;
	size_t capacity = MAX(up->tail_capacity, KIB(64));
	while (capacity < len)
		capacity *= 2;
	up->tail = mem_resize(up->tail, capacity);
	up->tail_capacity = capacity;
}

err_t swift_upload_check(struct ctx *ctx, const struct swift_upload *up)
{
	if (up->broken)
		return fail(ctx, ERR_STORAGE, "upload %s has lost bytes in a failure before",
			    up->id);
	return ctx_check(ctx);
}

/* --- the state ------------------------------------------------------------------------------ */

/* A state's object, as far as it was read: all lines, and of the tail what is near. */
struct loaded {
	struct swift_state state;
	struct swift_object object;
	char *bytes;
	size_t len;
	size_t lines_len; /* of them, in front of the tail */
};

static void loaded_done(struct loaded *loaded)
{
	swift_state_done(&loaded->state);
	free(loaded->bytes);
}

static err_t get_state(struct ctx *ctx, struct swift_store *swift, str id, struct loaded *ret)
{
	char key[REMOTE_KEY_MAX];
	TRY(swift_get(ctx, swift->client, swift_state_key(swift, id, key), SWIFT_STATE_TEXT_MAX,
		      &ret->object, &ret->bytes, &ret->len));
	if (!swift_state_parse((str){ ret->bytes, ret->len }, &ret->state, &ret->lines_len) ||
	    ret->state.tail_bytes != ret->object.size_bytes - ret->lines_len)
		return fail(ctx, ERR_CORRUPT, "object %s is no state of an upload", key);
	return OK;
}

err_t swift_upload_save(struct ctx *ctx, struct swift_upload *up, bool with_tail)
{
	char key[REMOTE_KEY_MAX];
	struct swift_state state = up->state;
	CLEANUP(buf_done) struct buf b = BUF_INIT(SWIFT_STATE_TEXT_MAX + up->state.tail_bytes);
	random_bytes(&state.version, sizeof state.version);
	state.tail_bytes = with_tail ? up->state.tail_bytes : 0;
	swift_state_print(&b, &state);
	buf_add(&b, (str){ up->tail, state.tail_bytes });
	if (buf_overrun(&b))
		return fail(ctx, ERR_STORAGE, "the state of upload %s is too long", up->id);
	if (FAULT("swift.state"))
		return fail_errno(ctx, ERR_STORAGE, "could not write the state of upload %s",
				  up->id);
	TRY(swift_put(ctx, up->swift->client, swift_state_key(up->swift, swift_upload_id(up), key),
		      buf_str(&b), NULL));
	up->state.version = state.version;
	up->exists = true;
	up->dirty = !with_tail && up->state.tail_bytes;
	return OK;
}

err_t swift_upload_load_tail(struct ctx *ctx, struct swift_upload *up)
{
	char key[REMOTE_KEY_MAX];
	if (up->tail_is_here)
		return OK;
	CLEANUP(swift_reader_done)
	struct swift_reader reader = { .client = up->swift->client, .object = up->stored };
	reader.key = mem_copy(swift_state_key(up->swift, swift_upload_id(up), key));
	make_room(up, up->state.tail_bytes);
	for (uint64_t have = 0; have < up->state.tail_bytes;) {
		size_t len;
		TRY(swift_reader_read(ctx, &reader, up->lines_len + have, up->tail + have,
				      up->state.tail_bytes - have, &len));
		have += len;
	}
	up->tail_is_here = true;
	return OK;
}

/* --- segments ------------------------------------------------------------------------------- */

/* Before the first one there is a state: segments of which nobody knows could not be removed. */
err_t swift_upload_send_segment(struct ctx *ctx, struct swift_upload *up, size_t len)
{
	char key[REMOTE_KEY_MAX];
	struct swift_segment segment = { .size_bytes = len };
	if (up->state.count == SWIFT_SEGMENTS_MAX)
		return fail(ctx, ERR_STORAGE, "upload %s has more segments than a manifest",
			    up->id);
	if (!up->exists)
		TRY(swift_upload_save(ctx, up, false));
	if (FAULT("swift.segment"))
		return fail_errno(ctx, ERR_STORAGE, "could not send a segment of upload %s",
				  up->id);
	snprintf(segment.name, sizeof segment.name, "%05u-%016llx", ++up->sent,
		 (unsigned long long)up->nonce);
	TRY(swift_put(ctx, up->swift->client,
		      swift_segment_key(up->swift, swift_upload_id(up), segment.name, key),
		      (str){ up->tail, len }, segment.etag));
	swift_state_add(&up->state, &segment);
	up->state.tail_bytes -= len;
	memmove(up->tail, up->tail + len, up->state.tail_bytes);
	up->dirty = true;
	ctx_progress(ctx);
	return OK;
}

static err_t open_segment(struct ctx *ctx, struct swift_upload *up, size_t which)
{
	char key[REMOTE_KEY_MAX];
	const struct swift_segment *segment = &up->state.segments[which];
	if (up->reader.client && up->reading == which)
		return OK;
	swift_reader_done(&up->reader);
	TRY(swift_reader_open(ctx, up->swift->client,
			      swift_segment_key(up->swift, swift_upload_id(up), segment->name, key),
			      &up->reader));
	up->reading = which;
	bool same = !segment->etag[0] || strcmp(up->reader.object.etag, segment->etag) == 0;
	if (up->reader.object.size_bytes == segment->size_bytes && same)
		return OK;
	swift_reader_done(&up->reader);
	return fail(ctx, ERR_STORAGE, "object %s is not the segment that was sent", key);
}

static err_t read_segment(struct ctx *ctx, struct swift_upload *up, uint64_t offset, void *into,
			  size_t len, size_t *ret_len)
{
	size_t which = 0;
	while (offset >= up->state.segments[which].size_bytes)
		offset -= up->state.segments[which++].size_bytes;
	TRY(open_segment(ctx, up, which));
	return swift_reader_read(ctx, &up->reader, offset, into, len, ret_len);
}

/* --- open ----------------------------------------------------------------------------------- */

static err_t read_upload(struct ctx *ctx, struct swift_upload *up)
{
	CLEANUP(loaded_done) struct loaded loaded = { 0 };
	TRY(get_state(ctx, up->swift, swift_upload_id(up), &loaded));
	up->state = loaded.state;
	loaded.state = (struct swift_state){ 0 };
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

err_t swift_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
			struct store_upload *ret)
{
	if (!remote_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	CLEANUP(free_upload) struct swift_upload *up = NEW(struct swift_upload);
	up->swift = swift_of(store);
	random_bytes(&up->nonce, sizeof up->nonce);
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
				      .size_bytes = up->state.segments_bytes + up->state.tail_bytes,
				      .version = up->state.version };
	ret->handle = take(up);
	return OK;
}

void swift_upload_close(struct store_upload *upload)
{
	struct swift_upload *up = take(upload->handle);
	free_upload(&up);
}

err_t swift_upload_bytes(struct ctx *ctx, struct swift_store *swift, str id, uint64_t *ret_bytes)
{
	CLEANUP(loaded_done) struct loaded loaded = { 0 };
	TRY(get_state(ctx, swift, id, &loaded));
	*ret_bytes = loaded.state.segments_bytes + loaded.state.tail_bytes;
	return OK;
}

/* --- append, cut, flush --------------------------------------------------------------------- */

/* Sends a segment first when the tail has one, so that a failure comes before a byte of the piece
 * is taken. */
static err_t append_piece(struct ctx *ctx, struct swift_upload *up, str piece)
{
	size_t segment_bytes = swift_upload_segment_bytes(up);
	if (up->state.tail_bytes >= segment_bytes + SWIFT_TAIL_KEPT)
		TRY(swift_upload_send_segment(ctx, up, segment_bytes));
	make_room(up, up->state.tail_bytes + piece.len);
	memcpy(up->tail + up->state.tail_bytes, piece.ptr, piece.len);
	up->state.tail_bytes += piece.len;
	up->dirty = true;
	return OK;
}

/* Of the segment in which the cut is, what is before it becomes the tail. */
static err_t cut_segment(struct ctx *ctx, struct swift_upload *up, uint64_t size_bytes)
{
	const struct swift_segment *last = &up->state.segments[up->state.count - 1];
	uint64_t begin = up->state.segments_bytes - last->size_bytes;
	size_t len = size_bytes - begin;
	make_room(up, len);
	for (size_t have = 0, more; have < len; have += more)
		TRY(read_segment(ctx, up, begin + have, up->tail + have, len - have, &more));
	swift_state_drop(&up->state);
	up->state.tail_bytes = len;
	return OK;
}

static err_t cut(struct ctx *ctx, struct swift_upload *up, uint64_t size_bytes)
{
	struct swift_state *state = &up->state;
	up->dirty = true;
	if (size_bytes >= state->segments_bytes) {
		state->tail_bytes = size_bytes - state->segments_bytes;
		return OK;
	}
	state->tail_bytes = 0;
	while (state->count &&
	       state->segments_bytes - state->segments[state->count - 1].size_bytes >= size_bytes)
		swift_state_drop(state);
	if (state->segments_bytes > size_bytes)
		TRY(cut_segment(ctx, up, size_bytes));
	return OK;
}

err_t swift_upload_append(struct ctx *ctx, struct store_upload *upload, str bytes)
{
	struct swift_upload *up = upload->handle;
	TRY(swift_upload_check(ctx, up));
	err_t err = swift_upload_load_tail(ctx, up);
	str rest = bytes;
	while (err == OK && rest.len) {
		str piece = str_take(rest, swift_upload_segment_bytes(up));
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
	upload->size_bytes += bytes.len;
	ctx_progress(ctx);
	return OK;
}

err_t swift_upload_cut(struct ctx *ctx, struct store_upload *upload, uint64_t size_bytes)
{
	struct swift_upload *up = upload->handle;
	CHECK(size_bytes <= upload->size_bytes);
	TRY(swift_upload_check(ctx, up));
	err_t err = swift_upload_load_tail(ctx, up);
	if (err == OK)
		err = cut(ctx, up, size_bytes);
	if (err == OK)
		upload->size_bytes = size_bytes;
	else
		up->broken = true; /* the tail may be gone already */
	return remote_error(err);
}

/* What is enough for a segment is not written twice. */
static err_t flush(struct ctx *ctx, struct swift_upload *up)
{
	if (up->exists && !up->dirty)
		return OK;
	TRY(swift_upload_load_tail(ctx, up));
	if (up->state.tail_bytes >= FLUSH_BYTES_MIN + SWIFT_TAIL_KEPT)
		TRY(swift_upload_send_segment(ctx, up,
					      MIN(up->state.tail_bytes - SWIFT_TAIL_KEPT,
						  swift_upload_segment_bytes(up))));
	return swift_upload_save(ctx, up, true);
}

err_t swift_upload_flush(struct ctx *ctx, struct store_upload *upload)
{
	struct swift_upload *up = upload->handle;
	TRY(swift_upload_check(ctx, up));
	err_t err = flush(ctx, up);
	upload->version = up->state.version;
	return remote_error(err);
}

/* --- read ----------------------------------------------------------------------------------- */

static err_t read_some(struct ctx *ctx, struct swift_upload *up, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	if (offset < up->state.segments_bytes)
		return read_segment(ctx, up, offset, into, len, ret_len);
	TRY(swift_upload_load_tail(ctx, up));
	offset -= up->state.segments_bytes;
	str from = { up->tail, up->state.tail_bytes };
	str piece = str_take(str_skip(from, MIN(offset, (uint64_t)from.len)), len);
	if (piece.len)
		memcpy(into, piece.ptr, piece.len);
	*ret_len = piece.len;
	return OK;
}

err_t swift_upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset, void *into,
			size_t len, size_t *ret_len)
{
	struct swift_upload *up = upload->handle;
	TRY(swift_upload_check(ctx, up));
	err_t err = read_some(ctx, up, offset, into, len, ret_len);
	ctx_progress(ctx);
	return remote_error(err);
}

/* --- remove --------------------------------------------------------------------------------- */

struct owner_search {
	struct swift_store *swift;
	str id;
	size_t folder_len;
	bool owned; /* by a blob */
};

static err_t look_at_marker(struct ctx *ctx, void *arg, const struct swift_item *item)
{
	struct owner_search *search = arg;
	digest d;
	if (search->owned || !swift_marker_parse(str_skip(item->name, search->folder_len), &d))
		return OK;
	return swift_blob_is_of(ctx, search->swift, d, search->id, &search->owned);
}

/* Segments that a blob is made of stay: an upload may have been published by a process that died
 * before it could say so. */
static err_t remove_upload(struct ctx *ctx, struct swift_store *swift, str id)
{
	char text[REMOTE_KEY_MAX];
	str folder = swift_folder_key(swift, id, text);
	struct owner_search search = { .swift = swift, .id = id, .folder_len = folder.len };
	const struct swift_visitor visitor = { look_at_marker, &search };
	TRY(swift_list(ctx, swift->client, folder, &visitor));
	if (FAULT("swift.remove"))
		return fail_errno(ctx, ERR_STORAGE, "could not remove upload " STR_FMT,
				  STR_ARG(id));
	if (!search.owned)
		TRY(swift_remove_all(ctx, swift->client, folder, NULL, NULL));
	str state = swift_state_key(swift, id, text);
	return swift_remove(ctx, swift->client, &state, 1);
}

err_t swift_upload_remove(struct ctx *ctx, struct store *store, str id)
{
	if (!remote_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	return remote_error(remove_upload(ctx, swift_of(store), id));
}
