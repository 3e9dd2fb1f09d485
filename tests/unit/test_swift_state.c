/* SPDX-License-Identifier: Apache-2.0 */
/* The state of an upload to Swift is read as it was written, and nothing else is. */
#include <criterion/criterion.h>

#include "store/swift_state.h"

#define ETAG "0123456789abcdef0123456789abcdef"

static void assert_round_trip(const struct swift_state *state)
{
	CLEANUP(buf_done) struct buf first = BUF_INIT(MIB(1)), second = BUF_INIT(MIB(1));
	CLEANUP(swift_state_done) struct swift_state again = { 0 };
	size_t lines_len;
	swift_state_print(&first, state);
	size_t len = first.len;
	buf_add(&first, STR("tail\n\n"));
	cr_assert(swift_state_parse(buf_str(&first), &again, &lines_len));
	cr_assert_eq(lines_len, len);
	swift_state_print(&second, &again);
	cr_assert(str_eq(buf_str(&second), str_take(buf_str(&first), len)), STR_FMT,
		  STR_ARG(buf_str(&second)));
	cr_assert_eq(again.segments_bytes, state->segments_bytes);
	cr_assert_eq(again.common.tail_bytes, state->common.tail_bytes);
}

Test(swift_state, what_is_printed_is_parsed)
{
	CLEANUP(swift_state_done)
	struct swift_state state = { .common.version = 0x00ff00000000000aull };
	assert_round_trip(&state);
	state.common.tail_bytes = 77;
	assert_round_trip(&state);
	swift_state_add(&state, &(const struct swift_segment){ 1, "00001-0a", "" });
	for (int i = 1; i < SWIFT_SEGMENTS_MAX; i++)
		swift_state_add(&state, &(const struct swift_segment){ MIB(8), "00002-ff", ETAG });
	assert_round_trip(&state);
	swift_state_drop(&state);
	cr_assert_eq(state.segments_bytes, 1 + (SWIFT_SEGMENTS_MAX - 2) * MIB(8));
	swift_state_add(&state, &(const struct swift_segment){ MIB(8), "00003-ff", ETAG });
	swift_state_add(&state, &(const struct swift_segment){ MIB(8), "00004-ff", ETAG });
	CLEANUP(buf_done) struct buf text = BUF_INIT(MIB(1));
	CLEANUP(swift_state_done) struct swift_state again = { 0 };
	size_t lines_len;
	swift_state_print(&text, &state);
	cr_assert_not(swift_state_parse(buf_str(&text), &again, &lines_len), "one too many");
}

/* The largest state fits where it is read. */
Test(swift_state, the_largest_is_read_whole)
{
	CLEANUP(swift_state_done) struct swift_state state = { 0 };
	CLEANUP(buf_done) struct buf text = BUF_INIT(SWIFT_STATE_TEXT_MAX);
	for (int i = 0; i < SWIFT_SEGMENTS_MAX; i++)
		swift_state_add(&state, &(const struct swift_segment){
						MIB(256), "01000-0123456789abcdef", ETAG });
	swift_state_print(&text, &state);
	cr_assert_not(buf_overrun(&text));
}

#define BEGIN "berth-swift-upload 1\nversion 0000000000000001\n"

Test(swift_state, nothing_else_is)
{
	static const char *const wrong[] = {
		"",
		"berth-swift-upload 1",
		"berth-upload 1\nversion 0000000000000001\ntail 0\n\n",
		BEGIN "tail 0\n",
		BEGIN "\n",
		BEGIN "tail -1\n\n",
		BEGIN "tail 0\ntail 0\n\n",
		BEGIN "tail 0\nsegment 1 - 1\n\n",
		BEGIN "segment 0 - 1\ntail 0\n\n",
		BEGIN "segment 1 - \ntail 0\n\n",
		BEGIN "segment 1 -\ntail 0\n\n",
		BEGIN "segment 1 - ../x\ntail 0\n\n",
		BEGIN "segment 1 " ETAG "0 1\ntail 0\n\n",
		BEGIN "segment 1 xyz 1\ntail 0\n\n",
		BEGIN "segment 6000000000 - 1\ntail 0\n\n",
		BEGIN "segment 1 - 00000000000000000000000000000000f\ntail 0\n\n",
		BEGIN "other 1\ntail 0\n\n",
		"berth-swift-upload 1\ntail 0\nversion 0000000000000001\n\n",
		"berth-swift-upload 1\nversion 1\ntail 0\n\n",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct swift_state state;
		size_t lines_len;
		cr_assert_not(swift_state_parse(str_from(wrong[i]), &state, &lines_len), "%zu: %s",
			      i, wrong[i]);
	}
}
