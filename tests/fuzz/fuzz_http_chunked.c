/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http_chunked.c - chunk frames: the same verdict, data and end whether cut in two or not. */
#include "base/error.h"
#include "codec/http_chunked.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct outcome {
	enum http_chunked_step last;
	uint64_t data_bytes;
	uint64_t data_sum;
	size_t used_bytes;
};

static void feed(struct http_chunked *c, str bytes, struct outcome *out)
{
	size_t before = bytes.len;
	for (;;) {
		out->last = http_chunked_frame(c, &bytes);
		if (out->last != HTTP_CHUNKED_DATA || bytes.len == 0)
			break;
		str data = str_take(bytes, (size_t)MIN(c->left_bytes, (uint64_t)bytes.len));
		for (size_t i = 0; i < data.len; i++)
			out->data_sum = out->data_sum * 31 + (unsigned char)data.ptr[i];
		out->data_bytes += data.len;
		http_chunked_took(c, data.len);
		bytes = str_skip(bytes, data.len);
	}
	out->used_bytes += before - bytes.len;
}

static struct outcome decode(str bytes, size_t cut)
{
	struct http_chunked c = HTTP_CHUNKED_INIT;
	struct outcome out = { HTTP_CHUNKED_MORE, 0, 0, 0 };
	feed(&c, str_take(bytes, cut), &out);
	if (out.last == HTTP_CHUNKED_MORE || out.last == HTTP_CHUNKED_DATA)
		feed(&c, str_skip(bytes, cut), &out);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str whole = { (const char *)bytes, len };
	struct outcome at_once = decode(whole, 0);
	CHECK(at_once.used_bytes <= len && at_once.data_bytes <= len);
	for (size_t cut = 1; cut <= len && cut <= 64; cut++) {
		struct outcome in_two = decode(whole, cut);
		CHECK(in_two.last == at_once.last && in_two.data_bytes == at_once.data_bytes &&
		      in_two.data_sum == at_once.data_sum);
		CHECK(at_once.last != HTTP_CHUNKED_END || in_two.used_bytes == at_once.used_bytes);
	}
	return 0;
}
