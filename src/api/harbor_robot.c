/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_robot.c - robot accounts, in the words of Harbor's REST API v2.0.
 *
 * One list and one operation each serve robots of the system and of projects: whose permission is
 * asked depends on the robot, so the routes ask for a login only and the decision is here, by
 * request_require().
 */
#include "api/audit.h"
#include "api/handlers_robot.h"
#include "api/robot_json.h"
#include "registry/project.h"

#include "base/banned.h"

struct robot_body {
	str name, description, secret, level;
	bool disable;
	int64_t duration;
	const struct json_value *permissions;
};

static err_t read_body(struct ctx *ctx, const struct json_value *root, struct robot_body *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct robot_body, "name", name, 2 * ROBOT_NAME_MAX),
		JSON_FIELD_STR(struct robot_body, "description", description,
			       ROBOT_DESCRIPTION_MAX),
		JSON_FIELD_STR(struct robot_body, "secret", secret, KIB(1)),
		JSON_FIELD_STR(struct robot_body, "level", level, 64),
		JSON_FIELD_BOOL(struct robot_body, "disable", disable),
		JSON_FIELD_I64(struct robot_body, "duration", duration),
		JSON_FIELD_ARRAY(struct robot_body, "permissions", permissions),
	};
	return body_shape(ctx, root, fields, COUNT_OF(fields), ret);
}

/* What Harbor looks at before it asks who is asking. */
static err_t check_body(struct ctx *ctx, const struct robot_body *body, bool *ret_of_project,
			struct robot_wish *ret)
{
	TRY(robot_check_duration(ctx, body->duration));
	*ret_of_project = str_eq(body->level, STR("project"));
	if (!*ret_of_project && !str_eq(body->level, STR("system")))
		return fail(ctx, ERR_REQUEST_INVALID, "bad request error level input: " STR_FMT,
			    STR_ARG(body->level));
	TRY(robot_wish_read(ctx, body->permissions, ret));
	if (*ret_of_project && (ret->count > 1 || ret->permissions[0].place != PLACE_PROJECT ||
				ret->permissions[0].project_id == PROJECT_ALL))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "bad request permission: a project's robot has one, in that project");
	return OK;
}

/* --- making ----------------------------------------------------------------------------------- */

/* The project of a project's robot: 0 when there is none of that name. */
static err_t find_project(struct ctx *ctx, struct request *rq, const struct robot_wish *wish,
			  int64_t *ret)
{
	struct project_info info = { 0 };
	err_t err =
		project_find(ctx, rq->api->options.registry, wish->permissions[0].project, &info);
	*ret = err == OK ? info.id : 0;
	return err == ERR_ABSENT ? OK : err;
}

static void fill_new(struct ctx *ctx, const struct request *rq, const struct robot_body *body,
		     const struct robot_wish *wish, struct robot *robot)
{
	str name = arena_copy(ctx->arena, body->name);
	if (robot->row.project_id)
		name = arena_printf(ctx->arena, STR_FMT "+" STR_FMT,
				    STR_ARG(wish->permissions[0].project), STR_ARG(body->name));
	robot->row.tenant_id = ctx->tenant_id;
	robot->row.name = name;
	robot->row.description = arena_copy(ctx->arena, body->description);
	robot->row.duration_days = body->duration;
	robot->row.disabled = body->disable;
	robot->row.visible = true;
	robot->row.creator_type = rq->who.subject == SUBJECT_ROBOT ? STR("robot") : STR("local");
	robot->row.creator_id = rq->who.id;
	robot->permissions = wish->permissions;
	robot->permission_count = wish->count;
	robot->full_name = robot_full_name(ctx, rq->api->options.auth, name);
}

static err_t answer_new(struct ctx *ctx, struct request *rq, const struct robot *robot, str secret)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "id", robot->row.id);
	json_write_str(&w, "name", robot->full_name);
	json_write_str(&w, "secret", secret);
	json_write_time(&w, "creation_time", robot->row.created_at_us);
	json_write_i64(&w, "expires_at", robot->row.expires_at_s ? robot->row.expires_at_s : -1);
	json_write_object_end(&w);
	return answer_created_with(ctx, rq, robot->row.id, &body);
}

err_t harbor_robot_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct robot_body body = { 0 };
	struct robot robot = { 0 };
	struct robot_wish wish;
	bool of_project;
	str secret;
	TRY(robot_tenant_check(ctx, rq));
	TRY(body_read(ctx, rq, &doc));
	TRY(read_body(ctx, doc.root, &body));
	TRY(robot_check_name(ctx, body.name));
	TRY(check_body(ctx, &body, &of_project, &wish));
	if (of_project)
		TRY(find_project(ctx, rq, &wish, &robot.row.project_id));
	TRY(request_require(ctx, rq, of_project ? ACTION_ROBOT_CREATE : ACTION_SYSTEM_ROBOT_CREATE,
			    robot.row.project_id));
	TRY(robot_wish_resolve(ctx, rq, &wish));
	TRY(robot_may_give(ctx, rq, wish.permissions, wish.count));
	if (body.secret.len)
		TRY(robot_check_secret(ctx, body.secret));
	fill_new(ctx, rq, &body, &wish, &robot);

	struct audit_event *event = audit_change(rq, AUDIT_CREATE_ROBOT);
	event->resource = robot.full_name;
	event->project_id = robot.row.project_id;
	event->after = robot_json(ctx, &robot);
	err_t err = robot_create(ctx, rq->api->options.auth, &robot, body.secret, &secret);
	TRY(err == ERR_EXISTS ? fail(ctx, ERR_EXISTS, "robot account exists") : err);
	return answer_new(ctx, rq, &robot, secret);
}

/* --- looking ---------------------------------------------------------------------------------- */

/* Level=project,ProjectID=7, or the system's. */
static err_t read_level(struct ctx *ctx, const struct list *list, int64_t *ret_project_id)
{
	str level = list_text(list, "Level");
	bool has = false;
	*ret_project_id = 0;
	if (!level.len || str_eq(level, STR("system")))
		return OK;
	if (!str_eq(level, STR("project")))
		return fail(ctx, ERR_REQUEST_INVALID, "bad request error level input");
	TRY(list_number(ctx, list, "ProjectID", &has, ret_project_id));
	if (!has)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "must with project ID when to query project robots");
	return *ret_project_id > 0
		       ? OK
		       : fail(ctx, ERR_REQUEST_INVALID, "ProjectID must be a positive integer");
}

static void read_query(struct ctx *ctx, const struct request *rq, const struct list *list,
		       struct robot_query *query)
{
	static const char *const columns[] = { "name", "id", "expires_at", "creation_time" };
	static const enum robot_sort sorts[] = { ROBOT_BY_NAME, ROBOT_BY_ID, ROBOT_BY_EXPIRY,
						 ROBOT_BY_ID };
	str name = list_text(list, "name");
	(void)robot_strip_prefix(ctx, rq->api->options.auth, name, &name);
	query->tenant_id = ctx->tenant_id;
	query->sort = sorts[list_sort(list, columns, COUNT_OF(columns), 0, &query->descending)];
	query->offset = list->offset;
	query->limit = list->page_size;
	if (list_is_fuzzy(list, "name"))
		query->name_like = like_pattern(ctx->arena, name);
	else
		query->name = name;
}

static void write_robot(struct json_writer *w, const struct robot *robot)
{
	json_write_object_begin(w, NULL);
	robot_write(w, robot);
	json_write_object_end(w);
}

err_t harbor_robot_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct robot_query query = { 0 };
	struct robot *robots;
	size_t count;
	int64_t total;
	TRY(robot_tenant_check(ctx, rq));
	TRY(list_begin(ctx, rq, &list));
	TRY(read_level(ctx, &list, &query.project_id));
	TRY(request_require(ctx, rq,
			    query.project_id ? ACTION_ROBOT_LIST : ACTION_SYSTEM_ROBOT_LIST,
			    query.project_id));
	read_query(ctx, rq, &list, &query);
	TRY(robot_list(ctx, rq->api->options.auth, &query, &robots, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_robot(&w, &robots[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

err_t harbor_robot_get(struct ctx *ctx, struct request *rq)
{
	struct robot robot;
	TRY(robot_of_path(ctx, rq, ACTION_ROBOT_READ, ACTION_SYSTEM_ROBOT_READ, &robot));
	return answer_json(rq, 200, robot_json(ctx, &robot));
}

/* --- changing --------------------------------------------------------------------------------- */

static err_t check_same(struct ctx *ctx, const struct robot *robot, const struct robot_body *body,
			bool of_project, const struct robot_wish *wish)
{
	if (robot->row.project_id && of_project &&
	    wish->permissions[0].project_id != robot->row.project_id)
		return fail(ctx, ERR_REQUEST_INVALID, "cannot update the project id of robot");
	if (of_project != (robot->row.project_id != 0) || !str_eq(body->name, robot->full_name))
		return fail(ctx, ERR_REQUEST_INVALID, "cannot update the level or name of robot");
	return OK;
}

static void apply(struct ctx *ctx, const struct robot_body *body, const struct robot_wish *wish,
		  struct robot *robot)
{
	robot->row.description = arena_copy(ctx->arena, body->description);
	robot->row.disabled = body->disable;
	if (robot->row.duration_days != body->duration) {
		robot->row.duration_days = body->duration;
		robot->row.expires_at_s = robot_expiry_s(robot->row.created_at_us, body->duration);
	}
	robot->permissions = wish->permissions;
	robot->permission_count = wish->count;
}

static struct audit_event *declare(struct request *rq, enum audit_type type,
				   const struct robot *robot)
{
	struct audit_event *event = audit_change(rq, type);
	event->tenant_id = robot->row.tenant_id;
	event->project_id = robot->row.project_id;
	event->resource = robot->full_name;
	return event;
}

static err_t gone(struct ctx *ctx, err_t err)
{
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such robot") : err;
}

err_t harbor_robot_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct robot robot;
	struct robot_wish wish;
	bool of_project;
	TRY(robot_of_path(ctx, rq, ACTION_ROBOT_UPDATE, ACTION_SYSTEM_ROBOT_UPDATE, &robot));
	struct robot_body body = { .duration = robot.row.duration_days };
	TRY(body_read(ctx, rq, &doc));
	TRY(read_body(ctx, doc.root, &body));
	TRY(check_body(ctx, &body, &of_project, &wish));
	TRY(robot_wish_resolve(ctx, rq, &wish));
	TRY(check_same(ctx, &robot, &body, of_project, &wish));
	TRY(robot_may_give(ctx, rq, wish.permissions, wish.count));

	struct audit_event *event = declare(rq, AUDIT_UPDATE_ROBOT, &robot);
	event->before = robot_json(ctx, &robot);
	apply(ctx, &body, &wish, &robot);
	event->after = robot_json(ctx, &robot);
	TRY(gone(ctx, robot_update(ctx, rq->api->options.auth, &robot)));
	return answer_empty(rq, 200);
}

err_t harbor_robot_delete(struct ctx *ctx, struct request *rq)
{
	struct robot robot;
	TRY(robot_of_path(ctx, rq, ACTION_ROBOT_DELETE, ACTION_SYSTEM_ROBOT_DELETE, &robot));
	declare(rq, AUDIT_DELETE_ROBOT, &robot)->before = robot_json(ctx, &robot);
	TRY(gone(ctx, robot_delete(ctx, rq->api->options.auth, robot.row.id)));
	return answer_empty(rq, 200);
}

struct secret_body {
	str secret;
};

/* A secret somebody chose is not said again; one that is made is said this once. */
err_t harbor_robot_refresh(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct secret_body, "secret", secret, KIB(1)),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct secret_body wanted = { .secret = STR_NONE };
	struct robot robot;
	str secret;
	TRY(robot_of_path(ctx, rq, ACTION_ROBOT_UPDATE, ACTION_SYSTEM_ROBOT_UPDATE, &robot));
	TRY(robot_may_give(ctx, rq, robot.permissions, robot.permission_count));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &wanted));
	if (wanted.secret.len)
		TRY(robot_check_secret(ctx, wanted.secret));
	declare(rq, AUDIT_UPDATE_ROBOT, &robot)->after = STR("{\"secret\":\"***\"}");
	TRY(gone(ctx, robot_set_secret(ctx, rq->api->options.auth, robot.row.id, wanted.secret,
				       &secret)));
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(2));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "secret", wanted.secret.len ? STR("") : secret);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
