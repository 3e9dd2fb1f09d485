/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_search.h - finding records: pages of what fits any of some filters, by time.
 *
 * Several filters (a user's projects, one of some operations) are walked side by side, each by the
 * index that suits it, so their number costs a look-up each and the size of the trail nothing.
 */
#pragma once

#include "db/audit.h"

struct audit;

#define AUDIT_FILTERS_MAX 1000
/* How far a page may lie behind the start of several filters; `after` has no such end. */
#define AUDIT_SKIP_MAX 10000

struct audit_search {
	const struct audit_filter *filters; /* what fits any of them; none: nothing */
	size_t filter_count;
	struct audit_page page;
};

/* Into the arena. ERR_UNPROCESSABLE when several filters skip more than AUDIT_SKIP_MAX. */
err_t audit_search(struct ctx *ctx, struct audit *audit, const struct audit_search *search,
		   struct audit_row **ret, size_t *ret_count);

/* How many fit, counted up to `max`. */
err_t audit_search_count(struct ctx *ctx, struct audit *audit, const struct audit_search *search,
			 size_t max, size_t *ret);
