/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a collector of traces answers: within bounds, or refused with a reason. */
#include "base/error.h"
#include "codec/otlp_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	struct otlp_answer answer;
	str problem = STR_NONE;
	arena_init(&arena, MIB(1));
	if (!otlp_answer_parse(&arena, (str){ (const char *)bytes, len }, &answer, &problem)) {
		CHECK(problem.len);
		return 0;
	}
	CHECK(answer.rejected_spans <= INT64_MAX && answer.message.len <= OTLP_MESSAGE_MAX);
	return 0;
}
