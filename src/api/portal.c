/* SPDX-License-Identifier: Apache-2.0 */
/* portal.c - logging in and out with a name and a password, in a browser. See portal.h. */
#include "api/portal.h"
#include "api/audit.h"
#include "api/browser.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "api/tenant.h"
#include "auth/outside.h"
#include "auth/user.h"
#include "codec/form.h"

#include "base/banned.h"

err_t portal_redirect(struct request *rq, str location)
{
	exchange_header(rq->x, STR("Location"), location);
	exchange_header(rq->x, STR("Cache-Control"), STR("no-store"));
	return answer_empty(rq, 302);
}

/* The one before ends: nobody is left behind who looks logged in. */
static err_t end_last(struct ctx *ctx, struct request *rq)
{
	struct session_ended last;
	str secret = browser_session(rq);
	err_t err = ERR_ABSENT;
	if (secret.len)
		err = session_end(ctx, rq->api->options.auth, secret, &last);
	return err == ERR_ABSENT ? OK : err;
}

err_t portal_log_in(struct ctx *ctx, struct request *rq, struct session_new *from)
{
	str secret;
	from->address = rq->x->peer;
	from->user_agent = request_header(rq, STR("User-Agent"));
	TRY(end_last(ctx, rq));
	rq->who = *from->who;
	TRY(tenant_settle(ctx, rq));
	TRY(tenant_check_suspended(ctx, rq));
	struct audit_event *event = audit_change(rq, AUDIT_LOGIN_USER);
	event->resource = from->who->name;
	TRY(session_create(ctx, rq->api->options.auth, from, &secret));
	browser_set_session(rq, secret);
	return OK;
}

/* --- name and password -------------------------------------------------------------------------
 */

static str form_value(struct ctx *ctx, str body, const char *name)
{
	str value;
	return form_get(ctx->arena, body, str_from(name), &value) ? value : STR_NONE;
}

/* Where Harbor's portal sends people whose password is not for this page; empty: nowhere. */
static err_t login_elsewhere(struct ctx *ctx, struct request *rq, str *ret_location)
{
	const struct identity_providers *providers =
		&auth_outside(rq->api->options.auth)->providers;
	struct identity_provider *list;
	size_t count;
	TRY(identity_provider_list(ctx, providers, ctx->tenant_id, true, &list, &count));
	bool oidc = str_eq(str_from(identity_provider_auth_mode(list, count)), STR("oidc_auth"));
	*ret_location = STR_NONE;
	if (oidc)
		*ret_location = arena_printf(ctx->arena, STR_FMT "/c/oidc/login",
					     STR_ARG(request_base_url(rq)));
	return OK;
}

static err_t answer_elsewhere(struct request *rq, str location)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "redirect_location", location);
	json_write_object_end(&w);
	return answer_json(rq, 403, buf_str(&body));
}

/*
 * The same for a name that is nobody's, that an OIDC provider knows, and that has another password:
 * Harbor tells local accounts apart here, which also tells who has one.
 */
static err_t refuse(struct ctx *ctx, struct request *rq)
{
	str location;
	struct failure why = ctx->failure;
	ctx_forgive(ctx);
	TRY(login_elsewhere(ctx, rq, &location));
	if (location.len)
		TRY(answer_elsewhere(rq, location));
	return fail(ctx, ERR_UNAUTHORIZED, "%s", why.detail);
}

err_t portal_login(struct ctx *ctx, struct request *rq)
{
	str body;
	struct identity who;
	TRY(exchange_read_all(rq->x, rq->route->body_max_bytes, &body));
	const struct login login = { form_value(ctx, body, "principal"),
				     form_value(ctx, body, "password"), rq->x->peer };
	rq->claimed = login.user;
	err_t err = auth_check_password(ctx, rq->api->options.auth, &login, &who);
	if (err == OK && who.access_token_id)
		err = fail(ctx, ERR_UNAUTHORIZED, "a personal access token is for programs");
	if (err == ERR_UNAUTHORIZED)
		return refuse(ctx, rq);
	TRY(err);
	struct session_new from = { .who = &who };
	TRY(portal_log_in(ctx, rq, &from));
	return answer_empty(rq, 200);
}

err_t portal_log_out(struct ctx *ctx, struct request *rq)
{
	struct auth *auth = rq->api->options.auth;
	str secret = browser_session(rq);
	struct session_ended ended;
	int64_t provider_id = 0;
	if (!rq->who.session_id)
		return answer_empty(rq, 200);
	err_t err = session_provider(ctx, auth, secret, &provider_id);
	if (err == OK && provider_id) /* his session there has to end as well */
		return answer_elsewhere(rq, arena_printf(ctx->arena, STR_FMT "/c/oidc/logout",
							 STR_ARG(request_base_url(rq))));
	audit_change(rq, AUDIT_LOGOUT_USER)->resource = rq->who.name;
	err = session_end(ctx, auth, secret, &ended);
	if (err != OK && err != ERR_ABSENT)
		return err;
	browser_end_session(rq);
	return answer_empty(rq, 200);
}

/* For the page where people register themselves, so it is open where that is. */
err_t portal_user_exists(struct ctx *ctx, struct request *rq)
{
	str body;
	struct user *users;
	size_t count = 0;
	int64_t total;
	bool may = rq->who.flags & IDENTITY_ADMIN && !rq->who.by_token;
	TRY(tenant_check_suspended(ctx, rq));
	if (!may && !tenant_is_open(rq))
		return fail(ctx, ERR_PRECONDITION_FAILED, "self-registration is off");
	TRY(exchange_read_all(rq->x, rq->route->body_max_bytes, &body));
	str target = form_value(ctx, body, "target"), value = form_value(ctx, body, "value");
	struct user_query query = { .tenant_id = request_tenant(rq), .limit = 1 };
	if (str_eq(target, STR("username")))
		query.name = value;
	else if (str_eq(target, STR("email")))
		query.email = value;
	if (query.name.len || query.email.len)
		TRY(user_list(ctx, rq->api->options.auth, &query, &users, &count, &total));
	return answer_json(rq, 200, count ? STR("true") : STR("false"));
}
