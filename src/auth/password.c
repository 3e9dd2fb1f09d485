/* SPDX-License-Identifier: Apache-2.0 */
/* password.c - local accounts: the administrator's first, and checking with a short memory. */
#include "internal.h"

#include "auth/outside.h"
#include "image.h"

#include "base/clock.h"
#include "crypto/hmac.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "db/account.h"
#include "db/db.h"

#include <string.h>

#include "base/banned.h"

#define MADE_PASSWORD_LEN 24

struct find_work {
	str user;
	struct account found;
};

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct find_work *work = arg;
	return db_account_find(ctx, tx, TENANT_DEFAULT, work->user, &work->found);
}

err_t auth_find_account(struct ctx *ctx, struct auth *auth, str user, struct identity *ret,
			str *ret_record)
{
	struct find_work work = { .user = user };
	TRY(db_run(ctx, auth->db, SQL_READ, find_body, &work));
	*ret = (struct identity){ .subject = SUBJECT_USER,
				  .id = work.found.id,
				  .tenant_id = TENANT_DEFAULT,
				  .name = arena_copy(ctx->arena, user),
				  .flags = work.found.is_admin ? IDENTITY_ADMIN : 0,
				  .issuer = STR("local") };
	if (ret_record)
		*ret_record = work.found.password;
	return OK;
}

/* --- checking ------------------------------------------------------------------------------- */

struct password_key {
	char bytes[1 + HMAC_SHA256_BYTES];
};

/* The length goes first, so that no two pairs of user and password make the same message. */
static struct password_key cache_key(const struct auth *auth, str user, str password)
{
	char message[sizeof user.len + AUTH_USER_BYTES_MAX + PASSWORD_BYTES_MAX];
	unsigned char mac[HMAC_SHA256_BYTES];
	size_t len = sizeof user.len;
	memcpy(message, &user.len, len);
	memcpy(message + len, user.ptr, user.len);
	len += user.len;
	if (password.len)
		memcpy(message + len, password.ptr, password.len);
	len += password.len;
	hmac_sha256((str){ auth->password_key, sizeof auth->password_key }, (str){ message, len },
		    mac);
	explicit_bzero(message, len);

	struct password_key key = { { 'P' } };
	memcpy(key.bytes + 1, mac, sizeof mac);
	return key;
}

/*
 * Somebody whom an identity provider knows under this name. Without an account of his own he holds
 * what the provider's roles give him; his name here is the one he typed, which no account has.
 */
static err_t verify_outside(struct ctx *ctx, struct auth *auth, str user, str password,
			    struct identity *ret)
{
	struct external_user who;
	TRY(outside_identify_password(ctx, auth->outside, TENANT_DEFAULT, user, password, &who));
	*ret = (struct identity){ .subject = SUBJECT_USER,
				  .tenant_id = who.tenant_id,
				  .name = arena_copy(ctx->arena, user),
				  .external_roles = who.roles,
				  .external_role_count = who.role_count,
				  .issuer = who.issuer,
				  .on_behalf_of = who.on_behalf_of };
	return OK;
}

/* The slow way: the row, then argon2id, which an unknown user costs as well. */
static err_t verify(struct ctx *ctx, struct auth *auth, str user, str password,
		    struct identity *ret)
{
	str record = STR_NONE;
	err_t err = auth_find_account(ctx, auth, user, ret, &record);
	if (err == ERR_ABSENT)
		err = verify_outside(ctx, auth, user, password, ret);
	else if (err == OK)
		return password_verify(ctx, record, password);
	return err == ERR_ABSENT ? password_verify(ctx, STR_NONE, password) : err;
}

static bool is_text(str s)
{
	return str_is_utf8(s) && !str_has_byte(s, '\0');
}

err_t auth_check_password(struct ctx *ctx, struct auth *auth, str user, str password,
			  struct identity *ret)
{
	if (user.len == 0 || user.len > AUTH_USER_BYTES_MAX || !is_text(user) ||
	    password.len > PASSWORD_BYTES_MAX)
		return fail(ctx, ERR_UNAUTHORIZED, "user or password cannot be ours");

	struct password_key key_bytes = cache_key(auth, user, password);
	str key = { key_bytes.bytes, sizeof key_bytes.bytes };
	CLEANUP(cache_value_done) struct cache_value *value = cache_get(auth->cache, key);
	if (!value) {
		uint64_t ticket = cache_ticket(auth->cache, key);
		struct identity who;
		TRY(verify(ctx, auth, user, password, &who));
		if (!who.id) { /* providers remember for themselves, as long as they are told to */
			*ret = who;
			return OK;
		}
		value = cache_fill(auth->cache, key, ticket, identity_image_make(ctx->arena, &who),
				   clock_now_ns() + AUTH_PASSWORD_REMEMBER_S * CLOCK_S);
	}
	identity_image_view(ctx->arena, arena_copy(ctx->arena, value->bytes), ret);
	return OK;
}

/* --- the administrator ---------------------------------------------------------------------- */

struct insert_work {
	str user;
	str record;
};

static err_t insert_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct insert_work *work = arg;
	int64_t id;
	const struct account account = { .tenant_id = TENANT_DEFAULT,
					 .name = work->user,
					 .password = work->record,
					 .realname = STR(""),
					 .comment = STR(""),
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
	struct identity who;
	err_t err = auth_find_account(ctx, auth, STR(AUTH_ADMIN), &who, NULL);
	if (err == OK) {
		*ret_made = STR_NONE;
		return OK;
	}
	if (err != ERR_ABSENT)
		return err;
	if (!is_sendable(wanted))
		return fail(ctx, ERR_CONFIG,
			    "administrator's password must be UTF-8 without control characters, "
			    "at most %d bytes",
			    PASSWORD_BYTES_MAX);

	str password = wanted.len ? wanted : random_password(ctx->arena, MADE_PASSWORD_LEN);
	struct insert_work work = { STR(AUTH_ADMIN), STR_NONE };
	TRY(password_hash(ctx, password, &work.record));
	err = db_run(ctx, auth->db, SQL_WRITE, insert_body, &work);
	if (err != OK && err != ERR_EXISTS) /* another node was faster: its password counts */
		return err;
	*ret_made = err == OK && !wanted.len ? password : STR_NONE;
	return OK;
}
