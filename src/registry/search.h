/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - what there is of a name, and how much of everything; of what somebody may see. */
#pragma once

#include "db/search.h"
#include "registry/registry.h"

#define SEARCH_RESULTS_MAX 500 /* of projects, and of repositories */

struct search_result {
	struct found_project *projects;
	size_t project_count;
	struct repository_row *repositories;
	size_t repository_count;
};
/* Whose name contains `text`. The result's first SEARCH_RESULTS_MAX, by name. */
err_t registry_search(struct ctx *ctx, struct registry *registry, const struct project_sight *sight,
		      str like, struct search_result *ret);

struct statistics {
	struct seen_counts counts;
	int64_t stored_bytes; /* of the tenant; 0 unless everything is seen */
};
err_t registry_statistics(struct ctx *ctx, struct registry *registry,
			  const struct project_sight *sight, struct statistics *ret);

/* Of all projects of ctx's tenant the counts, and of the first `max` each one's. */
err_t registry_tallies(struct ctx *ctx, struct registry *registry, size_t max,
		       struct seen_counts *ret_counts, struct project_tally **ret,
		       size_t *ret_count);
