/* SPDX-License-Identifier: Apache-2.0 */
/* A secret, a blank, and what somebody says: what is left of it does not have the secret. */
#include "base/error.h"
#include "codec/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	str secret, said;
	size_t at;
	if (!str_cut((str){ (const char *)bytes, len }, ' ', &secret, &said))
		return 0;
	mask_add(&b, &secret, 1, said);
	/* What a mask is made of may be a secret, too. */
	CHECK(!secret.len || str_has_byte(secret, '*') || !str_find(buf_str(&b), secret, &at));
	return 0;
}
