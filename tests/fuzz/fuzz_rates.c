/* SPDX-License-Identifier: Apache-2.0 */
/* Rates as options say them: what is read is within its bounds, and can be taken from. */
#include "base/clock.h"
#include "base/error.h"
#include "config/rates.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rate_policy policies[RATE_CLASS_COUNT];
	struct rate rate;
	if (!rates_read((str){ (const char *)bytes, len }, policies))
		return 0;
	struct rate_table *table = rate_table_new(1);
	for (int i = 0; i < RATE_CLASS_COUNT; i++) {
		const struct rate_policy *policy = &policies[i];
		if (!policy->count)
			continue;
		CHECK(policy->count <= RATE_COUNT_MAX && policy->burst <= RATE_COUNT_MAX);
		CHECK(policy->burst >= 1 && policy->window_ns >= CLOCK_S);
		CHECK(rate_take(table, (uint64_t)i << 40, policy, CLOCK_S, &rate));
		CHECK(rate.remaining >= 0 && rate.full_ns >= 0 && rate.wait_ns >= 0);
	}
	rate_table_free(table);
	return 0;
}
