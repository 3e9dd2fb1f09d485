/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a traceparent is written back the same where the version is ours; what is taken
 * for a tracestate may stand in a header. */
#include "base/error.h"
#include "codec/http_head.h"
#include "codec/traceparent.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str header = { (const char *)bytes, len };
	char text[TRACEPARENT_LEN + 1];
	struct trace trace, again;
	CHECK(!tracestate_is_valid(header) || http_value_is_valid(header));
	if (!traceparent_parse(header, &trace))
		return 0;
	CHECK(trace.span && len >= TRACEPARENT_LEN);
	str written = traceparent_format(&trace, text);
	CHECK(traceparent_parse(written, &again));
	CHECK(memcmp(trace.id, again.id, sizeof trace.id) == 0 && trace.span == again.span &&
	      trace.sampled == again.sampled);
	if (header.ptr[0] == '0' && header.ptr[1] == '0')
		CHECK(len == TRACEPARENT_LEN &&
		      memcmp(written.ptr, bytes, TRACEPARENT_LEN - 2) == 0);
	return 0;
}
