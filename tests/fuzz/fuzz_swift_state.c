/* SPDX-License-Identifier: Apache-2.0 */
/* What is parsed as the state of an upload is printed, and parsed again, as the same. */
#include "base/error.h"
#include "store/swift_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(swift_state_done) struct swift_state state = { 0 }, again = { 0 };
	CLEANUP(buf_done)
	struct buf first = BUF_INIT(SWIFT_STATE_TEXT_MAX), second = BUF_INIT(SWIFT_STATE_TEXT_MAX);
	size_t lines_len, again_len;
	if (!swift_state_parse((str){ (const char *)bytes, len }, &state, &lines_len))
		return 0;
	CHECK(lines_len <= len && state.count <= SWIFT_SEGMENTS_MAX);
	swift_state_print(&first, &state);
	CHECK(swift_state_parse(buf_str(&first), &again, &again_len) && again_len == first.len);
	swift_state_print(&second, &again);
	CHECK(str_eq(buf_str(&first), buf_str(&second)) &&
	      again.segments_bytes == state.segments_bytes);
	return 0;
}
