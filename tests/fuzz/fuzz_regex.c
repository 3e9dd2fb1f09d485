/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern and a text, split at the first NUL: whatever they are, compiling and matching end soon.
 */
#include "codec/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(regex_done) struct regex *regex = NULL;
	char why[REGEX_WHY_MAX];
	str input = { (const char *)bytes, len }, pattern = input, text = STR_NONE;
	(void)str_cut(input, '\0', &pattern, &text);
	if (regex_compile(pattern, &regex, why))
		(void)regex_matches(regex, text);
	return 0;
}
