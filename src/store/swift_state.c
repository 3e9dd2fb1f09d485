/* SPDX-License-Identifier: Apache-2.0 */
/* swift_state.c - see swift_state.h. */
#include "swift_state.h"
#include "base/mem.h"
#include "codec/hex.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_LINE	  STR("berth-swift-upload 1")
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

static bool take_version(struct swift_state *state, str value)
{
	unsigned char bytes[8];
	if (value.len != 2 * sizeof bytes || !hex_decode(value, bytes))
		return false;
	for (size_t i = 0; i < sizeof bytes; i++)
		state->version = state->version << 8 | bytes[i];
	return true;
}

static bool is_segment_name(str name)
{
	if (name.len == 0 || name.len > SWIFT_SEGMENT_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!name.ptr[i] || !strchr("0123456789abcdef-", name.ptr[i]))
			return false;
	return true;
}

static bool take_segment(struct swift_state *state, str value)
{
	struct swift_segment segment = { 0 };
	unsigned char sum[MD5_BYTES];
	str size, etag, name;
	bool has_etag;
	if (state->count == SWIFT_SEGMENTS_MAX || !str_cut(value, ' ', &size, &value) ||
	    !str_cut(value, ' ', &etag, &name) || !is_segment_name(name) ||
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

static bool take_tail(struct swift_state *state, str value)
{
	return str_to_u64(value, INT64_MAX / 2, &state->tail_bytes);
}

static const struct {
	const char *name;
	bool (*read)(struct swift_state *state, str value);
} lines[] = {
	{ "version", take_version },
	{ "segment", take_segment },
	{ "tail", take_tail },
};

/* Lines come in the order of the table: `*at` is the one before. */
static bool take_line(struct swift_state *state, str line, size_t *at)
{
	str name, value;
	if (!str_cut(line, ' ', &name, &value))
		return false;
	for (size_t i = *at; i < COUNT_OF(lines); i++)
		if (str_eq(name, str_from(lines[i].name))) {
			*at = lines[i].read == take_segment ? i : i + 1;
			return lines[i].read(state, value);
		}
	return false;
}

bool swift_state_parse(str text, struct swift_state *ret, size_t *ret_lines_len)
{
	CLEANUP(swift_state_done) struct swift_state state = { 0 };
	str line, rest = text;
	size_t at = 0;
	if (!str_cut(rest, '\n', &line, &rest) || !str_eq(line, FIRST_LINE))
		return false;
	for (;;) {
		if (!str_cut(rest, '\n', &line, &rest))
			return false;
		if (line.len == 0)
			break;
		if (!take_line(&state, line, &at))
			return false;
	}
	if (at != COUNT_OF(lines)) /* the tail's line is the last, and there */
		return false;
	*ret_lines_len = (size_t)(rest.ptr - text.ptr);
	*ret = state;
	state = (struct swift_state){ 0 };
	return true;
}

void swift_state_print(struct buf *b, const struct swift_state *state)
{
	buf_add(b, FIRST_LINE);
	buf_printf(b, "\nversion %016llx\n", (unsigned long long)state->version);
	for (size_t i = 0; i < state->count; i++) {
		const struct swift_segment *segment = &state->segments[i];
		buf_printf(b, "segment %llu %s %s\n", (unsigned long long)segment->size_bytes,
			   segment->etag[0] ? segment->etag : NO_ETAG, segment->name);
	}
	buf_printf(b, "tail %llu\n\n", (unsigned long long)state->tail_bytes);
}
