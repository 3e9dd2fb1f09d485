/* SPDX-License-Identifier: Apache-2.0 */
/* A strong match is a weak match, a tag matches itself anywhere in a list; media types keep their
 * grammar. */
#include "base/buf.h"
#include "base/error.h"
#include "codec/etag.h"
#include "codec/media_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const str etag = STR_INIT("\"sha256:a\"");
	str list = { (const char *)bytes, MIN(len, KIB(64)) }, type = media_type_cut(list);
	CHECK(!etag_matches_strong(list, etag) || etag_matches(list, etag));

	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(128));
	buf_add(&b, etag);
	buf_add_byte(&b, ',');
	buf_add(&b, list);
	CHECK(etag_matches_strong(buf_str(&b), etag));

	CHECK(str_eq(media_type_cut(type), type) && !str_has_byte(type, ';'));
	if (media_type_is_valid(type)) {
		CHECK(type.len <= MEDIA_TYPE_MAX && str_is_utf8(type));
		CHECK(!str_has_byte(type, '\r') && !str_has_byte(type, '\n') &&
		      !str_has_byte(type, ' '));
	}
	return 0;
}
