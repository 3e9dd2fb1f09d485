/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_range.h - the Range request header (RFC 9110 §14) and the Content-Range of uploads.
 */
#pragma once

#include "base/ctx.h"

#define HTTP_RANGES_MAX 1024 /* a zstd:chunked pull asks for this many (containers/storage) */

struct byte_range {
	uint64_t first;
	uint64_t last; /* inclusive */
};

enum range_verdict {
	RANGE_WHOLE,   /* no Range, another unit, or malformed: answer 200 with everything */
	RANGE_PARTIAL, /* `ret` holds one or more satisfiable ranges, in the order asked, unmerged
			*/
	RANGE_UNSATISFIABLE, /* answer 416; also for first > last, as Go's servers do and suites
				expect */
};

/*
 * Resolves `header` against a resource of `size_bytes`. Ranges past the end are dropped as long as
 * one can be satisfied. More than HTTP_RANGES_MAX ranges count as RANGE_WHOLE, and so does any
 * range of an empty resource, which has no byte to name. `*ret` (in the arena) and `*ret_count` are
 * set for RANGE_PARTIAL only.
 */
enum range_verdict http_range_resolve(struct arena *arena, str header, uint64_t size_bytes,
				      struct byte_range **ret, size_t *ret_count);

/*
 * `a-b`, or `bytes a-b/total` with a number or a star as the total: what clients send on PATCH and
 * PUT. Positions are below 2^63 - 1, so a caller may add one. False, and nothing set, otherwise.
 */
bool content_range_parse(str header, struct byte_range *ret);
