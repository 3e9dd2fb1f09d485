/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_user.c - what our own API adds about people: blocks and rights that Harbor does not have,
 * their personal access tokens and their sessions.
 *
 * One's own are at /access-tokens and /sessions, anybody's at /users/{user}/…: there an
 * administrator can look and revoke. Nobody makes a token for somebody else, and a token makes no
 * tokens: who has stolen one that ends could keep himself one that does not.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "auth/access_token.h"
#include "auth/session.h"
#include "auth/user.h"
#include "base/clock.h"

#include "base/banned.h"

#define DAY_US		  INT64_C(86400000000)
#define LIFETIME_DAYS_MAX 36500

/* Whose things the path is about: somebody else's, or the asker's own. */
static err_t find_owner(struct ctx *ctx, struct request *rq, struct user *ret)
{
	int64_t id = rq->user_id;
	if (!id && rq->who.subject != SUBJECT_USER)
		return fail(ctx, ERR_PRECONDITION_FAILED, "whoever asks has no account");
	if (!id)
		id = rq->who.id;
	int64_t tenant_id = rq->user_id ? request_tenant(rq) : rq->who.tenant_id;
	err_t err = user_get(ctx, rq->api->options.auth, tenant_id, id, ret);
	if (err != ERR_ABSENT)
		return err;
	return rq->user_id ? fail(ctx, ERR_NOT_FOUND, "no such user")
			   : fail(ctx, ERR_PRECONDITION_FAILED, "whoever asks has no account");
}

static bool is_powerful(const struct user *user)
{
	return user->admin_elsewhere || (user->flags & (IDENTITY_ADMIN | IDENTITY_AUDITOR));
}

/* --- accounts ----------------------------------------------------------------------------------
 */

static void write_user(struct json_writer *w, const struct user *user)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", user->id);
	json_write_i64(w, "tenant_id", user->tenant_id);
	json_write_str(w, "name", user->name);
	json_write_str(w, "email", user->email);
	json_write_str(w, "real_name", user->realname);
	json_write_str(w, "comment", user->comment);
	json_write_str(w, "source", user->source);
	json_write_str(w, "issuer", user->issuer);
	json_write_bool(w, "disabled", user->disabled);
	json_write_bool(w, "system_admin", (user->flags & IDENTITY_ADMIN) != 0);
	json_write_bool(w, "system_admin_by_provider", user->admin_elsewhere);
	json_write_bool(w, "auditor", (user->flags & IDENTITY_AUDITOR) != 0);
	json_write_bool(w, "tenant_admin", (user->flags & IDENTITY_TENANT_ADMIN) != 0);
	json_write_time(w, "creation_time", user->created_at_us);
	json_write_time(w, "update_time", user->updated_at_us);
	json_write_object_end(w);
}

static str user_json(struct ctx *ctx, const struct user *user)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_user(&w, user);
	return arena_copy(ctx->arena, buf_str(&body));
}

err_t berth_user_get(struct ctx *ctx, struct request *rq)
{
	struct user user;
	TRY(find_owner(ctx, rq, &user));
	return answer_json(rq, 200, user_json(ctx, &user));
}

struct user_body {
	bool disabled, system_admin, auditor, tenant_admin;
};

static const struct {
	size_t offset; /* in struct user_body */
	unsigned flag;
	enum action needed;
} rights[] = {
	{ offsetof(struct user_body, system_admin), IDENTITY_ADMIN, ACTION_USER_ADMIN },
	{ offsetof(struct user_body, auditor), IDENTITY_AUDITOR, ACTION_USER_ADMIN },
	{ offsetof(struct user_body, tenant_admin), IDENTITY_TENANT_ADMIN, ACTION_TENANT_MANAGE },
};

static bool wants(const struct user_body *body, size_t right)
{
	return *(const bool *)((const char *)body + rights[right].offset);
}

static err_t set_rights(struct ctx *ctx, struct request *rq, struct user *user,
			const struct user_body *body)
{
	for (size_t i = 0; i < COUNT_OF(rights); i++) {
		bool has = (user->flags & rights[i].flag) != 0;
		if (wants(body, i) == has)
			continue;
		TRY(request_require(ctx, rq, rights[i].needed, 0));
		TRY(user_set_flag(ctx, rq->api->options.auth, user, rights[i].flag, !has));
		user->flags ^= rights[i].flag;
	}
	return OK;
}

static err_t set_disabled(struct ctx *ctx, struct request *rq, struct user *user, bool disabled)
{
	if (user->disabled == disabled)
		return OK;
	if (user->id == rq->who.id)
		return fail(ctx, ERR_DENIED, "nobody blocks himself");
	if (is_powerful(user))
		TRY(request_require(ctx, rq, ACTION_USER_ADMIN, 0));
	TRY(user_set_disabled(ctx, rq->api->options.auth, user, disabled));
	user->disabled = disabled;
	return OK;
}

/* Absent members stay as they are. */
err_t berth_user_update(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_BOOL(struct user_body, "disabled", disabled),
		JSON_FIELD_BOOL(struct user_body, "system_admin", system_admin),
		JSON_FIELD_BOOL(struct user_body, "auditor", auditor),
		JSON_FIELD_BOOL(struct user_body, "tenant_admin", tenant_admin),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct user user;
	TRY(find_owner(ctx, rq, &user));
	struct user_body body = { .disabled = user.disabled,
				  .system_admin = (user.flags & IDENTITY_ADMIN) != 0,
				  .auditor = (user.flags & IDENTITY_AUDITOR) != 0,
				  .tenant_admin = (user.flags & IDENTITY_TENANT_ADMIN) != 0 };
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_USER);
	event->tenant_id = user.tenant_id;
	event->resource = user.name;
	event->before = user_json(ctx, &user);
	struct user after = user;
	after.disabled = body.disabled;
	for (size_t i = 0; i < COUNT_OF(rights); i++)
		after.flags = wants(&body, i) ? after.flags | rights[i].flag
					      : after.flags & ~rights[i].flag;
	event->after = user_json(ctx, &after);
	TRY(set_rights(ctx, rq, &user, &body));
	TRY(set_disabled(ctx, rq, &user, body.disabled));
	TRY(find_owner(ctx, rq, &user)); /* a group may make him an administrator still */
	return answer_json(rq, 200, user_json(ctx, &user));
}

/* --- personal access tokens --------------------------------------------------------------------
 */

static void write_token(struct json_writer *w, const struct access_token_row *row, str token)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_str(w, "name", row->name);
	json_write_str(w, "hint", row->hint);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "expiration_time", row->expires_at_us);
	json_write_time(w, "used_time", row->used_at_us);
	if (token.len)
		json_write_str(w, "token", token);
	json_write_object_end(w);
}

err_t berth_token_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct user owner;
	TRY(list_begin(ctx, rq, &list));
	TRY(find_owner(ctx, rq, &owner));
	struct access_token_page page = { .account_id = owner.id,
					  .limit = list.page_size,
					  .offset = list.offset };
	TRY(access_token_list(ctx, rq->api->options.auth, &page));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < page.count; i++)
		write_token(&w, &page.rows[i], STR_NONE);
	json_write_array_end(&w);
	return list_answer(rq, &list, page.total, &body);
}

struct token_body {
	str name;
	int64_t lifetime_days;
};

static err_t read_token(struct ctx *ctx, struct request *rq, struct access_token_row *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct token_body, "name", name, ACCESS_TOKEN_NAME_MAX),
		JSON_FIELD_I64(struct token_body, "lifetime_days", lifetime_days),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct token_body body = { STR_NONE, 0 };
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	if (body.lifetime_days < 0 || body.lifetime_days > LIFETIME_DAYS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "lifetime_days is from 1 to %d, or 0 for ever", LIFETIME_DAYS_MAX);
	ret->name = arena_copy(ctx->arena, body.name);
	ret->expires_at_us = body.lifetime_days ? clock_wall_us() + body.lifetime_days * DAY_US : 0;
	return OK;
}

static void note_token(struct request *rq, enum audit_type type, const struct user *owner, str name)
{
	struct audit_event *event = audit_change(rq, type);
	event->tenant_id = owner->tenant_id;
	event->resource = arena_printf(rq->x->ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(owner->name),
				       STR_ARG(name));
}

err_t berth_token_create(struct ctx *ctx, struct request *rq)
{
	struct user owner;
	struct access_token_row row = { 0 };
	str token;
	TRY(find_owner(ctx, rq, &owner));
	if (rq->who.access_token_id)
		return fail(ctx, ERR_DENIED, "a token makes no tokens");
	TRY(read_token(ctx, rq, &row));
	row.account_id = owner.id;
	note_token(rq, AUDIT_CREATE_ACCESS_TOKEN, &owner, row.name);
	err_t err = access_token_create(ctx, rq->api->options.auth, &row, &token);
	if (err == ERR_LIMIT) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_REQUEST_INVALID, "there are %d tokens already",
			    ACCESS_TOKENS_MAX);
	}
	TRY(err);
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_token(&w, &row, token);
	exchange_header_printf(rq->x, STR("Location"), STR_FMT "/%lld", STR_ARG(rq->x->head->path),
			       (long long)row.id);
	exchange_header(rq->x, STR("Cache-Control"), STR("no-store"));
	return answer_json(rq, 201, buf_str(&body));
}

err_t berth_token_delete(struct ctx *ctx, struct request *rq)
{
	struct user owner;
	TRY(find_owner(ctx, rq, &owner));
	note_token(rq, AUDIT_DELETE_ACCESS_TOKEN, &owner,
		   arena_printf(ctx->arena, "%lld", (long long)rq->id));
	err_t err = access_token_delete(ctx, rq->api->options.auth, owner.id, rq->id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "no such token");
	TRY(err);
	return answer_empty(rq, 200);
}

/* --- sessions ----------------------------------------------------------------------------------
 */

static void write_session(struct json_writer *w, const struct session_row *row, int64_t own_id)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_bool(w, "current", row->id == own_id);
	json_write_str(w, "address", row->address);
	json_write_str(w, "user_agent", row->user_agent);
	json_write_i64(w, "provider_id", row->provider_id);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "used_time", row->touched_at_us);
	json_write_time(w, "expiration_time", row->expires_at_us);
	json_write_object_end(w);
}

err_t berth_session_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct user owner;
	TRY(list_begin(ctx, rq, &list));
	TRY(find_owner(ctx, rq, &owner));
	struct session_list found = { .account_id = owner.id,
				      .limit = list.page_size,
				      .offset = list.offset };
	TRY(session_list(ctx, rq->api->options.auth, &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < found.count; i++)
		write_session(&w, &found.rows[i], rq->who.session_id);
	json_write_array_end(&w);
	return list_answer(rq, &list, found.total, &body);
}

err_t berth_session_delete(struct ctx *ctx, struct request *rq)
{
	struct user owner;
	TRY(find_owner(ctx, rq, &owner));
	note_token(rq, AUDIT_REVOKE_TOKEN, &owner,
		   arena_printf(ctx->arena, "session %lld", (long long)rq->id));
	err_t err = session_delete(ctx, rq->api->options.auth, owner.id, rq->id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "no such session");
	TRY(err);
	return answer_empty(rq, 200);
}

/* All but the one that asks. */
err_t berth_session_delete_all(struct ctx *ctx, struct request *rq)
{
	struct user owner;
	TRY(find_owner(ctx, rq, &owner));
	note_token(rq, AUDIT_REVOKE_TOKEN, &owner, STR("sessions"));
	TRY(session_delete_all(ctx, rq->api->options.auth, owner.id, rq->who.session_id));
	return answer_empty(rq, 200);
}
