/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_user.c - accounts, as Harbor's API has them.
 *
 * The account `admin` is in no list, as in Harbor, and can be asked for by its id. Who is no system
 * administrator changes nobody who has rights over the whole system but himself.
 */
#include "api/audit.h"
#include "api/browser.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "api/tenant.h"
#include "auth/access_token.h"
#include "auth/user.h"

#include <string.h>

#include "base/banned.h"

#define REALNAME_FORBIDDEN ",~#$%"
#define PASSWORD_BYTES	   1024

static bool is_self(const struct request *rq)
{
	return rq->who.subject == SUBJECT_USER && rq->who.id && rq->who.id == rq->user_id;
}

static err_t find_user(struct ctx *ctx, struct request *rq, struct user *ret)
{
	err_t err = user_get(ctx, rq->api->options.auth, request_tenant(rq), rq->user_id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such user") : err;
}

/* The one whom the path names, to be changed. */
static err_t find_for_change(struct ctx *ctx, struct request *rq, struct user *ret)
{
	TRY(find_user(ctx, rq, ret));
	bool is_powerful =
		ret->admin_elsewhere || (ret->flags & (IDENTITY_ADMIN | IDENTITY_AUDITOR));
	if (is_powerful && !is_self(rq) && !(rq->who.flags & IDENTITY_ADMIN))
		return fail(ctx, ERR_DENIED, "has rights over the whole system");
	return OK;
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void write_oidc_meta(struct json_writer *w, const struct user *user)
{
	json_write_object_begin(w, "oidc_user_meta");
	json_write_i64(w, "id", user->id);
	json_write_i64(w, "user_id", user->id);
	char subiss[512];
	size_t len = 0;
	for (size_t i = 0; i < user->subject.len && len < sizeof subiss; i++)
		subiss[len++] = user->subject.ptr[i];
	for (size_t i = 0; i < user->issuer.len && len < sizeof subiss; i++)
		subiss[len++] = user->issuer.ptr[i];
	json_write_str(w, "subiss", (str){ subiss, len });
	json_write_time(w, "creation_time", user->created_at_us);
	json_write_time(w, "update_time", user->updated_at_us);
	json_write_object_end(w);
}

static void write_user(struct json_writer *w, const struct user *user, bool himself)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "user_id", user->id);
	json_write_str(w, "username", user->name);
	json_write_str(w, "email", user->email);
	json_write_str(w, "realname", user->realname);
	json_write_str(w, "comment", user->comment);
	json_write_bool(w, "sysadmin_flag", (user->flags & IDENTITY_ADMIN) != 0);
	json_write_bool(w, "admin_role_in_auth", himself && user->admin_elsewhere);
	if (str_eq(user->source, STR("oidc")))
		write_oidc_meta(w, user);
	json_write_time(w, "creation_time", user->created_at_us);
	json_write_time(w, "update_time", user->updated_at_us);
	json_write_object_end(w);
}

static err_t answer_user(struct ctx *ctx, struct request *rq, const struct user *user)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_user(&w, user, rq->who.subject == SUBJECT_USER && rq->who.id == user->id);
	return answer_object(ctx, rq, &body);
}

static str user_json(struct ctx *ctx, const struct user *user)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_user(&w, user, false);
	return arena_copy(ctx->arena, buf_str(&body));
}

static struct audit_event *note_change(struct ctx *ctx, struct request *rq, enum audit_type type,
				       const struct user *user)
{
	struct audit_event *event = audit_change(rq, type);
	event->tenant_id = user->tenant_id;
	event->resource = user->name;
	event->before = user_json(ctx, user);
	return event;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* A filter of `q` or, as Harbor takes it too, a parameter of its own that means "contains". */
static void read_filter(struct ctx *ctx, struct request *rq, const struct list *list,
			const char *key, str *ret_exact, str *ret_like)
{
	str asked = request_query(rq, str_from(key));
	str text = list_text(list, key);
	if (asked.len || list_is_fuzzy(list, key))
		*ret_like = like_pattern(ctx->arena, asked.len ? asked : text);
	else
		*ret_exact = text;
}

static err_t answer_users(struct request *rq, const struct list *list,
			  const struct user_query *query,
			  void (*write)(struct json_writer *w, const struct user *user))
{
	struct ctx *ctx = rq->x->ctx;
	struct user *users;
	size_t count;
	int64_t total;
	TRY(user_list(ctx, rq->api->options.auth, query, &users, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write(&w, &users[i]);
	json_write_array_end(&w);
	return list_answer(rq, list, total, &body);
}

static void write_whole(struct json_writer *w, const struct user *user)
{
	write_user(w, user, false);
}

err_t harbor_user_list(struct ctx *ctx, struct request *rq)
{
	static const char *const columns[] = { "user_id", "username", "email", "creation_time" };
	static const enum user_sort sorts[] = { USER_BY_ID, USER_BY_NAME, USER_BY_EMAIL,
						USER_BY_CREATION };
	struct list list;
	TRY(list_begin(ctx, rq, &list));
	struct user_query query = { .tenant_id = request_tenant(rq),
				    .except = STR(AUTH_ADMIN),
				    .limit = list.page_size,
				    .offset = list.offset };
	query.sort = sorts[list_sort(&list, columns, COUNT_OF(columns), 1, &query.descending)];
	read_filter(ctx, rq, &list, "username", &query.name, &query.name_like);
	read_filter(ctx, rq, &list, "email", &query.email, &query.email_like);
	return answer_users(rq, &list, &query, write_whole);
}

static void write_found(struct json_writer *w, const struct user *user)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "user_id", user->id);
	json_write_str(w, "username", user->name);
	json_write_object_end(w);
}

err_t harbor_user_search(struct ctx *ctx, struct request *rq)
{
	struct list list;
	str name = request_query(rq, STR("username"));
	TRY(list_begin(ctx, rq, &list));
	if (!name.len)
		return fail(ctx, ERR_UNPROCESSABLE, "username is required");
	const struct user_query query = { .tenant_id = request_tenant(rq),
					  .except = STR(AUTH_ADMIN),
					  .name_like = like_pattern(ctx->arena, name),
					  .sort = USER_NEAREST,
					  .limit = list.page_size,
					  .offset = list.offset };
	return answer_users(rq, &list, &query, write_found);
}

err_t harbor_user_get(struct ctx *ctx, struct request *rq)
{
	struct user user;
	TRY(find_user(ctx, rq, &user));
	return answer_user(ctx, rq, &user);
}

/* Robots, and people whom only their provider knows, have no account. */
err_t harbor_user_current(struct ctx *ctx, struct request *rq)
{
	struct user user;
	if (rq->who.subject != SUBJECT_USER || !rq->who.id)
		return fail(ctx, ERR_PRECONDITION_FAILED, "whoever asks has no account");
	TRY(user_get(ctx, rq->api->options.auth, rq->who.tenant_id, rq->who.id, &user));
	return answer_user(ctx, rq, &user);
}

/* --- making ------------------------------------------------------------------------------------
 */

static err_t check_profile(struct ctx *ctx, str email, str realname)
{
	if (!email.len)
		return fail(ctx, ERR_REQUEST_INVALID, "email is empty");
	if (!realname.len)
		return fail(ctx, ERR_REQUEST_INVALID, "realname is empty");
	for (size_t i = 0; i < realname.len; i++)
		if (strchr(REALNAME_FORBIDDEN, realname.ptr[i]))
			return fail(ctx, ERR_REQUEST_INVALID, "realname contains one of %s",
				    REALNAME_FORBIDDEN);
	return OK;
}

/* Administrators, and where the setting says so strangers: from a page of ours only. */
static err_t may_create(struct ctx *ctx, struct request *rq)
{
	struct decision decision;
	TRY(request_may(ctx, rq, ACTION_USER_CREATE, STR_NONE, &decision));
	if (decision.allowed)
		return OK;
	if (!tenant_is_open(rq))
		return request_refuse(ctx, rq, &decision);
	if (!browser_proves_page(ctx, rq))
		return fail(ctx, ERR_DENIED, "self-registration is for browsers");
	return OK;
}

err_t harbor_user_create(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct user_new, "username", name, USER_NAME_BYTES_MAX),
		JSON_FIELD_STR(struct user_new, "password", password, PASSWORD_BYTES),
		JSON_FIELD_STR(struct user_new, "email", email, USER_EMAIL_BYTES_MAX),
		JSON_FIELD_STR(struct user_new, "realname", realname, USER_REALNAME_BYTES_MAX),
		JSON_FIELD_STR(struct user_new, "comment", comment, USER_COMMENT_BYTES_MAX),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct user_new from = { .tenant_id = request_tenant(rq) };
	int64_t id;
	TRY(may_create(ctx, rq));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &from));
	TRY(check_profile(ctx, from.email, from.realname));
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_USER);
	event->resource = arena_copy(ctx->arena, from.name);
	TRY(user_create(ctx, rq->api->options.auth, &from, &id));
	return answer_created(rq, id);
}

/* --- changing ----------------------------------------------------------------------------------
 */

err_t harbor_user_update(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct user, "email", email, USER_EMAIL_BYTES_MAX),
		JSON_FIELD_STR(struct user, "realname", realname, USER_REALNAME_BYTES_MAX),
		JSON_FIELD_STR(struct user, "comment", comment, USER_COMMENT_BYTES_MAX),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct user user;
	TRY(find_for_change(ctx, rq, &user));
	struct audit_event *event = note_change(ctx, rq, AUDIT_UPDATE_USER, &user);
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &user));
	TRY(check_profile(ctx, user.email, user.realname));
	event->after = user_json(ctx, &user);
	err_t err = user_update(ctx, rq->api->options.auth, &user);
	if (err == ERR_EXISTS) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_REQUEST_INVALID, "somebody else has this e-mail address");
	}
	TRY(err);
	return answer_empty(rq, 200);
}

err_t harbor_user_delete(struct ctx *ctx, struct request *rq)
{
	struct user user;
	TRY(find_for_change(ctx, rq, &user));
	if (is_self(rq) || str_eq(user.name, STR(AUTH_ADMIN)))
		return fail(ctx, ERR_DENIED, "this account cannot be deleted");
	note_change(ctx, rq, AUDIT_DELETE_USER, &user);
	TRY(user_delete(ctx, rq->api->options.auth, &user));
	return answer_empty(rq, 200);
}

err_t harbor_user_sysadmin(struct ctx *ctx, struct request *rq)
{
	struct flag {
		bool value;
	} flag = { false };
	static const struct json_field fields[] = {
		JSON_FIELD_BOOL(struct flag, "sysadmin_flag", value),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct user user;
	TRY(find_user(ctx, rq, &user));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &flag));
	struct audit_event *event = note_change(ctx, rq, AUDIT_UPDATE_USER, &user);
	user.flags = flag.value ? user.flags | IDENTITY_ADMIN : user.flags & ~IDENTITY_ADMIN;
	event->after = user_json(ctx, &user);
	TRY(user_set_flag(ctx, rq->api->options.auth, &user, IDENTITY_ADMIN, flag.value));
	return answer_empty(rq, 200);
}

struct password_body {
	str old_password, new_password;
};

/* Whoever changes his own has to know the one he has, whatever let him in. */
static err_t check_old(struct ctx *ctx, struct request *rq, const struct user *user, str password)
{
	if (!is_self(rq))
		return OK;
	err_t err = user_check_password(ctx, rq->api->options.auth, user, password, rq->x->peer);
	if (err != ERR_UNAUTHORIZED)
		return err;
	ctx_forgive(ctx);
	return fail(ctx, ERR_DENIED, "the current password is another");
}

static err_t check_is_new(struct ctx *ctx, struct request *rq, const struct user *user,
			  str password)
{
	err_t err = user_check_password(ctx, rq->api->options.auth, user, password, STR_NONE);
	if (err == OK)
		return fail(ctx, ERR_REQUEST_INVALID, "the new password is the old one");
	if (err != ERR_UNAUTHORIZED)
		return err;
	ctx_forgive(ctx);
	return OK;
}

err_t harbor_user_password(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct password_body, "old_password", old_password, PASSWORD_BYTES),
		JSON_FIELD_STR(struct password_body, "new_password", new_password, PASSWORD_BYTES),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct password_body body = { STR_NONE, STR_NONE };
	struct user user;
	TRY(find_for_change(ctx, rq, &user));
	if (!str_eq(user.source, STR("local")))
		return fail(ctx, ERR_DENIED, "has no password here");
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	TRY(check_old(ctx, rq, &user, body.old_password));
	TRY(user_check_new_password(ctx, body.new_password));
	TRY(check_is_new(ctx, rq, &user, body.new_password));
	struct audit_event *event = note_change(ctx, rq, AUDIT_UPDATE_USER, &user);
	event->after = STR("{\"password\":\"changed\"}");
	TRY(user_set_password(ctx, rq->api->options.auth, &user, body.new_password,
			      is_self(rq) ? rq->who.session_id : 0));
	return answer_empty(rq, 200);
}

err_t harbor_user_cli_secret(struct ctx *ctx, struct request *rq)
{
	struct secret {
		str value;
	} secret = { STR_NONE };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct secret, "secret", value, PASSWORD_BYTES),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct user user;
	str kept;
	TRY(find_for_change(ctx, rq, &user));
	if (!str_eq(user.source, STR("oidc")))
		return fail(ctx, ERR_PRECONDITION_FAILED, "is known by no OIDC provider");
	if (rq->who.access_token_id)
		return fail(ctx, ERR_DENIED, "a token makes no tokens");
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &secret));
	TRY(user_check_new_password(ctx, secret.value));
	struct audit_event *event = note_change(ctx, rq, AUDIT_CREATE_ACCESS_TOKEN, &user);
	event->before = STR_NONE;
	TRY(access_token_set_cli(ctx, rq->api->options.auth, user.id, secret.value, &kept));
	return answer_empty(rq, 200);
}
