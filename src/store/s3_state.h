/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_state.h - how far an upload to S3 has come, as the lines of its state's object tell it
 * (remote_upload.h). Private to store.
 *
 *	berth-upload 1
 *	version 9f86d081884c7d65		drawn anew each time it is written
 *	head 42455254…				the first bytes, at most S3_HEAD_BYTES of them
 *	base 52428800				so many bytes are in the data object
 *	multipart 2~Xo…				or: in the parts of this multipart upload
 *	part 8388608 3a4b…			number 1, 2, …: bytes, etag
 *	copy blobs/sha256/ab/ab01… 2~Yp…	it is becoming that blob, in the parts of this one
 *	tail 131072				bytes behind the empty line
 */
#pragma once

#include "base/buf.h"
#include "remote_upload.h"
#include "s3_object.h"

#define S3_HEAD_BYTES	  64
#define S3_STATE_TEXT_MAX MIB(2)

struct s3_state {
	struct remote_state common;
	char head[S3_HEAD_BYTES];
	size_t head_len;
	uint64_t base_bytes;		      /* 0 while there is a multipart upload */
	char multipart[S3_UPLOAD_ID_MAX + 1]; /* empty: none */
	struct s3_part *parts;
	size_t part_count, part_capacity;
	uint64_t parts_bytes; /* sum */
	blob_name copy_name;
	char copy[S3_UPLOAD_ID_MAX + 1]; /* empty: none */
};

void s3_state_done(struct s3_state *state); /* CLEANUP */

/* `text` is the beginning of the object, with at least all lines; `*ret_lines_len` is where the
 * tail begins. */
bool s3_state_parse(str text, struct s3_state *ret, size_t *ret_lines_len);
void s3_state_print(struct buf *b, const struct s3_state *state);

void s3_state_add_part(struct s3_state *state, const struct s3_part *part);
void s3_state_drop_parts(struct s3_state *state); /* and the multipart upload */
