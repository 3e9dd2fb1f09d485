/* SPDX-License-Identifier: Apache-2.0 */
/* seen.c - see seen.h: what sight.h decides, in the form that these queries take. */
#include "api/seen.h"
#include "api/sight.h"
#include "base/clock.h"

#include "base/banned.h"

/* "[1,2]" as ",1,2,". */
static str between_commas(struct arena *arena, str ids)
{
	str inner = str_take(str_skip(ids, 1), ids.len - 2);
	return inner.len ? arena_printf(arena, "," STR_FMT ",", STR_ARG(inner)) : STR_NONE;
}

err_t seen_by(struct ctx *ctx, struct request *rq, struct repository_seen *ret)
{
	struct project_sight sight;
	TRY(request_sight(ctx, rq, &sight));
	bool all = sight.account_id == SIGHT_EVERYTHING;
	*ret = (struct repository_seen){
		.tenant_id = sight.tenant_id,
		.all = all,
		.account_id = all ? 0 : sight.account_id,
		.project_ids = between_commas(ctx->arena, sight.more_ids),
		.now_us = clock_wall_us(),
	};
	return OK;
}
