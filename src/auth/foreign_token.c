/* SPDX-License-Identifier: Apache-2.0 */
/* foreign_token.c - see foreign_token.h. */
#include "auth/foreign_token.h"

#include "base/clock.h"
#include "crypto/jwt.h"

#include "base/banned.h"

#define SECOND_US	  INT64_C(1000000)
#define LOGOUT_LIFETIME_S 120
#define TIME_MAX_S	  (INT64_C(1) << 40)

static bool parse(str text, struct json_document *ret)
{
	struct json_problem problem;
	return json_parse(text, JSON_LIMITS_SMALL, ret, &problem) &&
	       json_value_is_object(ret->root);
}

bool foreign_token_issuer(struct ctx *ctx, str token, str *ret_issuer)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct jwt jwt;
	str issuer;
	if (!jwt_looks_like_one(token))
		return false;
	if (jwt_read(ctx, token, &jwt) != OK) {
		ctx_forgive(ctx);
		return false;
	}
	if (!parse(jwt.payload, &doc) || json_get_str(doc.root, "iss", &issuer) != JSON_FOUND)
		return false;
	*ret_issuer = arena_copy(ctx->arena, issuer);
	return true;
}

bool foreign_claim_has(const struct json_value *claims, const char *name, str value)
{
	const struct json_value *claim = json_member(claims, name);
	if (json_value_is_str(claim))
		return str_eq(json_value_str(claim), value);
	if (!json_value_is_array(claim))
		return false;
	for (size_t i = 0; i < json_count(claim); i++) {
		const struct json_value *element = json_element(claim, i);
		if (json_value_is_str(element) && str_eq(json_value_str(element), value))
			return true;
	}
	return false;
}

/* Whole seconds since 1970. */
static enum json_got get_time(const struct json_value *claims, const char *name, int64_t *ret)
{
	enum json_got got = json_get_i64(claims, name, ret);
	if (got == JSON_FOUND && (*ret < 0 || *ret > TIME_MAX_S))
		return JSON_WRONG;
	return got;
}

static err_t check_times(struct ctx *ctx, const struct json_value *claims,
			 const struct foreign_expectation *expect)
{
	int64_t now_s = (expect->now_us ? expect->now_us : clock_wall_us()) / SECOND_US;
	int64_t expires_s, issued_s, not_before_s;
	enum json_got issued = get_time(claims, "iat", &issued_s);
	enum json_got not_before = get_time(claims, "nbf", &not_before_s);
	enum json_got expires = get_time(claims, "exp", &expires_s);

	if (issued == JSON_WRONG || not_before == JSON_WRONG || expires == JSON_WRONG)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: a time is no number");
	if (expires == JSON_ABSENT && !expect->no_expiry)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: it never expires");
	if (expires == JSON_FOUND && expires_s + FOREIGN_LEEWAY_S <= now_s)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: has expired");
	if (issued == JSON_FOUND && issued_s - FOREIGN_LEEWAY_S > now_s)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: issued in the future");
	if (not_before == JSON_FOUND && not_before_s - FOREIGN_LEEWAY_S > now_s)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: not valid yet");
	if (expect->no_expiry &&
	    (issued != JSON_FOUND || issued_s + LOGOUT_LIFETIME_S + FOREIGN_LEEWAY_S <= now_s))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: too old");
	return OK;
}

static err_t check_claims(struct ctx *ctx, const struct json_value *claims, str issuer,
			  const struct foreign_expectation *expect)
{
	str text;
	if (json_get_str(claims, "iss", &text) != JSON_FOUND || !str_eq(text, issuer))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: of another issuer");
	if (expect->audience.len && !foreign_claim_has(claims, "aud", expect->audience))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: for another audience");
	enum json_got party = json_get_str(claims, "azp", &text);
	if (expect->party.len && party != JSON_ABSENT &&
	    (party == JSON_WRONG || !str_eq(text, expect->party)))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: issued to another party");
	return check_times(ctx, claims, expect);
}

/* With the issuer asked for newer keys, once, when none of its known ones fits. */
static err_t verify_signature(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
			      const struct jwt *jwt)
{
	CLEANUP(jwk_set_put) struct jwk_set *keys = NULL;
	CLEANUP(jwk_set_put) struct jwk_set *newer = NULL;
	TRY(jwks_keys(ctx, jwks, issuer, NULL, &keys));
	err_t err = jwt_verify(ctx, keys, jwt);
	if (err != ERR_ABSENT)
		return err;
	TRY(jwks_keys(ctx, jwks, issuer, keys, &newer));
	err = newer == keys ? ERR_ABSENT : jwt_verify(ctx, newer, jwt);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: no such key at its issuer");
	return err;
}

err_t foreign_token_verify(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
			   str token, const struct foreign_expectation *expect,
			   struct json_document *ret_claims)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct jwt jwt;
	TRY(jwt_read(ctx, token, &jwt));
	if (!parse(jwt.payload, &doc))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: claims are no JSON object");
	TRY(check_claims(ctx, doc.root, issuer->url, expect));
	TRY(verify_signature(ctx, jwks, issuer, &jwt));
	*ret_claims = doc;
	doc = (struct json_document)JSON_DOCUMENT_NONE;
	return OK;
}
