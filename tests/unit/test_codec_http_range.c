/* SPDX-License-Identifier: Apache-2.0 */
/* Range of RFC 9110 §14 as the OCI suites and lazy-pulling clients use it, and Content-Range of
 * uploads. */
#include <criterion/criterion.h>

#include "base/buf.h"
#include "codec/http_range.h"

static struct arena arena;

static void start(void)
{
	arena_init(&arena, MIB(1));
}

static void stop(void)
{
	arena_done(&arena);
}

TestSuite(http_range, .init = start, .fini = stop);

/* What a header resolves to, as text: "whole", "416", or the ranges. */
static str resolve(str header, uint64_t size_bytes)
{
	struct byte_range *ranges;
	size_t count;
	str text = STR("");
	switch (http_range_resolve(&arena, header, size_bytes, &ranges, &count)) {
	case RANGE_WHOLE:
		return STR("whole");
	case RANGE_UNSATISFIABLE:
		return STR("416");
	case RANGE_PARTIAL:
		break;
	}
	for (size_t i = 0; i < count; i++)
		text = arena_printf(&arena, STR_FMT "%s%llu-%llu", STR_ARG(text), i ? "," : "",
				    (unsigned long long)ranges[i].first,
				    (unsigned long long)ranges[i].last);
	return text;
}

Test(http_range, table)
{
	static const struct {
		const char *header;
		uint64_t size_bytes;
		const char *expected;
	} rows[] = {
		{ "bytes=0-99", 1000, "0-99" },
		{ "bytes=0-0", 1000, "0-0" },
		{ "bytes=900-", 1000, "900-999" },
		{ "bytes=-100", 1000, "900-999" },
		{ "bytes=-5000", 1000, "0-999" },
		{ "bytes=900-5000", 1000, "900-999" },
		{ "bytes=999-", 1000, "999-999" },
		{ "bytes=0-18446744073709551616", 1000, "0-999" },
		{ "bytes=-99999999999999999999999", 1000, "0-999" },
		{ "Bytes=1-2", 1000, "1-2" },
		{ "bytes= 1-2 , 3-4 ", 1000, "1-2,3-4" },
		{ "bytes=,1-2,,3-4,", 1000, "1-2,3-4" },
		/* Order and overlap are the client's business. */
		{ "bytes=5-9,0-4,3-7", 1000, "5-9,0-4,3-7" },
		{ "bytes=0-9,0-9", 1000, "0-9,0-9" },
		{ "bytes=0-1,5000-6000,-1", 1000, "0-1,999-999" },
		/* Nothing of the resource. */
		{ "bytes=1000-", 1000, "416" },
		{ "bytes=1000-2000", 1000, "416" },
		{ "bytes=18446744073709551616-", 1000, "416" },
		{ "bytes=-0", 1000, "416" },
		{ "bytes=5000-6000,7000-", 1000, "416" },
		/* RFC 9110 would ignore it, Go's servers and the conformance suite do not. */
		{ "bytes=500-0", 1000, "416" },
		{ "bytes=0-9,500-0", 1000, "416" },
		/* Not for us. */
		{ "", 1000, "whole" },
		{ "bytes", 1000, "whole" },
		{ "bytes=", 1000, "whole" },
		{ "bytes=,", 1000, "whole" },
		{ "bytes=-", 1000, "whole" },
		{ "bytes=a-b", 1000, "whole" },
		{ "bytes=1", 1000, "whole" },
		{ "bytes=1-2-3", 1000, "whole" },
		{ "bytes=--1", 1000, "whole" },
		{ "bytes=0x1-2", 1000, "whole" },
		{ "bytes=1 -2", 1000, "whole" },
		{ "bytes=0-9,x", 1000, "whole" },
		{ "bytes=500-0,x", 1000, "whole" },
		{ "items=0-9", 1000, "whole" },
		{ "bytes=0-9", 0, "whole" },
		{ "bytes=-1", 0, "whole" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		str got = resolve(str_from(rows[i].header), rows[i].size_bytes);
		cr_expect(str_eq(got, str_from(rows[i].expected)), "%s of %llu: " STR_FMT,
			  rows[i].header, (unsigned long long)rows[i].size_bytes, STR_ARG(got));
	}
}

static enum range_verdict resolve_many(size_t asked, struct byte_range **ret, size_t *ret_count)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(64));
	buf_add(&b, STR("bytes="));
	for (size_t i = 0; i < asked; i++)
		buf_printf(&b, "%s%zu-%zu", i ? "," : "", 10 * i, 10 * i + 4);
	cr_assert(!buf_overrun(&b));
	return http_range_resolve(&arena, buf_str(&b), 1000000, ret, ret_count);
}

Test(http_range, zstd_chunked_pulls_ask_for_1024_ranges)
{
	struct byte_range *ranges;
	size_t count = 0;
	cr_assert_eq(resolve_many(HTTP_RANGES_MAX, &ranges, &count), RANGE_PARTIAL);
	cr_assert_eq(count, HTTP_RANGES_MAX);
	for (size_t i = 0; i < count; i++)
		cr_assert(ranges[i].first == 10 * i && ranges[i].last == 10 * i + 4);
	cr_assert_eq(resolve_many(HTTP_RANGES_MAX + 1, &ranges, &count), RANGE_WHOLE);
}

Test(http_range, content_range_of_uploads)
{
	static const struct {
		const char *header;
		bool ok;
		uint64_t first, last;
	} rows[] = {
		{ "0-9", true, 0, 9 },
		{ "5-5", true, 5, 5 },
		{ " 0-9 ", true, 0, 9 },
		{ "bytes 0-9/10", true, 0, 9 },
		{ "bytes 0-9/*", true, 0, 9 },
		{ "Bytes 0-9/100", true, 0, 9 },
		{ "bytes 0-9", true, 0, 9 },
		{ "0-9/10", true, 0, 9 },
		{ "0-9223372036854775806", true, 0, INT64_MAX - 1 },
		{ "", false, 0, 0 },
		{ "-", false, 0, 0 },
		{ "0-", false, 0, 0 },
		{ "-9", false, 0, 0 },
		{ "9-0", false, 0, 0 },
		{ "0--1", false, 0, 0 },
		{ "a-b", false, 0, 0 },
		{ "0-9-10", false, 0, 0 },
		{ "bytes=0-9", false, 0, 0 },
		{ "bytes 0-9/9", false, 0, 0 },
		{ "bytes 0-9/", false, 0, 0 },
		{ "bytes 0-9/x", false, 0, 0 },
		{ "bytes */10", false, 0, 0 },
		{ "0-9223372036854775807", false, 0, 0 },
		{ "0-18446744073709551616", false, 0, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct byte_range r = { 0 };
		bool ok = content_range_parse(str_from(rows[i].header), &r);
		cr_expect(ok == rows[i].ok && r.first == rows[i].first && r.last == rows[i].last,
			  "'%s'", rows[i].header);
	}
}
