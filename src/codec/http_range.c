/* SPDX-License-Identifier: Apache-2.0 */
/* http_range.c - see http_range.h. */
#include "codec/http_range.h"

#include "base/banned.h"

/* Positions beyond any file are legal and mean its end, so digits saturate instead of failing. */
static bool parse_position(str s, uint64_t *ret)
{
	uint64_t value = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.ptr[i] - '0';
		if (digit > 9)
			return false;
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			value = UINT64_MAX;
	}
	*ret = value;
	return true;
}

enum spec_kind { SPEC_MALFORMED, SPEC_REVERSED, SPEC_OUTSIDE, SPEC_INSIDE };

/* `-n`: the last n bytes. */
static enum spec_kind resolve_suffix(str digits, uint64_t size_bytes, struct byte_range *ret)
{
	uint64_t count;
	if (!parse_position(digits, &count))
		return SPEC_MALFORMED;
	if (count == 0)
		return SPEC_OUTSIDE;
	*ret = (struct byte_range){ size_bytes - MIN(count, size_bytes), size_bytes - 1 };
	return SPEC_INSIDE;
}

/* One range-spec of RFC 9110 §14.1.1 against a resource that is not empty. */
static enum spec_kind resolve_spec(str spec, uint64_t size_bytes, struct byte_range *ret)
{
	str before, after;
	uint64_t first, last = UINT64_MAX;

	if (!str_cut(spec, '-', &before, &after))
		return SPEC_MALFORMED;
	if (before.len == 0)
		return resolve_suffix(after, size_bytes, ret);
	if (!parse_position(before, &first) || (after.len && !parse_position(after, &last)))
		return SPEC_MALFORMED;
	if (first > last)
		return SPEC_REVERSED;
	if (first >= size_bytes)
		return SPEC_OUTSIDE;
	*ret = (struct byte_range){ first, MIN(last, size_bytes - 1) };
	return SPEC_INSIDE;
}

/* Counts the specs of the list; empty elements do not count (RFC 9110 §5.6.1). */
static size_t count_specs(str list)
{
	size_t count = 0;
	for (str spec; str_next(&list, ',', &spec);)
		count += str_trim(spec).len > 0;
	return count;
}

enum range_verdict http_range_resolve(struct arena *arena, str header, uint64_t size_bytes,
				      struct byte_range **ret, size_t *ret_count)
{
	str unit, list, spec;
	if (!str_cut(header, '=', &unit, &list) || !str_eq_nocase(str_trim(unit), STR("bytes")))
		return RANGE_WHOLE;
	size_t asked = count_specs(list);
	if (asked == 0 || asked > HTTP_RANGES_MAX || size_bytes == 0)
		return RANGE_WHOLE;

	struct byte_range *ranges = ARENA_ARRAY(arena, struct byte_range, asked);
	size_t count = 0;
	bool reversed = false;
	while (str_next(&list, ',', &spec)) {
		spec = str_trim(spec);
		if (spec.len == 0)
			continue;
		enum spec_kind kind = resolve_spec(spec, size_bytes, &ranges[count]);
		if (kind == SPEC_MALFORMED)
			return RANGE_WHOLE;
		reversed |= kind == SPEC_REVERSED;
		count += kind == SPEC_INSIDE;
	}
	if (reversed || count == 0)
		return RANGE_UNSATISFIABLE;
	*ret = ranges;
	*ret_count = count;
	return RANGE_PARTIAL;
}

bool content_range_parse(str header, struct byte_range *ret)
{
	str range = str_trim(header), total, first_text, last_text;
	uint64_t first, last, size_bytes;

	if (str_eq_nocase(str_take(range, 6), STR("bytes ")))
		range = str_trim(str_skip(range, 6));
	bool has_total = str_cut(range, '/', &range, &total);
	if (!str_cut(range, '-', &first_text, &last_text) ||
	    !str_to_u64(first_text, INT64_MAX - 1, &first) ||
	    !str_to_u64(last_text, INT64_MAX - 1, &last) || first > last)
		return false;
	if (has_total && !str_eq(total, STR("*")) &&
	    (!str_to_u64(total, INT64_MAX, &size_bytes) || last >= size_bytes))
		return false;
	*ret = (struct byte_range){ first, last };
	return true;
}
