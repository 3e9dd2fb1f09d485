/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c - see auth.h: the life of an auth, who sent a request, and issuing tokens. */
#include "internal.h"

#include "auth/outside.h"
#include "image.h"
#include "token.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/basic_auth.h"
#include "codec/bearer.h"
#include "crypto/random.h"

#include <string.h>

#include "base/banned.h"

#define SECOND_US		 INT64_C(1000000)
#define TOKEN_LIFETIME_DEFAULT_S 1800
#define KEY_LIFETIME_DEFAULT_S	 (INT64_C(30) * 86400)
#define CACHE_BYTES_MAX_DEFAULT	 MIB(4)

static void auth_done(struct auth **auth)
{
	auth_free(*auth);
}

err_t auth_new(struct ctx *ctx, const struct auth_options *options, struct auth **ret)
{
	CLEANUP(auth_done) struct auth *auth = NEW(struct auth);
	auth->db = options->db;
	auth->token_lifetime_s =
		options->token_lifetime_s ? options->token_lifetime_s : TOKEN_LIFETIME_DEFAULT_S;
	auth->cache = cache_new(options->cache_bytes_max ? options->cache_bytes_max
							 : CACHE_BYTES_MAX_DEFAULT);
	random_bytes(auth->password_key, sizeof auth->password_key);
	TRY(keys_init(ctx, &auth->keys, options->db, options->master_key_path,
		      options->key_lifetime_s ? options->key_lifetime_s : KEY_LIFETIME_DEFAULT_S));
	TRY(outside_new(ctx, auth->db, &auth->keys.master, &auth->outside));
	*ret = take(auth);
	return OK;
}

struct outside *auth_outside(struct auth *auth)
{
	return auth->outside;
}

void auth_free(struct auth *auth)
{
	if (!auth)
		return;
	outside_free(auth->outside);
	keys_done(&auth->keys);
	cache_free(auth->cache);
	explicit_bzero(auth->password_key, sizeof auth->password_key);
	free(auth);
}

err_t auth_rotate_keys(struct ctx *ctx, struct auth *auth)
{
	return keys_rotate(ctx, &auth->keys);
}

/* --- who is asking -------------------------------------------------------------------------- */

static err_t read_token(struct ctx *ctx, struct auth *auth, str token, enum token_use use,
			struct claims *ret)
{
	CLEANUP(key_ring_put) struct key_ring *ring = NULL;
	str payload;
	TRY(keys_get_for(ctx, &auth->keys, token, &ring));
	TRY(jws_verify(ctx, ring->jws, token, &payload));
	return claims_read(ctx, payload, use, clock_wall_us(), ret);
}

static err_t verify_access(struct ctx *ctx, struct auth *auth, str token, str key,
			   struct cache_value **ret)
{
	uint64_t ticket = cache_ticket(auth->cache, key);
	struct claims claims;
	TRY(read_token(ctx, auth, token, TOKEN_ACCESS, &claims));
	struct identity who = claims.who;
	who.by_token = true;
	who.grants = claims.grants;
	who.grant_count = claims.grant_count;
	int64_t left_us = claims.expires_s * SECOND_US - clock_wall_us();
	*ret = cache_fill(auth->cache, key, ticket, identity_image_make(ctx->arena, &who),
			  clock_now_ns() + MAX(left_us, 1) * CLOCK_US);
	return OK;
}

static err_t identify_bearer(struct ctx *ctx, struct auth *auth, str token, struct identity *ret,
			     struct cache_value **ret_pin)
{
	if (token.len > JWS_TOKEN_MAX)
		return fail(ctx, ERR_UNAUTHORIZED, "token of %zu bytes", token.len);
	char *key_bytes = arena_alloc(ctx->arena, token.len + 1);
	key_bytes[0] = 'T';
	memcpy(key_bytes + 1, token.ptr, token.len);
	str key = { key_bytes, token.len + 1 };

	CLEANUP(cache_value_done) struct cache_value *value = cache_get(auth->cache, key);
	if (!value)
		TRY(verify_access(ctx, auth, token, key, &value));
	identity_image_view(ctx->arena, value->bytes, ret);
	*ret_pin = take(value);
	return OK;
}

err_t auth_identify(struct ctx *ctx, struct auth *auth, str authorization, struct identity *ret,
		    struct cache_value **ret_pin)
{
	struct basic_auth basic;
	str token;
	if (bearer_parse(authorization, &token))
		return identify_bearer(ctx, auth, token, ret, ret_pin);
	if (authorization.len == 0)
		*ret = (struct identity){ .subject = SUBJECT_ANONYMOUS, .name = STR("") };
	else if (basic_auth_parse(ctx->arena, authorization, &basic))
		TRY(auth_check_password(ctx, auth, basic.user, basic.password, ret));
	else
		return fail(ctx, ERR_UNAUTHORIZED, "unknown or malformed authorization");
	*ret_pin = NULL;
	return OK;
}

/* --- issuing -------------------------------------------------------------------------------- */

static err_t sign(struct ctx *ctx, struct auth *auth, const struct claims *claims, str *ret_token)
{
	str payload;
	TRY(claims_write(ctx, claims, &payload));
	CLEANUP(key_ring_put) struct key_ring *ring = keys_get(&auth->keys);
	return jws_sign(ctx, ring->jws, payload, ret_token);
}

err_t auth_issue(struct ctx *ctx, struct auth *auth, const struct identity *who,
		 const struct grant *grants, size_t count, struct auth_token *ret)
{
	int64_t now_s = clock_wall_us() / SECOND_US;
	struct claims claims = { TOKEN_ACCESS, *who, now_s, now_s + auth->token_lifetime_s,
				 grants,       count };
	str token;
	TRY(sign(ctx, auth, &claims, &token));
	*ret = (struct auth_token){ token, now_s * SECOND_US, auth->token_lifetime_s };
	return OK;
}

err_t auth_issue_refresh(struct ctx *ctx, struct auth *auth, const struct identity *who,
			 str *ret_token)
{
	if (who->subject == SUBJECT_ANONYMOUS || !who->id)
		return fail(ctx, ERR_UNAUTHORIZED, "no refresh token without an account");
	int64_t now_s = clock_wall_us() / SECOND_US;
	struct claims claims = { .use = TOKEN_REFRESH,
				 .who = *who,
				 .issued_s = now_s,
				 .expires_s = now_s + AUTH_REFRESH_LIFETIME_S };
	return sign(ctx, auth, &claims, ret_token);
}

err_t auth_check_refresh(struct ctx *ctx, struct auth *auth, str token, struct identity *ret)
{
	struct claims claims;
	TRY(read_token(ctx, auth, token, TOKEN_REFRESH, &claims));
	err_t err = auth_find_account(ctx, auth, claims.who.name, ret, NULL);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UNAUTHORIZED, "account of the refresh token is gone");
	return err;
}
