/* SPDX-License-Identifier: Apache-2.0 */
/* binding.c - see binding.h. */
#include "db/binding.h"
#include "base/clock.h"
#include "binding.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct binding_row *)item = (struct binding_row){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.issuer_id = sql_i64(rows, 2),
		.robot_id = sql_i64(rows, 3),
		.name = db_text(ctx, rows, 4),
		.position = sql_i64(rows, 5),
		.enabled = sql_i64(rows, 6) != 0,
		.conditions = db_text(ctx, rows, 7),
		.lifetime_s = sql_i64(rows, 8),
		.created_at_us = sql_i64(rows, 9),
		.updated_at_us = sql_i64(rows, 10),
		.used_at_us = sql_i64(rows, 11),
		.robot_name = db_text(ctx, rows, 12),
		.robot_visible = sql_i64(rows, 13) != 0,
	};
}

static const struct row_reader reader = { sizeof(struct binding_row), read_row };

err_t db_binding_insert(struct ctx *ctx, struct sql_tx *tx, struct binding_row *row)
{
	row->created_at_us = row->updated_at_us = clock_wall_us();
	return db_insert_id(ctx, tx, &SQL_BINDING_INSERT,
			    SQL_ARGS(SQL_I64(row->tenant_id),
				     row->issuer_id ? SQL_I64(row->issuer_id) : SQL_NULL,
				     SQL_I64(row->robot_id), SQL_TEXT(row->name),
				     SQL_I64(row->position), SQL_I64(row->enabled),
				     SQL_TEXT(row->conditions), SQL_I64(row->lifetime_s),
				     SQL_I64(row->created_at_us)),
			    &row->id);
}

err_t db_binding_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t issuer_id,
		     int64_t id, struct binding_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_BINDING_GET,
		    SQL_ARGS(SQL_I64(tenant_id), SQL_I64(issuer_id), SQL_I64(id)), &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

err_t db_binding_page(struct ctx *ctx, struct sql_tx *tx, struct binding_page *page)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	const struct sql_value tenant = SQL_I64(page->tenant_id), issuer = SQL_I64(page->issuer_id);
	TRY(sql_one(ctx, tx, &SQL_BINDING_COUNT, SQL_ARGS(tenant, issuer), &rows));
	page->total = sql_i64(&rows, 0);
	return db_rows_read(ctx, tx, &SQL_BINDING_LIST,
			    SQL_ARGS(tenant, issuer, SQL_I64(page->limit), SQL_I64(page->offset)),
			    &reader, (void **)&page->rows, &page->count);
}

err_t db_binding_of_certificates(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, size_t max,
				 struct binding_row **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_BINDING_OF_CERTIFICATES,
			    SQL_ARGS(SQL_I64(tenant_id), SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}

err_t db_binding_update(struct ctx *ctx, struct sql_tx *tx, const struct binding_row *row)
{
	return db_exec_one(ctx, tx, &SQL_BINDING_UPDATE,
			   SQL_ARGS(SQL_I64(row->id), SQL_I64(row->position), SQL_I64(row->enabled),
				    SQL_TEXT(row->conditions), SQL_I64(row->lifetime_s),
				    SQL_I64(row->robot_id), SQL_I64(clock_wall_us())));
}

err_t db_binding_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_BINDING_DELETE, SQL_ARGS(SQL_I64(id)));
}

err_t db_binding_used(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t used_at_us)
{
	return sql_exec(ctx, tx, &SQL_BINDING_USED, SQL_ARGS(SQL_I64(id), SQL_I64(used_at_us)),
			NULL);
}
