/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.c - names and passwords: remembered for a minute, else asked of the chain, once for all
 * who ask the same at the same time and never by who guesses too much.
 */
#include "internal.h"

#include "auth/tenant.h"
#include "image.h"

#include "base/clock.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "crypto/jwt.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "db/db.h"

#include <string.h>

#include "base/banned.h"

#define MADE_PASSWORD_LEN 24

/* --- checking --------------------------------------------------------------------------------- */

struct proof {
	char kind; /* 'P', and then what makes the cache's key */
	unsigned char mac[HMAC_SHA256_BYTES];
};

#define LONG_PASSWORD (SIZE_MAX ^ (SIZE_MAX >> 1)) /* added to the length of the name */

/* The length goes first, so that no two pairs of user and password make the same message, then in
 * whose names the user is looked for; of a foreign token, its digest stands for it. */
static struct proof make_proof(const struct ctx *ctx, const struct auth *auth,
			       const struct login *login)
{
	int64_t where = ctx->tenant_fixed ? ctx->tenant_id : -ctx->tenant_id;
	char message[sizeof login->user.len + sizeof where + AUTH_USER_BYTES_MAX +
		     PASSWORD_BYTES_MAX];
	struct proof proof = { .kind = 'P' };
	size_t head = login->user.len, len = sizeof head;
	str password = login->password;
	digest of_token;
	if (password.len > PASSWORD_BYTES_MAX) {
		of_token = hash_bytes(DIGEST_SHA256, password);
		password = (str){ (const char *)of_token.bytes, digest_size(of_token.algorithm) };
		head |= LONG_PASSWORD;
	}
	memcpy(message, &head, len);
	memcpy(message + len, &where, sizeof where);
	len += sizeof where;
	memcpy(message + len, login->user.ptr, login->user.len);
	len += login->user.len;
	memcpy(message + len, password.ptr, password.len);
	len += password.len;
	hmac_sha256((str){ auth->password_key, sizeof auth->password_key }, (str){ message, len },
		    proof.mac);
	explicit_bzero(message, len);
	return proof;
}

static str key_of(const struct proof *proof)
{
	return (str){ (const char *)proof, sizeof *proof };
}

/* What was right a moment ago and still counts. Whose account has changed since is asked again. */
static err_t recall(struct ctx *ctx, struct auth *auth, const struct proof *proof, bool *ret_found,
		    struct identity *ret)
{
	CLEANUP(cache_value_done)
	struct cache_value *value = cache_get_proof(auth->cache, key_of(proof));
	*ret_found = value != NULL;
	if (!value)
		return OK;
	identity_image_view(ctx->arena, arena_copy(ctx->arena, value->bytes), ret);
	err_t err = state_check(ctx, auth, ret);
	if (err != ERR_UNAUTHORIZED)
		return err;
	ctx_forgive(ctx);
	cache_drop(auth->cache, key_of(proof));
	*ret_found = false;
	return OK;
}

static enum verdict verdict_of(err_t err)
{
	if (err == OK)
		return VERDICT_RIGHT;
	return err == ERR_UNAUTHORIZED ? VERDICT_WRONG : VERDICT_NONE;
}

/* No longer than the proof itself is good. */
static int64_t remember_for_ns(const struct identity *who)
{
	int64_t most_us = AUTH_PASSWORD_REMEMBER_S * CLOCK_S / CLOCK_US;
	if (who->proof_ends_at_us)
		most_us = MIN(who->proof_ends_at_us - clock_wall_us(), most_us);
	return most_us * CLOCK_US;
}

str auth_counted_name(struct ctx *ctx, int64_t tenant_id, str name)
{
	if (tenant_id == TENANT_DEFAULT)
		return name;
	return arena_printf(ctx->arena, "%lld\n" STR_FMT, (long long)tenant_id, STR_ARG(name));
}

/* The slow way. */
static err_t verify(struct ctx *ctx, struct auth *auth, const struct login *login,
		    const struct proof *proof, struct identity *ret)
{
	bool remember = false, guess = true;
	struct attempt attempt = { .name = auth_counted_name(ctx, ctx->tenant_id, login->user),
				   .address = login->address };
	memcpy(&attempt.proof, proof->mac, sizeof attempt.proof);
	uint64_t ticket = cache_ticket(auth->cache, key_of(proof));
	TRY(lockout_begin(ctx, auth->lockout, &attempt));
	err_t err = chain_identify(ctx, auth, login->user, login->password, ret, &remember, &guess);
	lockout_end(auth->lockout, &attempt, guess ? verdict_of(err) : VERDICT_NONE);
	TRY(err);
	int64_t left_ns = remember_for_ns(ret);
	if (remember && left_ns > 0)
		cache_put(cache_fill(auth->cache, key_of(proof), ticket,
				     identity_image_make(ctx->arena, ret),
				     clock_now_ns() + left_ns));
	return OK;
}

/* The answer that somebody else has just got to the same question. */
static err_t take_answer(struct ctx *ctx, struct auth *auth, const struct login *login,
			 const struct proof *proof, err_t answer, struct identity *ret)
{
	bool found;
	if (answer != OK)
		return fail(ctx, answer, "as it was for who asked the same at the same time");
	TRY(recall(ctx, auth, proof, &found, ret));
	return found ? OK : verify(ctx, auth, login, proof, ret);
}

/* A token that somebody signed may be longer than a password. */
static bool can_be_password(str password)
{
	return password.len <= PASSWORD_BYTES_MAX ||
	       (password.len <= JWT_BYTES_MAX && jwt_looks_like_one(password));
}

static err_t check(struct ctx *ctx, struct auth *auth, const struct login *login,
		   struct identity *ret)
{
	bool found;
	const struct proof proof = make_proof(ctx, auth, login);
	TRY(recall(ctx, auth, &proof, &found, ret));
	if (found)
		return OK;
	CLEANUP(flight_done) struct flight *flight = NULL;
	TRY(flight_join(ctx, auth->flights, proof.mac, &flight));
	if (!flight_leads(flight))
		return take_answer(ctx, auth, login, &proof, flight_answer(flight), ret);
	err_t err = verify(ctx, auth, login, &proof, ret);
	flight_land(flight, err);
	return err;
}

/* A name that carries its tenant is looked for there only. */
err_t auth_check_password(struct ctx *ctx, struct auth *auth, const struct login *login,
			  struct identity *ret)
{
	if (login->user.len == 0 || login->user.len > AUTH_USER_BYTES_MAX ||
	    !auth_is_text(login->user) || login->password.len == 0 ||
	    !can_be_password(login->password))
		return fail(ctx, ERR_UNAUTHORIZED, "user or password cannot be ours");

	struct login bare = *login;
	CLEANUP(tenant_leave) struct tenant_scope scope = TENANT_SCOPE_INIT;
	TRY(tenant_enter(ctx, auth, login->user, &scope, &bare.user));
	return check(ctx, auth, &bare, ret);
}

/* --- the administrator ------------------------------------------------------------------------ */

struct insert_work {
	str record;
	bool found;
};

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct insert_work *work = arg;
	struct account account;
	err_t err = db_account_find(ctx, tx, TENANT_DEFAULT, STR(AUTH_ADMIN), &account);
	work->found = err == OK;
	return err == ERR_ABSENT ? OK : err;
}

static err_t insert_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct insert_work *work = arg;
	int64_t id;
	const struct account account = { .tenant_id = TENANT_DEFAULT,
					 .name = STR(AUTH_ADMIN),
					 .password = work->record,
					 .realname = STR("system admin"),
					 .comment = STR("admin user"),
					 .is_admin = true,
					 .source = STR("local"),
					 .issuer = STR("") };
	return db_account_insert(ctx, tx, &account, &id);
}

/* What HTTP Basic cannot carry could never be used to log in. */
static bool is_sendable(str password)
{
	for (size_t i = 0; i < password.len; i++)
		if ((unsigned char)password.ptr[i] < 0x20 || password.ptr[i] == 0x7f)
			return false;
	return str_is_utf8(password) && password.len <= PASSWORD_BYTES_MAX;
}

err_t auth_ensure_admin(struct ctx *ctx, struct auth *auth, str wanted, str *ret_made)
{
	struct insert_work work = { .found = false };
	TRY(db_run(ctx, auth->db, SQL_READ, find_body, &work));
	if (work.found) {
		*ret_made = STR_NONE;
		return OK;
	}
	if (!is_sendable(wanted))
		return fail(ctx, ERR_CONFIG,
			    "administrator's password must be UTF-8 without control characters, "
			    "at most %d bytes",
			    PASSWORD_BYTES_MAX);

	str password = wanted.len ? wanted : random_password(ctx->arena, MADE_PASSWORD_LEN);
	TRY(password_hash(ctx, password, &work.record));
	err_t err = db_run(ctx, auth->db, SQL_WRITE, insert_body, &work);
	if (err != OK && err != ERR_EXISTS) /* another node was faster: its password counts */
		return err;
	*ret_made = err == OK && !wanted.len ? password : STR_NONE;
	return OK;
}
