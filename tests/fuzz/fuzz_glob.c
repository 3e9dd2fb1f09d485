/* SPDX-License-Identifier: Apache-2.0 */
/* Pattern and text, apart at the first NUL: what matches parses, and "**" matches whatever is
 * there. */
#include "base/error.h"
#include "base/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str all = { (const char *)bytes, MIN(len, 4096) }, pattern = all, text = STR_NONE;
	const char *why;
	str_cut(all, '\0', &pattern, &text);
	bool parses = glob_check(pattern, &why);
	CHECK(parses == !why[0]);
	CHECK(!glob_match(pattern, text) || parses);
	CHECK(glob_match(STR("**"), text) || text.len > GLOB_STEPS_MAX / 2);
	return 0;
}
