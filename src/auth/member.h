/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member.h - adding people and groups to projects, changing what they are there, and taking them
 * out again.
 *
 * A change counts from the moment the call returns: what is remembered of memberships is forgotten
 * (membership.h), and who loses or changes a role has his epoch raised, because a token of his may
 * still grant what he held.
 *
 * Whether the caller may give or take the role is decided above; a project is a number, and whether
 * it is there has been looked at.
 *
 * Errors: ERR_ABSENT (unrecorded) for no such member, account or group, ERR_EXISTS for who is a
 * member already.
 */
#pragma once

#include "auth/auth.h"
#include "auth/membership.h"
#include "db/project_member.h"
#include "db/user_group.h"

/* Whom a request means: an account by id or name, or a group by id, or by what it is elsewhere. */
struct member_wanted {
	int64_t account_id;
	str account_name;
	struct user_group group; /* id, or type with dn or name */
};

/*
 * Finds them in the tenant and fills account_id or group_id, and name. A group that an identity
 * provider knows and nobody of which has been here yet (LDAP by its DN, HTTP and OIDC by name) is
 * made: its members get the role when they come. ERR_UNPROCESSABLE when nobody is named.
 */
err_t member_resolve(struct ctx *ctx, struct auth *auth, int64_t tenant_id,
		     const struct member_wanted *wanted, struct project_member *into);

err_t member_list(struct ctx *ctx, struct auth *auth, const struct member_filter *filter,
		  struct project_member **ret, size_t *ret_count, int64_t *ret_total);
err_t member_get(struct ctx *ctx, struct auth *auth, int64_t project_id, int64_t id,
		 struct project_member *ret);
err_t member_count_by_role(struct ctx *ctx, struct auth *auth, int64_t project_id,
			   struct member_role_count **ret, size_t *ret_count);

/* Fills the id. */
err_t member_add(struct ctx *ctx, struct auth *auth, struct project_member *member);
/* Takes role_id and expires_at_us. */
err_t member_change(struct ctx *ctx, struct auth *auth, const struct project_member *member);
err_t member_remove(struct ctx *ctx, struct auth *auth, const struct project_member *member);

/* For who raised the epochs of accounts in a transaction of his own (db_member_raise_epochs). */
void member_drop_states(struct auth *auth, const int64_t *accounts, size_t count);
