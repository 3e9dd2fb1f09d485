/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_state.h - how far an upload to Swift has come, as the lines of its state's object tell it
 * (remote_upload.h). Private to store.
 *
 *	berth-swift-upload 1
 *	version 9f86d081884c7d65		drawn anew each time it is written
 *	segment 8388608 3a4b… 00001-9f86…	in order: bytes, etag (or -), name in its folder
 *	tail 131072				bytes behind the empty line
 */
#pragma once

#include "base/buf.h"
#include "remote_upload.h"
#include "swift_object.h"

#define SWIFT_STATE_TEXT_MAX KIB(256)

struct swift_state {
	struct remote_state common;
	struct swift_segment *segments;
	size_t count, capacity;
	uint64_t segments_bytes; /* sum */
};

void swift_state_done(struct swift_state *state); /* CLEANUP */

/* `text` is the beginning of the object, with at least all lines; `*ret_lines_len` is where the
 * tail begins. */
bool swift_state_parse(str text, struct swift_state *ret, size_t *ret_lines_len);
void swift_state_print(struct buf *b, const struct swift_state *state);

void swift_state_add(struct swift_state *state, const struct swift_segment *segment);
/* Takes the last one off. */
void swift_state_drop(struct swift_state *state);
