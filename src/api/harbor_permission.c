/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_permission.c - which permissions there are, and which of them the asker has. */
#include "api/handlers.h"
#include "api/harbor.h"
#include "auth/membership.h"

#include "base/banned.h"

static void write_permission(struct json_writer *w, str resource, const struct permission *p)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "resource", resource);
	json_write_str(w, "action", str_from(p->action));
	json_write_object_end(w);
}

/* --- what a robot can be given ------------------------------------------------------------------
 */

static void write_givable(struct json_writer *w, const char *key, enum permission_place place,
			  char letter)
{
	json_write_array_begin(w, key);
	for (enum action action = 0; action < ACTION_COUNT; action++) {
		const struct permission *p = permission_get(action);
		if (p->place == place && permission_held_by(action, letter))
			write_permission(w, str_from(p->resource), p);
	}
	json_write_array_end(w);
}

/* For who makes robots: of the system, or of a project that is his. */
err_t harbor_permission_list(struct ctx *ctx, struct request *rq)
{
	struct decision system;
	bool in_project = true;
	TRY(request_may(ctx, rq, ACTION_SYSTEM_ROBOT_CREATE, STR_NONE, &system));
	if (!system.allowed)
		TRY(membership_administers_any(ctx, rq->api->options.auth, &rq->who, &in_project));
	if (!in_project)
		return request_refuse(ctx, rq, &system);
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	if (system.allowed)
		write_givable(&w, "system", PLACE_SYSTEM, 's');
	write_givable(&w, "project", PLACE_PROJECT, 'r');
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- what the asker has -------------------------------------------------------------------------
 */

/* "/project/7": true, with the id. "" and "/system" are the system. */
static bool scope_project(str scope, int64_t *ret)
{
	uint64_t id;
	if (!str_has_prefix(scope, STR("/project/")) ||
	    !str_to_u64(str_skip(scope, STR("/project/").len), INT64_MAX, &id))
		return false;
	*ret = (int64_t)id;
	return true;
}

static str resource_path(struct ctx *ctx, const struct permission *p, str scope, bool relative)
{
	bool self = p->place == PLACE_PROJECT && str_eq(str_from(p->resource), STR("project"));
	if (relative)
		return self ? STR(".") : str_from(p->resource);
	return self ? scope : arena_printf(ctx->arena, STR_FMT "/%s", STR_ARG(scope), p->resource);
}

/* A scope that is none, or a project that is not there, is where nobody may do anything. */
err_t harbor_permission_mine(struct ctx *ctx, struct request *rq)
{
	str scope = request_query(rq, STR("scope"));
	int64_t project_id = 0;
	bool relative, in_project = scope_project(scope, &project_id);
	bool system = !scope.len || str_eq(scope, STR("/system"));
	enum permission_place place = in_project ? PLACE_PROJECT : PLACE_SYSTEM;
	TRY(query_bool(ctx, rq, STR("relative"), false, &relative));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (enum action action = 0; (system || in_project) && action < ACTION_COUNT; action++) {
		const struct permission *p = permission_get(action);
		struct decision decision;
		if (p->place != place || !p->resource[0])
			continue;
		TRY(request_may_in(ctx, rq, action, project_id, &decision));
		if (decision.allowed)
			write_permission(&w,
					 resource_path(ctx, p, in_project ? scope : STR("/system"),
						       relative),
					 p);
	}
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}
