/* SPDX-License-Identifier: Apache-2.0 */
/* user_group.h - groups of people, and who is in them. */
#pragma once

#include "sql/sql.h"

/* Harbor's numbers, and one for the groups that are made here. */
enum group_type { GROUP_LDAP = 1, GROUP_HTTP = 2, GROUP_OIDC = 3, GROUP_LOCAL = 4 };

struct user_group {
	int64_t id;
	int64_t tenant_id;
	int64_t type; /* enum group_type */
	str name;
	str dn; /* of a directory's group: which it is; empty for others */
};

/* Fills the id. ERR_EXISTS, unrecorded. */
err_t db_user_group_insert(struct ctx *ctx, struct sql_tx *tx, struct user_group *group);
err_t db_user_group_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			struct user_group *ret);
/* By tenant, type and DN or (without a DN) name. */
err_t db_user_group_find(struct ctx *ctx, struct sql_tx *tx, const struct user_group *like,
			 struct user_group *ret);
/* ERR_EXISTS, recorded, for a name that is taken. */
err_t db_user_group_rename(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			   str name);
/* Whether its people administrate the tenant; raises their epochs. ERR_ABSENT, unrecorded. */
err_t db_user_group_set_tenant_admin(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
				     int64_t id, bool on);
/* With its memberships; raises its members' epochs. ERR_ABSENT, unrecorded. */
err_t db_user_group_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id);

struct group_filter {
	int64_t tenant_id;
	str name_like;	    /* pattern for LIKE; empty: all */
	str dn;		    /* exact; empty: all */
	bool nearest_first; /* by the length of the name; else by id */
	int64_t limit, offset;
};
err_t db_user_group_count(struct ctx *ctx, struct sql_tx *tx, const struct group_filter *filter,
			  int64_t *ret);
err_t db_user_group_page(struct ctx *ctx, struct sql_tx *tx, const struct group_filter *filter,
			 struct user_group **ret, size_t *ret_count);

/* --- membership ----------------------------------------------------------------------------------
 */

/* The groups an account is in because a provider says so. */
err_t db_account_group_elsewhere(struct ctx *ctx, struct sql_tx *tx, int64_t account_id,
				 struct user_group **ret, size_t *ret_count);
err_t db_account_group_insert(struct ctx *ctx, struct sql_tx *tx, int64_t account_id,
			      int64_t group_id);
/* ERR_ABSENT, unrecorded, when he was not in it. */
err_t db_account_group_delete(struct ctx *ctx, struct sql_tx *tx, int64_t account_id,
			      int64_t group_id);

struct group_member {
	int64_t id;
	str name;
};
err_t db_user_group_member_count(struct ctx *ctx, struct sql_tx *tx, int64_t group_id,
				 int64_t *ret);
err_t db_user_group_members(struct ctx *ctx, struct sql_tx *tx, int64_t group_id, int64_t limit,
			    int64_t offset, struct group_member **ret, size_t *ret_count);
