/* SPDX-License-Identifier: Apache-2.0 */
/* What parses has a next time, again and again, each later than the one before; what does not says
 * where it is wrong. The first eight bytes are the time, the rest is the line. */
#include "base/error.h"
#include "codec/cron.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint64_t time_us = 0;
	struct cron cron;
	struct cron_problem problem = { NULL, 0 };
	if (len < sizeof time_us)
		return 0;
	memcpy(&time_us, bytes, sizeof time_us);
	str line = { (const char *)bytes + sizeof time_us, len - sizeof time_us };
	if (!cron_parse(line, &cron, &problem)) {
		CHECK(problem.text && problem.at <= line.len);
		return 0;
	}
	int64_t now_us = (int64_t)(time_us % (UINT64_C(1) << 57)); /* the year 6537 */
	for (int i = 0; i < 4; i++) {
		int64_t next_us = cron_next(&cron, now_us);
		CHECK(next_us > now_us && next_us % 1000000 == 0);
		now_us = next_us;
	}
	return 0;
}
