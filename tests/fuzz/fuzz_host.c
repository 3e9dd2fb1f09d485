/* SPDX-License-Identifier: Apache-2.0 */
/* A host's one form has no port, no upper case, and is its own form. */
#include "base/error.h"
#include "codec/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct host host, again;
	if (!host_read((str){ (const char *)bytes, len }, &host))
		return 0;
	str text = host_str(&host);
	CHECK(text.len && text.len <= HOST_BYTES_MAX);
	for (size_t i = 0; i < text.len; i++)
		CHECK(text.ptr[i] > ' ' && !(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z') &&
		      text.ptr[i] != '/' && text.ptr[i] != '[');
	CHECK(host_read(text, &again));
	CHECK(!again.has_port && str_eq(host_str(&again), text));
	return 0;
}
