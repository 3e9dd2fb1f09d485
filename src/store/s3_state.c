/* SPDX-License-Identifier: Apache-2.0 */
/* s3_state.c - see s3_state.h. */
#include "s3_state.h"
#include "base/mem.h"
#include "codec/hex.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_LINE STR_INIT("berth-upload 1")

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

static bool take_head(void *arg, str value)
{
	struct s3_state *state = arg;
	state->head_len = value.len / 2;
	return value.len <= 2 * sizeof state->head && hex_decode(value, state->head);
}

static bool take_base(void *arg, str value)
{
	struct s3_state *state = arg;
	return str_to_u64(value, INT64_MAX, &state->base_bytes);
}

static bool take_multipart(void *arg, str value)
{
	struct s3_state *state = arg;
	return state->base_bytes == 0 && take_text(value, S3_UPLOAD_ID_MAX, state->multipart);
}

static bool take_part(void *arg, str value)
{
	struct s3_state *state = arg;
	struct s3_part part = { 0 };
	str size, etag;
	if (!state->multipart[0] || state->part_count == S3_PARTS_MAX ||
	    !str_cut(value, ' ', &size, &etag) ||
	    !str_to_u64(size, S3_COPY_BYTES_MAX, &part.size_bytes) ||
	    !take_text(etag, REMOTE_ETAG_MAX, part.etag))
		return false;
	s3_state_add_part(state, &part);
	return true;
}

static bool take_copy(void *arg, str value)
{
	struct s3_state *state = arg;
	str name, id;
	return str_cut(value, ' ', &name, &id) && remote_blob_parse(name, &state->copy_name) &&
	       take_text(id, S3_UPLOAD_ID_MAX, state->copy);
}

static const struct remote_line lines[] = {
	REMOTE_LINE_VERSION,
	{ "head", take_head, false },
	{ "base", take_base, false },
	{ "multipart", take_multipart, false },
	{ "part", take_part, true },
	{ "copy", take_copy, false },
	REMOTE_LINE_TAIL,
};

static const struct remote_format format = { FIRST_LINE, lines, COUNT_OF(lines) };

bool s3_state_parse(str text, struct s3_state *ret, size_t *ret_lines_len)
{
	CLEANUP(s3_state_done) struct s3_state state = { 0 };
	if (!remote_state_parse(text, &format, &state, ret_lines_len))
		return false;
	*ret = state;
	state = (struct s3_state){ 0 };
	return true;
}

void s3_state_print(struct buf *b, const struct s3_state *state)
{
	char head[2 * S3_HEAD_BYTES + 1] = { 0 };
	hex_encode((str){ state->head, state->head_len }, head);
	remote_state_print_first(b, &format, &state->common);
	buf_printf(b, "head %s\n", head);
	if (state->base_bytes)
		buf_printf(b, "base %llu\n", (unsigned long long)state->base_bytes);
	if (state->multipart[0])
		buf_printf(b, "multipart %s\n", state->multipart);
	for (size_t i = 0; i < state->part_count; i++)
		buf_printf(b, "part %llu %s\n", (unsigned long long)state->parts[i].size_bytes,
			   state->parts[i].etag);
	if (state->copy[0]) {
		char name[REMOTE_KEY_MAX];
		buf_printf(b, "copy " STR_FMT " %s\n",
			   STR_ARG(remote_blob_name("", state->copy_name, name)), state->copy);
	}
	remote_state_print_last(b, &state->common);
}
