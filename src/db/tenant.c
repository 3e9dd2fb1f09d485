/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.c - see tenant.h. */
#include "db/tenant.h"
#include "rows.h"
#include "tenant.sql.h"

#include "base/banned.h"

static void read_tenant(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct tenant_row *)item = (struct tenant_row){
		.id = sql_i64(rows, 0),
		.name = db_text(ctx, rows, 1),
		.title = db_text(ctx, rows, 2),
		.state = (enum tenant_state)sql_i64(rows, 3),
		.reason = db_text(ctx, rows, 4),
		.storage_id = sql_i64(rows, 5),
		.created_at_us = sql_i64(rows, 6),
		.updated_at_us = sql_i64(rows, 7),
	};
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct tenant_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_tenant(ctx, &rows, ret);
	return OK;
}

err_t db_tenant_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct tenant_row *ret)
{
	return find(ctx, tx, &SQL_TENANT_GET, SQL_ARGS(SQL_I64(id)), ret);
}

err_t db_tenant_find(struct ctx *ctx, struct sql_tx *tx, str name, struct tenant_row *ret)
{
	return find(ctx, tx, &SQL_TENANT_FIND, SQL_ARGS(SQL_TEXT(name)), ret);
}

err_t db_tenant_of_host(struct ctx *ctx, struct sql_tx *tx, str host, struct tenant_row *ret)
{
	return find(ctx, tx, &SQL_TENANT_OF_HOST, SQL_ARGS(SQL_TEXT(host)), ret);
}
