/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_authz.c - why somebody may or may not do something: the decision, asked for without doing
 * it.
 *
 *	{"identity": {"type": "user", "name": "alice"}, "permission": "repository:push",
 *	 "repository": "lab/app"}
 *
 * Anybody may ask about himself (no identity), and learns no more than trying would tell him.
 */
#include "api/handlers.h"
#include "api/harbor.h"
#include "auth/state.h"
#include "auth/user.h"

#include "base/banned.h"

struct explain_body {
	const struct json_value *identity;
	str permission, project, repository;
};

struct identity_body {
	str type, name;
	int64_t id;
};

/* --- whom, what, where --------------------------------------------------------------------------
 */

static err_t find_user(struct ctx *ctx, struct request *rq, const struct identity_body *body,
		       struct identity *ret)
{
	struct auth *auth = rq->api->options.auth;
	struct user user;
	if (body->id)
		TRY(user_get(ctx, auth, ctx->tenant_id, body->id, &user));
	else
		TRY(user_find(ctx, auth, ctx->tenant_id, body->name, &user));
	return user_identity(ctx, auth, user.id, ret);
}

static err_t find_identity(struct ctx *ctx, struct request *rq, const struct identity_body *body,
			   struct identity *ret)
{
	if (str_eq(body->type, STR("anonymous"))) {
		*ret = (struct identity){ .subject = SUBJECT_ANONYMOUS };
		return OK;
	}
	err_t err = ERR_ABSENT;
	if (str_eq(body->type, STR("user")))
		err = find_user(ctx, rq, body, ret);
	else if (str_eq(body->type, STR("robot")))
		err = state_identity(ctx, rq->api->options.auth, SUBJECT_ROBOT, body->id, ret);
	else
		return fail(ctx, ERR_UNPROCESSABLE, "type is not user, robot or anonymous");
	if (err == OK && ret->tenant_id != ctx->tenant_id)
		err = ERR_ABSENT;
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such identity") : err;
}

/* Whose decision is asked for: the asker's own, or, for who may know, somebody else's. */
static err_t read_identity(struct ctx *ctx, struct request *rq, const struct json_value *object,
			   struct identity *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct identity_body, "type", type, 16),
		JSON_FIELD_STR(struct identity_body, "name", name, KIB(1)),
		JSON_FIELD_I64(struct identity_body, "id", id),
	};
	struct identity_body body = { .type = STR("user") };
	*ret = rq->who;
	if (!object)
		return OK;
	TRY(request_require(ctx, rq, ACTION_EXPLAIN, 0));
	TRY(body_shape(ctx, object, fields, COUNT_OF(fields), &body));
	return find_identity(ctx, rq, &body, ret);
}

static err_t read_action(struct ctx *ctx, const struct explain_body *body, enum action *ret)
{
	bool in_project = body->project.len || body->repository.len;
	str resource, action;
	*ret = ACTION_COUNT;
	if (str_cut(body->permission, ':', &resource, &action))
		*ret = permission_find(in_project ? PLACE_PROJECT : PLACE_SYSTEM, resource, action);
	if (*ret == ACTION_COUNT)
		return fail(ctx, ERR_UNPROCESSABLE, "no permission \"" STR_FMT "\" in %s",
			    STR_ARG(body->permission), in_project ? "a project" : "the system");
	if (body->repository.len && !reference_is_repository(body->repository))
		return fail(ctx, ERR_UNPROCESSABLE, "repository is no name");
	if (body->project.len && !reference_is_project(body->project))
		return fail(ctx, ERR_UNPROCESSABLE, "project is no name");
	return OK;
}

/* --- the answer ---------------------------------------------------------------------------------
 */

struct explained {
	struct decision decision;
	unsigned roles;
};

/* Decides as if `who` had come with this request. */
static err_t decide_as(struct ctx *ctx, struct request *rq, const struct identity *who,
		       enum action action, str repository, struct explained *ret)
{
	struct identity asker = rq->who;
	str project = repository.len ? reference_project(repository) : rq->project;
	struct project_info info;
	rq->who = *who;
	err_t err = request_may(ctx, rq, action, repository, &ret->decision);
	if (err == OK && project.len) {
		err = project_find(ctx, rq->api->options.registry, project, &info);
		if (err == OK)
			err = request_roles(ctx, rq, info.id, info.name, &ret->roles);
		else if (err == ERR_ABSENT)
			err = OK;
	}
	rq->who = asker;
	return err;
}

static const char *subject_name(enum subject subject)
{
	static const char *const names[] = { [SUBJECT_ANONYMOUS] = "anonymous",
					     [SUBJECT_USER] = "user",
					     [SUBJECT_ROBOT] = "robot" };
	return names[subject];
}

static void write_explained(struct json_writer *w, const struct identity *who, enum action action,
			    const struct explained *explained)
{
	json_write_object_begin(w, NULL);
	json_write_bool(w, "allowed", explained->decision.allowed);
	json_write_str(w, "reason", str_from(explained->decision.reason));
	json_write_str(w, "permission", str_from(action_name(action)));
	json_write_object_begin(w, "identity");
	json_write_str(w, "type", str_from(subject_name(who->subject)));
	json_write_i64(w, "id", who->id);
	json_write_str(w, "name", who->name);
	json_write_object_end(w);
	json_write_array_begin(w, "roles");
	for (int64_t id = PROJECT_ADMIN; project_role_is_known(id); id++)
		if (explained->roles & PROJECT_ROLE_BIT(id))
			json_write_str(w, NULL, str_from(project_role_name((enum project_role)id)));
	json_write_array_end(w);
	json_write_object_end(w);
}

err_t berth_authz_explain(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_OBJECT(struct explain_body, "identity", identity),
		JSON_FIELD_STR(struct explain_body, "permission", permission, 128),
		JSON_FIELD_STR(struct explain_body, "project", project, 255),
		JSON_FIELD_STR(struct explain_body, "repository", repository, 255),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct explain_body body = { 0 };
	struct explained explained = { 0 };
	struct identity who;
	enum action action;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	TRY(read_action(ctx, &body, &action));
	TRY(read_identity(ctx, rq, body.identity, &who));
	rq->project = arena_copy(ctx->arena, body.project);
	TRY(decide_as(ctx, rq, &who, action, arena_copy(ctx->arena, body.repository), &explained));
	CLEANUP(buf_done) struct buf answer = BUF_INIT(KIB(16));
	struct json_writer w = JSON_WRITER(&answer);
	write_explained(&w, &who, action, &explained);
	return answer_object(ctx, rq, &answer);
}
