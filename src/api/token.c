/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c - the token service: credentials in, a short-lived bearer token out (docker's token
 * protocol by GET, its OAuth2 form by POST).
 *
 * Fewer rights than asked is not an error: the answer is a token for what is allowed.
 */
#include "api/binding_json.h"
#include "api/handlers.h"
#include "api/oauth.h"
#include "auth/workload.h"
#include "api/rate.h"
#include "api/tenant.h"
#include "base/clock.h"
#include "codec/form.h"
#include "codec/json_writer.h"
#include "codec/scope.h"

#include "base/banned.h"

#define SCOPES_MAX     32
#define TOKEN_BODY_MAX KIB(64)

#define TOKEN_EXCHANGE STR("urn:ietf:params:oauth:grant-type:token-exchange")
#define TOKEN_TYPE     "urn:ietf:params:oauth:token-type:"

struct token_request {
	struct grant *grants; /* SCOPES_MAX, in the arena */
	size_t grant_count;
	bool offline;
	str refresh_token; /* echoed by the refresh grant */
	bool exchanged;	   /* the answer is RFC 8693's */
};

/* "host:5000/lib/app" and "app" mean "lib/app" and "library/app" here. */
static str canonical_name(struct arena *arena, str name)
{
	str host, rest;
	if (str_cut(name, '/', &host, &rest) && str_has_byte(host, ':'))
		name = rest;
	return str_has_byte(name, '/') ? name
				       : arena_printf(arena, "library/" STR_FMT, STR_ARG(name));
}

/* About a repository, or, without a place, about the registry. */
static err_t add_if_allowed(struct ctx *ctx, struct request *rq, enum action action,
			    const struct repository_place *place, struct grant *grant)
{
	struct decision decision;
	const struct asked_place at = { grant->name, *place };
	if (place->name.len)
		TRY(request_may_at(ctx, rq, action, &at, &decision));
	else
		TRY(request_may(ctx, rq, action, STR_NONE, &decision));
	if (!decision.allowed)
		return OK;
	grant->actions |= action_scope_bit(action);
	grant->project_id = place->project_id;
	if (decision.by_name)
		grant->inside = access_name_inside(place->name);
	return OK;
}

static err_t decide_repository(struct ctx *ctx, struct request *rq, const struct scope *scope,
			       struct grant *grant)
{
	static const struct {
		unsigned asked;
		enum action action;
	} actions[] = {
		{ SCOPE_PULL | SCOPE_ALL, ACTION_REPOSITORY_PULL },
		{ SCOPE_PUSH | SCOPE_ALL, ACTION_REPOSITORY_PUSH },
		{ SCOPE_DELETE | SCOPE_ALL, ACTION_REPOSITORY_DELETE },
	};
	grant->name = canonical_name(ctx->arena, scope->name);
	if (!reference_is_repository(grant->name))
		return OK;
	struct repository_place place;
	TRY(repository_place(ctx, rq->api->options.registry, grant->name, &place));
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (scope->actions & actions[i].asked)
			TRY(add_if_allowed(ctx, rq, actions[i].action, &place, grant));
	return OK;
}

static err_t decide_scope(struct ctx *ctx, struct request *rq, str text, struct token_request *tr)
{
	struct scope scope;
	if (!scope_parse(text, &scope) || tr->grant_count == SCOPES_MAX)
		return OK; /* not granted, which is no error */
	const struct repository_place nowhere = { 0 };
	struct grant grant = { .type = scope.type, .name = scope.name };
	if (str_eq(scope.type, STR("repository")))
		TRY(decide_repository(ctx, rq, &scope, &grant));
	else if (str_eq(scope.type, STR("registry")) && str_eq(scope.name, STR("catalog")))
		TRY(add_if_allowed(ctx, rq, ACTION_CATALOG_LIST, &nowhere, &grant));
	if (grant.actions)
		tr->grants[tr->grant_count++] = grant;
	return OK;
}

static err_t decide_scopes(struct ctx *ctx, struct request *rq, str list, struct token_request *tr)
{
	for (str text; scope_next(&list, &text);)
		TRY(decide_scope(ctx, rq, text, tr));
	return OK;
}

/* What was granted, in the form it is asked for. */
static str granted_text(struct arena *arena, const struct token_request *tr)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(TOKEN_BODY_MAX);
	for (size_t i = 0; i < tr->grant_count; i++) {
		const struct grant *grant = &tr->grants[i];
		buf_printf(&b, "%s" STR_FMT ":" STR_FMT, i ? " " : "", STR_ARG(grant->type),
			   STR_ARG(grant->name));
		char separator = ':';
		str word;
		for (size_t at = 0; scope_action_next(grant->actions, &at, &word);
		     separator = ',') {
			buf_add_byte(&b, separator);
			buf_add(&b, word);
		}
	}
	return arena_copy(arena, buf_str(&b));
}

static err_t answer_token(struct ctx *ctx, struct request *rq, const struct token_request *tr)
{
	struct auth *auth = rq->api->options.auth;
	struct auth_token token;
	const struct auth_grants grants = { tr->grants, tr->grant_count, rq->rights_end_us };
	TRY(auth_issue(ctx, auth, &rq->who, &grants, &token));
	str refresh = tr->refresh_token;
	audit_federated(rq);
	if (tr->offline && !refresh.len && auth_may_refresh(&rq->who))
		TRY(auth_issue_refresh(ctx, auth, &rq->who, &refresh));

	char issued[CLOCK_RFC3339_MAX];
	CLEANUP(buf_done) struct buf body = BUF_INIT(TOKEN_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "token", token.token);
	json_write_str(&w, "access_token", token.token);
	json_write_i64(&w, "expires_in", token.expires_in_s);
	json_write_str(&w, "issued_at", clock_rfc3339(token.issued_at_us, issued));
	json_write_str(&w, "scope", granted_text(ctx->arena, tr));
	if (refresh.len)
		json_write_str(&w, "refresh_token", refresh);
	if (tr->exchanged) {
		json_write_str(&w, "issued_token_type", STR(TOKEN_TYPE "access_token"));
		json_write_str(&w, "token_type", STR("Bearer"));
	}
	json_write_object_end(&w);
	oauth_headers(rq);
	return answer_json(rq, 200, buf_str(&body));
}

/* A token for nothing would have docker's clients try again and again. */
static err_t strangers_may_ask(struct ctx *ctx, struct request *rq)
{
	struct decision decision;
	TRY(request_may(ctx, rq, ACTION_PROJECT_LIST, STR_NONE, &decision));
	return decision.allowed ? OK : request_refuse(ctx, rq, &decision);
}

static err_t identify(struct ctx *ctx, struct request *rq)
{
	err_t err = request_identify(ctx, rq);
	if (err == ERR_UNAUTHORIZED)
		rq->oauth_error = "invalid_client";
	TRY(err);
	TRY(tenant_check_suspended(ctx, rq));
	if (rq->who.by_token)
		return fail(ctx, ERR_UNAUTHORIZED, "a token cannot be exchanged for a token");
	return strangers_may_ask(ctx, rq);
}

err_t token_get(struct ctx *ctx, struct request *rq)
{
	TRY(identify(ctx, rq));
	TRY(rate_check_identity(ctx, rq));
	struct token_request tr = {
		.grants = ARENA_ARRAY(ctx->arena, struct grant, SCOPES_MAX),
		.offline = str_eq(request_query(rq, STR("offline_token")), STR("true")),
	};
	str rest = rq->x->head->query; /* read as a form: "+" is a blank between two scopes */
	for (str list; form_next(ctx->arena, &rest, STR("scope"), &list);)
		TRY(decide_scopes(ctx, rq, list, &tr));
	return answer_token(ctx, rq, &tr);
}

static str form_value(struct ctx *ctx, str body, str name)
{
	str value;
	return form_get(ctx->arena, body, name, &value) ? value : STR_NONE;
}

/* By the name in its tokens' `aud`, by its host, or by an address below its own. */
static bool is_this_registry(struct request *rq, str value)
{
	str base = request_base_url(rq);
	if (str_eq(value, STR(AUTH_SERVICE)) || str_eq(value, rq->x->host) || str_eq(value, base))
		return true;
	return str_has_prefix(value, base) && value.ptr[base.len] == '/';
}

/* RFC 8693 §2.1: where the token is meant to be used; ours are good for this registry alone. */
static err_t check_target(struct ctx *ctx, struct request *rq, str body)
{
	static const char *const names[] = { "audience", "resource" };
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		str rest = body;
		for (str value; form_next(ctx->arena, &rest, str_from(names[i]), &value);) {
			if (!value.len || is_this_registry(rq, value))
				continue;
			rq->oauth_error = "invalid_target";
			return fail(ctx, ERR_REQUEST_INVALID, "%s is not this registry", names[i]);
		}
	}
	return OK;
}

/*
 * RFC 8693: somebody else's token for one of ours. Of what it leaves open: the subject token is a
 * JWT, nobody acts for somebody else, and `username` (not of the RFC) says which robot is wanted.
 */
static err_t identify_exchange(struct ctx *ctx, struct request *rq, str body,
			       struct token_request *tr)
{
	str type = form_value(ctx, body, STR("subject_token_type"));
	str wanted = form_value(ctx, body, STR("requested_token_type"));
	str token = form_value(ctx, body, STR("subject_token"));
	rq->exchanging = true;
	if (!token.len)
		return fail(ctx, ERR_REQUEST_INVALID, "subject_token is missing");
	if (!str_eq(type, STR(TOKEN_TYPE "jwt")) && !str_eq(type, STR(TOKEN_TYPE "id_token")))
		return fail(ctx, ERR_REQUEST_INVALID, "subject_token_type is not jwt or id_token");
	if (wanted.len && !str_eq(wanted, STR(TOKEN_TYPE "access_token")))
		return fail(ctx, ERR_REQUEST_INVALID, "requested_token_type is not access_token");
	if (form_value(ctx, body, STR("actor_token")).len)
		return fail(ctx, ERR_REQUEST_INVALID, "actor_token is not supported");
	TRY(check_target(ctx, rq, body));
	tr->exchanged = true;
	err_t err = workload_exchange(ctx, rq->api->options.auth, token,
				      form_value(ctx, body, STR("username")), &rq->who);
	return err == ERR_ABSENT
		       ? fail(ctx, ERR_UNAUTHORIZED, "token of an issuer that nobody here knows")
		       : err;
}

/* Who the form says is asking; a Basic header counts when the form names nobody. */
static err_t identify_form(struct ctx *ctx, struct request *rq, str body, struct token_request *tr)
{
	struct auth *auth = rq->api->options.auth;
	str grant_type = form_value(ctx, body, STR("grant_type"));
	if (str_eq(grant_type, STR("refresh_token"))) {
		tr->refresh_token = form_value(ctx, body, STR("refresh_token"));
		return auth_check_refresh(ctx, auth, tr->refresh_token, &rq->who);
	}
	if (str_eq(grant_type, TOKEN_EXCHANGE))
		return identify_exchange(ctx, rq, body, tr);
	if (!grant_type.len)
		return fail(ctx, ERR_REQUEST_INVALID, "grant_type is missing");
	if (!str_eq(grant_type, STR("password"))) {
		rq->oauth_error = "unsupported_grant_type";
		return fail(ctx, ERR_REQUEST_INVALID,
			    "grant_type is not password, refresh_token or token-exchange");
	}
	str user = form_value(ctx, body, STR("username"));
	if (!user.len) {
		TRY(identify(ctx, rq));
		return rq->who.subject == SUBJECT_ANONYMOUS
			       ? fail(ctx, ERR_UNAUTHORIZED, "no user named")
			       : OK;
	}
	const struct login login = { user, form_value(ctx, body, STR("password")), rq->x->peer };
	return auth_check_password(ctx, auth, &login, &rq->who);
}

err_t token_post(struct ctx *ctx, struct request *rq)
{
	str body;
	TRY(exchange_read_all(rq->x, (size_t)rq->route->body_max_bytes, &body));
	struct token_request tr = {
		.grants = ARENA_ARRAY(ctx->arena, struct grant, SCOPES_MAX),
		.offline = str_eq(form_value(ctx, body, STR("access_type")), STR("offline")),
	};
	TRY(identify_form(ctx, rq, body, &tr));
	TRY(tenant_settle(ctx, rq));
	TRY(rate_check_identity(ctx, rq));
	TRY(tenant_check_suspended(ctx, rq));
	str rest = body;
	for (str list; form_next(ctx->arena, &rest, STR("scope"), &list);)
		TRY(decide_scopes(ctx, rq, list, &tr));
	return answer_token(ctx, rq, &tr);
}
