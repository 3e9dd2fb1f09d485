/* SPDX-License-Identifier: Apache-2.0 */
/* The name of an object that is taken for a blob is the name which that blob gets. */
#include "base/error.h"
#include "store/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str key = { (const char *)bytes, len };
	char again[REMOTE_KEY_MAX];
	blob_name name;
	if (!remote_blob_parse(key, &name))
		return 0;
	CHECK(!digest_is_none(name.digest));
	CHECK(str_eq(remote_blob_name("", name, again), key));
	return 0;
}
