/* SPDX-License-Identifier: Apache-2.0 */
/* s3_upload.h - what s3_upload.c and s3_publish.c share: an upload that is open. */
#pragma once

#include "s3.h"
#include "remote_parts.h"
#include "s3_state.h"

struct s3_upload {
	struct remote_upload common;
	struct s3_store *s3;
	struct s3_state state;
	struct remote_parts parts;   /* that left, and are not in the state yet */
	bool began;		     /* a part was taken since it was opened, or begun */
	bool may_have_more;	     /* multipart uploads that nobody knows of */
	struct remote_reader reader; /* of the data object */
};

/* How many bytes are in the data object or in parts, with those that are on their way. */
uint64_t s3_upload_before_tail(const struct s3_upload *up);

/* How large the next part is. */
size_t s3_upload_part_bytes(const struct s3_upload *up);

/* Waits for all parts that are on their way. When one failed, the bytes that were to be in it and
 * in those behind it are the beginning of the tail again. */
err_t s3_upload_settle(struct ctx *ctx, struct s3_upload *up);

/* The first `len` bytes of the tail become a part, or are on the way to that: then a failure comes
 * out at one of the next calls. */
err_t s3_upload_send_part(struct ctx *ctx, struct s3_upload *up, size_t len);

/* Settles, and all parts become the data object, which can be read. The state here says so, and the
 * one that is stored does not yet. */
err_t s3_upload_complete(struct ctx *ctx, struct s3_upload *up);

/* Aborts whatever multipart uploads the data object has: the answer to beginning one may have been
 * lost, or a process died before it said so. */
err_t s3_upload_abort_all(struct ctx *ctx, struct s3_store *s3, str data);

/* Ends a copy in parts that the state tells of and that was not ended: a process died meanwhile. */
err_t s3_upload_end_copy(struct ctx *ctx, struct s3_upload *up);

/* The state's object and the data object. */
err_t s3_upload_remove_objects(struct ctx *ctx, struct s3_store *s3, str id);
