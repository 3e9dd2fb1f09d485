/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c - see auth.h: the life of an auth, who sent a request, and issuing tokens. */
#include "internal.h"

#include "auth/access_token.h"
#include "auth/certificate.h"
#include "auth/foreign_token.h"
#include "auth/outside.h"
#include "auth/robot.h"
#include "auth/session.h"
#include "auth/workload.h"
#include "image.h"
#include "token.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/basic_auth.h"
#include "codec/bearer.h"
#include "crypto/random.h"
#include "settings/system.h"

#include <string.h>

#include "base/banned.h"

#define SECOND_US		 INT64_C(1000000)
#define TOKEN_LIFETIME_DEFAULT_S 1800
#define KEY_LIFETIME_DEFAULT_S	 (INT64_C(30) * 86400)
#define CACHE_BYTES_MAX_DEFAULT	 MIB(4)
#define TENANT_CACHE_BYTES_MAX	 MIB(1)
#define AT_ONCE_DEFAULT		 64    /* attempts to log in under way */
#define LOCKOUT_ENTRIES		 65536 /* 2 MiB: names and addresses that are watched */

static void auth_done(struct auth **auth)
{
	auth_free(*auth);
}

/* A key of its own for each use of the master key. */
static void derive_key(const struct auth *auth, str use, unsigned char ret[AUTH_KEY_BYTES])
{
	const struct secretbox_key *master = &auth->keys.master;
	hmac_sha256((str){ (const char *)master->bytes, sizeof master->bytes }, use, ret);
}

static struct lockout *make_lockout(const struct lockout_options *wanted)
{
	struct lockout_options options = *wanted;
	options.entries_max = LOCKOUT_ENTRIES;
	if (!options.at_once_max) {
		options.at_once_max = AT_ONCE_DEFAULT;
		options.at_once_known_max = 2 * AT_ONCE_DEFAULT;
	}
	return lockout_new(&options);
}

static struct auth *make_auth(const struct auth_options *options)
{
	struct auth *auth = NEW(struct auth);
	auth->db = options->db;
	auth->settings = options->settings;
	auth->token_lifetime_s =
		options->token_lifetime_s ? options->token_lifetime_s : TOKEN_LIFETIME_DEFAULT_S;
	auth->cache = cache_new(options->cache_bytes_max ? options->cache_bytes_max
							 : CACHE_BYTES_MAX_DEFAULT);
	auth->tenants = cache_new(TENANT_CACHE_BYTES_MAX);
	auth->lockout = make_lockout(&options->lockout);
	auth->flights = flights_new();
	uses_init(&auth->token_uses);
	uses_init(&auth->robot_uses);
	uses_init(&auth->robot_secret_uses);
	uses_init(&auth->binding_uses);
	random_bytes(auth->password_key, sizeof auth->password_key);
	return auth;
}

err_t auth_new(struct ctx *ctx, const struct auth_options *options, struct auth **ret)
{
	CLEANUP(auth_done) struct auth *auth = make_auth(options);
	TRY(chain_parse(ctx, options->methods, &auth->chain));
	TRY(keys_init(ctx, &auth->keys, options->db, options->master_key_path,
		      options->key_lifetime_s ? options->key_lifetime_s : KEY_LIFETIME_DEFAULT_S));
	derive_key(auth, STR("secrets in rows"), auth->secret_key);
	derive_key(auth, STR("csrf"), auth->csrf_key);
	unsigned threads_max = options->lockout.at_once_max;
	const struct outside_options outside = {
		.db = auth->db,
		.master = &auth->keys.master,
		.threads_max = threads_max ? threads_max : AT_ONCE_DEFAULT,
		.tenants_allow = options->tenants_allow,
	};
	TRY(outside_new(ctx, &outside, &auth->outside));
	*ret = take(auth);
	return OK;
}

struct outside *auth_outside(struct auth *auth)
{
	return auth->outside;
}

void auth_cache_stats(struct auth *auth, struct cache_stats *ret_identities,
		      struct cache_stats *ret_tenants)
{
	cache_stats(auth->cache, ret_identities);
	cache_stats(auth->tenants, ret_tenants);
}

void auth_free(struct auth *auth)
{
	if (!auth)
		return;
	outside_free(auth->outside);
	keys_done(&auth->keys);
	cache_free(auth->cache);
	cache_free(auth->tenants);
	lockout_free(auth->lockout);
	flights_free(auth->flights);
	uses_done(&auth->token_uses);
	uses_done(&auth->robot_uses);
	uses_done(&auth->robot_secret_uses);
	uses_done(&auth->binding_uses);
	explicit_bzero(auth->password_key, sizeof auth->password_key);
	explicit_bzero(auth->secret_key, sizeof auth->secret_key);
	explicit_bzero(auth->csrf_key, sizeof auth->csrf_key);
	free(auth);
}

err_t auth_rotate_keys(struct ctx *ctx, struct auth *auth)
{
	return keys_rotate(ctx, &auth->keys);
}

void auth_forget_logins(struct auth *auth)
{
	cache_drop_all(auth->cache);
}

err_t auth_read_keys(struct ctx *ctx, struct auth *auth)
{
	return keys_read(ctx, &auth->keys);
}

err_t auth_write_uses(struct ctx *ctx, struct auth *auth)
{
	TRY(access_token_write_uses(ctx, auth));
	TRY(robot_write_uses(ctx, auth));
	return workload_write_uses(ctx, auth);
}

err_t auth_purge(struct ctx *ctx, struct auth *auth, int64_t *ret_count)
{
	static err_t (*const purges[])(struct ctx * ctx, struct auth * auth,
				       int64_t * ret_count) = {
		access_token_purge,
		session_purge,
		workload_purge,
	};
	int64_t sum = 0;
	for (size_t i = 0; i < COUNT_OF(purges); i++) {
		int64_t count = AUTH_PURGE_BATCH;
		for (; count == AUTH_PURGE_BATCH; sum += count) {
			TRY(ctx_check(ctx));
			TRY(purges[i](ctx, auth, &count));
		}
	}
	*ret_count = sum;
	return OK;
}

bool auth_is_text(str s)
{
	return str_is_utf8(s) && !str_has_byte(s, '\0');
}

str auth_secret_hash(struct ctx *ctx, const struct auth *auth, str what, int64_t id, str secret)
{
	unsigned char mac[HMAC_SHA256_BYTES];
	str message = arena_printf(ctx->arena, STR_FMT "/%lld/" STR_FMT, STR_ARG(what),
				   (long long)id, STR_ARG(secret));
	hmac_sha256((str){ (const char *)auth->secret_key, sizeof auth->secret_key }, message, mac);
	char *text = arena_alloc(ctx->arena, SECRET_HASH_LEN);
	for (size_t i = 0; i < sizeof mac; i++) {
		text[2 * i] = "0123456789abcdef"[mac[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[mac[i] & 15];
	}
	return (str){ text, SECRET_HASH_LEN };
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

static bool is_ours(struct ctx *ctx, str token)
{
	str issuer;
	return !foreign_token_issuer(ctx, token, &issuer) || str_eq(issuer, STR(TOKEN_ISSUER));
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

	CLEANUP(cache_value_done) struct cache_value *value = cache_get_proof(auth->cache, key);
	if (!value && !is_ours(ctx, token))
		return chain_identify_bearer(ctx, auth, token, ret);
	if (!value)
		TRY(verify_access(ctx, auth, token, key, &value));
	identity_image_view(ctx->arena, value->bytes, ret);
	TRY(state_check(ctx, auth, ret));
	*ret_pin = take(value);
	return OK;
}

static err_t identify_certificate(struct ctx *ctx, struct auth *auth,
				  const struct credentials *from, struct identity *ret)
{
	err_t err = ERR_ABSENT;
	if (from->certificate.len)
		err = certificate_identify(ctx, auth, from->certificate, ret);
	if (err != ERR_ABSENT)
		return err;
	*ret = (struct identity){ .subject = SUBJECT_ANONYMOUS, .name = STR("") };
	return OK;
}

/* A session that is over is no session: whoever it was is a stranger again. */
static err_t identify_browser(struct ctx *ctx, struct auth *auth, const struct credentials *from,
			      struct identity *ret)
{
	err_t err = ERR_ABSENT;
	if (from->session.len)
		err = session_identify(ctx, auth, from->session, !from->keep_session, ret);
	return err == ERR_ABSENT ? identify_certificate(ctx, auth, from, ret) : err;
}

err_t auth_identify(struct ctx *ctx, struct auth *auth, const struct credentials *from,
		    struct identity *ret, struct cache_value **ret_pin)
{
	struct basic_auth basic;
	str token;
	*ret_pin = NULL;
	if (bearer_parse(from->authorization, &token))
		return identify_bearer(ctx, auth, token, ret, ret_pin);
	if (from->authorization.len == 0)
		return identify_browser(ctx, auth, from, ret);
	if (!basic_auth_parse(ctx->arena, from->authorization, &basic))
		return fail(ctx, ERR_UNAUTHORIZED, "unknown or malformed authorization");
	const struct login login = { basic.user, basic.password, from->address };
	return auth_check_password(ctx, auth, &login, ret);
}

/* --- issuing -------------------------------------------------------------------------------- */

/* An administrator's choice, made while we run, before the option. */
static int64_t token_lifetime_s(const struct auth *auth)
{
	return system_is_set(auth->settings, SYSTEM_TOKEN_EXPIRATION)
		       ? system_i64(auth->settings, SYSTEM_TOKEN_EXPIRATION) * 60
		       : auth->token_lifetime_s;
}

static err_t sign(struct ctx *ctx, struct auth *auth, const struct claims *claims, str *ret_token)
{
	str payload;
	TRY(claims_write(ctx, claims, &payload));
	CLEANUP(key_ring_put) struct key_ring *ring = keys_get(&auth->keys);
	return jws_sign(ctx, ring->jws, payload, ret_token);
}

err_t auth_issue(struct ctx *ctx, struct auth *auth, const struct identity *who,
		 const struct auth_grants *grants, struct auth_token *ret)
{
	int64_t now_s = clock_wall_us() / SECOND_US, lifetime_s = token_lifetime_s(auth);
	if (who->lifetime_s_max)
		lifetime_s = MIN(lifetime_s, who->lifetime_s_max);
	if (grants->until_us)
		lifetime_s = MAX(0, MIN(lifetime_s, grants->until_us / SECOND_US - now_s));
	struct claims claims = { TOKEN_ACCESS,	     *who,	    now_s,
				 now_s + lifetime_s, grants->items, grants->count };
	claims.who.grants_tenant_id = ctx->tenant_id;
	str token;
	TRY(sign(ctx, auth, &claims, &token));
	*ret = (struct auth_token){ token, now_s * SECOND_US, lifetime_s };
	return OK;
}

bool auth_may_refresh(const struct identity *who)
{
	return who->subject != SUBJECT_ANONYMOUS && who->id && !who->by_token &&
	       !who->external_role_count && !who->lifetime_s_max;
}

err_t auth_issue_refresh(struct ctx *ctx, struct auth *auth, const struct identity *who,
			 str *ret_token)
{
	if (!auth_may_refresh(who))
		return fail(ctx, ERR_UNAUTHORIZED,
			    "no refresh token without an account that has all the rights");
	int64_t now_s = clock_wall_us() / SECOND_US;
	struct claims claims = { .use = TOKEN_REFRESH,
				 .who = *who,
				 .issued_s = now_s,
				 .expires_s = now_s + AUTH_REFRESH_LIFETIME_S };
	return sign(ctx, auth, &claims, ret_token);
}

/* Who the subject of a token is as of now, if nothing that it relied on has changed. */
static err_t subject_now(struct ctx *ctx, struct auth *auth, const struct identity *was,
			 struct identity *ret)
{
	TRY(state_check(ctx, auth, was));
	err_t err = state_identity(ctx, auth, was->subject, was->id, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UNAUTHORIZED, "subject of the token is gone");
	TRY(err);
	ret->access_token_id = was->access_token_id;
	return OK;
}

err_t auth_check_refresh(struct ctx *ctx, struct auth *auth, str token, struct identity *ret)
{
	struct claims claims;
	TRY(read_token(ctx, auth, token, TOKEN_REFRESH, &claims));
	return subject_now(ctx, auth, &claims.who, ret);
}

err_t auth_issue_login(struct ctx *ctx, struct auth *auth, const struct identity *who,
		       struct auth_token *ret)
{
	CHECK(who->id && who->lifetime_s_max);
	int64_t now_s = clock_wall_us() / SECOND_US;
	struct claims claims = { .use = TOKEN_LOGIN,
				 .who = *who,
				 .issued_s = now_s,
				 .expires_s = now_s + who->lifetime_s_max };
	str token;
	TRY(sign(ctx, auth, &claims, &token));
	*ret = (struct auth_token){ token, now_s * SECOND_US, who->lifetime_s_max };
	return OK;
}

/* What it obtains ends with it. */
err_t auth_check_login(struct ctx *ctx, struct auth *auth, str token, struct identity *ret)
{
	struct claims claims;
	TRY(read_token(ctx, auth, token, TOKEN_LOGIN, &claims));
	TRY(subject_now(ctx, auth, &claims.who, ret));
	ret->issuer = claims.who.issuer;
	ret->on_behalf_of = claims.who.on_behalf_of;
	ret->proof_ends_at_us = claims.expires_s * SECOND_US;
	ret->lifetime_s_max = MAX(claims.expires_s - clock_wall_us() / SECOND_US, 1);
	return OK;
}
