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
	/* How long to look for rows that are few among many: what no index leads to is found by
	 * walking. Each filter is walked AUDIT_WALK_ROWS at least, so a search always gets on. */
	int walk_ms;
};

#define AUDIT_WALK_ROWS 5000

struct audit_found {
	struct audit_row *rows; /* in the arena */
	size_t count;
	bool more; /* there may be more behind `next` */
	bool late; /* less than a page, because the time was up: the rest is behind `next` */
	struct audit_place next;
};

/* ERR_UNPROCESSABLE when several filters skip more than AUDIT_SKIP_MAX. */
err_t audit_search(struct ctx *ctx, struct audit *audit, const struct audit_search *search,
		   struct audit_found *ret);

/* How many fit, counted up to `max`, and as far as a short walk goes; `*ret_more`: there may be
 * more. */
err_t audit_search_count(struct ctx *ctx, struct audit *audit, const struct audit_search *search,
			 size_t max, size_t *ret, bool *ret_more);

/* The actors whose names contain `part`. ERR_ABSENT, unrecorded, when there are too many of them,
 * or too many actors, for this to be a good way. */
#define AUDIT_ACTORS_MAX 100
err_t audit_search_actors(struct ctx *ctx, struct audit *audit, str part, str **ret,
			  size_t *ret_count);
