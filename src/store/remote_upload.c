/* SPDX-License-Identifier: Apache-2.0 */
/* remote_upload.c - see remote_upload.h. */
#include "remote_upload.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/random.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define TAIL_BYTES_FIRST KIB(64)

/* --- lines ---------------------------------------------------------------------------------- */

bool remote_state_version(void *state, str value)
{
	struct remote_state *s = state;
	unsigned char bytes[8];
	if (value.len != 2 * sizeof bytes || !hex_decode(value, bytes))
		return false;
	for (size_t i = 0; i < sizeof bytes; i++)
		s->version = s->version << 8 | bytes[i];
	return true;
}

bool remote_state_tail(void *state, str value)
{
	struct remote_state *s = state;
	return str_to_u64(value, INT64_MAX / 2, &s->tail_bytes);
}

/* `*at` is the first line of the table that may come now. */
static bool take_line(const struct remote_format *format, void *state, str line, size_t *at)
{
	str name, value;
	if (!str_cut(line, ' ', &name, &value))
		return false;
	for (size_t i = *at; i < format->line_count; i++)
		if (str_eq(name, str_from(format->lines[i].name))) {
			*at = format->lines[i].repeats ? i : i + 1;
			return format->lines[i].read(state, value);
		}
	return false;
}

bool remote_state_parse(str text, const struct remote_format *format, void *state,
			size_t *ret_lines_len)
{
	str line, rest = text;
	size_t at = 0;
	if (!str_cut(rest, '\n', &line, &rest) || !str_eq(line, format->first_line))
		return false;
	for (;;) {
		if (!str_cut(rest, '\n', &line, &rest))
			return false;
		if (line.len == 0)
			break;
		if (!take_line(format, state, line, &at))
			return false;
	}
	if (at != format->line_count) /* the tail's line is the last, and there */
		return false;
	*ret_lines_len = (size_t)(rest.ptr - text.ptr);
	return true;
}

void remote_state_print_first(struct buf *b, const struct remote_format *format,
			      const struct remote_state *state)
{
	buf_add(b, format->first_line);
	buf_printf(b, "\nversion %016llx\n", (unsigned long long)state->version);
}

void remote_state_print_last(struct buf *b, const struct remote_state *state)
{
	buf_printf(b, "tail %llu\n\n", (unsigned long long)state->tail_bytes);
}

/* --- the state ------------------------------------------------------------------------------ */

str remote_upload_id(const struct remote_upload *up)
{
	return str_from(up->id);
}

uint64_t remote_upload_bytes(struct remote_upload *up)
{
	return up->ops->sent_bytes(up) + up->state->tail_bytes;
}

void remote_upload_done(struct remote_upload *up)
{
	remote_reader_done(&up->stored);
	free(up->tail);
}

err_t remote_upload_load(struct ctx *ctx, struct remote_upload *up)
{
	char key[REMOTE_KEY_MAX];
	struct remote_reader *stored = &up->stored;
	TRY(remote_reader_open_newest(ctx, up->source,
				      remote_upload_name(up->prefix, remote_upload_id(up), key),
				      up->ops->text_max, stored));
	if (!up->ops->parse(up, (str){ stored->first, stored->first_len }, &up->lines_len) ||
	    up->state->tail_bytes != stored->size_bytes - up->lines_len)
		return fail(ctx, ERR_CORRUPT, "object %s is no state of an upload", key);
	up->exists = true;
	return OK;
}

err_t remote_upload_open(struct ctx *ctx, struct store *store, struct remote_upload *up,
			 bool create, struct store_upload *ret)
{
	err_t err = remote_upload_load(ctx, up);
	if (err == ERR_ABSENT && create) {
		ctx_forgive(ctx);
		up->tail_is_here = true;
		err = OK;
	}
	if (err != OK)
		return err == ERR_ABSENT ? ERR_UPLOAD_UNKNOWN : remote_error(err);
	*ret = (struct store_upload){ .store = store,
				      .fd = -1,
				      .handle = up,
				      .size_bytes = remote_upload_bytes(up),
				      .version = up->state->version };
	return OK;
}

err_t remote_upload_check(struct ctx *ctx, const struct remote_upload *up)
{
	if (up->broken)
		return fail(ctx, ERR_STORAGE, "upload %s has lost bytes in a failure before",
			    up->id);
	return ctx_check(ctx);
}

static err_t put_state(struct ctx *ctx, struct remote_upload *up)
{
	char key[REMOTE_KEY_MAX];
	CLEANUP(buf_done) struct buf b = BUF_INIT(up->ops->text_max + up->state->tail_bytes);
	up->ops->print(up, &b);
	buf_add(&b, (str){ up->tail, up->state->tail_bytes });
	if (buf_overrun(&b))
		return fail(ctx, ERR_STORAGE, "the state of upload %s is too long", up->id);
	return up->ops->put_state(
		ctx, up, remote_upload_name(up->prefix, remote_upload_id(up), key), buf_str(&b));
}

err_t remote_upload_save(struct ctx *ctx, struct remote_upload *up, bool with_tail)
{
	const struct remote_state before = *up->state;
	random_bytes(&up->state->version, sizeof up->state->version);
	if (!with_tail)
		up->state->tail_bytes = 0;
	err_t err = put_state(ctx, up);
	up->state->tail_bytes = before.tail_bytes;
	if (err != OK) {
		up->state->version = before.version;
		return err;
	}
	up->exists = true;
	up->dirty = !with_tail && before.tail_bytes;
	return OK;
}

/* --- the tail ------------------------------------------------------------------------------- */

void remote_upload_make_room(struct remote_upload *up, size_t len)
{
	if (len <= up->tail_capacity)
		return;
	size_t capacity = MAX(up->tail_capacity, (size_t)TAIL_BYTES_FIRST);
	while (capacity < len)
		capacity *= 2;
	up->tail = mem_resize(up->tail, capacity);
	up->tail_capacity = capacity;
}

err_t remote_upload_load_tail(struct ctx *ctx, struct remote_upload *up)
{
	if (up->tail_is_here)
		return OK;
	remote_upload_make_room(up, up->state->tail_bytes);
	TRY(remote_reader_read_all(ctx, &up->stored, up->lines_len, up->tail,
				   up->state->tail_bytes));
	up->tail_is_here = true;
	remote_reader_done(&up->stored);
	return OK;
}

void remote_upload_sent(struct ctx *ctx, struct remote_upload *up, size_t len)
{
	up->state->tail_bytes -= len;
	memmove(up->tail, up->tail + len, up->state->tail_bytes);
	up->dirty = true;
	ctx_progress(ctx);
}

/* --- append, cut, flush --------------------------------------------------------------------- */

/* Sends a part first when the tail has one, so that a failure comes before a byte of the piece is
 * taken. */
static err_t append_piece(struct ctx *ctx, struct remote_upload *up, str piece)
{
	size_t part_bytes = up->ops->part_bytes(up);
	while (up->state->tail_bytes >=
	       part_bytes + REMOTE_TAIL_KEPT) /* more, when some came back */
		TRY(up->ops->send(ctx, up, part_bytes));
	remote_upload_make_room(up, up->state->tail_bytes + piece.len);
	memcpy(up->tail + up->state->tail_bytes, piece.ptr, piece.len);
	up->state->tail_bytes += piece.len;
	up->dirty = true;
	return OK;
}

err_t remote_upload_append(struct ctx *ctx, struct store_upload *upload, str bytes)
{
	struct remote_upload *up = upload->handle;
	TRY(remote_upload_check(ctx, up));
	err_t err = remote_upload_load_tail(ctx, up);
	str rest = bytes;
	while (err == OK && rest.len) {
		str piece = str_take(rest, up->ops->part_bytes(up));
		err = append_piece(ctx, up, piece);
		rest = str_skip(rest, err == OK ? piece.len : 0);
	}
	if (err != OK) {
		struct failure why = ctx->failure;
		ctx_forgive(ctx);
		up->broken =
			rest.len < bytes.len && up->ops->cut(ctx, up, upload->size_bytes) != OK;
		ctx_forgive(ctx);
		ctx->failure = why;
		return remote_error(err);
	}
	if (up->ops->appended)
		up->ops->appended(up, upload->size_bytes, bytes);
	upload->size_bytes += bytes.len;
	ctx_progress(ctx);
	return OK;
}

err_t remote_upload_cut(struct ctx *ctx, struct store_upload *upload, uint64_t size_bytes)
{
	struct remote_upload *up = upload->handle;
	CHECK(size_bytes <= upload->size_bytes);
	TRY(remote_upload_check(ctx, up));
	err_t err = remote_upload_load_tail(ctx, up);
	if (err == OK)
		err = up->ops->cut(ctx, up, size_bytes);
	if (err == OK)
		upload->size_bytes = size_bytes;
	return remote_error(err);
}

/* What is enough for a part is not written twice. */
static err_t flush(struct ctx *ctx, struct remote_upload *up)
{
	if (up->exists && !up->dirty)
		return OK;
	TRY(remote_upload_load_tail(ctx, up));
	while (up->state->tail_bytes >= up->ops->flush_bytes(up) + REMOTE_TAIL_KEPT)
		TRY(up->ops->send(
			ctx, up,
			MIN(up->state->tail_bytes - REMOTE_TAIL_KEPT, up->ops->part_bytes(up))));
	if (up->ops->settle)
		TRY(up->ops->settle(ctx, up));
	return remote_upload_save(ctx, up, true);
}

err_t remote_upload_flush(struct ctx *ctx, struct store_upload *upload)
{
	struct remote_upload *up = upload->handle;
	TRY(remote_upload_check(ctx, up));
	err_t err = flush(ctx, up);
	upload->version = up->state->version;
	return remote_error(err);
}

/* --- read ----------------------------------------------------------------------------------- */

static err_t read_some(struct ctx *ctx, struct remote_upload *up, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	uint64_t before = up->ops->sent_bytes(up);
	if (offset < before)
		return up->ops->read(ctx, up, offset, into, len, ret_len);
	TRY(remote_upload_load_tail(ctx, up));
	offset -= before;
	str from = { up->tail, up->state->tail_bytes };
	str piece = str_take(str_skip(from, MIN(offset, (uint64_t)from.len)), len);
	if (piece.len)
		memcpy(into, piece.ptr, piece.len);
	*ret_len = piece.len;
	return OK;
}

err_t remote_upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset, void *into,
			 size_t len, size_t *ret_len)
{
	struct remote_upload *up = upload->handle;
	TRY(remote_upload_check(ctx, up));
	err_t err = read_some(ctx, up, offset, into, len, ret_len);
	ctx_progress(ctx);
	return remote_error(err);
}
