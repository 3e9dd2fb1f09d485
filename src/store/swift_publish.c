/* SPDX-License-Identifier: Apache-2.0 */
/* swift_publish.c - see swift.h: an upload becomes a blob. Fault points: swift.copy (before the
 * bytes or the manifest are put), swift.clean (behind it). */
#include "os/fault.h"
#include "os/thread.h"
#include "swift_upload.h"

#include <string.h>

#include "base/banned.h"

struct publishing {
	struct swift_upload *up;
	blob_name name;
	uint64_t size_bytes;
	str blob;		     /* its key */
	char etag[MD5_TEXT_LEN + 1]; /* that it should have; empty where MD5 is forbidden */
	bool is_the_blob;	     /* the segments here are what it is made of */
	struct swift_object found;   /* what is there before; its etag is empty when nothing is */
};

static bool is_large(const struct publishing *p)
{
	return p->up->state.count > 0;
}

static bool is_own(const struct publishing *p)
{
	return str_eq(str_from(p->found.upload), remote_upload_id(&p->up->common));
}

/* Whether the blob is there, and as far as that can be seen the right one. */
static err_t is_stored(struct ctx *ctx, struct publishing *p, bool *ret)
{
	struct swift_store *swift = p->up->swift;
	err_t err = swift_head(ctx, swift->client, p->blob, false, &p->found);
	*ret = false;
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		return OK;
	}
	TRY(err);
	if (p->found.size_bytes != p->size_bytes)
		return OK;
	if (is_own(p) && !p->etag[0]) /* which segments it names cannot be seen */
		return OK;
	/* Made of other segments, or in one piece, it has another etag: then its size has to do. */
	bool comparable =
		p->etag[0] && p->found.is_large == is_large(p) && (!p->found.is_large || is_own(p));
	if (comparable && strcmp(p->found.etag, p->etag) != 0)
		return OK;
	*ret = true;
	if (swift->client->verify != SWIFT_VERIFY_CONTENT)
		return OK;
	err = swift_verify_blob(ctx, swift, p->name, p->size_bytes, "");
	*ret = err == OK;
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		return OK;
	}
	return err;
}

/* All bytes are in segments, the last of which may be as short as it is, and the state says so. */
static err_t end_segments(struct ctx *ctx, struct swift_upload *up)
{
	bool more = up->state.common.tail_bytes > 0;
	while (up->state.common.tail_bytes)
		TRY(swift_upload_send_segment(
			ctx, up,
			MIN(up->state.common.tail_bytes, 2 * swift_upload_segment_bytes(up))));
	return more || up->common.dirty ? remote_upload_save(ctx, &up->common, true) : OK;
}

/* Whose the segments are is said in their folder before a manifest needs them. */
static err_t put_manifest(struct ctx *ctx, struct publishing *p)
{
	struct swift_upload *up = p->up;
	char marker[REMOTE_KEY_MAX], folder[REMOTE_KEY_MAX];
	str id = remote_upload_id(&up->common);
	const struct swift_manifest manifest = { swift_folder_key(up->swift, id, folder), id,
						 up->state.segments, up->state.count };
	TRY(swift_put(ctx, up->swift->client, swift_marker_key(up->swift, id, p->name, marker),
		      STR(""), NULL));
	if (FAULT("swift.copy"))
		return fail_errno(ctx, ERR_STORAGE, "could not store upload %s", up->common.id);
	return swift_put_manifest(ctx, up->swift->client, p->blob, &manifest);
}

static err_t write_blob(struct ctx *ctx, struct publishing *p)
{
	struct swift_upload *up = p->up;
	if (is_large(p)) {
		TRY(put_manifest(ctx, p));
	} else {
		if (FAULT("swift.copy"))
			return fail_errno(ctx, ERR_STORAGE, "could not store upload %s",
					  up->common.id);
		TRY(swift_put(ctx, up->swift->client, p->blob,
			      (str){ up->common.tail, up->state.common.tail_bytes }, NULL));
		if (p->etag[0] && up->swift->client->verify == SWIFT_VERIFY_ETAG)
			return OK; /* proved by the answer */
	}
	return swift_verify_blob(ctx, up->swift, p->name, p->size_bytes, p->etag);
}

/* What was stored wrongly goes: the next who brings these bytes would find a blob of the right
 * size.
 */
static err_t store_bytes(struct ctx *ctx, struct publishing *p)
{
	err_t err = write_blob(ctx, p);
	if (err != ERR_CORRUPT)
		return err;
	struct failure why = ctx->failure;
	ctx_forgive(ctx);
	(void)!swift_remove(ctx, p->up->swift->client, &p->blob, 1);
	ctx_forgive(ctx);
	ctx->failure = why;
	return err;
}

/* --- what is left ----------------------------------------------------------------------------- */

struct keep {
	const struct publishing *p;
	size_t folder_len;
};

static bool is_part_of_blob(void *arg, str key)
{
	const struct keep *keep = arg;
	const struct swift_state *state = &keep->p->up->state;
	str name = str_skip(key, keep->folder_len);
	blob_name of;
	if (swift_marker_parse(name, &of))
		return blob_name_equal(of, keep->p->name);
	for (size_t i = 0; i < state->count; i++)
		if (str_eq(name, str_from(state->segments[i].name)))
			return true;
	return false;
}

/* Segments of an opening that failed, or that were cut off, are nobody's. */
static err_t remove_rest(struct ctx *ctx, struct publishing *p)
{
	struct swift_upload *up = p->up;
	struct swift_client *client = up->swift->client;
	char text[REMOTE_KEY_MAX];
	str folder = swift_folder_key(up->swift, remote_upload_id(&up->common), text);
	struct keep keep = { .p = p, .folder_len = folder.len };
	if (!up->common.exists)
		return OK;
	if (FAULT("swift.clean"))
		return fail_errno(ctx, ERR_STORAGE, "could not tidy upload %s", up->common.id);
	TRY(swift_remove_all(ctx, client, folder, p->is_the_blob ? is_part_of_blob : NULL, &keep));
	str state = swift_state_key(up->swift, remote_upload_id(&up->common), text);
	return swift_remove(ctx, client, &state, 1);
}

/* The segments of a blob that was there and was not right. */
static err_t remove_replaced(struct ctx *ctx, const struct publishing *p)
{
	char text[REMOTE_KEY_MAX];
	if (!p->found.upload[0] || is_own(p))
		return OK;
	str folder = swift_folder_key(p->up->swift, str_from(p->found.upload), text);
	return swift_remove_all(ctx, p->up->swift->client, folder, NULL, NULL);
}

/* One at a time for a digest, in this process: of two manifests that replace each other the
 * segments of the first would be nobody's. Between two nodes that is left to a walk to find. */
static err_t put_in_turn(struct ctx *ctx, struct publishing *p)
{
	bool stored;
	ctx_waits(ctx);
	CLEANUP(thread_unlock)
	UNUSED pthread_mutex_t *held =
		thread_lock(&p->up->swift->turns[p->name.digest.bytes[0] % SWIFT_TURNS]);
	TRY(is_stored(ctx, p, &stored));
	if (!stored) {
		TRY(store_bytes(ctx, p));
		TRY(remove_replaced(ctx, p));
	}
	p->is_the_blob = is_large(p) && (!stored || is_own(p));
	return OK;
}

static err_t publish(struct ctx *ctx, struct publishing *p)
{
	struct swift_upload *up = p->up;
	TRY(remote_upload_load_tail(ctx, &up->common));
	if (up->state.segments_bytes + up->state.common.tail_bytes != p->size_bytes)
		return fail(ctx, ERR_STORAGE, "upload %s lost bytes", up->common.id);
	if (is_large(p)) {
		TRY(end_segments(ctx, up));
		swift_whole_etag(up->state.segments, up->state.count, p->etag);
	} else {
		md5_text((str){ up->common.tail, up->state.common.tail_bytes }, p->etag);
	}
	TRY(put_in_turn(ctx, p));
	ctx_progress(ctx);
	return remove_rest(ctx, p);
}

err_t swift_publish(struct ctx *ctx, struct store *store, struct store_upload *upload, str id,
		    blob_name name)
{
	struct swift_upload *up = upload->handle;
	char key[REMOTE_KEY_MAX];
	if (!str_eq(id, remote_upload_id(&up->common)))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	TRY(remote_upload_check(ctx, &up->common));
	struct publishing p = { .up = up,
				.name = name,
				.size_bytes = upload->size_bytes,
				.blob = swift_blob_key(up->swift, name, key) };
	return remote_error(publish(ctx, &p));
}
