/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.h - roles: Harbor's five, which belong to tenant 0 and have their numbers as ids, and those
 * that a tenant has made, from ROLE_CUSTOM_FIRST on.
 */
#pragma once

#include "sql/sql.h"

#define ROLE_CUSTOM_FIRST INT64_C(1001)

struct role_row {
	int64_t id;
	int64_t tenant_id; /* 0: one of Harbor's */
	str name;
	str description;
	str grants; /* JSON, see auth/role.h; empty for Harbor's */
	int64_t created_at_us;
	int64_t updated_at_us;
};

/* Of the tenant or of Harbor. ERR_ABSENT, unrecorded. */
err_t db_role_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
		  struct role_row *ret);
err_t db_role_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
		   struct role_row *ret);
err_t db_role_count(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t *ret);
err_t db_role_page(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t limit,
		   int64_t offset, struct role_row **ret, size_t *ret_count);

/* Fills the id. ERR_EXISTS, unrecorded, when the tenant has the name. */
err_t db_role_insert(struct ctx *ctx, struct sql_tx *tx, struct role_row *role);
/* ERR_ABSENT, unrecorded; ERR_EXISTS, recorded, for a name that is taken. */
err_t db_role_update(struct ctx *ctx, struct sql_tx *tx, const struct role_row *role);
err_t db_role_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id);
/* Whether somebody has it. */
err_t db_role_in_use(struct ctx *ctx, struct sql_tx *tx, int64_t id, bool *ret);
