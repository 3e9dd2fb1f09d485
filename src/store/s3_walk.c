/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_walk.c - all objects below blobs/ and uploads/, in the order of their keys, and then what is
 * being uploaded and has no object yet. One page of a list is in memory at a time.
 */
#include "s3.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

struct walk {
	struct s3_store *s3;
	const struct store_walk *visitor;
	size_t prefix_len;
};

static err_t report_stray(struct ctx *ctx, const struct walk *walk, str name)
{
	return walk->visitor->stray(ctx, walk->visitor->arg, name);
}

static err_t visit_blob(struct ctx *ctx, void *arg, str key, uint64_t size_bytes)
{
	const struct walk *walk = arg;
	str name = str_skip(key, walk->prefix_len);
	blob_name blob;
	if (!remote_blob_parse(name, &blob))
		return report_stray(ctx, walk, name);
	return walk->visitor->blob(ctx, walk->visitor->arg, blob, size_bytes);
}

/* One of which there is no state: it counts as an upload without bytes. */
static err_t visit_remnant(struct ctx *ctx, const struct walk *walk, str id)
{
	char key[REMOTE_KEY_MAX];
	struct s3_object object;
	err_t err = s3_head(ctx, walk->s3->client, s3_state_key(walk->s3, id, key), &object);
	if (err != ERR_ABSENT)
		return err; /* it was seen, or will be */
	ctx_forgive(ctx);
	return walk->visitor->upload(ctx, walk->visitor->arg, id, 0);
}

static err_t visit_state(struct ctx *ctx, const struct walk *walk, str id)
{
	uint64_t size_bytes = 0;
	err_t err = s3_upload_bytes(ctx, walk->s3, id, &size_bytes);
	if (err != OK && err != ERR_ABSENT && err != ERR_CORRUPT)
		return err;
	if (err == ERR_ABSENT) { /* gone meanwhile */
		ctx_forgive(ctx);
		return OK;
	}
	if (err == ERR_CORRUPT) { /* no state that can be read */
		char name[REMOTE_KEY_MAX];
		ctx_forgive(ctx);
		snprintf(name, sizeof name, "uploads/" STR_FMT, STR_ARG(id));
		return report_stray(ctx, walk, str_from(name));
	}
	return walk->visitor->upload(ctx, walk->visitor->arg, id, size_bytes);
}

static err_t visit_upload(struct ctx *ctx, void *arg, str key, uint64_t size_bytes)
{
	const struct walk *walk = arg;
	str name = str_skip(key, walk->prefix_len), id = str_skip(name, strlen("uploads/"));
	if (remote_id_is(id))
		return visit_state(ctx, walk, id);
	str own = str_has_suffix(id, STR(S3_DATA_SUFFIX))
			  ? str_take(id, id.len - strlen(S3_DATA_SUFFIX))
			  : STR_NONE;
	if (remote_id_is(own))
		return visit_remnant(ctx, walk, own);
	return report_stray(ctx, walk, name);
}

static err_t visit_multipart(struct ctx *ctx, void *arg, str key, str upload_id)
{
	const struct walk *walk = arg;
	char text[REMOTE_KEY_MAX];
	str id = str_skip(key, walk->prefix_len + strlen("uploads/"));
	struct s3_object object;
	if (!str_has_suffix(id, STR(S3_DATA_SUFFIX)))
		return OK;
	id = str_take(id, id.len - strlen(S3_DATA_SUFFIX));
	if (!remote_id_is(id))
		return OK;
	err_t err = s3_head(ctx, walk->s3->client, s3_data_key(walk->s3, id, text), &object);
	if (err != ERR_ABSENT)
		return err; /* seen with the objects */
	ctx_forgive(ctx);
	return visit_remnant(ctx, walk, id);
}

err_t s3_walk(struct ctx *ctx, struct store *store, const struct store_walk *visitor)
{
	struct s3_store *s3 = s3_of(store);
	struct walk walk = { s3, visitor, strlen(s3->prefix) };
	char blobs[REMOTE_KEY_MAX], uploads[REMOTE_KEY_MAX];
	snprintf(blobs, sizeof blobs, "%sblobs/", s3->prefix);
	snprintf(uploads, sizeof uploads, "%suploads/", s3->prefix);
	const struct s3_visitor for_blobs = { .object = visit_blob, .arg = &walk };
	const struct s3_visitor for_uploads = { visit_upload, visit_multipart, &walk };
	err_t err = visitor->blob ? s3_list(ctx, s3->client, str_from(blobs), &for_blobs) : OK;
	if (err == OK)
		err = s3_list(ctx, s3->client, str_from(uploads), &for_uploads);
	if (err == OK)
		err = s3_multipart_list(ctx, s3->client, str_from(uploads), &for_uploads);
	return remote_error(err);
}
