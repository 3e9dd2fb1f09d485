/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.c - see inventory.h. */
#include "db/inventory.h"
#include "inventory.sql.h"
#include "rows.h"

#include "base/banned.h"

err_t db_inventory_put(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
		       const struct inventory_row *row)
{
	return sql_exec(ctx, tx, &SQL_INVENTORY_PUT,
			SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(row->cluster),
				 SQL_TEXT(row->digest_text), SQL_I64(row->reported_at_us),
				 SQL_I64(row->expires_at_us)),
			NULL);
}

err_t db_inventory_drop_older(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str cluster,
			      int64_t before_us)
{
	return sql_exec(ctx, tx, &SQL_INVENTORY_DROP_OLDER,
			SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(cluster), SQL_I64(before_us)), NULL);
}

err_t db_inventory_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str cluster,
			  int64_t *ret_count)
{
	return sql_exec(ctx, tx, &SQL_INVENTORY_DELETE,
			SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(cluster)), ret_count);
}

err_t db_inventory_delete_expired(struct ctx *ctx, struct sql_tx *tx, int64_t now_us,
				  int64_t *ret_count)
{
	return sql_exec(ctx, tx, &SQL_INVENTORY_DELETE_EXPIRED, SQL_ARGS(SQL_I64(now_us)),
			ret_count);
}

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct inventory_row *ret = item;
	*ret = (struct inventory_row){
		.cluster = db_text(ctx, rows, 0),
		.digest_text = db_text(ctx, rows, 1),
		.reported_at_us = sql_i64(rows, 2),
		.expires_at_us = sql_i64(rows, 3),
	};
}

err_t db_inventory_page(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
			const struct inventory_row *after, int64_t max, struct inventory_row **ret,
			size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct inventory_row), read_row };
	return db_rows_read(ctx, tx, &SQL_INVENTORY_PAGE,
			    SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(after->cluster),
				     SQL_TEXT(after->digest_text), SQL_I64(max)),
			    &reader, (void **)ret, ret_count);
}
