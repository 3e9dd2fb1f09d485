/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_rename.c - other names for projects and repositories, and the names that lead to them from
 * before.
 *
 * A new name takes the right to make something under it. Without an alias, and when an alias is
 * deleted, whoever pulls by that name finds nothing any more: that takes the right to delete.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "api/project_json.h"
#include "auth/robot.h"
#include "auth/state.h"
#include "codec/url.h"
#include "registry/rename.h"

#include "base/banned.h"

static struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

struct rename_body {
	str name;
	bool alias;
};

/* A project's, or a repository's with its project's. */
#define NAME_BYTES_MAX REPOSITORY_NAME_MAX

static err_t read_body(struct ctx *ctx, struct request *rq, struct rename_body *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct rename_body, "name", name, NAME_BYTES_MAX),
		JSON_FIELD_BOOL(struct rename_body, "alias", alias),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	*ret = (struct rename_body){ .alias = true };
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), ret));
	ret->name = arena_copy(ctx->arena, ret->name);
	return OK;
}

/* What is changed, for the audit trail. */
static str name_json(struct ctx *ctx, const char *key, str name)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, key, name);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

static str after_json(struct ctx *ctx, const struct rename_body *body)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "name", body->name);
	json_write_bool(&w, "alias", body->alias);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

static err_t answer_renamed(struct ctx *ctx, struct request *rq, int64_t id, str name)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "id", id);
	json_write_str(&w, "name", name);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &b);
}

static err_t gone(struct ctx *ctx, err_t err, const char *what)
{
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such %s", what) : err;
}

/* --- projects --------------------------------------------------------------------------------- */

static struct named project_named(const struct ctx *ctx, const struct request *rq)
{
	return (struct named){ ALIAS_OF_PROJECT, ctx->tenant_id, rq->project_found.id };
}

/* They log in by other names. */
static void forget_robots(struct request *rq, const struct renamed *renamed)
{
	for (size_t i = 0; i < renamed->robot_count; i++)
		state_drop(rq->api->options.auth, SUBJECT_ROBOT, renamed->robots[i]);
}

err_t berth_project_rename(struct ctx *ctx, struct request *rq)
{
	struct auth *auth = rq->api->options.auth;
	struct rename_body body;
	struct renamed done;
	TRY(read_body(ctx, rq, &body));
	TRY(project_name_check(ctx, body.name));
	TRY(request_require(ctx, rq, ACTION_PROJECT_CREATE, 0));
	if (!body.alias)
		TRY(request_require(ctx, rq, ACTION_PROJECT_DELETE, rq->project_found.id));
	const struct rename rename = {
		.what = project_named(ctx, rq),
		.project_id = rq->project_found.id,
		.name = body.name,
		.keep_alias = body.alias,
		.robot_name_max = robot_name_room(ctx, auth),
	};
	struct audit_event *event = audit_project(rq, AUDIT_UPDATE_PROJECT);
	event->before = name_json(ctx, "name", rq->project);
	event->after = after_json(ctx, &body);
	TRY(gone(ctx, registry_rename(ctx, registry_of(rq), &rename, &done), "project"));
	forget_robots(rq, &done);
	if (!body.alias)
		auth_forget_logins(auth);
	return answer_renamed(ctx, rq, rename.project_id, done.after);
}

/* --- repositories ----------------------------------------------------------------------------- */

/* The repository of the path: it is there, and was decided about. */
static err_t find_repository(struct ctx *ctx, struct request *rq, struct named *ret)
{
	*ret = (struct named){ ALIAS_OF_REPOSITORY, ctx->tenant_id, 0 };
	return repository_find(ctx, registry_of(rq), rq->repository, &ret->id);
}

static err_t require_at(struct ctx *ctx, struct request *rq, enum action action, str name)
{
	const struct asked_place at = { name, { rq->place.project_id, name } };
	struct decision decision;
	TRY(request_may_at(ctx, rq, action, &at, &decision));
	return decision.allowed ? OK : request_refuse(ctx, rq, &decision);
}

/* Nobody gets at what he may not pull by giving it a name under which he may. */
static err_t may_rename(struct ctx *ctx, struct request *rq, const struct rename_body *body)
{
	TRY(require_at(ctx, rq, ACTION_REPOSITORY_PULL, rq->repository));
	TRY(require_at(ctx, rq, ACTION_REPOSITORY_PUSH, body->name));
	return body->alias ? OK : require_at(ctx, rq, ACTION_REPOSITORY_DELETE, rq->repository);
}

/* A whole name, as lists have it: it says which project is meant, and it must be this one, by any
 * of its names. */
static err_t split_name(struct ctx *ctx, struct request *rq, struct rename_body *body,
			str *ret_inside)
{
	struct project_info project = { 0 };
	str named;
	if (!reference_is_repository(body->name) || !str_cut(body->name, '/', &named, ret_inside))
		return fail(
			ctx, ERR_REQUEST_INVALID,
			"a repository's name is its project's, a slash, and words of lower-case "
			"letters and digits");
	err_t err = project_find(ctx, registry_of(rq), named, &project);
	if (err != ERR_ABSENT)
		TRY(err);
	if (project.id != rq->project_found.id)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "a repository stays in its project: its new name begins with " STR_FMT
			    "/; artifacts can be copied to other projects",
			    STR_ARG(rq->project));
	body->name = repository_name(ctx, rq->project, *ret_inside);
	return OK;
}

err_t berth_repository_rename(struct ctx *ctx, struct request *rq)
{
	struct rename_body body;
	struct renamed done;
	struct rename rename = { .project_id = rq->project_found.id };
	TRY(read_body(ctx, rq, &body));
	TRY(split_name(ctx, rq, &body, &rename.name));
	TRY(find_repository(ctx, rq, &rename.what));
	TRY(may_rename(ctx, rq, &body));
	rename.keep_alias = body.alias;
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_REPOSITORY);
	event->before = name_json(ctx, "name", rq->repository);
	event->after = after_json(ctx, &body);
	TRY(gone(ctx, registry_rename(ctx, registry_of(rq), &rename, &done), "repository"));
	return answer_renamed(ctx, rq, rename.what.id, done.after);
}

/* --- aliases ---------------------------------------------------------------------------------- */

static err_t answer_aliases(struct ctx *ctx, struct request *rq, const struct named *what)
{
	struct list list;
	struct alias_page page;
	TRY(list_begin(ctx, rq, &list));
	TRY(alias_list(ctx, registry_of(rq), what, list.page_size, list.offset, &page));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < page.count; i++) {
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "name", page.items[i].name);
		json_write_time(&w, "creation_time", page.items[i].created_at_us);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return list_answer(rq, &list, page.total, &body);
}

static err_t delete_alias(struct ctx *ctx, struct request *rq, const struct named *what, str name,
			  enum audit_type type)
{
	struct audit_event *event = audit_change(rq, type);
	event->project_id = rq->project_found.id;
	event->project = rq->project;
	event->resource = name;
	event->before = name_json(ctx, "alias", name);
	return gone(ctx, alias_delete(ctx, registry_of(rq), what, name), "alias");
}

err_t berth_project_aliases(struct ctx *ctx, struct request *rq)
{
	const struct named what = project_named(ctx, rq);
	return answer_aliases(ctx, rq, &what);
}

err_t berth_project_alias_delete(struct ctx *ctx, struct request *rq)
{
	const struct named what = project_named(ctx, rq);
	TRY(delete_alias(ctx, rq, &what, rq->word, AUDIT_UPDATE_PROJECT));
	auth_forget_logins(rq->api->options.auth);
	return answer_empty(rq, 200);
}

err_t berth_repository_aliases(struct ctx *ctx, struct request *rq)
{
	struct named what;
	TRY(find_repository(ctx, rq, &what));
	return answer_aliases(ctx, rq, &what);
}

/* The alias is a whole name, encoded once or, like the repository's, twice. */
err_t berth_repository_alias_delete(struct ctx *ctx, struct request *rq)
{
	struct named what;
	str name;
	TRY(find_repository(ctx, rq, &what));
	if (!url_decode(ctx->arena, rq->word, &name) || !reference_is_repository(name))
		return fail(ctx, ERR_NOT_FOUND, "no repository can have this name");
	TRY(delete_alias(ctx, rq, &what, name, AUDIT_UPDATE_REPOSITORY));
	return answer_empty(rq, 200);
}
