/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portal_oidc.c - logging in and out with OpenID Connect, in a browser (auth/oidc.h).
 *
 * Between the steps nothing is kept here but two sealed cookies under /c/oidc: one ties a login to
 * the browser that began it, the other holds who has logged in and still has to choose a name.
 *
 * There may be several providers, and others for each tenant: `provider` (its name) and, on a host
 * of no tenant, `tenant_id` say which; without them it is the first one of the tenant.
 */
#include "api/audit.h"
#include "api/browser.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "api/portal.h"
#include "auth/outside.h"
#include "auth/user.h"
#include "codec/form.h"
#include "codec/url.h"

#include "base/banned.h"

#define LOGIN_COOKIE	"oidc_login"
#define PERSON_COOKIE	"oidc_person"
#define COOKIE_PATH	"/c/oidc"
#define AFTER_LOGOUT	"/account/sign-in"
#define LOCATION_MAX	KIB(8)
#define PERSON_LIFETIME OIDC_LOGIN_LIFETIME_S

static struct outside *outside_of(const struct request *rq)
{
	return auth_outside(rq->api->options.auth);
}

static str callback_url(struct ctx *ctx, struct request *rq)
{
	return arena_printf(ctx->arena, STR_FMT "/c/oidc/callback", STR_ARG(request_base_url(rq)));
}

/* On a tenant's host nobody comes in by another tenant's provider, nor with a cookie of its. */
static err_t check_host(struct ctx *ctx, int64_t tenant_id)
{
	if (ctx->tenant_fixed && tenant_id != ctx->tenant_id)
		return fail(ctx, ERR_PRECONDITION_FAILED, "another tenant's host");
	return OK;
}

static err_t tenant_asked(struct ctx *ctx, struct request *rq, int64_t *ret)
{
	TRY(query_i64(ctx, rq, STR("tenant_id"), ctx->tenant_id, ret));
	return check_host(ctx, *ret);
}

static err_t take_turn(struct ctx *ctx, struct request *rq,
		       const struct identity_provider *provider, struct turn *ret)
{
	const struct asked asked = { provider->tenant_id, provider->id };
	return turn_take(ctx, &outside_of(rq)->turns, asked, ret);
}

static err_t list_providers(struct ctx *ctx, struct request *rq, int64_t tenant_id,
			    struct identity_provider **ret, size_t *ret_count)
{
	return identity_provider_list(ctx, &outside_of(rq)->providers, tenant_id, true, ret,
				      ret_count);
}

static err_t choose_provider(struct ctx *ctx, struct request *rq, struct identity_provider *ret)
{
	struct identity_provider *list;
	size_t count;
	int64_t tenant_id;
	str name = request_query(rq, STR("provider"));
	TRY(tenant_asked(ctx, rq, &tenant_id));
	TRY(list_providers(ctx, rq, tenant_id, &list, &count));
	for (size_t i = 0; i < count; i++)
		if (list[i].kind == PROVIDER_OIDC && (!name.len || str_eq(name, list[i].name))) {
			*ret = list[i];
			return OK;
		}
	return fail(ctx, ERR_PRECONDITION_FAILED, "no such OIDC provider is configured");
}

/* The one a cookie names: it may have been removed, or switched off, since. */
static err_t find_provider(struct ctx *ctx, struct request *rq, int64_t tenant_id, int64_t id,
			   struct identity_provider *ret)
{
	TRY(check_host(ctx, tenant_id));
	err_t err = identity_provider_find(ctx, &outside_of(rq)->providers, tenant_id, id, ret);
	if (err == ERR_ABSENT || (err == OK && (!ret->enabled || ret->kind != PROVIDER_OIDC)))
		return fail(ctx, ERR_PRECONDITION_FAILED, "the OIDC provider is gone");
	return err;
}

/* What a login page offers. */
err_t portal_oidc_providers(struct ctx *ctx, struct request *rq)
{
	struct identity_provider *list;
	size_t count;
	int64_t tenant_id;
	TRY(tenant_asked(ctx, rq, &tenant_id));
	TRY(list_providers(ctx, rq, tenant_id, &list, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++) {
		if (list[i].kind != PROVIDER_OIDC)
			continue;
		str shown = provider_text(&list[i], PROVIDER_OIDC_NAME);
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "name", list[i].name);
		json_write_str(&w, "display_name", shown.len ? shown : list[i].name);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- in ----------------------------------------------------------------------------------------
 */

err_t portal_oidc_login(struct ctx *ctx, struct request *rq)
{
	struct identity_provider provider;
	str location, cookie;
	TRY(choose_provider(ctx, rq, &provider));
	CLEANUP(turn_done) struct turn turn = TURN_INIT;
	TRY(take_turn(ctx, rq, &provider, &turn));
	TRY(oidc_begin(ctx, outside_of(rq)->oidc, &provider, callback_url(ctx, rq),
		       request_query(rq, STR("redirect_url")), &location, &cookie));
	browser_set_cookie(rq, LOGIN_COOKIE, cookie, COOKIE_PATH, OIDC_LOGIN_LIFETIME_S);
	return portal_redirect(rq, location);
}

static err_t let_in(struct ctx *ctx, struct request *rq, const struct oidc_person *person,
		    const struct identity *who)
{
	struct session_new from = { .who = who,
				    .provider_id = person->user.provider_id,
				    .provider_session = person->session_id,
				    .id_token = person->id_token };
	return portal_log_in(ctx, rq, &from);
}

static err_t ask_for_name(struct ctx *ctx, struct request *rq, const struct oidc_person *person,
			  str redirect_url)
{
	str cookie;
	TRY(oidc_seal_person(ctx, outside_of(rq)->oidc, person, redirect_url, &cookie));
	browser_set_cookie(rq, PERSON_COOKIE, cookie, COOKIE_PATH, PERSON_LIFETIME);
	CLEANUP(buf_done) struct buf location = BUF_INIT(LOCATION_MAX);
	buf_add(&location, STR("/oidc-onboard?username="));
	url_encode(&location, person->user.name);
	buf_add(&location, STR("&redirect_url="));
	url_encode(&location, redirect_url);
	if (buf_overrun(&location))
		return fail(ctx, ERR_LIMIT, "name and path are too long for an address");
	return portal_redirect(rq, buf_str(&location));
}

static err_t finish_login(struct ctx *ctx, struct request *rq, const struct oidc_login *login,
			  struct oidc_person *ret)
{
	const struct oidc_callback callback = {
		.state = request_query(rq, STR("state")),
		.code = request_query(rq, STR("code")),
		.error = request_query(rq, STR("error")),
		.error_description = request_query(rq, STR("error_description")),
		.issuer = request_query(rq, STR("iss")),
	};
	struct identity_provider provider;
	TRY(find_provider(ctx, rq, login->tenant_id, login->provider_id, &provider));
	CLEANUP(turn_done) struct turn turn = TURN_INIT;
	TRY(take_turn(ctx, rq, &provider, &turn));
	return oidc_finish(ctx, outside_of(rq)->oidc, &provider, callback_url(ctx, rq), login,
			   &callback, ret);
}

err_t portal_oidc_callback(struct ctx *ctx, struct request *rq)
{
	struct oidc_login login;
	struct oidc_person person;
	struct identity who;
	TRY(oidc_read_login(ctx, outside_of(rq)->oidc, browser_cookie(rq, LOGIN_COOKIE), &login));
	browser_set_cookie(rq, LOGIN_COOKIE, STR_NONE, COOKIE_PATH, 0); /* for one attempt */
	TRY(finish_login(ctx, rq, &login, &person));
	rq->claimed = person.user.name;
	err_t err = user_onboard(ctx, rq->api->options.auth, &person.user, &who);
	if (err == ERR_ABSENT)
		return ask_for_name(ctx, rq, &person, login.redirect_url);
	TRY(err);
	TRY(let_in(ctx, rq, &person, &who));
	return portal_redirect(rq, login.redirect_url.len ? login.redirect_url : STR("/"));
}

/* {"username": …}: the name he chose. */
err_t portal_oidc_onboard(struct ctx *ctx, struct request *rq)
{
	struct name {
		str value;
	} name = { STR_NONE };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct name, "username", value, USER_NAME_BYTES_MAX),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct oidc_person person;
	struct identity_provider provider;
	struct identity who;
	str redirect_url;
	TRY(oidc_open_person(ctx, outside_of(rq)->oidc, browser_cookie(rq, PERSON_COOKIE), &person,
			     &redirect_url));
	TRY(find_provider(ctx, rq, person.user.tenant_id, person.user.provider_id, &provider));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &name));
	str chosen = arena_copy(ctx->arena, name.value);
	TRY(user_onboard_as(ctx, rq->api->options.auth, &person.user, chosen, &who));
	TRY(let_in(ctx, rq, &person, &who));
	browser_set_cookie(rq, PERSON_COOKIE, STR_NONE, COOKIE_PATH, 0);
	return answer_empty(rq, 200);
}

/* --- out ---------------------------------------------------------------------------------------
 */

/* Where to send him so that his session there ends too; else to our own page. */
static str logout_location(struct ctx *ctx, struct request *rq, const struct session_ended *ended)
{
	struct identity_provider provider;
	str location = STR_NONE;
	str back = arena_printf(ctx->arena, STR_FMT AFTER_LOGOUT, STR_ARG(request_base_url(rq)));
	CLEANUP(turn_done) struct turn turn = TURN_INIT;
	err_t err = find_provider(ctx, rq, request_tenant(rq), ended->provider_id, &provider);
	if (err == OK)
		err = take_turn(ctx, rq, &provider, &turn);
	if (err == OK)
		err = oidc_logout_url(ctx, outside_of(rq)->oidc, &provider, ended->id_token, back,
				      &location);
	if (err != OK) /* a lost provider keeps nobody logged in here */
		ctx_forgive(ctx);
	return location.len ? location : STR(AFTER_LOGOUT);
}

err_t portal_oidc_logout(struct ctx *ctx, struct request *rq)
{
	struct session_ended ended = { 0 };
	err_t err = ERR_ABSENT;
	if (rq->who.session_id) {
		audit_change(rq, AUDIT_LOGOUT_USER)->resource = rq->who.name;
		err = session_end(ctx, rq->api->options.auth, browser_session(rq), &ended);
	}
	if (err != OK && err != ERR_ABSENT)
		return err;
	browser_end_session(rq);
	if (!ended.provider_id)
		return portal_redirect(rq, STR(AFTER_LOGOUT));
	return portal_redirect(rq, logout_location(ctx, rq, &ended));
}

/*
 * OpenID Connect Back-Channel Logout 1.0: the provider itself says that somebody is out. No cookie
 * and no token of ours: its signature is the proof.
 */
err_t portal_oidc_backchannel(struct ctx *ctx, struct request *rq)
{
	struct identity_provider *list;
	struct oidc_logout logout;
	str body, token;
	size_t count;
	int64_t tenant_id;
	exchange_header(rq->x, STR("Cache-Control"), STR("no-store"));
	rq->keep_headers = true;
	TRY(exchange_read_all(rq->x, rq->route->body_max_bytes, &body));
	if (!form_get(ctx->arena, body, STR("logout_token"), &token))
		return fail(ctx, ERR_REQUEST_INVALID, "no logout_token");
	TRY(tenant_asked(ctx, rq, &tenant_id));
	TRY(list_providers(ctx, rq, tenant_id, &list, &count));
	CLEANUP(turn_done) struct turn turn = TURN_INIT;
	TRY(turn_take(ctx, &outside_of(rq)->turns, (struct asked){ tenant_id, 0 }, &turn));
	TRY(oidc_check_logout(ctx, outside_of(rq)->oidc, list, count, token, &logout));
	struct audit_event *event = audit_change(rq, AUDIT_LOGOUT_USER);
	event->resource = logout.subject.len ? logout.subject : logout.session_id;
	event->issuer = logout.issuer;
	const struct session_elsewhere which = { .provider_id = logout.provider_id,
						 .session = logout.session_id,
						 .subject = logout.subject,
						 .issuer = logout.issuer };
	TRY(session_delete_elsewhere(ctx, rq->api->options.auth, &which));
	return answer_empty(rq, 200);
}
