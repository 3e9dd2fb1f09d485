/* SPDX-License-Identifier: Apache-2.0 */
/* When an image wants to be gone: whatever is read is a time that can be reckoned with. */
#include "base/error.h"
#include "codec/expiry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct expiry expiry = { 0 };
	str text = { (const char *)bytes, len };
	int64_t after_s, at_us;
	if (expiry_after_parse(text, &after_s))
		CHECK(after_s > 0 && after_s <= EXPIRY_AFTER_MAX_S);
	if (expiry_at_parse(text, &at_us))
		CHECK(at_us > 0 && at_us < INT64_MAX / 2);
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem))
		return 0;
	expiry_read(doc.root, &expiry);
	CHECK(expiry.after_s >= 0 && expiry.after_s <= EXPIRY_AFTER_MAX_S && expiry.at_us >= 0);
	return 0;
}
