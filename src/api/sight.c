/* SPDX-License-Identifier: Apache-2.0 */
/* sight.c - see sight.h. */
#include "api/sight.h"
#include "codec/json_writer.h"
#include "registry/project.h"

#include "base/banned.h"

#define IDS_MAX KIB(64)

/* Where its permissions say so; true when that is everywhere. */
static bool robot_projects(struct ctx *ctx, const struct identity *who, str *ret_ids)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(IDS_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < who->robot_grant_count; i++) {
		const struct robot_grant *grant = &who->robot_grants[i];
		if (grant->place != PLACE_PROJECT)
			continue;
		if (grant->project_id == PROJECT_ALL)
			return true;
		json_write_i64(&w, NULL, grant->project_id);
	}
	json_write_array_end(&w);
	*ret_ids = arena_copy(ctx->arena, buf_str(&b));
	return false;
}

static err_t external_projects(struct ctx *ctx, struct request *rq, str *ret_ids)
{
	const struct identity *who = &rq->who;
	str *globs = ARENA_ARRAY(ctx->arena, str, who->external_role_count);
	for (size_t i = 0; i < who->external_role_count; i++)
		globs[i] = who->external_roles[i].project_glob;
	return project_matches(ctx, rq->api->options.registry, globs, who->external_role_count,
			       ret_ids);
}

err_t request_sight(struct ctx *ctx, struct request *rq, struct project_sight *ret)
{
	const struct identity *who = &rq->who;
	struct project_sight sight = { .more_ids = STR("[]"), .tenant_id = ctx->tenant_id };
	struct decision all;
	TRY(request_may(ctx, rq, ACTION_PROJECT_LIST_ALL, STR_NONE, &all));
	bool everything = all.allowed;
	if (!everything && !who->by_token && who->subject == SUBJECT_ROBOT) {
		everything = robot_projects(ctx, who, &sight.more_ids);
	} else if (!everything && !who->by_token && who->subject == SUBJECT_USER) {
		sight.account_id = who->id;
		if (who->external_role_count)
			TRY(external_projects(ctx, rq, &sight.more_ids));
	}
	if (everything)
		sight.account_id = SIGHT_EVERYTHING;
	*ret = sight;
	return OK;
}
