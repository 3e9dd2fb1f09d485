/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges lie within the resource, are no more than asked for, and survive being written out again.
 */
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/http_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_round_trip(struct arena *arena, const struct byte_range *ranges, size_t count,
			     uint64_t size_bytes)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(1));
	struct byte_range *again;
	size_t again_count;
	buf_add(&b, STR("bytes="));
	for (size_t i = 0; i < count; i++)
		buf_printf(&b, "%s%llu-%llu", i ? "," : "", (unsigned long long)ranges[i].first,
			   (unsigned long long)ranges[i].last);
	CHECK(http_range_resolve(arena, buf_str(&b), size_bytes, &again, &again_count) ==
	      RANGE_PARTIAL);
	CHECK(again_count == count && memcmp(again, ranges, count * sizeof *ranges) == 0);
}

/* The first eight bytes are the size of the resource, the rest is the header. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	struct byte_range *ranges, one;
	uint64_t size_bytes;
	size_t count;
	arena_init(&arena, MIB(1));
	if (len < sizeof size_bytes)
		return 0;
	memcpy(&size_bytes, bytes, sizeof size_bytes);
	str header = { (const char *)bytes + sizeof size_bytes, len - sizeof size_bytes };

	if (http_range_resolve(&arena, header, size_bytes, &ranges, &count) == RANGE_PARTIAL) {
		CHECK(count > 0 && count <= HTTP_RANGES_MAX);
		for (size_t i = 0; i < count; i++)
			CHECK(ranges[i].first <= ranges[i].last && ranges[i].last < size_bytes);
		check_round_trip(&arena, ranges, count, size_bytes);
	}
	if (content_range_parse(header, &one)) {
		CHECK(one.first <= one.last && one.last < INT64_MAX);
		str text = arena_printf(&arena, "bytes %llu-%llu/*", (unsigned long long)one.first,
					(unsigned long long)one.last);
		struct byte_range again;
		CHECK(content_range_parse(text, &again) && again.first == one.first &&
		      again.last == one.last);
	}
	return 0;
}
