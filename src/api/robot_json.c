/* SPDX-License-Identifier: Apache-2.0 */
/* robot_json.c - see robot_json.h. */
#include "api/robot_json.h"
#include "base/glob.h"
#include "registry/project.h"

#include "base/banned.h"

#define ROBOT_JSON_MAX KIB(512)
#define SECOND_US      INT64_C(1000000)

/* --- reading ---------------------------------------------------------------------------------- */

struct access_body {
	str resource, action, effect;
};

static err_t read_access(struct ctx *ctx, const struct json_value *value,
			 struct robot_permission *into)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct access_body, "resource", resource, 64),
		JSON_FIELD_STR(struct access_body, "action", action, 64),
		JSON_FIELD_STR(struct access_body, "effect", effect, 16),
	};
	struct access_body body = { 0 };
	if (!json_value_is_object(value))
		return fail(ctx, ERR_REQUEST_INVALID, "bad request empty access");
	TRY(body_shape(ctx, value, fields, COUNT_OF(fields), &body));
	enum action action = permission_find(into->place, body.resource, body.action);
	if (action == ACTION_COUNT ||
	    !permission_held_by(action, into->place == PLACE_SYSTEM ? 's' : 'r'))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "bad request permission: " STR_FMT ":" STR_FMT, STR_ARG(body.resource),
			    STR_ARG(body.action));
	bool deny = str_eq(body.effect, STR("deny"));
	if (!deny && body.effect.len && !str_eq(body.effect, STR("allow")))
		return fail(ctx, ERR_REQUEST_INVALID, "bad request effect: " STR_FMT,
			    STR_ARG(body.effect));
	action_set_add(deny ? &into->denied : &into->allowed, action);
	return OK;
}

struct permission_body {
	str kind, place, pattern;
	const struct json_value *access;
};

static err_t read_place(struct ctx *ctx, const struct permission_body *body,
			struct robot_permission *ret)
{
	const char *why;
	bool system = str_eq(body->kind, STR("system"));
	if (!system && !str_eq(body->kind, STR("project")))
		return fail(ctx, ERR_REQUEST_INVALID, "bad request permission level: " STR_FMT,
			    STR_ARG(body->kind));
	if (system && !str_eq(body->place, STR("/")))
		return fail(ctx, ERR_REQUEST_INVALID, "unknown namespace");
	if (body->pattern.len && (system || !glob_check(body->pattern, &why)))
		return fail(ctx, ERR_REQUEST_INVALID, "repository_pattern: %s",
			    system ? "not in the system" : why);
	*ret = (struct robot_permission){
		.place = system ? PLACE_SYSTEM : PLACE_PROJECT,
		.project = arena_copy(ctx->arena, body->place),
		.project_id = !system && str_eq(body->place, STR("*")) ? PROJECT_ALL : 0,
		.repository_glob = arena_copy(ctx->arena, body->pattern),
	};
	return OK;
}

static struct robot_permission *find_place(struct robot_wish *wish,
					   const struct robot_permission *like)
{
	for (size_t i = 0; i < wish->count; i++) {
		struct robot_permission *at = &wish->permissions[i];
		if (at->place == like->place && str_eq(at->project, like->project) &&
		    str_eq(at->repository_glob, like->repository_glob))
			return at;
	}
	wish->permissions[wish->count] = *like;
	return &wish->permissions[wish->count++];
}

static err_t read_permission(struct ctx *ctx, const struct json_value *value,
			     struct robot_wish *wish)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct permission_body, "kind", kind, 64),
		JSON_FIELD_STR(struct permission_body, "namespace", place, 255),
		JSON_FIELD_STR(struct permission_body, "repository_pattern", pattern,
			       GLOB_BYTES_MAX),
		JSON_FIELD_ARRAY(struct permission_body, "access", access),
	};
	struct permission_body body = { 0 };
	struct robot_permission permission;
	if (!json_value_is_object(value))
		return fail(ctx, ERR_REQUEST_INVALID, "bad request empty permission");
	TRY(body_shape(ctx, value, fields, COUNT_OF(fields), &body));
	if (!json_count(body.access))
		return fail(ctx, ERR_REQUEST_INVALID, "bad request empty access");
	TRY(read_place(ctx, &body, &permission));
	struct robot_permission *into = find_place(wish, &permission);
	for (size_t i = 0; i < json_count(body.access); i++)
		TRY(read_access(ctx, json_element(body.access, i), into));
	return OK;
}

err_t robot_wish_read(struct ctx *ctx, const struct json_value *array, struct robot_wish *ret)
{
	size_t count = json_count(array);
	if (!count)
		return fail(ctx, ERR_REQUEST_INVALID, "bad request empty permission");
	if (count > ROBOT_PERMISSIONS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "more than %d permissions",
			    ROBOT_PERMISSIONS_MAX);
	*ret = (struct robot_wish){ ARENA_ARRAY(ctx->arena, struct robot_permission, count), 0 };
	for (size_t i = 0; i < count; i++)
		TRY(read_permission(ctx, json_element(array, i), ret));
	return OK;
}

err_t robot_wish_resolve(struct ctx *ctx, struct request *rq, struct robot_wish *wish)
{
	for (size_t i = 0; i < wish->count; i++) {
		struct robot_permission *at = &wish->permissions[i];
		struct project_info info;
		if (at->place != PLACE_PROJECT || at->project_id)
			continue;
		err_t err = project_find(ctx, rq->api->options.registry, at->project, &info);
		TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such project") : err);
		at->project_id = info.id;
		at->project = info.name;
	}
	return OK;
}

err_t robot_may_give(struct ctx *ctx, struct request *rq,
		     const struct robot_permission *permissions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum action lacking;
		TRY(request_may_give(ctx, rq, permissions[i].project_id, &permissions[i].allowed,
				     &lacking));
		if (lacking != ACTION_COUNT)
			return fail(ctx, ERR_DENIED,
				    "nobody gives a robot more than he has himself: %s in " STR_FMT,
				    action_name(lacking), STR_ARG(permissions[i].project));
	}
	return OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_accesses(struct json_writer *w, const struct action_set *set, str effect)
{
	for (enum action action = 0; action < ACTION_COUNT; action++) {
		if (!action_set_has(set, action))
			continue;
		json_write_object_begin(w, NULL);
		json_write_str(w, "resource", str_from(permission_get(action)->resource));
		json_write_str(w, "action", str_from(permission_get(action)->action));
		json_write_str(w, "effect", effect);
		json_write_object_end(w);
	}
}

static void write_permission(struct json_writer *w, const struct robot_permission *permission)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "kind",
		       permission->place == PLACE_SYSTEM ? STR("system") : STR("project"));
	json_write_str(w, "namespace", permission->project);
	if (permission->repository_glob.len)
		json_write_str(w, "repository_pattern", permission->repository_glob);
	json_write_array_begin(w, "access");
	write_accesses(w, &permission->allowed, STR("allow"));
	write_accesses(w, &permission->denied, STR("deny"));
	json_write_array_end(w);
	json_write_object_end(w);
}

void robot_write_permissions_of(struct json_writer *w, const struct robot *robot)
{
	json_write_array_begin(w, "permissions");
	for (size_t i = 0; i < robot->permission_count; i++)
		write_permission(w, &robot->permissions[i]);
	json_write_array_end(w);
}

void robot_write(struct json_writer *w, const struct robot *robot)
{
	const struct robot_row *row = &robot->row;
	json_write_i64(w, "id", row->id);
	json_write_str(w, "name", robot->full_name);
	json_write_str(w, "description", row->description);
	json_write_str(w, "level", row->project_id ? STR("project") : STR("system"));
	json_write_i64(w, "duration", row->duration_days);
	json_write_i64(w, "expires_at", row->expires_at_s ? row->expires_at_s : -1);
	json_write_bool(w, "disable", row->disabled);
	json_write_bool(w, "editable", true);
	json_write_str(w, "creator_type", row->creator_type);
	json_write_i64(w, "creator_ref", row->creator_id);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "update_time", row->updated_at_us);
	robot_write_permissions_of(w, robot);
}

str robot_json(struct ctx *ctx, const struct robot *robot)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(ROBOT_JSON_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	robot_write(&w, robot);
	json_write_object_end(&w);
	return buf_overrun(&body) ? STR_NONE : arena_copy(ctx->arena, buf_str(&body));
}

/* --- finding ---------------------------------------------------------------------------------- */

err_t robot_tenant_check(struct ctx *ctx, const struct request *rq)
{
	bool sees_all = rq->who.flags & (IDENTITY_ADMIN | IDENTITY_AUDITOR);
	return sees_all || rq->who.tenant_id == ctx->tenant_id
		       ? OK
		       : fail(ctx, ERR_DENIED, "another tenant's");
}

err_t robot_of_path(struct ctx *ctx, struct request *rq, enum action in_project,
		    enum action in_system, struct robot *ret)
{
	TRY(robot_tenant_check(ctx, rq));
	err_t err = robot_get(ctx, rq->api->options.auth, rq->id, ret);
	if (err != OK && err != ERR_ABSENT)
		return err;
	if (err == ERR_ABSENT || !ret->row.visible || ret->row.tenant_id != ctx->tenant_id) {
		TRY(request_require(ctx, rq, in_system, 0));
		return fail(ctx, ERR_NOT_FOUND, "no such robot");
	}
	int64_t project_id = ret->row.project_id;
	return request_require(ctx, rq, project_id ? in_project : in_system, project_id);
}
