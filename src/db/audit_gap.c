/* SPDX-License-Identifier: Apache-2.0 */
/* audit_gap.c - see audit_gap.h. */
#include "db/audit_gap.h"
#include "audit_gap.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_old(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	(void)ctx;
	*(struct audit_old *)item =
		(struct audit_old){ { sql_i64(rows, 0), sql_i64(rows, 1) }, sql_i64(rows, 2) };
}

err_t db_audit_old_page(struct ctx *ctx, struct sql_tx *tx, const struct audit_old_page *page,
			struct audit_old **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct audit_old), read_old };
	return db_rows_read(ctx, tx, &SQL_AUDIT_GAP_CANDIDATES,
			    SQL_ARGS(SQL_TEXT(page->operation), SQL_TEXT(page->resource_type),
				     SQL_I64(page->until_us), SQL_I64(page->after.time_us),
				     SQL_I64(page->after.id), SQL_I64((int64_t)page->max)),
			    &reader, (void **)ret, ret_count);
}

err_t db_audit_gap_find(struct ctx *ctx, struct sql_tx *tx, int64_t seq, struct audit_gap *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_AUDIT_GAP_BEFORE, SQL_ARGS(SQL_I64(seq)), &rows));
	if (sql_i64(&rows, 1) < seq)
		return ERR_ABSENT;
	*ret = (struct audit_gap){ sql_i64(&rows, 0), sql_i64(&rows, 1), db_text(ctx, &rows, 2) };
	return OK;
}

static err_t change(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		    int64_t first, int64_t last)
{
	return sql_exec(ctx, tx, statement, SQL_ARGS(SQL_I64(first), SQL_I64(last)), NULL);
}

err_t db_audit_remove(struct ctx *ctx, struct sql_tx *tx, int64_t first, int64_t last)
{
	TRY(change(ctx, tx, &SQL_AUDIT_GAP_REMOVE_RECORDS, first, last));
	return change(ctx, tx, &SQL_AUDIT_GAP_REMOVE_PLACES, first, last);
}

err_t db_audit_gap_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_gap *gap)
{
	TRY(change(ctx, tx, &SQL_AUDIT_GAP_REMOVE_CHECKPOINTS, gap->first, gap->last));
	return sql_exec(ctx, tx, &SQL_AUDIT_GAP_INSERT,
			SQL_ARGS(SQL_I64(gap->first), SQL_I64(gap->last), SQL_TEXT(gap->token)),
			NULL);
}

err_t db_audit_gap_delete(struct ctx *ctx, struct sql_tx *tx, int64_t first)
{
	return sql_exec(ctx, tx, &SQL_AUDIT_GAP_DELETE, SQL_ARGS(SQL_I64(first)), NULL);
}
