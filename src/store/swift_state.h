/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_state.h - how far an upload to Swift has come, as one object tells it: lines of text, an
 * empty line, and the tail, which are the last bytes of the upload. Private to store.
 *
 *	berth-swift-upload 1
 *	version 9f86d081884c7d65		drawn anew each time it is written
 *	segment 8388608 3a4b… 00001-9f86…	in order: bytes, etag (or -), name in its folder
 *	tail 131072				bytes behind the empty line
 *
 * Whoever has this object can go on with the upload, on any node. Parsed strictly: one writer, one
 * form.
 */
#pragma once

#include "base/buf.h"
#include "swift_object.h"

#define SWIFT_STATE_TEXT_MAX KIB(256)

struct swift_state {
	uint64_t version;
	struct swift_segment *segments;
	size_t count, capacity;
	uint64_t segments_bytes; /* sum */
	uint64_t tail_bytes;
};

void swift_state_done(struct swift_state *state); /* CLEANUP */

/* `text` is the beginning of the object, with at least all lines; `*ret_lines_len` is where the
 * tail begins. */
bool swift_state_parse(str text, struct swift_state *ret, size_t *ret_lines_len);
void swift_state_print(struct buf *b, const struct swift_state *state);

void swift_state_add(struct swift_state *state, const struct swift_segment *segment);
/* Takes the last one off. */
void swift_state_drop(struct swift_state *state);
