/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.c - see expiry.h. */
#include "db/expiry.h"
#include "expiry.sql.h"
#include "rows.h"

#include "base/banned.h"

err_t db_expiry_insert(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
		       const struct expiry *expiry, int64_t due_at_us)
{
	return sql_exec(ctx, tx, &SQL_EXPIRY_INSERT,
			SQL_ARGS(SQL_I64(manifest_id), SQL_I64(expiry->after_s),
				 SQL_I64(expiry->at_us), SQL_I64(due_at_us)),
			NULL);
}

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct expiry_row *ret = item;
	*ret = (struct expiry_row){
		.manifest_id = sql_i64(rows, 0),
		.project_id = sql_i64(rows, 1),
		.expiry = { .after_s = sql_i64(rows, 2), .at_us = sql_i64(rows, 3) },
		.due_at_us = sql_i64(rows, 4),
		.repository_id = sql_i64(rows, 5),
		.digest_text = db_text(ctx, rows, 6),
		.repository = db_text(ctx, rows, 7),
		.tenant_id = sql_i64(rows, 8),
		.project = db_text(ctx, rows, 9),
		.parents = sql_i64(rows, 10),
		.pushed_at_us = sql_i64(rows, 11),
	};
}

static const struct row_reader row_reader = { sizeof(struct expiry_row), read_row };

err_t db_expiry_due(struct ctx *ctx, struct sql_tx *tx, int64_t now_us, int64_t max,
		    struct expiry_row **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_EXPIRY_DUE, SQL_ARGS(SQL_I64(now_us), SQL_I64(max)),
			    &row_reader, (void **)ret, ret_count);
}

err_t db_expiry_page(struct ctx *ctx, struct sql_tx *tx, const struct expiry_row *after,
		     int64_t max, struct expiry_row **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_EXPIRY_PAGE,
			    SQL_ARGS(SQL_I64(after->project_id), SQL_I64(after->due_at_us),
				     SQL_I64(after->manifest_id), SQL_I64(max)),
			    &row_reader, (void **)ret, ret_count);
}

err_t db_expiry_tags(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
		     struct retention_tag **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_EXPIRY_TAGS, SQL_ARGS(SQL_I64(manifest_id)),
			    &db_retention_tag_reader, (void **)ret, ret_count);
}

err_t db_expiry_put_off(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id, int64_t due_at_us)
{
	return sql_exec(ctx, tx, &SQL_EXPIRY_PUT_OFF,
			SQL_ARGS(SQL_I64(manifest_id), SQL_I64(due_at_us)), NULL);
}
