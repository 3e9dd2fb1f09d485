/* SPDX-License-Identifier: Apache-2.0 */
/* oidc_exchange.c - the second half of a login: the code becomes tokens, the tokens become a
 * person; see oidc.h. */
#include "oidc_internal.h"

#include "auth/foreign_token.h"
#include "codec/base64.h"
#include "codec/url.h"

#include "base/banned.h"

#define FORM_BYTES_OF_CODE_MAX KIB(16)
#define TOKENS_BYTES_MAX       KIB(128)
#define USERINFO_BYTES_MAX     KIB(128)
#define EXCHANGE_TIMEOUT_MS    10000

struct tokens {
	str id_token, access_token;
};

/* With whom this login is. */
struct party {
	struct oidc *oidc;
	const struct identity_provider *provider;
	struct jwks_metadata metadata;
	str callback_url;
};

static void add_field(struct buf *b, const char *name, str value)
{
	buf_printf(b, "%s%s=", b->len ? "&" : "", name);
	url_encode(b, value);
}

/* RFC 6749 §2.3.1: both halves are form-encoded before they become Basic. */
static str basic_of(struct ctx *ctx, str client_id, str secret)
{
	CLEANUP(buf_done) struct buf pair = BUF_INIT(KIB(4));
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(8));
	url_encode(&pair, client_id);
	buf_add_byte(&pair, ':');
	url_encode(&pair, secret);
	buf_add(&text, STR("Basic "));
	base64_encode(&text, BASE64_STANDARD, buf_str(&pair));
	return arena_copy(ctx->arena, buf_str(&text));
}

static err_t send(struct ctx *ctx, const struct party *with, struct client_request *request,
		  struct client_response *ret)
{
	struct jwks_issuer issuer = oidc_issuer(with->provider);
	request->timeout_ms = EXCHANGE_TIMEOUT_MS;
	request->ca_pem = issuer.ca_pem;
	request->skip_verify = issuer.skip_verify;
	return outbound_send(ctx, with->oidc->outbound, issuer.tenant_id, request, ret);
}

static err_t parse_object(struct ctx *ctx, str body, const char *what, struct json_document *ret)
{
	struct json_problem problem;
	if (!json_parse(body, JSON_LIMITS_SMALL, ret, &problem))
		return fail(ctx, ERR_UPSTREAM_INVALID, "oidc: %s: " JSON_PROBLEM_FMT, what,
			    JSON_PROBLEM_ARG(problem));
	if (!json_value_is_object(ret->root))
		return fail(ctx, ERR_UPSTREAM_INVALID, "oidc: %s is no object", what);
	return OK;
}

/* --- the token endpoint ----------------------------------------------------------------------- */

static err_t read_tokens(struct ctx *ctx, const struct client_response *answer, struct tokens *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	str text;
	if (answer->status == 400 || answer->status == 401)
		return fail(ctx, ERR_UNAUTHORIZED, "oidc: the provider refuses the code: " STR_FMT,
			    STR_ARG(str_take(answer->body, 120)));
	if (answer->status != 200)
		return fail(ctx,
			    answer->status >= 500 ? ERR_UPSTREAM_UNREACHABLE : ERR_UPSTREAM_INVALID,
			    "oidc: the token endpoint answers %d", answer->status);
	TRY(parse_object(ctx, answer->body, "answer with tokens", &doc));
	if (json_get_str(doc.root, "id_token", &text) != JSON_FOUND)
		return fail(ctx, ERR_UPSTREAM_INVALID, "oidc: no id_token");
	ret->id_token = arena_copy(ctx->arena, text);
	if (json_get_str(doc.root, "access_token", &text) == JSON_FOUND)
		ret->access_token = arena_copy(ctx->arena, text);
	return OK;
}

/* How we prove who we are: in a field, or in the form; a public client only says its name. */
static size_t add_credentials(struct ctx *ctx, const struct party *with, struct buf *form,
			      struct client_field *ret_field)
{
	str client_id = provider_text(with->provider, PROVIDER_OIDC_CLIENT_ID);
	str secret = provider_text(with->provider, PROVIDER_OIDC_CLIENT_SECRET);
	if (secret.len && !with->metadata.secret_in_body) {
		*ret_field = (struct client_field){ STR("Authorization"),
						    basic_of(ctx, client_id, secret) };
		return 1;
	}
	add_field(form, "client_id", client_id);
	if (secret.len)
		add_field(form, "client_secret", secret);
	return 0;
}

static err_t redeem(struct ctx *ctx, const struct party *with, str verifier, str code,
		    struct tokens *ret)
{
	CLEANUP(buf_done) struct buf form = BUF_INIT(FORM_BYTES_OF_CODE_MAX);
	struct client_field fields[3] = {
		{ STR("Content-Type"), STR("application/x-www-form-urlencoded") },
		{ STR("Accept"), STR("application/json") },
	};
	struct client_response answer;
	add_field(&form, "grant_type", STR("authorization_code"));
	add_field(&form, "code", code);
	add_field(&form, "redirect_uri", with->callback_url);
	add_field(&form, "code_verifier", verifier);
	size_t field_count = 2 + add_credentials(ctx, with, &form, &fields[2]);
	if (buf_overrun(&form))
		return fail(ctx, ERR_REQUEST_INVALID, "the code is too long");
	struct client_request request = { .method = "POST",
					  .url = with->metadata.token_endpoint,
					  .fields = fields,
					  .field_count = field_count,
					  .body = buf_str(&form),
					  .response_bytes_max = TOKENS_BYTES_MAX };
	TRY_CTX(ctx, send(ctx, with, &request, &answer), "oidc");
	return read_tokens(ctx, &answer, ret);
}

/* --- the userinfo endpoint -------------------------------------------------------------------- */

static err_t fetch_userinfo(struct ctx *ctx, const struct party *with, str access_token,
			    struct json_document *ret)
{
	struct client_field fields[] = {
		{ STR("Accept"), STR("application/json") },
		{ STR("Authorization"),
		  arena_printf(ctx->arena, "Bearer " STR_FMT, STR_ARG(access_token)) },
	};
	struct client_request request = { .method = "GET",
					  .url = with->metadata.userinfo_endpoint,
					  .fields = fields,
					  .field_count = COUNT_OF(fields),
					  .response_bytes_max = USERINFO_BYTES_MAX };
	struct client_response answer;
	TRY_CTX(ctx, send(ctx, with, &request, &answer), "oidc userinfo");
	if (answer.status != 200)
		return fail(ctx, ERR_UPSTREAM_INVALID, "oidc: userinfo answers %d", answer.status);
	return parse_object(ctx, answer.body, "userinfo", ret);
}

/* --- the whole ------------------------------------------------------------------------------ */

static err_t check_callback(struct ctx *ctx, const struct identity_provider *provider,
			    const struct oidc_login *login, const struct oidc_callback *callback)
{
	if (!login->state.len || !str_eq_secret(login->state, callback->state))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "this is not the answer to the login begun here");
	if (login->provider_id != provider->id || login->tenant_id != provider->tenant_id)
		return fail(ctx, ERR_REQUEST_INVALID, "the login was begun with another provider");
	if (callback->issuer.len &&
	    !str_eq(callback->issuer, provider_text(provider, PROVIDER_OIDC_ENDPOINT)))
		return fail(ctx, ERR_REQUEST_INVALID, "the answer is of another provider");
	if (callback->error.len)
		return fail(ctx, ERR_REQUEST_INVALID, "the identity provider says " STR_FMT,
			    STR_ARG(str_take(callback->error, 64)));
	if (!callback->code.len)
		return fail(ctx, ERR_REQUEST_INVALID, "no code");
	return OK;
}

static err_t verify_id_token(struct ctx *ctx, struct oidc *oidc,
			     const struct identity_provider *provider, str token, str nonce,
			     struct json_document *ret)
{
	CLEANUP(json_done) struct json_document claims = JSON_DOCUMENT_NONE;
	struct jwks_issuer from = oidc_issuer(provider);
	str client_id = provider_text(provider, PROVIDER_OIDC_CLIENT_ID), said;
	struct foreign_expectation expect = { .audience = client_id, .party = client_id };
	TRY(foreign_token_verify(ctx, oidc->jwks, &from, token, &expect, &claims));
	if (!nonce.len || json_get_str(claims.root, "nonce", &said) != JSON_FOUND ||
	    !str_eq_secret(said, nonce))
		return fail(ctx, ERR_UNAUTHORIZED, "oidc: the token is of another login");
	*ret = claims;
	claims = (struct json_document)JSON_DOCUMENT_NONE;
	return OK;
}

err_t oidc_finish(struct ctx *ctx, struct oidc *oidc, const struct identity_provider *provider,
		  str callback_url, const struct oidc_login *login,
		  const struct oidc_callback *callback, struct oidc_person *ret)
{
	CLEANUP(json_done) struct json_document claims = JSON_DOCUMENT_NONE;
	CLEANUP(json_done) struct json_document userinfo = JSON_DOCUMENT_NONE;
	struct jwks_issuer issuer = oidc_issuer(provider);
	struct party with = { .oidc = oidc, .provider = provider, .callback_url = callback_url };
	struct tokens tokens = { .id_token = STR_NONE };
	struct oidc_person person = { .id_token = STR_NONE };
	str session_id;

	TRY(check_callback(ctx, provider, login, callback));
	TRY(jwks_metadata(ctx, oidc->jwks, &issuer, &with.metadata));
	TRY(redeem(ctx, &with, login->verifier, callback->code, &tokens));
	TRY(verify_id_token(ctx, oidc, provider, tokens.id_token, login->nonce, &claims));
	if (with.metadata.userinfo_endpoint.len && tokens.access_token.len &&
	    fetch_userinfo(ctx, &with, tokens.access_token, &userinfo) != OK)
		ctx_forgive(ctx); /* the id token has said who it is */
	TRY(oidc_read_person(ctx, provider, claims.root, userinfo.root, &person.user));
	person.id_token = tokens.id_token;
	if (json_get_str(claims.root, "sid", &session_id) == JSON_FOUND)
		person.session_id = arena_copy(ctx->arena, session_id);
	*ret = person;
	return OK;
}
