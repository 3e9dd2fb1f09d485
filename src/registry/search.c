/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - see search.h. */
#include "registry/search.h"
#include "internal.h"

#include "base/banned.h"

err_t registry_search(struct ctx *ctx, struct registry *registry, const struct project_sight *sight,
		      str like, struct search_result *ret)
{
	struct search_result result;
	const struct repository_search repositories = {
		.sight = sight,
		.name_like = like,
		.max = SEARCH_RESULTS_MAX,
	};
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_search_projects(ctx, &tx, sight, like, SEARCH_RESULTS_MAX, &result.projects,
			       &result.project_count));
	TRY(db_repository_list(ctx, &tx, &repositories, 0, &result.repositories,
			       &result.repository_count));
	*ret = result;
	return OK;
}

err_t registry_statistics(struct ctx *ctx, struct registry *registry,
			  const struct project_sight *sight, struct statistics *ret)
{
	struct statistics statistics = { 0 };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_search_count(ctx, &tx, sight, &statistics.counts));
	if (sight->account_id == SIGHT_EVERYTHING)
		TRY(db_search_stored_bytes(ctx, &tx, sight->tenant_id, &statistics.stored_bytes));
	*ret = statistics;
	return OK;
}

err_t registry_tallies(struct ctx *ctx, struct registry *registry, size_t max,
		       struct seen_counts *ret_counts, struct project_tally **ret,
		       size_t *ret_count)
{
	const struct project_sight sight = { SIGHT_EVERYTHING, STR("[]"), ctx->tenant_id };
	struct seen_counts counts;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_search_count(ctx, &tx, &sight, &counts));
	TRY(db_search_tallies(ctx, &tx, ctx->tenant_id, max, ret, ret_count));
	*ret_counts = counts;
	return OK;
}
