/* SPDX-License-Identifier: Apache-2.0 */
/* swift_state.c - see swift_state.h. */
#include "swift_state.h"
#include "base/mem.h"
#include "codec/hex.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_LINE	  STR_INIT("berth-swift-upload 1")
#define SEGMENT_BYTES_MAX (5 * MIB(1024))
#define NO_ETAG		  "-"

void swift_state_done(struct swift_state *state)
{
	free(state->segments);
	*state = (struct swift_state){ 0 };
}

void swift_state_add(struct swift_state *state, const struct swift_segment *segment)
{
	if (state->count == state->capacity) {
		state->capacity = state->capacity ? 2 * state->capacity : 8;
		state->segments =
			mem_resize(state->segments, state->capacity * sizeof *state->segments);
	}
	state->segments[state->count++] = *segment;
	state->segments_bytes += segment->size_bytes;
}

void swift_state_drop(struct swift_state *state)
{
	CHECK(state->count);
	state->segments_bytes -= state->segments[--state->count].size_bytes;
}

/* --- lines ---------------------------------------------------------------------------------- */

static bool take_segment(void *arg, str value)
{
	struct swift_state *state = arg;
	struct swift_segment segment = { 0 };
	unsigned char sum[MD5_BYTES];
	str size, etag, name;
	bool has_etag;
	if (state->count == SWIFT_SEGMENTS_MAX || !str_cut(value, ' ', &size, &value) ||
	    !str_cut(value, ' ', &etag, &name) || !store_id_is(name, SWIFT_SEGMENT_NAME_MAX) ||
	    !str_to_u64(size, SEGMENT_BYTES_MAX, &segment.size_bytes) || !segment.size_bytes)
		return false;
	has_etag = !str_eq(etag, STR(NO_ETAG));
	if (has_etag && (etag.len != MD5_TEXT_LEN || !hex_decode(etag, sum)))
		return false;
	if (has_etag)
		memcpy(segment.etag, etag.ptr, etag.len);
	memcpy(segment.name, name.ptr, name.len);
	swift_state_add(state, &segment);
	return true;
}

static const struct remote_line lines[] = {
	REMOTE_LINE_VERSION,
	{ "segment", take_segment, true },
	REMOTE_LINE_TAIL,
};

static const struct remote_format format = { FIRST_LINE, lines, COUNT_OF(lines) };

bool swift_state_parse(str text, struct swift_state *ret, size_t *ret_lines_len)
{
	CLEANUP(swift_state_done) struct swift_state state = { 0 };
	if (!remote_state_parse(text, &format, &state, ret_lines_len))
		return false;
	*ret = state;
	state = (struct swift_state){ 0 };
	return true;
}

void swift_state_print(struct buf *b, const struct swift_state *state)
{
	remote_state_print_first(b, &format, &state->common);
	for (size_t i = 0; i < state->count; i++) {
		const struct swift_segment *segment = &state->segments[i];
		buf_printf(b, "segment %llu %s %s\n", (unsigned long long)segment->size_bytes,
			   segment->etag[0] ? segment->etag : NO_ETAG, segment->name);
	}
	remote_state_print_last(b, &state->common);
}
