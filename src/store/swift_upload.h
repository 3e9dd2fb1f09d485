/* SPDX-License-Identifier: Apache-2.0 */
/* swift_upload.h - what swift_upload.c and swift_publish.c share: an upload that is open. */
#pragma once

#include "swift.h"
#include "swift_state.h"

struct swift_upload {
	struct swift_store *swift;
	char id[REMOTE_ID_MAX + 1];
	uint64_t nonce;		  /* of the names of its segments: no other opening has it */
	unsigned sent;		  /* segments of that name */
	struct swift_state state; /* its tail_bytes: of the tail here, loaded or not */
	char *tail;
	size_t tail_capacity;
	bool tail_is_here;	    /* or still in the state's object only */
	size_t lines_len;	    /* where it begins there */
	struct swift_object stored; /* the state's object, as it was opened */
	bool exists;		    /* there is one */
	bool dirty;		    /* it is not as here */
	bool broken;		    /* bytes were lost that somebody relies on */
	struct swift_reader reader; /* of a segment; client NULL: none */
	size_t reading;		    /* which */
};

str swift_upload_id(const struct swift_upload *up);

/* How large the next segment is. */
size_t swift_upload_segment_bytes(const struct swift_upload *up);

/* ERR_STORAGE when it has lost bytes, and ctx_check(). */
err_t swift_upload_check(struct ctx *ctx, const struct swift_upload *up);

/* Writes the state, with the tail, or with none when nothing of it was promised. */
err_t swift_upload_save(struct ctx *ctx, struct swift_upload *up, bool with_tail);

/* The tail is in memory afterwards. */
err_t swift_upload_load_tail(struct ctx *ctx, struct swift_upload *up);

/* The first `len` bytes of the tail become a segment. */
err_t swift_upload_send_segment(struct ctx *ctx, struct swift_upload *up, size_t len);
