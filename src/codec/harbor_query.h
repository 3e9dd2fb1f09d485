/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_query.h - the `q` and `sort` parameters of Harbor's lists.
 *
 *	q=name=app,owner=~jo,op_time=[2026-01-01T00:00:00~],labels=(1 2),name={a b}
 *	sort=name,-creation_time
 *
 * `k=v` is exact, `k=~v` contains, `[a~b]` a range whose ends may be missing, `{a b}` one of, `(a
 * b)` all of. A leading backslash makes the value's first character an ordinary one. Quotes around
 * a text are taken off. Whether a key means anything is the list's own business: unknown keys are
 * ignored.
 */
#pragma once

#include "base/arena.h"

#define HARBOR_FILTERS_MAX 16
#define HARBOR_VALUES_MAX  64
#define HARBOR_SORTS_MAX   4

enum filter_kind { FILTER_EXACT, FILTER_FUZZY, FILTER_RANGE, FILTER_OR, FILTER_AND };

struct harbor_filter {
	str key;
	enum filter_kind kind;
	str value;	   /* exact, fuzzy */
	str low, high;	   /* range; empty: open */
	const str *values; /* or, and */
	size_t value_count;
};

struct harbor_sort {
	str key;
	bool descending;
};

struct harbor_query {
	struct harbor_filter filters[HARBOR_FILTERS_MAX];
	size_t filter_count;
	struct harbor_sort sorts[HARBOR_SORTS_MAX];
	size_t sort_count;
};

/*
 * Adds the filters of a decoded `q`. False, with a static text in `*ret_why`, when it is malformed
 * or has more than fits. Values lie in `q` or the arena.
 */
bool harbor_query_parse(struct arena *arena, str q, struct harbor_query *query,
			const char **ret_why);
bool harbor_sort_parse(str sort, struct harbor_query *query, const char **ret_why);

/* The filter on a key, NULL when there is none; the last one counts. */
const struct harbor_filter *harbor_filter_find(const struct harbor_query *query, str key);

/* Microseconds of "2006-01-02T15:04:05", "2006-01-02 15:04:05" or "2006-01-02", in UTC. */
bool harbor_time_parse(str text, int64_t *ret_us);
