/* SPDX-License-Identifier: Apache-2.0 */
/* s3_publish.c - see s3.h: an upload becomes a blob. Fault points: s3.copy, s3.copy_end. */
#include "base/mem.h"
#include "os/fault.h"
#include "s3_copy.h"
#include "s3_upload.h"

#include "base/banned.h"

/* Whether the blob is there, and as far as that can be seen the right one. */
static err_t is_stored(struct ctx *ctx, struct s3_upload *up, str blob, blob_name name,
		       uint64_t size_bytes, bool *ret)
{
	struct s3_client *client = up->s3->client;
	struct s3_object object;
	err_t err = s3_head(ctx, client, blob, &object);
	*ret = err == OK && object.size_bytes == size_bytes;
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		return OK;
	}
	TRY(err);
	if (*ret && s3_upload_before_tail(up) == 0)
		*ret = !s3_object_differs(client, &object,
					  (str){ up->common.tail, up->state.common.tail_bytes });
	if (!*ret || client->options.verify != S3_VERIFY_CONTENT)
		return OK;
	err = s3_verify_blob(ctx, up->s3, name, size_bytes, "");
	*ret = err == OK;
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		return OK;
	}
	return err;
}

/* The whole upload as the data object: the last part may be as short as it is. */
static err_t make_whole(struct ctx *ctx, struct s3_upload *up)
{
	while (up->state.common.tail_bytes)
		TRY(s3_upload_send_part(
			ctx, up, MIN(up->state.common.tail_bytes, 2 * s3_upload_part_bytes(up))));
	TRY(s3_upload_settle(ctx, up));
	if (up->state.multipart[0]) /* all parts, so that who comes later can tell what they became
				     */
		TRY(remote_upload_save(ctx, &up->common, true));
	return s3_upload_complete(ctx, up);
}

err_t s3_upload_end_copy(struct ctx *ctx, struct s3_upload *up)
{
	char key[REMOTE_KEY_MAX];
	if (!up->state.copy[0])
		return OK;
	if (FAULT("s3.copy_end"))
		return fail_errno(ctx, ERR_STORAGE, "could not end a copy of upload %s",
				  up->common.id);
	TRY(s3_multipart_abort(ctx, up->s3->client, s3_blob_key(up->s3, up->state.copy_name, key),
			       str_from(up->state.copy)));
	up->state.copy[0] = '\0';
	up->common.dirty = true;
	return OK;
}

static err_t copy_and_complete(struct ctx *ctx, struct s3_upload *up, const struct s3_copying *what,
			       char etag[REMOTE_ETAG_MAX + 1])
{
	struct s3_client *client = up->s3->client;
	size_t count = s3_copy_part_count(client, what->size_bytes);
	CLEANUP(mem_done) struct s3_part *parts = mem_new(count * sizeof *parts);
	TRY(s3_copy_parts(ctx, client, what, parts));
	TRY(s3_multipart_complete(ctx, client, what->to, what->id, parts, count, etag));
	up->state.copy[0] = '\0'; /* nothing is left to end */
	return OK;
}

/* The state says so before the first part: a multipart upload that nobody knows of could not be
 * ended. */
static err_t copy_in_parts(struct ctx *ctx, struct s3_upload *up, blob_name name,
			   struct s3_copying *what, char etag[REMOTE_ETAG_MAX + 1])
{
	TRY(s3_upload_end_copy(ctx, up)); /* of a try before */
	TRY(s3_multipart_begin(ctx, up->s3->client, what->to, up->state.copy, NULL));
	up->state.copy_name = name;
	what->id = up->state.copy;
	err_t err = remote_upload_save(ctx, &up->common, true);
	if (err == OK)
		err = copy_and_complete(ctx, up, what, etag);
	if (err != OK) {
		struct failure why = ctx->failure;
		ctx_forgive(ctx);
		(void)!s3_upload_end_copy(ctx, up);
		ctx_forgive(ctx);
		ctx->failure = why;
	}
	return err;
}

static err_t copy_to(struct ctx *ctx, struct s3_upload *up, str blob, blob_name name,
		     char etag[REMOTE_ETAG_MAX + 1])
{
	char key[REMOTE_KEY_MAX];
	struct s3_object object;
	str data = s3_data_key(up->s3, remote_upload_id(&up->common), key);
	if (FAULT("s3.copy"))
		return fail_errno(ctx, ERR_STORAGE, "could not copy %s", key);
	TRY(s3_head(ctx, up->s3->client, data, &object));
	if (object.size_bytes != up->state.base_bytes)
		return fail(ctx, ERR_STORAGE, "upload %s has %llu bytes, not %llu", up->common.id,
			    (unsigned long long)object.size_bytes,
			    (unsigned long long)up->state.base_bytes);
	if (!s3_copy_takes_parts(up->s3->client, object.size_bytes))
		return s3_copy_whole(ctx, up->s3->client, data, &object, blob, etag);
	struct s3_copying what = { .from = data, .size_bytes = object.size_bytes, .to = blob };
	return copy_in_parts(ctx, up, name, &what, etag);
}

static err_t write_blob(struct ctx *ctx, struct s3_upload *up, str blob, blob_name name,
			uint64_t size_bytes)
{
	char etag[REMOTE_ETAG_MAX + 1] = "";
	bool proved = false;
	if (s3_upload_before_tail(up) == 0) {
		if (FAULT("s3.copy"))
			return fail_errno(ctx, ERR_STORAGE, "could not store upload %s",
					  up->common.id);
		TRY(s3_put(ctx, up->s3->client, blob,
			   (str){ up->common.tail, up->state.common.tail_bytes }, &proved));
	} else {
		TRY(make_whole(ctx, up));
		TRY(copy_to(ctx, up, blob, name, etag));
	}
	return proved ? OK : s3_verify_blob(ctx, up->s3, name, size_bytes, etag);
}

/* What was stored wrongly goes: the next who brings these bytes would find a blob of the right
 * size. */
static err_t store_bytes(struct ctx *ctx, struct s3_upload *up, str blob, blob_name name,
			 uint64_t size_bytes)
{
	struct s3_object bad;
	err_t err = write_blob(ctx, up, blob, name, size_bytes);
	if (err != ERR_CORRUPT)
		return err;
	struct failure why = ctx->failure;
	ctx_forgive(ctx);
	if (s3_head(ctx, up->s3->client, blob, &bad) == OK)
		(void)!s3_remove_bad(ctx, up->s3->client, blob, &bad);
	ctx_forgive(ctx);
	ctx->failure = why;
	return err;
}

/* Nothing but memory is left to remove of an upload that came in one piece. */
static err_t remove_rest(struct ctx *ctx, struct s3_upload *up)
{
	char key[REMOTE_KEY_MAX];
	str data = s3_data_key(up->s3, remote_upload_id(&up->common), key);
	remote_parts_drop(&up->parts); /* one that came after the end would stay */
	TRY(s3_upload_end_copy(ctx, up));
	if (up->may_have_more)
		TRY(s3_upload_abort_all(ctx, up->s3, data));
	else if (up->state.multipart[0])
		TRY(s3_multipart_abort(ctx, up->s3->client, data, str_from(up->state.multipart)));
	return up->common.exists
		       ? s3_upload_remove_objects(ctx, up->s3, remote_upload_id(&up->common))
		       : OK;
}

static err_t publish(struct ctx *ctx, struct s3_upload *up, blob_name name, uint64_t size_bytes)
{
	char key[REMOTE_KEY_MAX];
	bool stored;
	str blob = s3_blob_key(up->s3, name, key);
	TRY(remote_upload_load_tail(ctx, &up->common));
	if (s3_upload_before_tail(up) + up->state.common.tail_bytes != size_bytes)
		return fail(ctx, ERR_STORAGE, "upload %s lost bytes", up->common.id);
	TRY(is_stored(ctx, up, blob, name, size_bytes, &stored));
	if (!stored)
		TRY(store_bytes(ctx, up, blob, name, size_bytes));
	ctx_progress(ctx);
	return remove_rest(ctx, up);
}

err_t s3_publish(struct ctx *ctx, struct store *store, struct store_upload *upload, str id,
		 blob_name name)
{
	struct s3_upload *up = upload->handle;
	if (!str_eq(id, remote_upload_id(&up->common)))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	TRY(remote_upload_check(ctx, &up->common));
	return remote_error(publish(ctx, up, name, upload->size_bytes));
}
