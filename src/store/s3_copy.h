/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_copy.h - objects of any size are copied inside of the bucket, by the server; private to store.
 *
 * A copy is one request, and answered when it is done; who hears nothing for a minute gives it up.
 * Some servers only note that there is one more name (Ceph), others copy each byte. So what is
 * larger than a part is copied in one only where the last copies in one were so fast that this one
 * takes some seconds; else in parts, S3_COPIES_MAX at a time.
 */
#pragma once

#include "s3_object.h"

#define S3_COPIES_MAX 3

bool s3_copy_takes_parts(const struct s3_client *client, uint64_t size_bytes);

/* In one, s3_copy(); how fast that was is remembered. */
err_t s3_copy_whole(struct ctx *ctx, struct s3_client *client, str from,
		    const struct s3_object *what, str to, char etag[REMOTE_ETAG_MAX + 1]);

/* All of an object becomes the parts 1, 2, … of a multipart upload: even ones, of which none is too
 * small. After a failure some of them may be there. */
struct s3_copying {
	str from;
	uint64_t size_bytes; /* more than 0 */
	str to;		     /* the multipart upload's key … */
	const char *id;	     /* … and id */
};
/* How many these are. */
size_t s3_copy_part_count(const struct s3_client *client, uint64_t size_bytes);
err_t s3_copy_parts(struct ctx *ctx, struct s3_client *client, const struct s3_copying *what,
		    struct s3_part *ret_parts);
