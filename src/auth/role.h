/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.h - the roles that members of projects can have: Harbor's five, which are what the table of
 * permissions says, and those a tenant has made for itself (role_grants.h).
 *
 * The number of a role is Harbor's `role_id`; made ones begin at ROLE_CUSTOM_FIRST. Changing one
 * changes at once what its holders may do, and what they proved before counts no more.
 *
 * Errors: ERR_ABSENT (unrecorded) for no such role, ERR_EXISTS for a name that is taken,
 * ERR_UNPROCESSABLE for what cannot be, ERR_PRECONDITION_FAILED for deleting one that somebody has
 * or changing one of Harbor's.
 */
#pragma once

#include "auth/auth.h"
#include "auth/role_grants.h"
#include "db/role.h"

#define ROLE_NAME_BYTES_MAX	   255
#define ROLE_DESCRIPTION_BYTES_MAX 1024

struct role {
	int64_t id;
	int64_t tenant_id; /* 0: one of Harbor's */
	str name;
	str description;
	struct role_grants grants;
	int64_t created_at_us;
	int64_t updated_at_us;
};

err_t role_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id, struct role *ret);
/* Harbor's first, then by age. */
struct role_query {
	int64_t tenant_id, offset, limit;
};
err_t role_list(struct ctx *ctx, struct auth *auth, const struct role_query *query,
		struct role **ret, size_t *ret_count, int64_t *ret_total);

/* Takes tenant_id, name, description and grants; fills the id. */
err_t role_create(struct ctx *ctx, struct auth *auth, struct role *role);
err_t role_update(struct ctx *ctx, struct auth *auth, const struct role *role);
err_t role_delete(struct ctx *ctx, struct auth *auth, const struct role *role);

/* Everything that it allows somewhere in a project. */
struct action_set role_actions(const struct role *role);
