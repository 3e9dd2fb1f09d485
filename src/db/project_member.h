/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project_member.h - who belongs to a project: accounts and groups, each with one role, for ever or
 * until a time.
 *
 * A role is a row of role.h: one of Harbor's five by its number, or a custom one.
 */
#pragma once

#include "sql/sql.h"

struct project_member {
	int64_t id;
	int64_t project_id;
	int64_t account_id; /* 0: a group */
	int64_t group_id;   /* 0: an account */
	str name;	    /* of the account or group */
	int64_t role_id;
	str role_name;
	int64_t expires_at_us; /* 0: never */
	int64_t created_at_us;
	int64_t updated_at_us;
};

/* A role somebody holds: by a row of his own or of a group of his. */
struct member_role {
	int64_t role_id;
	int64_t expires_at_us; /* 0: never */
	str grants;	       /* of a custom role, as in its row */
};

/* What an account holds in a project now. */
err_t db_member_held(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t account_id,
		     struct member_role **ret, size_t *ret_count);

/* Whether it holds a role in any project. */
err_t db_member_holds_anywhere(struct ctx *ctx, struct sql_tx *tx, int64_t role_id,
			       int64_t account_id, bool *ret);

/* The ids of the projects in which it holds any role, at most `max`. */
err_t db_member_projects(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t now_us,
			 size_t max, int64_t **ret, size_t *ret_count);

/* Takes project_id, account_id or group_id, role_id and expires_at_us. ERR_EXISTS, unrecorded, when
 * it is a member already; ERR_ABSENT for a role, account, group or project that is not there. */
err_t db_member_insert(struct ctx *ctx, struct sql_tx *tx, const struct project_member *member,
		       int64_t *ret_id);

/* Within the project: ERR_ABSENT, unrecorded, when there is no such member. */
err_t db_member_get(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t id,
		    struct project_member *ret);
err_t db_member_update(struct ctx *ctx, struct sql_tx *tx, const struct project_member *member);
err_t db_member_delete(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t id);
err_t db_member_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);

struct member_filter {
	int64_t project_id;
	str name_like; /* pattern for LIKE; empty: all */
	int64_t limit, offset;
};
err_t db_member_count(struct ctx *ctx, struct sql_tx *tx, const struct member_filter *filter,
		      int64_t *ret);
err_t db_member_page(struct ctx *ctx, struct sql_tx *tx, const struct member_filter *filter,
		     struct project_member **ret, size_t *ret_count);

/* How many members have each role; roles without any are not in it. */
struct member_role_count {
	int64_t role_id;
	int64_t count;
};
err_t db_member_count_by_role(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			      struct member_role_count **ret, size_t *ret_count);

/* --- whom a change concerns ----------------------------------------------------------------------
 */

/* Raises the epoch of every account that holds something by an account, a group, a role or in a
 * project, and says which they are: what they proved before counts no more. */
enum member_holder { HOLDER_ACCOUNT, HOLDER_GROUP, HOLDER_ROLE, HOLDER_PROJECT };
err_t db_member_raise_epochs(struct ctx *ctx, struct sql_tx *tx, enum member_holder holder,
			     int64_t id, int64_t **ret, size_t *ret_count);
