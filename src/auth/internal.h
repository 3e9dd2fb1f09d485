/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of auth share. */
#pragma once

#include "auth/auth.h"
#include "auth/chain.h"
#include "auth/flight.h"
#include "auth/lockout.h"
#include "auth/membership_marks.h"
#include "auth/state.h"
#include "auth/uses.h"
#include "crypto/hmac.h"
#include "db/account.h"
#include "keys.h"

#define AUTH_KEY_BYTES		 32
#define AUTH_USER_BYTES_MAX	 255
#define AUTH_REFRESH_LIFETIME_S	 (INT64_C(30) * 86400)
#define AUTH_PASSWORD_REMEMBER_S 60
#define AUTH_PURGE_BATCH	 1000

struct auth {
	struct sql *db;
	struct system_settings *settings; /* NULL: defaults */

	/*
	 * Kinds by their first letter: T token → identity, P keyed hash of name and password →
	 * identity, A subject → state and identity, K personal access token or secret of a robot →
	 * its end, C hash of a cookie → session, M subject and project → membership.
	 */
	struct cache *cache;
	struct cache *tenants; /* tenant.c's own */
	struct keys keys;
	struct outside *outside; /* other identity providers */
	struct chain chain;	 /* who is asked about a password */
	struct lockout *lockout;
	struct flights *flights;
	struct uses token_uses; /* of personal access tokens */
	struct membership_marks memberships;
	struct uses robot_uses, robot_secret_uses, binding_uses;
	int64_t token_lifetime_s;

	char password_key[AUTH_KEY_BYTES];	  /* of this process only; keys the P entries */
	unsigned char secret_key[AUTH_KEY_BYTES]; /* from the master key; keys what rows hold of
						     secrets */
	unsigned char csrf_key[AUTH_KEY_BYTES];	  /* likewise */
};

/* A secret as a row keeps it: hexadecimal, in the arena. `what` and `id` say what it is a secret
 * of. */
#define SECRET_HASH_LEN (2 * HMAC_SHA256_BYTES)
str auth_secret_hash(struct ctx *ctx, const struct auth *auth, str what, int64_t id, str secret);

/* How wrong passwords for a name are counted: those of another tenant's user of the name apart. */
str auth_counted_name(struct ctx *ctx, int64_t tenant_id, str name);

/* Of which tenant somebody must be: on a host of its own, that one's. 0: anybody's; the default
 * tenant's then go before others, and where two others' would do nobody is let in. */
static inline int64_t auth_tenant_wanted(const struct ctx *ctx)
{
	return ctx->tenant_fixed ? ctx->tenant_id : 0;
}

/* Text that a row can hold: UTF-8 without NUL. */
bool auth_is_text(str s);

/* What an account's row says of who he is. */
void identity_of_account(const struct account *account, struct identity *ret);

/* Sessions that have just been deleted, by their rows' hashes. */
void session_forget(struct auth *auth, const str *hashes, size_t count);
