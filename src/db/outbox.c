/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c - see outbox.h. */
#include "db/outbox.h"
#include "outbox.sql.h"
#include "rows.h"

#include "base/banned.h"

err_t db_outbox_insert(struct ctx *ctx, struct sql_tx *tx, str kind, str subject, str payload,
		       int64_t *ret_id)
{
	return db_one_i64(ctx, tx, &SQL_OUTBOX_INSERT,
			  SQL_ARGS(SQL_TEXT(kind), SQL_TEXT(subject), SQL_TEXT(payload)), ret_id);
}

static void read_outbox(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct outbox_row *)item = (struct outbox_row){ .id = sql_i64(rows, 0),
							  .payload = db_text(ctx, rows, 1),
							  .created_at_us = sql_i64(rows, 2) };
}

err_t db_outbox_page(struct ctx *ctx, struct sql_tx *tx, str kind, str subject, int64_t max,
		     struct outbox_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct outbox_row), read_outbox };
	return db_rows_read(ctx, tx, &SQL_OUTBOX_PAGE,
			    SQL_ARGS(SQL_TEXT(kind), SQL_TEXT(subject), SQL_I64(max)), &reader,
			    (void **)ret, ret_count);
}

static void read_subject(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct outbox_subject *)item =
		(struct outbox_subject){ db_text(ctx, rows, 0), sql_i64(rows, 1) != 0 };
}

err_t db_outbox_subjects(struct ctx *ctx, struct sql_tx *tx, str kind, str after, int64_t max,
			 struct outbox_subject **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct outbox_subject), read_subject };
	return db_rows_read(ctx, tx, &SQL_OUTBOX_SUBJECTS,
			    SQL_ARGS(SQL_TEXT(kind), SQL_TEXT(after), SQL_I64(max)), &reader,
			    (void **)ret, ret_count);
}

err_t db_outbox_count(struct ctx *ctx, struct sql_tx *tx, str kind, struct outbox_count *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_OUTBOX_COUNT, SQL_ARGS(SQL_TEXT(kind)), &rows));
	*ret = (struct outbox_count){ sql_i64(&rows, 0), sql_i64(&rows, 1) };
	return OK;
}

err_t db_outbox_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_OUTBOX_DELETE, SQL_ARGS(SQL_I64(id)));
}
