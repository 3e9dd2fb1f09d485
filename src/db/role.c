/* SPDX-License-Identifier: Apache-2.0 */
/* role.c - see role.h. */
#include "db/role.h"
#include "base/clock.h"
#include "db/tenant.h"
#include "role.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_role(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct role_row *)item = (struct role_row){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.description = db_text(ctx, rows, 3),
		.grants = db_text(ctx, rows, 4),
		.created_at_us = sql_i64(rows, 5),
		.updated_at_us = sql_i64(rows, 6),
	};
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct role_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_role(ctx, &rows, ret);
	return OK;
}

err_t db_role_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
		  struct role_row *ret)
{
	return find(ctx, tx, &SQL_ROLE_GET, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)), ret);
}

err_t db_role_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
		   struct role_row *ret)
{
	return find(ctx, tx, &SQL_ROLE_FIND, SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name)), ret);
}

err_t db_role_count(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_ROLE_COUNT, SQL_ARGS(SQL_I64(tenant_id)), ret);
}

err_t db_role_page(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t limit,
		   int64_t offset, struct role_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct role_row), read_role };
	return db_rows_read(ctx, tx, &SQL_ROLE_PAGE,
			    SQL_ARGS(SQL_I64(tenant_id), SQL_I64(limit), SQL_I64(offset)), &reader,
			    (void **)ret, ret_count);
}

err_t db_role_insert(struct ctx *ctx, struct sql_tx *tx, struct role_row *role)
{
	TRY(db_tenant_hold(ctx, tx, role->tenant_id));
	return db_insert_id(ctx, tx, &SQL_ROLE_INSERT,
			    SQL_ARGS(SQL_I64(role->tenant_id), SQL_TEXT(role->name),
				     SQL_TEXT(role->description), SQL_TEXT(role->grants),
				     SQL_I64(clock_wall_us())),
			    &role->id);
}

err_t db_role_update(struct ctx *ctx, struct sql_tx *tx, const struct role_row *role)
{
	return db_exec_one(ctx, tx, &SQL_ROLE_UPDATE,
			   SQL_ARGS(SQL_I64(role->tenant_id), SQL_I64(role->id),
				    SQL_TEXT(role->name), SQL_TEXT(role->description),
				    SQL_TEXT(role->grants), SQL_I64(clock_wall_us())));
}

err_t db_role_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_ROLE_DELETE, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)));
}

err_t db_role_in_use(struct ctx *ctx, struct sql_tx *tx, int64_t id, bool *ret)
{
	return db_has_row(ctx, tx, &SQL_ROLE_MEMBER, SQL_ARGS(SQL_I64(id)), ret);
}
