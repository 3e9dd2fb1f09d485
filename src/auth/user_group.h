/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_group.h - groups of people: of a directory (known by their DN), of an OIDC provider (by
 * their name), or made here. Who is in the former two is what the provider said when he last logged
 * in (user.h); projects give roles to groups (membership.h).
 *
 * Errors: ERR_ABSENT (unrecorded), ERR_EXISTS, ERR_REQUEST_INVALID.
 */
#pragma once

#include "auth/auth.h"
#include "db/user_group.h"

#define USER_GROUP_NAME_MAX 255
#define USER_GROUP_DN_MAX   512

/* Gives the DN of a directory's group the one spelling that logins have (ldap_link.h), so that case
 * and blanks make no second group of it; leaves other groups alone. ERR_REQUEST_INVALID when it is
 * no DN. */
err_t user_group_spell(struct ctx *ctx, struct user_group *group);

/* Takes tenant_id, type, name and (of GROUP_LDAP) dn; fills the id. */
err_t user_group_create(struct ctx *ctx, struct auth *auth, struct user_group *group);
err_t user_group_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id,
		     struct user_group *ret);
err_t user_group_rename(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id,
			str name);
/* With what it gave to its members: from the moment this returns they have it no more. */
/* Whether its people administrate the tenant. ERR_ABSENT, unrecorded. */
err_t user_group_set_tenant_admin(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id,
				  bool on);
err_t user_group_delete(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id);

struct user_group_list {
	struct group_filter filter; /* which */
	struct user_group *rows;    /* the answer, in the arena */
	size_t count;
	int64_t total;
};
err_t user_group_list(struct ctx *ctx, struct auth *auth, struct user_group_list *list);
