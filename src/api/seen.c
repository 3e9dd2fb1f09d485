/* SPDX-License-Identifier: Apache-2.0 */
/* seen.c - see seen.h. */
#include "api/seen.h"
#include "base/buf.h"
#include "base/clock.h"

#include "base/banned.h"

/* A robot sees the projects it has something in. */
static str robot_projects(struct ctx *ctx, const struct identity *who)
{
	CLEANUP(buf_done) struct buf ids = BUF_INIT(KIB(16));
	for (size_t i = 0; i < who->robot_grant_count; i++)
		if (who->robot_grants[i].place == PLACE_PROJECT)
			buf_printf(&ids, "%s%lld,", ids.len ? "" : ",",
				   (long long)who->robot_grants[i].project_id);
	return arena_copy(ctx->arena, buf_str(&ids));
}

static bool robot_sees_all(const struct identity *who)
{
	for (size_t i = 0; i < who->robot_grant_count; i++)
		if (who->robot_grants[i].place == PLACE_PROJECT &&
		    who->robot_grants[i].project_id == PROJECT_ALL)
			return true;
	return false;
}

err_t seen_by(struct ctx *ctx, struct request *rq, struct repository_seen *ret)
{
	struct decision everything;
	TRY(request_may(ctx, rq, ACTION_PROJECT_LIST_ALL, STR_NONE, &everything));
	*ret = (struct repository_seen){
		.tenant_id = ctx->tenant_id,
		.all = everything.allowed || robot_sees_all(&rq->who),
		.account_id = rq->who.subject == SUBJECT_USER ? rq->who.id : 0,
		.project_ids = robot_projects(ctx, &rq->who),
		.now_us = clock_wall_us(),
	};
	return OK;
}
