/* SPDX-License-Identifier: Apache-2.0 */
/* swift_upload.h - what swift_upload.c and swift_publish.c share: an upload that is open. */
#pragma once

#include "swift.h"
#include "swift_state.h"

struct swift_upload {
	struct remote_upload common;
	struct swift_store *swift;
	uint64_t nonce; /* of the names of its segments: no other opening has it */
	unsigned sent;	/* segments of that name */
	struct swift_state state;
	struct remote_reader reader; /* of a segment */
	size_t reading;		     /* which */
};

/* How large the next segment is. */
size_t swift_upload_segment_bytes(const struct swift_upload *up);

/* The first `len` bytes of the tail become a segment. */
err_t swift_upload_send_segment(struct ctx *ctx, struct swift_upload *up, size_t len);
