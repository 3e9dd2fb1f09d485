/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.h - people with an account: made here, or made for somebody whom an identity provider knows.
 *
 * Names are unique within a tenant, and so are e-mail addresses. A name has 1 to 255 bytes and none
 * of , " ~ # % $ : nor control bytes; a password 8 to 128 characters with an upper-case letter, a
 * lower-case letter and a digit (Harbor's rules). Deleting keeps the row, because what he did
 * refers to it: its name becomes `name#id`, which frees the name and which nobody can take.
 *
 * Every change that matters to what he may do raises the account's epoch in the same transaction:
 * tokens and remembered passwords from before are worth nothing from the moment the call returns
 * (state.h). A new password, a block and a deletion end his sessions too.
 *
 * Somebody with a password here always remains administrator: taking the right from the last one,
 * blocking or deleting him is ERR_DENIED.
 *
 * Errors: ERR_ABSENT (unrecorded) for no such user in the tenant, ERR_EXISTS for a name or e-mail
 * address that is taken, ERR_REQUEST_INVALID for one that cannot be.
 */
#pragma once

#include "auth/auth.h"
#include "auth/external.h"
#include "db/account.h"

#define USER_NAME_BYTES_MAX	255
#define USER_EMAIL_BYTES_MAX	255
#define USER_REALNAME_BYTES_MAX 255
#define USER_COMMENT_BYTES_MAX	255
#define USER_PASSWORD_CHARS_MIN 8
#define USER_PASSWORD_CHARS_MAX 128

struct user {
	int64_t id;
	int64_t tenant_id;
	str name;
	str email; /* empty: none */
	str realname;
	str comment;
	unsigned flags;	      /* IDENTITY_…, given here */
	bool admin_elsewhere; /* his provider's group of administrators has him */
	str source;	      /* "local", "ldap", "oidc", "keystone" */
	str issuer;	      /* who vouches for him; empty for local users */
	str subject;	      /* and as whom */
	bool disabled;
	int64_t epoch;
	int64_t created_at_us;
	int64_t updated_at_us;
};

struct user_new {
	int64_t tenant_id;
	str name, password, email, realname, comment;
};

/* Whole but for the tenant, if it may be: for who makes it in a transaction of his own. */
err_t user_prepare(struct ctx *ctx, const struct user_new *from, struct account *ret);
err_t user_create(struct ctx *ctx, struct auth *auth, const struct user_new *from, int64_t *ret_id);
err_t user_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id, struct user *ret);
err_t user_find(struct ctx *ctx, struct auth *auth, int64_t tenant_id, str name, struct user *ret);

/* Takes e-mail, real name and comment from `user`; its id and tenant_id say whose. */
err_t user_update(struct ctx *ctx, struct auth *auth, const struct user *user);

/* OK, or ERR_UNAUTHORIZED for another password, also when he has none here. With an address, wrong
 * ones are counted as at a login (ERR_TOO_MANY_REQUESTS). */
err_t user_check_password(struct ctx *ctx, struct auth *auth, const struct user *user, str password,
			  str address);
/* `keep_session` (0: none) is the session that goes on. */
err_t user_set_password(struct ctx *ctx, struct auth *auth, const struct user *user, str password,
			int64_t keep_session);
err_t user_set_flag(struct ctx *ctx, struct auth *auth, const struct user *user, unsigned flag,
		    bool on);
err_t user_set_disabled(struct ctx *ctx, struct auth *auth, const struct user *user, bool disabled);
err_t user_delete(struct ctx *ctx, struct auth *auth, const struct user *user);

/* OK or ERR_REQUEST_INVALID with the reason. */
err_t user_check_name(struct ctx *ctx, str name);
err_t user_check_new_password(struct ctx *ctx, str password);

/* --- lists --------------------------------------------------------------------------------------
 */

enum user_sort { USER_BY_ID, USER_BY_NAME, USER_BY_EMAIL, USER_BY_CREATION, USER_NEAREST };

struct user_query {
	int64_t tenant_id;
	str name_like, email_like; /* patterns of SQL's LIKE with \; empty: all */
	str name, email;	   /* exact; empty: all */
	str except;		   /* not this name */
	enum user_sort sort;	   /* nearest: the shortest name first */
	bool descending;
	int64_t offset, limit;
};
err_t user_list(struct ctx *ctx, struct auth *auth, const struct user_query *query,
		struct user **ret, size_t *ret_count, int64_t *ret_total);

/* --- who comes from elsewhere -------------------------------------------------------------------
 */

/*
 * The account of somebody whom an identity provider vouches for, found by issuer and subject, or
 * made when `from->may_onboard`: then with the name he wants, or one like it when that is taken or
 * cannot be a name. His groups, his roles and his being an administrator there become what `from`
 * says. Writes only what changed. Without an account and not to be onboarded: ERR_ABSENT,
 * unrecorded. A blocked account: ERR_UNAUTHORIZED.
 */
err_t user_onboard(struct ctx *ctx, struct auth *auth, const struct external_user *from,
		   struct identity *ret);

/* The same with the name he chose himself: ERR_EXISTS when it is taken, ERR_REQUEST_INVALID when it
 * cannot be one. */
err_t user_onboard_as(struct ctx *ctx, struct auth *auth, const struct external_user *from,
		      str name, struct identity *ret);

/* Somebody's identity as of now, with his flags, external roles and epoch: for sessions. */
err_t user_identity(struct ctx *ctx, struct auth *auth, int64_t id, struct identity *ret);
