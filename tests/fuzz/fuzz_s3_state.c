/* SPDX-License-Identifier: Apache-2.0 */
/* What is parsed as the state of an upload is printed, and parsed again, as the same. */
#include "base/error.h"
#include "store/s3_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(s3_state_done) struct s3_state state = { 0 }, again = { 0 };
	CLEANUP(buf_done)
	struct buf first = BUF_INIT(S3_STATE_TEXT_MAX), second = BUF_INIT(S3_STATE_TEXT_MAX);
	size_t lines_len, again_len;
	if (!s3_state_parse((str){ (const char *)bytes, len }, &state, &lines_len))
		return 0;
	CHECK(lines_len <= len && state.head_len <= S3_HEAD_BYTES &&
	      state.part_count <= S3_PARTS_MAX);
	s3_state_print(&first, &state);
	CHECK(s3_state_parse(buf_str(&first), &again, &again_len) && again_len == first.len);
	s3_state_print(&second, &again);
	CHECK(str_eq(buf_str(&first), buf_str(&second)) && again.parts_bytes == state.parts_bytes);
	return 0;
}
