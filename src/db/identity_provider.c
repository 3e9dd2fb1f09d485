/* SPDX-License-Identifier: Apache-2.0 */
/* identity_provider.c - see identity_provider.h. */
#include "db/identity_provider.h"
#include "base/clock.h"
#include "db/tenant.h"
#include "identity_provider.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct identity_provider_row *)item = (struct identity_provider_row){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.kind = db_text(ctx, rows, 3),
		.position = sql_i64(rows, 4),
		.enabled = sql_i64(rows, 5) != 0,
		.settings = db_text(ctx, rows, 6),
		.secrets = db_text(ctx, rows, 7),
		.created_at_us = sql_i64(rows, 8),
		.updated_at_us = sql_i64(rows, 9),
	};
}

err_t db_identity_provider_list(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
				struct identity_provider_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct identity_provider_row), read_row };
	return db_rows_read(ctx, tx, &SQL_IDENTITY_PROVIDER_LIST, SQL_ARGS(SQL_I64(tenant_id)),
			    &reader, (void **)ret, ret_count);
}

err_t db_identity_provider_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
				struct identity_provider_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_IDENTITY_PROVIDER_FIND, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)),
		    &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

err_t db_identity_provider_insert(struct ctx *ctx, struct sql_tx *tx,
				  struct identity_provider_row *row)
{
	int64_t now_us = clock_wall_us();
	TRY(db_tenant_hold(ctx, tx, row->tenant_id));
	TRY(db_insert_id(ctx, tx, &SQL_IDENTITY_PROVIDER_INSERT,
			 SQL_ARGS(SQL_I64(row->tenant_id), SQL_TEXT(row->name), SQL_TEXT(row->kind),
				  SQL_I64(row->position), SQL_I64(row->enabled),
				  SQL_TEXT(row->settings), SQL_TEXT(row->secrets), SQL_I64(now_us)),
			 &row->id));
	row->created_at_us = row->updated_at_us = now_us;
	return OK;
}

err_t db_identity_provider_update(struct ctx *ctx, struct sql_tx *tx,
				  struct identity_provider_row *row)
{
	row->updated_at_us = clock_wall_us();
	return db_exec_one(ctx, tx, &SQL_IDENTITY_PROVIDER_UPDATE,
			   SQL_ARGS(SQL_I64(row->tenant_id), SQL_I64(row->id), SQL_TEXT(row->name),
				    SQL_I64(row->position), SQL_I64(row->enabled),
				    SQL_TEXT(row->settings), SQL_TEXT(row->secrets),
				    SQL_I64(row->updated_at_us)));
}

err_t db_identity_provider_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_IDENTITY_PROVIDER_DELETE,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)));
}
