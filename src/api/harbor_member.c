/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_member.c - members of projects: Harbor's operations, and ours beside them, which also say
 * when a membership ends.
 *
 * Who adds, changes or removes a member must hold all that the role gives, before and after: nobody
 * gives what he has not, and nobody takes from others what he could not give.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/project_json.h"
#include "auth/member.h"
#include "auth/role.h"
#include "base/clock.h"

#include "base/banned.h"

#define NAME_BYTES_MAX KIB(1)

static struct auth *auth_of(struct request *rq)
{
	return rq->api->options.auth;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void write_member(struct json_writer *w, const struct project_member *m, bool ours)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", m->id);
	json_write_i64(w, "project_id", m->project_id);
	json_write_str(w, "entity_name", m->name);
	json_write_i64(w, "entity_id", m->account_id ? m->account_id : m->group_id);
	json_write_str(w, "entity_type", m->account_id ? STR("u") : STR("g"));
	json_write_i64(w, "role_id", m->role_id);
	json_write_str(w, "role_name", m->role_name);
	if (ours) {
		json_write_time(w, "expiry_time", m->expires_at_us);
		json_write_time(w, "creation_time", m->created_at_us);
		json_write_time(w, "update_time", m->updated_at_us);
	}
	json_write_object_end(w);
}

static err_t list_members(struct ctx *ctx, struct request *rq, bool ours)
{
	struct list list;
	struct project_member *members;
	size_t count;
	int64_t total;
	TRY(list_begin(ctx, rq, &list));
	const struct member_filter filter = {
		.project_id = rq->project_found.id,
		.name_like = like_pattern(ctx->arena, request_query(rq, STR("entityname"))),
		.limit = list.page_size,
		.offset = list.offset,
	};
	TRY(member_list(ctx, auth_of(rq), &filter, &members, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_member(&w, &members[i], ours);
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

static err_t find_member(struct ctx *ctx, struct request *rq, struct project_member *ret)
{
	err_t err = member_get(ctx, auth_of(rq), rq->project_found.id, rq->id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such member") : err;
}

static err_t get_member(struct ctx *ctx, struct request *rq, bool ours)
{
	struct project_member member;
	TRY(find_member(ctx, rq, &member));
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(16));
	struct json_writer w = JSON_WRITER(&body);
	write_member(&w, &member, ours);
	return answer_object(ctx, rq, &body);
}

/* --- what may be given and taken ----------------------------------------------------------------
 */

static err_t must_hold(struct ctx *ctx, struct request *rq, const struct role *role)
{
	struct action_set set = role_actions(role);
	enum action lacking;
	TRY(request_may_give(ctx, rq, rq->project_found.id, &set, &lacking));
	if (lacking == ACTION_COUNT)
		return OK;
	return fail(ctx, ERR_DENIED, "the role " STR_FMT " has %s, which the asker has not",
		    STR_ARG(role->name), action_name(lacking));
}

static err_t may_take(struct ctx *ctx, struct request *rq, const struct project_member *member)
{
	struct role role;
	TRY(role_get(ctx, auth_of(rq), ctx->tenant_id, member->role_id, &role));
	return must_hold(ctx, rq, &role);
}

static err_t may_give(struct ctx *ctx, struct request *rq, int64_t role_id, struct role *ret)
{
	err_t err = role_get(ctx, auth_of(rq), ctx->tenant_id, role_id, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_REQUEST_INVALID, "no role has the id %lld",
			    (long long)role_id);
	TRY(err);
	return must_hold(ctx, rq, ret);
}

/* --- requests --------------------------------------------------------------------------------- */

struct member_body {
	int64_t role_id;
	str expires_at;
	bool has_expires_at;
	const struct json_value *user, *group;
};

static err_t read_expiry(struct ctx *ctx, const struct json_value *root,
			 struct project_member *member)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct member_body, "expiry_time", expires_at, 64),
		JSON_FIELD_HAS(struct member_body, "expiry_time", has_expires_at),
	};
	struct member_body body = { 0 };
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &body));
	member->expires_at_us = 0;
	if (!body.has_expires_at)
		return OK;
	if (!str_has_suffix(body.expires_at, STR("Z")) ||
	    !harbor_time_parse(body.expires_at, &member->expires_at_us))
		return fail(ctx, ERR_UNPROCESSABLE, "expiry_time is no time in UTC as in RFC 3339");
	if (member->expires_at_us <= clock_wall_us())
		return fail(ctx, ERR_UNPROCESSABLE, "expiry_time is over");
	return OK;
}

static err_t read_user(struct ctx *ctx, const struct json_value *user, struct member_wanted *wanted)
{
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct member_wanted, "user_id", account_id),
		JSON_FIELD_STR(struct member_wanted, "username", account_name, NAME_BYTES_MAX),
	};
	return user ? body_shape(ctx, user, fields, COUNT_OF(fields), wanted) : OK;
}

static err_t read_group(struct ctx *ctx, const struct json_value *group,
			struct member_wanted *wanted)
{
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct user_group, "id", id),
		JSON_FIELD_I64(struct user_group, "group_type", type),
		JSON_FIELD_STR(struct user_group, "group_name", name, NAME_BYTES_MAX),
		JSON_FIELD_STR(struct user_group, "ldap_group_dn", dn, NAME_BYTES_MAX),
	};
	if (!group)
		return OK;
	TRY(body_shape(ctx, group, fields, COUNT_OF(fields), &wanted->group));
	if (wanted->group.dn.len && !wanted->group.type)
		wanted->group.type = GROUP_LDAP;
	return OK;
}

static err_t read_new(struct ctx *ctx, const struct json_value *root, int64_t *ret_role_id,
		      struct member_wanted *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct member_body, "role_id", role_id),
		JSON_FIELD_OBJECT(struct member_body, "member_user", user),
		JSON_FIELD_OBJECT(struct member_body, "member_group", group),
	};
	struct member_body body = { 0 };
	struct member_wanted wanted = { 0 };
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &body));
	TRY(read_user(ctx, body.user, &wanted));
	TRY(read_group(ctx, body.group, &wanted));
	*ret_role_id = body.role_id;
	*ret = wanted;
	return OK;
}

static str role_json(struct ctx *ctx, str role_name, int64_t expires_at_us)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "role", role_name);
	json_write_time(&w, "expiry_time", expires_at_us);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

static struct audit_event *declare(struct request *rq, enum audit_type type,
				   const struct project_member *member)
{
	struct audit_event *event = audit_project(rq, type);
	event->resource = member->name;
	return event;
}

static err_t create_member(struct ctx *ctx, struct request *rq, bool ours)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct project_member member = { .project_id = rq->project_found.id };
	struct member_wanted wanted;
	struct role role;
	TRY(body_read(ctx, rq, &doc));
	TRY(read_new(ctx, doc.root, &member.role_id, &wanted));
	if (ours)
		TRY(read_expiry(ctx, doc.root, &member));
	TRY(may_give(ctx, rq, member.role_id, &role));
	err_t err = member_resolve(ctx, auth_of(rq), ctx->tenant_id, &wanted, &member);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such user or group") : err);
	declare(rq, AUDIT_CREATE_MEMBER, &member)->after =
		role_json(ctx, role.name, member.expires_at_us);
	err = member_add(ctx, auth_of(rq), &member);
	TRY(err == ERR_EXISTS ? fail(ctx, ERR_EXISTS, "is a member already") : err);
	return answer_created(rq, member.id);
}

static err_t update_member(struct ctx *ctx, struct request *rq, bool ours)
{
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct member_body, "role_id", role_id),
		JSON_FIELD_HAS(struct member_body, "expiry_time", has_expires_at),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct project_member member;
	struct role role;
	TRY(body_read(ctx, rq, &doc));
	TRY(find_member(ctx, rq, &member));
	struct member_body body = { .role_id = member.role_id };
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	TRY(may_take(ctx, rq, &member));
	TRY(may_give(ctx, rq, body.role_id, &role));
	struct audit_event *event = declare(rq, AUDIT_UPDATE_MEMBER, &member);
	event->before = role_json(ctx, member.role_name, member.expires_at_us);
	member.role_id = body.role_id;
	if (ours)
		TRY(read_expiry(ctx, doc.root, &member));
	event->after = role_json(ctx, role.name, member.expires_at_us);
	err_t err = member_change(ctx, auth_of(rq), &member);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such member") : err);
	return answer_empty(rq, 200);
}

err_t harbor_member_delete(struct ctx *ctx, struct request *rq)
{
	struct project_member member;
	TRY(find_member(ctx, rq, &member));
	TRY(may_take(ctx, rq, &member));
	declare(rq, AUDIT_DELETE_MEMBER, &member)->before =
		role_json(ctx, member.role_name, member.expires_at_us);
	err_t err = member_remove(ctx, auth_of(rq), &member);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such member") : err);
	return answer_empty(rq, 200);
}

/* --- both APIs -------------------------------------------------------------------------------- */

err_t harbor_member_list(struct ctx *ctx, struct request *rq)
{
	return list_members(ctx, rq, false);
}

err_t harbor_member_create(struct ctx *ctx, struct request *rq)
{
	return create_member(ctx, rq, false);
}

err_t harbor_member_get(struct ctx *ctx, struct request *rq)
{
	return get_member(ctx, rq, false);
}

err_t harbor_member_update(struct ctx *ctx, struct request *rq)
{
	return update_member(ctx, rq, false);
}

err_t berth_member_list(struct ctx *ctx, struct request *rq)
{
	return list_members(ctx, rq, true);
}

err_t berth_member_create(struct ctx *ctx, struct request *rq)
{
	return create_member(ctx, rq, true);
}

err_t berth_member_get(struct ctx *ctx, struct request *rq)
{
	return get_member(ctx, rq, true);
}

err_t berth_member_update(struct ctx *ctx, struct request *rq)
{
	return update_member(ctx, rq, true);
}
