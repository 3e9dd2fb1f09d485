/* SPDX-License-Identifier: Apache-2.0 */
/* job_schedule.c - see job_schedule.h. */
#include "db/job_schedule.h"
#include "job_schedule.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct job_schedule_row *ret = item;
	*ret = (struct job_schedule_row){
		.id = sql_i64(rows, 0),
		.name = db_text(ctx, rows, 1),
		.kind = db_text(ctx, rows, 2),
		.tenant_id = sql_i64(rows, 3),
		.arguments = db_text(ctx, rows, 4),
		.cron = db_text(ctx, rows, 5),
		.next_at_us = sql_i64(rows, 6),
		.fired_at_us = sql_i64(rows, 7),
		.enabled = sql_i64(rows, 8) != 0,
		.shown_as = db_text(ctx, rows, 9),
		.created_at_us = sql_i64(rows, 10),
		.updated_at_us = sql_i64(rows, 11),
	};
}

err_t db_job_schedule_get(struct ctx *ctx, struct sql_tx *tx, str name,
			  struct job_schedule_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_JOB_SCHEDULE_GET, SQL_ARGS(SQL_TEXT(name)), &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

err_t db_job_schedule_page(struct ctx *ctx, struct sql_tx *tx, int64_t max, int64_t offset,
			   struct job_schedule_row **ret, size_t *ret_count, int64_t *ret_total)
{
	static const struct row_reader reader = { sizeof(struct job_schedule_row), read_row };
	TRY(db_one_i64(ctx, tx, &SQL_JOB_SCHEDULE_TOTAL, SQL_NO_ARGS, ret_total));
	return db_rows_read(ctx, tx, &SQL_JOB_SCHEDULE_PAGE,
			    SQL_ARGS(SQL_I64(max), SQL_I64(offset)), &reader, (void **)ret,
			    ret_count);
}

err_t db_job_schedule_put(struct ctx *ctx, struct sql_tx *tx, const struct job_schedule_row *row)
{
	return sql_exec(ctx, tx, &SQL_JOB_SCHEDULE_PUT,
			SQL_ARGS(SQL_TEXT(row->name), SQL_TEXT(row->kind), SQL_I64(row->tenant_id),
				 SQL_TEXT(row->arguments), SQL_TEXT(row->cron),
				 SQL_I64(row->enabled), SQL_I64(row->next_at_us),
				 SQL_TEXT(row->shown_as)),
			NULL);
}

err_t db_job_schedule_delete(struct ctx *ctx, struct sql_tx *tx, str name)
{
	return db_exec_one(ctx, tx, &SQL_JOB_SCHEDULE_DELETE, SQL_ARGS(SQL_TEXT(name)));
}

err_t db_job_schedule_due(struct ctx *ctx, struct sql_tx *tx, struct job_schedule_row *ret,
			  int64_t *ret_now_us)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_JOB_SCHEDULE_DUE, SQL_NO_ARGS, &rows));
	read_row(ctx, &rows, ret);
	*ret_now_us = sql_i64(&rows, 12);
	return OK;
}

err_t db_job_schedule_fired(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t next_at_us)
{
	return sql_exec(ctx, tx, &SQL_JOB_SCHEDULE_FIRED,
			SQL_ARGS(SQL_I64(id), SQL_I64(next_at_us)), NULL);
}

err_t db_job_schedule_move(struct ctx *ctx, struct sql_tx *tx, const struct job_schedule_row *row,
			   int64_t next_at_us)
{
	return sql_exec(ctx, tx, &SQL_JOB_SCHEDULE_MOVE,
			SQL_ARGS(SQL_I64(row->id), SQL_I64(row->next_at_us), SQL_I64(next_at_us)),
			NULL);
}

err_t db_job_schedule_stop(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return sql_exec(ctx, tx, &SQL_JOB_SCHEDULE_STOP, SQL_ARGS(SQL_I64(id)), NULL);
}
