/* SPDX-License-Identifier: Apache-2.0 */
/* oidc.c - see oidc.h: beginning, cookies, logging out, id tokens as credentials. The exchange is
 * oidc_exchange.c. */
#include "oidc_internal.h"

#include "auth/foreign_token.h"
#include "base/clock.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/url.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "crypto/random.h"

#include <string.h>

#include "base/banned.h"

#define SECOND_US	  INT64_C(1000000)
#define SECRET_BYTES	  32   /* state, nonce, verifier */
#define COOKIE_BYTES_MAX  3500 /* sealed; browsers keep 4,096 with name and attributes */
#define URL_BYTES_MAX	  KIB(8)
#define LOGIN_CONTEXT	  "oidc/login"
#define PERSON_CONTEXT	  "oidc/person"
#define PERSON_LIFETIME_S 600
#define LOGOUT_EVENT	  "http://schemas.openid.net/event/backchannel-logout"

struct oidc *oidc_new(const struct outbound *outbound, struct jwks *jwks,
		      const struct secretbox_key *master)
{
	struct oidc *oidc = NEW(struct oidc);
	_Static_assert(HMAC_SHA256_BYTES == SECRETBOX_KEY_BYTES, "one key from one HMAC");
	oidc->outbound = outbound;
	oidc->jwks = jwks;
	hmac_sha256((str){ (const char *)master->bytes, sizeof master->bytes }, STR("oidc cookies"),
		    oidc->cookie_key.bytes);
	return oidc;
}

void oidc_free(struct oidc *oidc)
{
	if (!oidc)
		return;
	secretbox_key_done(&oidc->cookie_key);
	free(oidc);
}

struct jwks_issuer oidc_issuer(const struct identity_provider *provider)
{
	return (struct jwks_issuer){
		.url = provider_text(provider, PROVIDER_OIDC_ENDPOINT),
		.ca_pem = provider_text(provider, PROVIDER_OIDC_CA),
		.skip_verify = !provider_bool(provider, PROVIDER_OIDC_VERIFY_CERT),
		.tenant_id = provider->tenant_id,
	};
}

/* --- beginning ------------------------------------------------------------------------------ */

bool oidc_redirect_is_local(str redirect_url)
{
	if (redirect_url.len == 0)
		return true;
	if (redirect_url.len > OIDC_REDIRECT_BYTES_MAX || redirect_url.ptr[0] != '/' ||
	    str_has_prefix(redirect_url, STR("//")) || str_has_byte(redirect_url, '\\'))
		return false;
	for (size_t i = 0; i < redirect_url.len; i++)
		if ((unsigned char)redirect_url.ptr[i] <= ' ' || redirect_url.ptr[i] == 0x7f)
			return false;
	return true;
}

static str base64url(struct ctx *ctx, const void *bytes, size_t len)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(128);
	base64_encode(&b, BASE64_URL, (str){ bytes, len });
	return arena_copy(ctx->arena, buf_str(&b));
}

static str fresh_secret(struct ctx *ctx)
{
	unsigned char bytes[SECRET_BYTES];
	random_bytes(bytes, sizeof bytes);
	return base64url(ctx, bytes, sizeof bytes);
}

static void add_parameter(struct buf *b, char *separator, const char *name, str value)
{
	buf_add_byte(b, *separator);
	url_encode(b, str_from(name));
	buf_add_byte(b, '=');
	url_encode(b, value);
	*separator = '&';
}

static char first_separator(str url)
{
	return str_has_byte(url, '?') ? '&' : '?';
}

/* Harbor's setting has commas; `openid` must be there. */
static str scope_of(struct ctx *ctx, const struct identity_provider *provider)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(2));
	str rest = provider_text(provider, PROVIDER_OIDC_SCOPE);
	buf_add(&b, STR("openid"));
	for (str piece; str_next(&rest, ',', &piece);) {
		str words = str_trim(piece);
		for (str word; str_next(&words, ' ', &word);) {
			if (!word.len || str_eq(word, STR("openid")))
				continue;
			buf_add_byte(&b, ' ');
			buf_add(&b, word);
		}
	}
	return arena_copy(ctx->arena, buf_str(&b));
}

/* What an administrator adds (`prompt`, `audience`, …), and never what this flow is made of. */
static void add_extra(struct buf *b, char *separator, str setting)
{
	static const char *const own[] = {
		"response_type", "client_id",	   "redirect_uri",	    "scope",	    "state",
		"nonce",	 "code_challenge", "code_challenge_method", "response_mode"
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!setting.len || !json_parse(setting, JSON_LIMITS_SMALL, &doc, &problem))
		return;
	str name;
	const struct json_value *value;
	for (void *at = NULL; json_next_member(doc.root, &at, &name, &value);) {
		bool is_own = false;
		for (size_t i = 0; i < COUNT_OF(own); i++)
			is_own = is_own || str_eq(name, str_from(own[i]));
		if (is_own || !json_value_is_str(value))
			continue;
		buf_add_byte(b, *separator);
		url_encode(b, name);
		buf_add_byte(b, '=');
		url_encode(b, json_value_str(value));
	}
}

static err_t authorization_url(struct ctx *ctx, const struct identity_provider *provider,
			       str endpoint, str callback_url, const struct oidc_login *login,
			       str *ret)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(URL_BYTES_MAX);
	digest challenge = hash_bytes(DIGEST_SHA256, login->verifier);
	char separator = first_separator(endpoint);
	buf_add(&b, endpoint);
	add_parameter(&b, &separator, "response_type", STR("code"));
	add_parameter(&b, &separator, "client_id",
		      provider_text(provider, PROVIDER_OIDC_CLIENT_ID));
	add_parameter(&b, &separator, "redirect_uri", callback_url);
	add_parameter(&b, &separator, "scope", scope_of(ctx, provider));
	add_parameter(&b, &separator, "state", login->state);
	add_parameter(&b, &separator, "nonce", login->nonce);
	add_parameter(&b, &separator, "code_challenge",
		      base64url(ctx, challenge.bytes, digest_size(DIGEST_SHA256)));
	add_parameter(&b, &separator, "code_challenge_method", STR("S256"));
	add_extra(&b, &separator, provider_text(provider, PROVIDER_OIDC_EXTRA));
	if (buf_overrun(&b))
		return fail(ctx, ERR_CONFIG, "oidc: the provider's address is too long");
	*ret = arena_copy(ctx->arena, buf_str(&b));
	return OK;
}

/* --- cookies -------------------------------------------------------------------------------- */

static err_t seal(struct ctx *ctx, struct oidc *oidc, const char *context, const struct buf *text,
		  str *ret)
{
	if (buf_overrun(text))
		return fail(ctx, ERR_LIMIT, "oidc: too much for a cookie");
	TRY(secretbox_seal(ctx, &oidc->cookie_key, str_from(context), buf_str(text), ret));
	if (ret->len > COOKIE_BYTES_MAX)
		return fail(ctx, ERR_LIMIT, "oidc: too much for a cookie");
	return OK;
}

/* Opens, parses, and looks at the time. */
static err_t unseal(struct ctx *ctx, struct oidc *oidc, const char *context, str cookie,
		    struct json_document *ret)
{
	struct json_problem problem;
	int64_t expires_us;
	str text;
	if (!cookie.len || cookie.len > COOKIE_BYTES_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "no login was begun in this browser");
	err_t err = secretbox_open(ctx, &oidc->cookie_key, str_from(context), cookie, &text);
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_REQUEST_INVALID, "the login's cookie is not ours");
	}
	TRY(err);
	if (!json_parse(text, JSON_LIMITS_SMALL, ret, &problem) ||
	    json_get_i64(ret->root, "e", &expires_us) != JSON_FOUND)
		return fail(ctx, ERR_REQUEST_INVALID, "the login's cookie is malformed");
	if (expires_us <= clock_wall_us())
		return fail(ctx, ERR_REQUEST_INVALID, "the login took too long; begin again");
	return OK;
}

static str member(struct ctx *ctx, const struct json_value *object, const char *name)
{
	str text;
	return json_get_str(object, name, &text) == JSON_FOUND ? arena_copy(ctx->arena, text)
							       : STR_NONE;
}

static int64_t number(const struct json_value *object, const char *name)
{
	int64_t value;
	return json_get_i64(object, name, &value) == JSON_FOUND ? value : 0;
}

static err_t seal_login(struct ctx *ctx, struct oidc *oidc, const struct oidc_login *login,
			str *ret)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "e", clock_wall_us() + OIDC_LOGIN_LIFETIME_S * SECOND_US);
	json_write_i64(&w, "p", login->provider_id);
	json_write_i64(&w, "t", login->tenant_id);
	json_write_str(&w, "s", login->state);
	json_write_str(&w, "n", login->nonce);
	json_write_str(&w, "v", login->verifier);
	json_write_str(&w, "r", login->redirect_url);
	json_write_object_end(&w);
	return seal(ctx, oidc, LOGIN_CONTEXT, &b, ret);
}

err_t oidc_read_login(struct ctx *ctx, struct oidc *oidc, str cookie, struct oidc_login *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	TRY(unseal(ctx, oidc, LOGIN_CONTEXT, cookie, &doc));
	*ret = (struct oidc_login){ .provider_id = number(doc.root, "p"),
				    .tenant_id = number(doc.root, "t"),
				    .state = member(ctx, doc.root, "s"),
				    .nonce = member(ctx, doc.root, "n"),
				    .verifier = member(ctx, doc.root, "v"),
				    .redirect_url = member(ctx, doc.root, "r") };
	return OK;
}

err_t oidc_begin(struct ctx *ctx, struct oidc *oidc, const struct identity_provider *provider,
		 str callback_url, str redirect_url, str *ret_location, str *ret_cookie)
{
	struct jwks_issuer issuer = oidc_issuer(provider);
	struct jwks_metadata metadata = { .authorization_endpoint = STR_NONE };
	if (!oidc_redirect_is_local(redirect_url))
		return fail(ctx, ERR_REQUEST_INVALID, "redirect_url is not a path on this server");
	TRY(jwks_metadata(ctx, oidc->jwks, &issuer, &metadata));
	if (!metadata.authorization_endpoint.len || !metadata.token_endpoint.len)
		return fail(ctx, ERR_UPSTREAM_INVALID, "oidc: the provider lacks endpoints");
	struct oidc_login login = { .provider_id = provider->id,
				    .tenant_id = provider->tenant_id,
				    .state = fresh_secret(ctx),
				    .nonce = fresh_secret(ctx),
				    .verifier = fresh_secret(ctx),
				    .redirect_url = redirect_url };
	TRY(authorization_url(ctx, provider, metadata.authorization_endpoint, callback_url, &login,
			      ret_location));
	return seal_login(ctx, oidc, &login, ret_cookie);
}

/* --- a person in a cookie --------------------------------------------------------------------- */

static err_t seal_with(struct ctx *ctx, struct oidc *oidc, const struct oidc_person *person,
		       str redirect_url, size_t group_count, str *ret)
{
	const struct external_user *user = &person->user;
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "e", clock_wall_us() + PERSON_LIFETIME_S * SECOND_US);
	json_write_i64(&w, "p", user->provider_id);
	json_write_i64(&w, "t", user->tenant_id);
	json_write_str(&w, "iss", user->issuer);
	json_write_str(&w, "sub", user->subject);
	json_write_str(&w, "name", user->name);
	json_write_str(&w, "mail", user->email);
	json_write_str(&w, "real", user->real_name);
	json_write_bool(&w, "adm", user->is_admin);
	json_write_str(&w, "sid", person->session_id);
	json_write_str(&w, "r", redirect_url);
	json_write_array_begin(&w, "g");
	for (size_t i = 0; i < group_count; i++)
		json_write_str(&w, NULL, user->groups[i]);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return seal(ctx, oidc, PERSON_CONTEXT, &b, ret);
}

err_t oidc_seal_person(struct ctx *ctx, struct oidc *oidc, const struct oidc_person *person,
		       str redirect_url, str *ret_cookie)
{
	err_t err =
		seal_with(ctx, oidc, person, redirect_url, person->user.group_count, ret_cookie);
	if (err != ERR_LIMIT)
		return err;
	ctx_forgive(ctx);
	return seal_with(ctx, oidc, person, redirect_url, 0, ret_cookie);
}

err_t oidc_open_person(struct ctx *ctx, struct oidc *oidc, str cookie, struct oidc_person *ret,
		       str *ret_redirect_url)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	TRY(unseal(ctx, oidc, PERSON_CONTEXT, cookie, &doc));
	const struct json_value *groups = json_member(doc.root, "g");
	str *names = ARENA_ARRAY(ctx->arena, str, json_count(groups) + 1);
	for (size_t i = 0; i < json_count(groups); i++)
		names[i] = arena_copy(ctx->arena, json_value_str(json_element(groups, i)));
	bool is_admin = false;
	(void)json_get_bool(doc.root, "adm", &is_admin);
	*ret = (struct oidc_person){
		.user = { .provider_id = number(doc.root, "p"),
			  .tenant_id = number(doc.root, "t"),
			  .issuer = member(ctx, doc.root, "iss"),
			  .subject = member(ctx, doc.root, "sub"),
			  .name = member(ctx, doc.root, "name"),
			  .email = member(ctx, doc.root, "mail"),
			  .real_name = member(ctx, doc.root, "real"),
			  .is_admin = is_admin,
			  .groups = names,
			  .group_count = json_count(groups),
			  .may_onboard = true },
		.session_id = member(ctx, doc.root, "sid"),
	};
	*ret_redirect_url = member(ctx, doc.root, "r");
	return OK;
}

/* --- logging out ---------------------------------------------------------------------------- */

err_t oidc_logout_url(struct ctx *ctx, struct oidc *oidc, const struct identity_provider *provider,
		      str id_token, str back_url, str *ret_location)
{
	struct jwks_issuer issuer = oidc_issuer(provider);
	struct jwks_metadata metadata;
	CLEANUP(buf_done) struct buf b = BUF_INIT(2 * URL_BYTES_MAX);
	*ret_location = STR_NONE;
	if (!provider_bool(provider, PROVIDER_OIDC_LOGOUT))
		return OK;
	TRY(jwks_metadata(ctx, oidc->jwks, &issuer, &metadata));
	if (!metadata.end_session_endpoint.len)
		return OK;
	char separator = first_separator(metadata.end_session_endpoint);
	buf_add(&b, metadata.end_session_endpoint);
	if (id_token.len)
		add_parameter(&b, &separator, "id_token_hint", id_token);
	add_parameter(&b, &separator, "client_id",
		      provider_text(provider, PROVIDER_OIDC_CLIENT_ID));
	add_parameter(&b, &separator, "post_logout_redirect_uri", back_url);
	if (!buf_overrun(&b))
		*ret_location = arena_copy(ctx->arena, buf_str(&b));
	return OK;
}

static const struct identity_provider *provider_of(const struct identity_provider *providers,
						   size_t count, str issuer)
{
	for (size_t i = 0; i < count; i++)
		if (providers[i].kind == PROVIDER_OIDC && providers[i].enabled &&
		    str_eq(provider_text(&providers[i], PROVIDER_OIDC_ENDPOINT), issuer))
			return &providers[i];
	return NULL;
}

/* Section 2.4: the event, a subject or a session, and no nonce, so that no id token passes for one.
 */
static err_t read_logout(struct ctx *ctx, const struct json_value *claims, struct oidc_logout *ret)
{
	const struct json_value *events = json_member(claims, "events");
	if (!json_value_is_object(json_member(events, LOGOUT_EVENT)) ||
	    json_member(claims, "nonce"))
		return fail(ctx, ERR_REQUEST_INVALID, "not a logout token");
	ret->issuer = member(ctx, claims, "iss");
	ret->subject = member(ctx, claims, "sub");
	ret->session_id = member(ctx, claims, "sid");
	if (!ret->subject.len && !ret->session_id.len)
		return fail(ctx, ERR_REQUEST_INVALID, "logout token names neither sub nor sid");
	return OK;
}

err_t oidc_check_logout(struct ctx *ctx, struct oidc *oidc,
			const struct identity_provider *providers, size_t count, str logout_token,
			struct oidc_logout *ret)
{
	CLEANUP(json_done) struct json_document claims = JSON_DOCUMENT_NONE;
	str issuer = STR_NONE;
	const struct identity_provider *provider = NULL;
	if (foreign_token_issuer(ctx, logout_token, &issuer))
		provider = provider_of(providers, count, issuer);
	if (!provider)
		return fail(ctx, ERR_REQUEST_INVALID, "logout token is of no provider of ours");
	struct jwks_issuer from = oidc_issuer(provider);
	struct foreign_expectation expect = {
		.audience = provider_text(provider, PROVIDER_OIDC_CLIENT_ID), .no_expiry = true
	};
	err_t err = foreign_token_verify(ctx, oidc->jwks, &from, logout_token, &expect, &claims);
	if (err == ERR_UNAUTHORIZED) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_REQUEST_INVALID, "logout token is wrong");
	}
	TRY(err);
	TRY(read_logout(ctx, claims.root, ret));
	ret->provider_id = provider->id;
	return OK;
}

/* --- id tokens as credentials ----------------------------------------------------------------- */

err_t oidc_identify(struct ctx *ctx, struct oidc *oidc, const struct identity_provider *providers,
		    size_t count, str token, struct external_user *ret)
{
	CLEANUP(json_done) struct json_document claims = JSON_DOCUMENT_NONE;
	str issuer;
	if (!foreign_token_issuer(ctx, token, &issuer))
		return ERR_ABSENT;
	const struct identity_provider *provider = provider_of(providers, count, issuer);
	if (!provider)
		return ERR_ABSENT;
	struct jwks_issuer from = oidc_issuer(provider);
	str client_id = provider_text(provider, PROVIDER_OIDC_CLIENT_ID);
	struct foreign_expectation expect = { .audience = client_id, .party = client_id };
	TRY(foreign_token_verify(ctx, oidc->jwks, &from, token, &expect, &claims));
	if (json_member(claims.root, "events"))
		return fail(ctx, ERR_UNAUTHORIZED, "oidc: a logout token is no credential");
	TRY(oidc_read_person(ctx, provider, claims.root, NULL, ret));
	ret->may_onboard = false;
	return OK;
}
