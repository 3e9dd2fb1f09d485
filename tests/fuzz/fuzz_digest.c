/* SPDX-License-Identifier: Apache-2.0 */
/* A digest that parses is grammatical and formats to the very same text. */
#include "base/error.h"
#include "codec/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str text = { (const char *)bytes, len };
	bool grammatical = digest_is_grammatical(text);
	digest d, again;
	if (!digest_parse(text, &d))
		return 0;
	CHECK(grammatical && !digest_is_none(d));
	struct digest_text formatted = digest_format(d);
	CHECK(str_eq(str_from(formatted.text), text));
	CHECK(digest_parse(str_from(formatted.text), &again) && digest_equal(d, again));
	return 0;
}
