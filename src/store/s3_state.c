/* SPDX-License-Identifier: Apache-2.0 */
/* s3_state.c - see s3_state.h. */
#include "s3_state.h"
#include "base/mem.h"
#include "codec/hex.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_LINE STR("berth-upload 1")

void s3_state_done(struct s3_state *state)
{
	free(state->parts);
	*state = (struct s3_state){ 0 };
}

void s3_state_add_part(struct s3_state *state, const struct s3_part *part)
{
	if (state->part_count == state->part_capacity) {
		state->part_capacity = state->part_capacity ? 2 * state->part_capacity : 8;
		state->parts =
			mem_resize(state->parts, state->part_capacity * sizeof *state->parts);
	}
	state->parts[state->part_count++] = *part;
	state->parts_bytes += part->size_bytes;
}

void s3_state_drop_parts(struct s3_state *state)
{
	state->part_count = 0;
	state->parts_bytes = 0;
	state->multipart[0] = '\0';
}

/* --- lines ---------------------------------------------------------------------------------- */

static bool take_text(str value, size_t len_max, char *into)
{
	if (value.len == 0 || value.len > len_max || str_has_byte(value, '\0'))
		return false;
	memcpy(into, value.ptr, value.len);
	into[value.len] = '\0';
	return true;
}

static bool take_version(struct s3_state *state, str value)
{
	unsigned char bytes[8];
	if (value.len != 2 * sizeof bytes || !hex_decode(value, bytes))
		return false;
	for (size_t i = 0; i < sizeof bytes; i++)
		state->version = state->version << 8 | bytes[i];
	return true;
}

static bool take_head(struct s3_state *state, str value)
{
	state->head_len = value.len / 2;
	return value.len <= 2 * sizeof state->head && hex_decode(value, state->head);
}

static bool take_base(struct s3_state *state, str value)
{
	return str_to_u64(value, INT64_MAX, &state->base_bytes);
}

static bool take_multipart(struct s3_state *state, str value)
{
	return state->base_bytes == 0 && take_text(value, S3_UPLOAD_ID_MAX, state->multipart);
}

static bool take_part(struct s3_state *state, str value)
{
	struct s3_part part = { 0 };
	str size, etag;
	if (!state->multipart[0] || state->part_count == S3_PARTS_MAX ||
	    !str_cut(value, ' ', &size, &etag) ||
	    !str_to_u64(size, S3_COPY_BYTES_MAX, &part.size_bytes) ||
	    !take_text(etag, S3_ETAG_MAX, part.etag))
		return false;
	s3_state_add_part(state, &part);
	return true;
}

static bool take_tail(struct s3_state *state, str value)
{
	return str_to_u64(value, INT64_MAX / 2, &state->tail_bytes);
}

static const struct {
	const char *name;
	bool (*read)(struct s3_state *state, str value);
} lines[] = {
	{ "version", take_version },	 { "head", take_head }, { "base", take_base },
	{ "multipart", take_multipart }, { "part", take_part }, { "tail", take_tail },
};

/* Lines come in the order of the table: `*at` is the one before. */
static bool take_line(struct s3_state *state, str line, size_t *at)
{
	str name, value;
	if (!str_cut(line, ' ', &name, &value))
		return false;
	for (size_t i = *at; i < COUNT_OF(lines); i++)
		if (str_eq(name, str_from(lines[i].name))) {
			*at = lines[i].read == take_part ? i : i + 1;
			return lines[i].read(state, value);
		}
	return false;
}

bool s3_state_parse(str text, struct s3_state *ret, size_t *ret_lines_len)
{
	CLEANUP(s3_state_done) struct s3_state state = { 0 };
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
	state = (struct s3_state){ 0 };
	return true;
}

void s3_state_print(struct buf *b, const struct s3_state *state)
{
	char head[2 * S3_HEAD_BYTES + 1] = { 0 };
	hex_encode((str){ state->head, state->head_len }, head);
	buf_add(b, FIRST_LINE);
	buf_printf(b, "\nversion %016llx\nhead %s\n", (unsigned long long)state->version, head);
	if (state->base_bytes)
		buf_printf(b, "base %llu\n", (unsigned long long)state->base_bytes);
	if (state->multipart[0])
		buf_printf(b, "multipart %s\n", state->multipart);
	for (size_t i = 0; i < state->part_count; i++)
		buf_printf(b, "part %llu %s\n", (unsigned long long)state->parts[i].size_bytes,
			   state->parts[i].etag);
	buf_printf(b, "tail %llu\n\n", (unsigned long long)state->tail_bytes);
}
