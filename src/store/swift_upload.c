/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_upload.c - see swift.h: bytes in. Fault points: swift.segment, swift.state, swift.remove.
 *
 * What went out (remote_upload.h) is segments; another process sends those that the state does not
 * know again, under other names.
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

#define SEGMENT_BYTES_FIRST MIB(8)
#define SEGMENTS_OF_A_SIZE  100 /* then they get twice as large: up to 149 GiB in all */
#define DOUBLINGS_MAX	    5
#define FLUSH_BYTES_MIN	    MIB(4) /* what the flush makes a segment of */

static struct swift_upload *upload_of(struct remote_upload *up)
{
	return CONTAINER_OF(up, struct swift_upload, common);
}

size_t swift_upload_segment_bytes(const struct swift_upload *up)
{
	size_t doublings = MIN(up->state.count / SEGMENTS_OF_A_SIZE, (size_t)DOUBLINGS_MAX);
	return SEGMENT_BYTES_FIRST << doublings;
}

/* --- segments ------------------------------------------------------------------------------- */

/* Before the first one there is a state: segments of which nobody knows could not be removed. */
err_t swift_upload_send_segment(struct ctx *ctx, struct swift_upload *up, size_t len)
{
	char key[REMOTE_KEY_MAX];
	struct swift_segment segment = { .size_bytes = len };
	if (up->state.count == SWIFT_SEGMENTS_MAX)
		return fail(ctx, ERR_STORAGE, "upload %s has more segments than a manifest",
			    up->common.id);
	if (!up->common.exists)
		TRY(remote_upload_save(ctx, &up->common, false));
	if (FAULT("swift.segment"))
		return fail_errno(ctx, ERR_STORAGE, "could not send a segment of upload %s",
				  up->common.id);
	snprintf(segment.name, sizeof segment.name, "%05u-%016llx", ++up->sent,
		 (unsigned long long)up->nonce);
	TRY(swift_put(
		ctx, up->swift->client,
		swift_segment_key(up->swift, remote_upload_id(&up->common), segment.name, key),
		(str){ up->common.tail, len }, segment.etag));
	swift_state_add(&up->state, &segment);
	remote_upload_sent(ctx, &up->common, len);
	return OK;
}

static err_t open_segment(struct ctx *ctx, struct swift_upload *up, size_t which)
{
	char key[REMOTE_KEY_MAX];
	const struct swift_segment *segment = &up->state.segments[which];
	if (up->reader.source.client && up->reading == which)
		return OK;
	remote_reader_done(&up->reader);
	TRY(remote_reader_open(
		ctx, swift_source(up->swift->client),
		swift_segment_key(up->swift, remote_upload_id(&up->common), segment->name, key),
		&up->reader));
	up->reading = which;
	bool same = !segment->etag[0] || strcmp(up->reader.etag, segment->etag) == 0;
	if (up->reader.size_bytes == segment->size_bytes && same)
		return OK;
	remote_reader_done(&up->reader);
	return fail(ctx, ERR_STORAGE, "object %s is not the segment that was sent", key);
}

/* --- cut ------------------------------------------------------------------------------------ */

/* Of the segment in which the cut is, what is before it becomes the tail. */
static err_t cut_segment(struct ctx *ctx, struct swift_upload *up, uint64_t size_bytes)
{
	size_t last = up->state.count - 1;
	size_t len = size_bytes - (up->state.segments_bytes - up->state.segments[last].size_bytes);
	remote_upload_make_room(&up->common, len);
	TRY(open_segment(ctx, up, last));
	TRY(remote_reader_read_all(ctx, &up->reader, 0, up->common.tail, len));
	swift_state_drop(&up->state);
	up->state.common.tail_bytes = len;
	return OK;
}

static err_t cut(struct ctx *ctx, struct remote_upload *common, uint64_t size_bytes)
{
	struct swift_upload *up = upload_of(common);
	struct swift_state *state = &up->state;
	common->dirty = true;
	if (size_bytes >= state->segments_bytes) {
		state->common.tail_bytes = size_bytes - state->segments_bytes;
		return OK;
	}
	state->common.tail_bytes = 0;
	while (state->count &&
	       state->segments_bytes - state->segments[state->count - 1].size_bytes >= size_bytes)
		swift_state_drop(state);
	err_t err = state->segments_bytes > size_bytes ? cut_segment(ctx, up, size_bytes) : OK;
	common->broken = err != OK; /* the tail is gone */
	return err;
}

/* --- what else remote_upload.h asks ---------------------------------------------------------- */

static bool parse(struct remote_upload *common, str text, size_t *ret_lines_len)
{
	return swift_state_parse(text, &upload_of(common)->state, ret_lines_len);
}

static void print(struct remote_upload *common, struct buf *b)
{
	swift_state_print(b, &upload_of(common)->state);
}

static err_t put_state(struct ctx *ctx, struct remote_upload *common, str key, str bytes)
{
	if (FAULT("swift.state"))
		return fail_errno(ctx, ERR_STORAGE, "could not write the state of upload %s",
				  common->id);
	return swift_put(ctx, upload_of(common)->swift->client, key, bytes, NULL);
}

static uint64_t sent_bytes(struct remote_upload *common)
{
	return upload_of(common)->state.segments_bytes;
}

static size_t part_bytes(struct remote_upload *common)
{
	return swift_upload_segment_bytes(upload_of(common));
}

static size_t flush_bytes(struct remote_upload *common)
{
	(void)common;
	return FLUSH_BYTES_MIN;
}

static err_t send(struct ctx *ctx, struct remote_upload *common, size_t len)
{
	return swift_upload_send_segment(ctx, upload_of(common), len);
}

static err_t read_sent(struct ctx *ctx, struct remote_upload *common, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	struct swift_upload *up = upload_of(common);
	size_t which = 0;
	while (offset >= up->state.segments[which].size_bytes)
		offset -= up->state.segments[which++].size_bytes;
	TRY(open_segment(ctx, up, which));
	return remote_reader_read(ctx, &up->reader, offset, into, len, ret_len);
}

static const struct remote_upload_ops ops = {
	.text_max = SWIFT_STATE_TEXT_MAX,
	.parse = parse,
	.print = print,
	.put_state = put_state,
	.sent_bytes = sent_bytes,
	.part_bytes = part_bytes,
	.flush_bytes = flush_bytes,
	.send = send,
	.cut = cut,
	.read = read_sent,
};

/* --- open ----------------------------------------------------------------------------------- */

static void free_upload(struct swift_upload **pointer)
{
	struct swift_upload *up = *pointer;
	if (!up)
		return;
	remote_reader_done(&up->reader);
	swift_state_done(&up->state);
	remote_upload_done(&up->common);
	free(up);
}

static struct swift_upload *new_upload(struct swift_store *swift, str id)
{
	struct swift_upload *up = NEW(struct swift_upload);
	up->common = (struct remote_upload){ .ops = &ops,
					     .source = swift_source(swift->client),
					     .prefix = swift->prefix,
					     .state = &up->state.common };
	up->swift = swift;
	random_bytes(&up->nonce, sizeof up->nonce);
	memcpy(up->common.id, id.ptr, id.len);
	return up;
}

err_t swift_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
			struct store_upload *ret)
{
	if (!remote_id_is(id))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	CLEANUP(free_upload) struct swift_upload *up = new_upload(swift_of(store), id);
	TRY(remote_upload_open(ctx, store, &up->common, create, ret));
	up = NULL;
	return OK;
}

void swift_upload_close(struct store_upload *upload)
{
	struct swift_upload *up = upload_of(take(upload->handle));
	free_upload(&up);
}

err_t swift_upload_bytes(struct ctx *ctx, struct swift_store *swift, str id, uint64_t *ret_bytes)
{
	CLEANUP(free_upload) struct swift_upload *up = new_upload(swift, id);
	TRY(remote_upload_load(ctx, &up->common));
	*ret_bytes = remote_upload_bytes(&up->common);
	return OK;
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
	blob_name blob;
	if (search->owned || !swift_marker_parse(str_skip(item->name, search->folder_len), &blob))
		return OK;
	return swift_blob_is_of(ctx, search->swift, blob, search->id, &search->owned);
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
