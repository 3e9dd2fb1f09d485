/* SPDX-License-Identifier: Apache-2.0 */
/* The state of an upload is read as it was written, and nothing else is. */
#include <criterion/criterion.h>
#include <string.h>

#include "store/s3_state.h"

static void assert_round_trip(const struct s3_state *state)
{
	CLEANUP(buf_done) struct buf first = BUF_INIT(MIB(1)), second = BUF_INIT(MIB(1));
	CLEANUP(s3_state_done) struct s3_state again = { 0 };
	size_t lines_len;
	s3_state_print(&first, state);
	size_t len = first.len;
	buf_add(&first, STR("tail\n\n"));
	cr_assert(s3_state_parse(buf_str(&first), &again, &lines_len));
	cr_assert_eq(lines_len, len);
	s3_state_print(&second, &again);
	cr_assert(str_eq(buf_str(&second), str_take(buf_str(&first), len)), STR_FMT,
		  STR_ARG(buf_str(&second)));
	cr_assert_eq(again.parts_bytes, state->parts_bytes);
}

Test(s3_state, what_is_printed_is_parsed)
{
	CLEANUP(s3_state_done) struct s3_state state = { .common.version = 0x00ff00000000000aull };
	assert_round_trip(&state);
	state.common.tail_bytes = 77;
	memcpy(state.head, "\0\n\xff", 3);
	state.head_len = 3;
	assert_round_trip(&state);
	state.base_bytes = 1;
	assert_round_trip(&state);
	state.base_bytes = 0;
	memcpy(state.multipart, "2~id with = & blanks", 20);
	assert_round_trip(&state);
	for (int i = 0; i < 100; i++)
		s3_state_add_part(&state, &(const struct s3_part){ MIB(8), "0123-4" });
	assert_round_trip(&state);
	state.copy_name.digest = (digest){ .algorithm = DIGEST_SHA512 };
	state.copy_name.edition = 3;
	memcpy(state.copy, "2~id with = & blanks", 20);
	assert_round_trip(&state);
}

#define BEGIN "berth-upload 1\nversion 0000000000000001\n"

Test(s3_state, nothing_else_is)
{
	static const char *const wrong[] = {
		"",
		"berth-upload 1",
		"berth-upload 2\nversion 0000000000000001\nhead \ntail 0\n\n",
		BEGIN "head \ntail 0\n",
		BEGIN "head \n\n",
		BEGIN "head 0\ntail 0\n\n",
		BEGIN "tail 0\nhead \n\n",
		BEGIN "head \ntail -1\n\n",
		BEGIN "head \ntail 0\ntail 0\n\n",
		BEGIN "head \npart 1 e\ntail 0\n\n",
		BEGIN "head \nmultipart \ntail 0\n\n",
		BEGIN "head \nbase 1\nmultipart x\ntail 0\n\n",
		BEGIN "head \nmultipart x\npart 1\ntail 0\n\n",
		BEGIN "head \nmultipart x\npart 6000000000 e\ntail 0\n\n",
		BEGIN "head \nunknown 1\ntail 0\n\n",
		BEGIN "head \ncopy 2~id\ntail 0\n\n",
		BEGIN "head \ncopy blobs/sha256/ab/cd 2~id\ntail 0\n\n",
		"berth-upload 1\nversion 1\nhead \ntail 0\n\n",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct s3_state state = { .common.version = 5 };
		size_t len = 9;
		cr_assert_not(s3_state_parse(str_from(wrong[i]), &state, &len), "%s", wrong[i]);
		cr_assert_eq(state.common.version, 5);
		cr_assert_eq(len, 9);
	}
}
