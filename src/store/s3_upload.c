/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_upload.c - see s3.h: bytes in. Fault points: s3.part, s3.state, s3.complete, s3.remove.
 *
 * What went out (remote_upload.h) is bytes of the data object (`base_bytes`), or else parts;
 * another process sends those that the state does not know again, under their numbers. Several
 * parts are on their way at a time (remote_parts.h); a state is written when all have landed.
 *
 * The first S3_HEAD_BYTES stay in the state: who encrypts looks there each time he opens an upload,
 * and they cannot be read in a part.
 */
#include "base/mem.h"
#include "os/fault.h"
#include "s3_copy.h"
#include "s3_upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PART_BYTES_FIRST MIB(8)
#define PARTS_OF_A_SIZE                                                                            \
	2000 /* then parts get twice as large: 8, 16, 32, 64 MiB and up to 300 GiB in all */
#define DOUBLINGS_MAX 3

static struct s3_upload *upload_of(struct remote_upload *up)
{
	return CONTAINER_OF(up, struct s3_upload, common);
}

uint64_t s3_upload_before_tail(const struct s3_upload *up)
{
	return up->state.base_bytes + up->state.parts_bytes + up->parts.bytes;
}

/* With those that are on their way. */
static size_t part_count(const struct s3_upload *up)
{
	return up->state.part_count + up->parts.count;
}

size_t s3_upload_part_bytes(const struct s3_upload *up)
{
	size_t doublings = MIN(part_count(up) / PARTS_OF_A_SIZE, (size_t)DOUBLINGS_MAX);
	return PART_BYTES_FIRST << doublings;
}

/* --- parts ---------------------------------------------------------------------------------- */

/* The server gives what is in the data object to a new multipart upload. */
static err_t copy_base(struct ctx *ctx, struct s3_upload *up, uint64_t base_bytes)
{
	char key[REMOTE_KEY_MAX];
	str data = s3_data_key(up->s3, remote_upload_id(&up->common), key);
	const struct s3_copying what = { data, base_bytes, data, up->state.multipart };
	size_t count = s3_copy_part_count(up->s3->client, base_bytes);
	CLEANUP(mem_done) struct s3_part *parts = mem_new(count * sizeof *parts);
	TRY(s3_copy_parts(ctx, up->s3->client, &what, parts));
	for (size_t i = 0; i < count; i++)
		s3_state_add_part(&up->state, &parts[i]);
	return OK;
}

static err_t open_data(struct ctx *ctx, struct s3_upload *up)
{
	char key[REMOTE_KEY_MAX];
	if (up->reader.source.client)
		return OK;
	TRY(remote_reader_open(ctx, s3_source(up->s3->client),
			       s3_data_key(up->s3, remote_upload_id(&up->common), key),
			       &up->reader));
	if (up->reader.size_bytes < up->state.base_bytes)
		return fail(ctx, ERR_STORAGE, "object %s is too short", key);
	return OK;
}

/* A base too small to be a part goes to the front of the tail. */
static err_t take_base(struct ctx *ctx, struct s3_upload *up, size_t len)
{
	TRY(open_data(ctx, up));
	remote_upload_make_room(&up->common, len + up->state.common.tail_bytes);
	if (up->state.common.tail_bytes)
		memmove(up->common.tail + len, up->common.tail, up->state.common.tail_bytes);
	err_t err = remote_reader_read_all(ctx, &up->reader, 0, up->common.tail, len);
	if (err != OK) {
		memmove(up->common.tail, up->common.tail + len, up->state.common.tail_bytes);
		return err;
	}
	up->state.common.tail_bytes += len;
	up->state.base_bytes = 0;
	return OK;
}

static err_t begin_parts(struct ctx *ctx, struct s3_upload *up)
{
	char key[REMOTE_KEY_MAX];
	uint64_t base_bytes = up->state.base_bytes;
	if (base_bytes && base_bytes < S3_PART_BYTES_MIN)
		TRY(take_base(ctx, up, base_bytes));
	base_bytes = up->state.base_bytes;
	str data = s3_data_key(up->s3, remote_upload_id(&up->common), key);
	bool more;
	TRY(s3_multipart_begin(ctx, up->s3->client, data, up->state.multipart, &more));
	up->may_have_more |= more;
	s3_parts_ask_payloads(ctx, up->s3->client, data, up->state.multipart);
	err_t err = base_bytes ? copy_base(ctx, up, base_bytes) : OK;
	if (err == OK) {
		up->state.base_bytes = 0;
		err = remote_upload_save(ctx, &up->common, up->common.exists);
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

err_t s3_upload_complete(struct ctx *ctx, struct s3_upload *up)
{
	char key[REMOTE_KEY_MAX];
	str data = s3_data_key(up->s3, remote_upload_id(&up->common), key);
	TRY(s3_upload_settle(ctx, up));
	if (!up->state.multipart[0])
		return OK;
	if (FAULT("s3.complete"))
		return fail_errno(ctx, ERR_STORAGE, "could not complete %s", key);
	remote_reader_done(&up->reader);
	if (up->state.part_count == 0) {
		TRY(s3_multipart_abort(ctx, up->s3->client, data, str_from(up->state.multipart)));
	} else {
		TRY(s3_multipart_complete(ctx, up->s3->client, data, up->state.multipart,
					  up->state.parts, up->state.part_count, NULL));
	}
	up->state.base_bytes = up->state.parts_bytes;
	s3_state_drop_parts(&up->state);
	up->began = false;
	up->common.dirty = true;
	ctx_progress(ctx);
	return OK;
}

/* The last part may be a small one, after a publish that failed: then it is the last. */
static bool ends_short(const struct s3_upload *up)
{
	return up->state.part_count &&
	       up->state.parts[up->state.part_count - 1].size_bytes < S3_PART_BYTES_MIN;
}

/* The oldest on its way lands, or nothing is on its way any more. */
static err_t land(struct ctx *ctx, struct s3_upload *up)
{
	const struct remote_part *landed;
	err_t err = remote_parts_land(ctx, &up->parts, &landed);
	if (err != OK) {
		remote_parts_return(&up->parts, &up->common);
		return err;
	}
	struct s3_part part = { .size_bytes = landed->len };
	memcpy(part.etag, landed->etag, sizeof part.etag);
	s3_state_add_part(&up->state, &part);
	return OK;
}

err_t s3_upload_settle(struct ctx *ctx, struct s3_upload *up)
{
	while (up->parts.count)
		TRY(land(ctx, up));
	return OK;
}

static err_t put_part(struct ctx *ctx, struct s3_upload *up, unsigned number, str bytes,
		      struct s3_part *ret)
{
	char key[REMOTE_KEY_MAX];
	return s3_part_put(ctx, up->s3->client,
			   s3_data_key(up->s3, remote_upload_id(&up->common), key),
			   up->state.multipart, number, bytes, ret);
}

/* On a thread of its own: nothing of the upload changes that it reads. */
static err_t put_on_its_way(struct ctx *ctx, void *arg, unsigned number, str bytes,
			    char etag[REMOTE_ETAG_MAX + 1])
{
	struct s3_part part;
	TRY(put_part(ctx, arg, number, bytes, &part));
	memcpy(etag, part.etag, sizeof part.etag);
	return OK;
}

/* True when it left. The first part since the upload was opened does not: by that one it shows
 * whether the multipart upload is still there. */
static err_t let_leave(struct ctx *ctx, struct s3_upload *up, size_t len, bool *ret)
{
	while (up->parts.count && !remote_parts_have_room(&up->parts, len))
		TRY(land(ctx, up));
	*ret = up->began && remote_parts_have_room(&up->parts, len) &&
	       remote_parts_leave(ctx, &up->parts, &up->common, (unsigned)part_count(up) + 1, len);
	return *ret ? OK : s3_upload_settle(ctx, up);
}

static err_t put_alone(struct ctx *ctx, struct s3_upload *up, size_t len, struct s3_part *ret)
{
	if (!up->state.multipart[0])
		TRY(begin_parts(ctx, up));
	return put_part(ctx, up, (unsigned)up->state.part_count + 1, (str){ up->common.tail, len },
			ret);
}

err_t s3_upload_send_part(struct ctx *ctx, struct s3_upload *up, size_t len)
{
	struct s3_part part;
	bool left;
	if (FAULT("s3.part"))
		return fail_errno(ctx, ERR_STORAGE, "could not send a part of upload %s",
				  up->common.id);
	if (part_count(up) >= S3_PARTS_MAX - 1 || ends_short(up))
		TRY(s3_upload_complete(ctx, up)); /* few large ones take their place */
	TRY(let_leave(ctx, up, len, &left));
	if (left)
		return OK;
	err_t err = put_alone(ctx, up, len, &part);
	if (err == ERR_ABSENT) { /* completed by a process that died before it could say so */
		ctx_forgive(ctx);
		TRY(s3_upload_complete(ctx, up));
		err = put_alone(ctx, up, len, &part);
	}
	TRY(err);
	s3_state_add_part(&up->state, &part);
	remote_upload_sent(ctx, &up->common, len);
	up->began = true;
	return OK;
}

/* --- what remote_upload.h asks --------------------------------------------------------------- */

static bool parse(struct remote_upload *common, str text, size_t *ret_lines_len)
{
	return s3_state_parse(text, &upload_of(common)->state, ret_lines_len);
}

static void print(struct remote_upload *common, struct buf *b)
{
	s3_state_print(b, &upload_of(common)->state);
}

static err_t put_state(struct ctx *ctx, struct remote_upload *common, str key, str bytes)
{
	if (FAULT("s3.state"))
		return fail_errno(ctx, ERR_STORAGE, "could not write the state of upload %s",
				  common->id);
	return s3_put(ctx, upload_of(common)->s3->client, key, bytes, NULL);
}

static uint64_t sent_bytes(struct remote_upload *common)
{
	return s3_upload_before_tail(upload_of(common));
}

static size_t part_bytes(struct remote_upload *common)
{
	return s3_upload_part_bytes(upload_of(common));
}

static size_t flush_bytes(struct remote_upload *common)
{
	return MAX(part_bytes(common) / 2, (size_t)S3_PART_BYTES_MIN);
}

static err_t send(struct ctx *ctx, struct remote_upload *common, size_t len)
{
	return s3_upload_send_part(ctx, upload_of(common), len);
}

static err_t settle(struct ctx *ctx, struct remote_upload *common)
{
	return s3_upload_settle(ctx, upload_of(common));
}

static err_t cut(struct ctx *ctx, struct remote_upload *common, uint64_t size_bytes)
{
	struct s3_upload *up = upload_of(common);
	struct s3_state *state = &up->state;
	if (s3_upload_settle(ctx, up) != OK)
		ctx_forgive(ctx); /* it is in the tail, and goes out later */
	if (size_bytes < s3_upload_before_tail(up)) {
		TRY(s3_upload_complete(ctx, up));
		state->base_bytes = size_bytes;
		state->common.tail_bytes = 0;
	} else {
		state->common.tail_bytes = size_bytes - s3_upload_before_tail(up);
	}
	state->head_len = MIN((uint64_t)state->head_len, size_bytes);
	common->dirty = true;
	return OK;
}

static err_t read_object(struct ctx *ctx, struct s3_upload *up, uint64_t offset, void *into,
			 size_t len, size_t *ret_len)
{
	TRY(remote_upload_load_tail(ctx, &up->common)); /* completing writes the state anew */
	if (up->state.multipart[0]) {
		TRY(s3_upload_complete(ctx, up));
		TRY(remote_upload_save(ctx, &up->common, true));
	}
	TRY(open_data(ctx, up));
	uint64_t left = up->state.base_bytes - offset;
	return remote_reader_read(ctx, &up->reader, offset, into, MIN(left, (uint64_t)len),
				  ret_len);
}

static err_t read_sent(struct ctx *ctx, struct remote_upload *common, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	struct s3_upload *up = upload_of(common);
	if (offset + len > up->state.head_len)
		return read_object(ctx, up, offset, into, len, ret_len);
	memcpy(into, up->state.head + offset, len);
	*ret_len = len;
	return OK;
}

static void keep_head(struct remote_upload *common, uint64_t offset, str bytes)
{
	struct s3_state *state = &upload_of(common)->state;
	if (offset >= S3_HEAD_BYTES)
		return;
	str more = str_take(bytes, S3_HEAD_BYTES - offset);
	if (more.len)
		memcpy(state->head + offset, more.ptr, more.len);
	state->head_len = offset + more.len;
}

static const struct remote_upload_ops ops = {
	.text_max = S3_STATE_TEXT_MAX,
	.parse = parse,
	.print = print,
	.put_state = put_state,
	.sent_bytes = sent_bytes,
	.part_bytes = part_bytes,
	.flush_bytes = flush_bytes,
	.send = send,
	.settle = settle,
	.cut = cut,
	.read = read_sent,
	.appended = keep_head,
};

/* --- open ----------------------------------------------------------------------------------- */

static void free_upload(struct s3_upload **pointer)
{
	struct s3_upload *up = *pointer;
	if (!up)
		return;
	remote_parts_done(&up->parts);
	remote_reader_done(&up->reader);
	s3_state_done(&up->state);
	remote_upload_done(&up->common);
	free(up);
}

static struct s3_upload *new_upload(struct s3_store *s3, str id)
{
	struct s3_upload *up = NEW(struct s3_upload);
	up->common = (struct remote_upload){ .ops = &ops,
					     .source = s3_source(s3->client),
					     .prefix = s3->prefix,
					     .state = &up->state.common };
	up->s3 = s3;
	up->parts.put = put_on_its_way;
	up->parts.arg = up;
	remote_parts_init(&up->parts);
	memcpy(up->common.id, id.ptr, id.len);
	return up;
}

err_t s3_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
		     struct store_upload *ret)
{
	if (!remote_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	CLEANUP(free_upload) struct s3_upload *up = new_upload(s3_of(store), id);
	TRY(remote_upload_open(ctx, store, &up->common, create, ret));
	up = NULL;
	return OK;
}

void s3_upload_close(struct store_upload *upload)
{
	struct s3_upload *up = upload_of(take(upload->handle));
	free_upload(&up);
}

err_t s3_upload_bytes(struct ctx *ctx, struct s3_store *s3, str id, uint64_t *ret_bytes)
{
	CLEANUP(free_upload) struct s3_upload *up = new_upload(s3, id);
	TRY(remote_upload_load(ctx, &up->common));
	*ret_bytes = remote_upload_bytes(&up->common);
	return OK;
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
	char state_text[REMOTE_KEY_MAX], data_text[REMOTE_KEY_MAX];
	const str keys[] = { s3_state_key(s3, id, state_text), s3_data_key(s3, id, data_text) };
	if (FAULT("s3.remove"))
		return fail_errno(ctx, ERR_STORAGE, "could not remove upload " STR_FMT,
				  STR_ARG(id));
	return s3_remove(ctx, s3->client, keys, COUNT_OF(keys));
}

static err_t remove_upload(struct ctx *ctx, struct s3_store *s3, str id)
{
	CLEANUP(free_upload) struct s3_upload *up = new_upload(s3, id);
	char key[REMOTE_KEY_MAX];
	err_t err = remote_upload_load(ctx, &up->common);
	bool unknown = err == ERR_ABSENT || err == ERR_CORRUPT;
	if (!unknown)
		TRY(err);
	ctx_forgive(ctx);
	TRY(s3_upload_end_copy(ctx, up));
	if (unknown || up->state.multipart[0])
		TRY(s3_upload_abort_all(ctx, s3, s3_data_key(s3, id, key)));
	return s3_upload_remove_objects(ctx, s3, id);
}

err_t s3_upload_remove(struct ctx *ctx, struct store *store, str id)
{
	if (!remote_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	return remote_error(remove_upload(ctx, s3_of(store), id));
}
