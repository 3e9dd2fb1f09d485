/* SPDX-License-Identifier: Apache-2.0 */
/*
 * referrers.h - what points at a manifest: signatures, attestations, SBOMs.
 *
 * The list comes from an index on `subject`. Clients older than the referrers API kept it
 * themselves, in an index tagged <algorithm>-<hex>; what such a tag lists is folded into the first
 * page, without duplicates.
 */
#pragma once

#include "db/manifest.h"
#include "registry/registry.h"

#define REFERRERS_PAGE_MAX   1000
#define REFERRERS_FOLDED_MAX 1000

struct referrers_page {
	struct referrer *items;
	size_t count;
	bool more; /* ask again with last = the last item's digest */
	str last;
};

/* Never an error for an unknown repository or subject: the page is empty. `query->repository_id` is
 * not read. */
err_t referrers_list(struct ctx *ctx, struct registry *registry, str repository,
		     const struct referrer_query *query, struct referrers_page *ret);
