/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.h - who is asking: local accounts, HTTP Basic, and the bearer tokens of this registry.
 *
 * Verified tokens and verified passwords are remembered in a bounded cache (a token until it
 * expires, a password for a minute, under a keyed hash of it), so a warm request costs a look-up,
 * not a signature or an argon2id.
 *
 * What was proved earlier is looked at again: a changed password, a block or a lost right ends
 * tokens, sessions and what is remembered at once (auth/state.h).
 *
 * Signing keys live in the database, sealed under the master key (data_dir/master.key, 32 random
 * bytes, mode 0600, made at first start). auth_rotate_keys() makes a new key when the newest is
 * older than key_lifetime, and forgets those that no living token can name. A token with an unknown
 * key makes the ring be read again (at most once a second), so several nodes on one database agree.
 */
#pragma once

#include "auth/lockout.h"
#include "base/cache.h"
#include "base/ctx.h"
#include "model/access.h"
#include "sql/sql.h"

#define AUTH_SERVICE "harbor-registry"
#define AUTH_ADMIN   "admin"

struct auth;
struct outside;
struct system_settings;

struct auth_options {
	struct sql *db;
	struct system_settings *settings; /* settings/system.h; not owned; NULL: defaults */
	str master_key_path;
	int64_t token_lifetime_s;	/* default 1800; settings may say otherwise */
	int64_t key_lifetime_s;		/* default 30 days */
	size_t cache_bytes_max;		/* default 4 MiB */
	str methods;			/* auth/chain.h; empty: all */
	str tenants_allow;		/* http/outbound.h */
	struct lockout_options lockout; /* all 0: only what is under way is bounded */
};

err_t auth_new(struct ctx *ctx, const struct auth_options *options, struct auth **ret);
void auth_free(struct auth *auth);

/* The identity providers besides ourselves (auth/outside.h); as long as `auth`. */
struct outside *auth_outside(struct auth *auth);

/* Of what is remembered of tokens and passwords, and of tenants' hosts. */
void auth_cache_stats(struct auth *auth, struct cache_stats *ret_identities,
		      struct cache_stats *ret_tenants);

/* Makes the admin account if there is none: with `wanted`, or (when empty) a random password given
 * back in
 * `*ret_made` (empty otherwise). An existing account is left alone. */
err_t auth_ensure_admin(struct ctx *ctx, struct auth *auth, str wanted, str *ret_made);

/* Makes a new key to sign tokens with when that is due, and reads all. For one node at a time;
 * auth_read_keys() is for every node, often. */
err_t auth_rotate_keys(struct ctx *ctx, struct auth *auth);
err_t auth_read_keys(struct ctx *ctx, struct auth *auth);

/* Forgets which names and passwords were right: a name that somebody could log in by is none any
 * more. */
void auth_forget_logins(struct auth *auth);

/* Writes what this node gathered in memory: when tokens, robots and secrets were used. */
err_t auth_write_uses(struct ctx *ctx, struct auth *auth);

/* Removes what is over: sessions, personal access tokens, and what is remembered of tokens that
 * could be used once. For one node. */
err_t auth_purge(struct ctx *ctx, struct auth *auth, int64_t *ret_count);

struct login {
	str user, password;
	str address; /* as in struct credentials */
};

/* What a request brings to prove who sent it. */
struct credentials {
	str authorization; /* the header's value; empty: none */
	str session;	   /* the cookie's (session.h), looked at without the header; empty: none */
	bool keep_session; /* does not move the end of the session */
	str certificate;   /* the client's, verified, DER; counts when there is nothing else */
	str address;	   /* where from; wrong passwords are counted by it (lockout.h) */
};

/*
 * Who is it? Without any proof: anonymous. On OK fills `*ret`; its strs live in `*ret_pin`
 * (cache_put it when done; may be NULL) or in the arena. ERR_UNAUTHORIZED for a wrong password, a
 * broken, expired or foreign token, an unknown scheme, or a proof that counts no more (state.h);
 * ERR_TOO_MANY_REQUESTS after too many wrong passwords, with ctx->retry_after_s.
 */
err_t auth_identify(struct ctx *ctx, struct auth *auth, const struct credentials *from,
		    struct identity *ret, struct cache_value **ret_pin);

/* The same of a name and a password: OK or why not. */
err_t auth_check_password(struct ctx *ctx, struct auth *auth, const struct login *login,
			  struct identity *ret);

/* An access token for `who` with these grants (already decided by the caller), and its validity. */
struct auth_token {
	str token;
	int64_t issued_at_us;
	int64_t expires_in_s;
};
struct auth_grants {
	const struct grant *items;
	size_t count;
	int64_t until_us; /* when the first of them ends, and with it the token; 0: none does */
};
err_t auth_issue(struct ctx *ctx, struct auth *auth, const struct identity *who,
		 const struct auth_grants *grants, struct auth_token *ret);

/* Refresh tokens (offline_token, access_type=offline): signed, 30 days, naming only the account:
 * who has rights from his provider besides cannot have one (ERR_UNAUTHORIZED). auth_may_refresh()
 * tells. */
bool auth_may_refresh(const struct identity *who);
err_t auth_issue_refresh(struct ctx *ctx, struct auth *auth, const struct identity *who,
			 str *ret_token);
err_t auth_check_refresh(struct ctx *ctx, struct auth *auth, str token, struct identity *ret);

/*
 * Login tokens: a password for somebody whom an identity without a password of his own has proved
 * to be, for as long as that is good (lifetime_s_max). Checking gives him as of now.
 */
err_t auth_issue_login(struct ctx *ctx, struct auth *auth, const struct identity *who,
		       struct auth_token *ret);
err_t auth_check_login(struct ctx *ctx, struct auth *auth, str token, struct identity *ret);
