/* SPDX-License-Identifier: Apache-2.0 */
/* q and sort: what parses stays within its bounds, and every filter is found by its key. */
#include "base/error.h"
#include "codec/harbor_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena arena;
	struct harbor_query query = { 0 };
	const char *why = NULL;
	int64_t at_us;
	str text = { (const char *)bytes, MIN(len, KIB(16)) };
	arena_init(&arena, MIB(4));
	if (!harbor_query_parse(&arena, text, &query, &why))
		CHECK(why && why[0]);
	CHECK(query.filter_count <= HARBOR_FILTERS_MAX);
	for (size_t i = 0; i < query.filter_count; i++) {
		const struct harbor_filter *filter = &query.filters[i];
		CHECK(filter->key.len && harbor_filter_find(&query, filter->key));
		CHECK(filter->value_count <= HARBOR_VALUES_MAX);
		CHECK(filter->kind != FILTER_RANGE || filter->low.len || filter->high.len);
	}
	(void)!harbor_sort_parse(text, &query, &why);
	CHECK(query.sort_count <= HARBOR_SORTS_MAX);
	if (harbor_time_parse(text, &at_us))
		CHECK(text.len >= 10);
	arena_done(&arena);
	return 0;
}
