/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_project.c - projects, in the words of Harbor's REST API v2.0. Their members and their
 * single settings have files of their own.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/project_json.h"
#include "api/quota_json.h"
#include "api/sight.h"
#include "auth/member.h"
#include "auth/state.h"
#include "settings/system.h"

#include "base/banned.h"

err_t harbor_ping(struct ctx *ctx, struct request *rq)
{
	return answer_text(rq, 200, STR("Pong"));
}

static struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

static err_t unknown_project(struct ctx *ctx, err_t err)
{
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such project") : err;
}

/* --- seeing ----------------------------------------------------------------------------------- */

static err_t see(struct ctx *ctx, struct request *rq, const struct project_view *view,
		 struct project_seen *ret)
{
	struct decision update;
	*ret = (struct project_seen){ .view = view, .with_detail = true };
	TRY(request_roles(ctx, rq, view->row.id, view->row.name, &ret->roles));
	TRY(request_may_in(ctx, rq, ACTION_PROJECT_UPDATE, view->row.id, &update));
	ret->may_update = update.allowed;
	return OK;
}

err_t harbor_project_get(struct ctx *ctx, struct request *rq)
{
	struct project_view view;
	struct project_seen seen;
	struct cve_allowlist allowlist;
	TRY(unknown_project(ctx, project_get(ctx, registry_of(rq), rq->project_found.id, &view)));
	TRY(see(ctx, rq, &view, &seen));
	TRY(cve_allowlist_get(ctx, registry_of(rq), view.row.id, &allowlist));
	seen.allowlist = &allowlist;
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	project_write(&w, &seen);
	return answer_object(ctx, rq, &body);
}

/* Whoever may not see it does not learn by this that a name is taken. */
err_t harbor_project_head(struct ctx *ctx, struct request *rq)
{
	struct project_info info;
	struct decision decision;
	str name = request_query(rq, STR("project_name"));
	if (!name.len)
		return fail(ctx, ERR_UNPROCESSABLE, "project_name is missing");
	TRY(unknown_project(ctx, project_find(ctx, registry_of(rq), name, &info)));
	TRY(request_may_in(ctx, rq, ACTION_PROJECT_READ, info.id, &decision));
	if (!decision.allowed)
		return fail(ctx, ERR_NOT_FOUND, "%s", decision.reason);
	return answer_empty(rq, 200);
}

/* --- listing ---------------------------------------------------------------------------------- */

/* name={a b}: a JSON array of the names, for the database. */
static str one_of_names(struct ctx *ctx, const struct harbor_filter *filter)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(64));
	struct json_writer w = JSON_WRITER(&b);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < filter->value_count; i++)
		json_write_str(&w, NULL, filter->values[i]);
	json_write_array_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

static void read_names(struct ctx *ctx, struct request *rq, const struct list *list,
		       struct project_query *query)
{
	const struct harbor_filter *filter = harbor_filter_find(&list->query, STR("name"));
	const struct harbor_filter exact = { .values = filter ? &filter->value : NULL,
					     .value_count = 1 };
	query->name_like = like_pattern(ctx->arena, request_query(rq, STR("name")));
	if (!filter)
		return;
	if (filter->kind == FILTER_FUZZY)
		query->name_like = like_pattern(ctx->arena, filter->value);
	else if (filter->kind == FILTER_OR)
		query->names_json = one_of_names(ctx, filter);
	else if (filter->kind == FILTER_EXACT)
		query->names_json = one_of_names(ctx, &exact);
}

static err_t read_public(struct ctx *ctx, struct request *rq, const struct list *list,
			 struct project_query *query)
{
	str text = list_text(list, "public");
	query->has_public = text.len || request_query(rq, STR("public")).len;
	query->is_public = str_eq(text, STR("true")) || str_eq(text, STR("1"));
	if (text.len)
		return OK;
	return query_bool(ctx, rq, STR("public"), false, &query->is_public);
}

static err_t read_query(struct ctx *ctx, struct request *rq, const struct list *list,
			struct project_query *ret)
{
	static const char *const columns[PROJECT_ORDER_COUNT] = {
		[PROJECT_BY_NAME] = "name",
		[PROJECT_BY_ID] = "project_id",
		[PROJECT_BY_CREATION] = "creation_time",
		[PROJECT_BY_UPDATE] = "update_time",
	};
	struct project_query query = { .limit = list->page_size, .offset = list->offset };
	struct project_sight *sight = ARENA_NEW(ctx->arena, struct project_sight);
	TRY(request_sight(ctx, rq, sight));
	query.sight = sight;
	read_names(ctx, rq, list, &query);
	query.owner = list_text(list, "owner");
	if (!query.owner.len)
		query.owner = request_query(rq, STR("owner"));
	TRY(read_public(ctx, rq, list, &query));
	query.order = (enum project_order)list_sort(list, columns, COUNT_OF(columns),
						    PROJECT_BY_NAME, &query.descending);
	*ret = query;
	return OK;
}

static err_t write_projects(struct ctx *ctx, struct request *rq, struct json_writer *w,
			    const struct project_view *views, size_t count, bool with_detail)
{
	json_write_array_begin(w, NULL);
	for (size_t i = 0; i < count; i++) {
		struct project_seen seen;
		TRY(see(ctx, rq, &views[i], &seen));
		seen.with_detail = with_detail;
		project_write(w, &seen);
	}
	json_write_array_end(w);
	return OK;
}

err_t harbor_project_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct project_query query;
	struct project_view *views;
	size_t count;
	int64_t total;
	bool with_detail;
	TRY(list_begin(ctx, rq, &list));
	TRY(query_bool(ctx, rq, STR("with_detail"), true, &with_detail));
	TRY(read_query(ctx, rq, &list, &query));
	TRY(project_list(ctx, registry_of(rq), &query, with_detail, &views, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	TRY(write_projects(ctx, rq, &w, views, count, with_detail));
	return list_answer(rq, &list, total, &body);
}

/* --- making ----------------------------------------------------------------------------------- */

/* Who may set quotas says how much; for all others it is what the configuration says. */
static err_t storage_limit(struct ctx *ctx, struct request *rq, const struct project_wish *wish,
			   int64_t *ret)
{
	struct decision quotas;
	int64_t wanted = wish->storage_limit_bytes;
	if (wish->has_storage_limit && wanted != QUOTA_UNLIMITED &&
	    (wanted <= 0 || wanted > QUOTA_LIMIT_MAX))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "storage_limit is -1 or a number of bytes, at most %lld",
			    (long long)QUOTA_LIMIT_MAX);
	TRY(request_may(ctx, rq, ACTION_SYSTEM_QUOTA_UPDATE, STR_NONE, &quotas));
	if (wish->has_storage_limit && quotas.allowed)
		*ret = wanted;
	else
		*ret = quota_default(registry_of(rq));
	return OK;
}

static bool wants_public(const struct project_wish *wish)
{
	for (size_t i = 0; i < wish->setting_count; i++)
		if (wish->settings[i].setting == PROJECT_SETTING_PUBLIC)
			return str_eq(wish->settings[i].value, STR("true"));
	return false;
}

/* What a request says, for the audit trail. */
static str wish_json(struct ctx *ctx, const struct project_wish *wish)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	for (size_t i = 0; i < wish->setting_count; i++) {
		json_write_key(&w, project_setting_name(wish->settings[i].setting));
		json_write_str(&w, NULL, wish->settings[i].value);
	}
	if (wish->allowlist)
		json_write_i64(&w, "cve_allowlist_length", (int64_t)wish->allowlist->count);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

static err_t answer_new_project(struct request *rq, int64_t id, str name)
{
	bool by_name = str_eq(request_header(rq, STR("X-Resource-Name-In-Location")), STR("true"));
	return by_name ? answer_created_name(rq, name) : answer_created(rq, id);
}

err_t harbor_project_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct project_wish wish;
	int64_t id, limit;
	TRY(body_read(ctx, rq, &doc));
	TRY(project_wish_read(ctx, doc.root, &wish));
	TRY(project_name_check(ctx, wish.name));
	if (wish.registry_id)
		return fail(ctx, ERR_LATER, "a project that is a proxy cache");
	TRY(storage_limit(ctx, rq, &wish, &limit));
	const struct project_new from = {
		.name = wish.name,
		.is_public = wants_public(&wish),
		.owner_id = request_owner(rq),
		.owner_name = rq->who.name,
		.storage_limit_bytes = limit,
		.settings = wish.settings,
		.setting_count = wish.setting_count,
		.allowlist = wish.allowlist,
	};
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_PROJECT);
	event->project = event->resource = wish.name;
	event->after = wish_json(ctx, &wish);
	err_t err = project_create(ctx, registry_of(rq), &from, &id);
	TRY(err == ERR_EXISTS ? fail(ctx, ERR_EXISTS, "project exists") : err);
	return answer_new_project(rq, id, wish.name);
}

/* --- changing --------------------------------------------------------------------------------- */

static str before_json(struct ctx *ctx, const struct project_view *view)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	project_write_settings(&w, view);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

err_t harbor_project_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct project_wish wish;
	struct project_view view;
	TRY(body_read(ctx, rq, &doc));
	TRY(project_wish_read(ctx, doc.root, &wish));
	TRY(unknown_project(ctx, project_get(ctx, registry_of(rq), rq->project_found.id, &view)));
	const struct project_change change = {
		.id = view.row.id,
		.name = view.row.name,
		.settings = wish.settings,
		.setting_count = wish.setting_count,
		.allowlist = wish.allowlist,
	};
	struct audit_event *event = audit_project(rq, AUDIT_UPDATE_PROJECT);
	event->before = before_json(ctx, &view);
	event->after = wish_json(ctx, &wish);
	TRY(unknown_project(ctx, project_change(ctx, registry_of(rq), &change)));
	return answer_empty(rq, 200);
}

/* --- deleting --------------------------------------------------------------------------------- */

err_t harbor_project_delete(struct ctx *ctx, struct request *rq)
{
	struct auth *auth = rq->api->options.auth;
	struct project_gone gone;
	audit_project(rq, AUDIT_DELETE_PROJECT);
	err_t err = project_delete(ctx, registry_of(rq), rq->project_found.id, rq->project, &gone);
	TRY(unknown_project(ctx, err));
	membership_project_changed(auth, rq->project_found.id);
	member_drop_states(auth, gone.accounts, gone.account_count);
	for (size_t i = 0; i < gone.robot_count; i++)
		state_drop(auth, SUBJECT_ROBOT, gone.robots[i]);
	return answer_empty(rq, 200);
}

err_t harbor_project_deletable(struct ctx *ctx, struct request *rq)
{
	struct project_view view;
	TRY(unknown_project(ctx, project_get(ctx, registry_of(rq), rq->project_found.id, &view)));
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_bool(&w, "deletable", view.repository_count == 0);
	if (view.repository_count)
		json_write_str(&w, "message",
			       STR("the project contains repositories, can not be deleted"));
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- summary ---------------------------------------------------------------------------------- */

static int64_t count_of(const struct member_role_count *counts, size_t count, int64_t role_id)
{
	for (size_t i = 0; i < count; i++)
		if (counts[i].role_id == role_id)
			return counts[i].count;
	return 0;
}

static err_t write_member_counts(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	static const struct {
		const char *key;
		enum project_role role;
	} rows[] = {
		{ "project_admin_count", PROJECT_ADMIN },
		{ "maintainer_count", PROJECT_MAINTAINER },
		{ "developer_count", PROJECT_DEVELOPER },
		{ "guest_count", PROJECT_GUEST },
		{ "limited_guest_count", PROJECT_LIMITED_GUEST },
	};
	struct member_role_count *counts;
	struct decision members;
	size_t count;
	TRY(request_may_in(ctx, rq, ACTION_MEMBER_LIST, rq->project_found.id, &members));
	if (!members.allowed)
		return OK;
	TRY(member_count_by_role(ctx, rq->api->options.auth, rq->project_found.id, &counts,
				 &count));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		json_write_i64(w, rows[i].key, count_of(counts, count, rows[i].role));
	return OK;
}

/* As Harbor: for whoever may read it, and only while quotas count. */
static err_t write_quota(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	struct decision decision;
	struct quota quota;
	if (!system_bool(rq->api->options.settings, SYSTEM_QUOTA_PER_PROJECT_ENABLE))
		return OK;
	TRY(request_may_in(ctx, rq, ACTION_QUOTA_READ, rq->project_found.id, &decision));
	if (!decision.allowed)
		return OK;
	TRY(quota_get(ctx, registry_of(rq), QUOTA_PROJECT, rq->project_found.id, &quota));
	json_write_object_begin(w, "quota");
	quota_json_write(w, &quota, false);
	json_write_object_end(w);
	return OK;
}

err_t harbor_project_summary(struct ctx *ctx, struct request *rq)
{
	struct project_view view;
	TRY(unknown_project(ctx, project_get(ctx, registry_of(rq), rq->project_found.id, &view)));
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "repo_count", view.repository_count);
	TRY(write_member_counts(ctx, rq, &w));
	TRY(write_quota(ctx, rq, &w));
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
