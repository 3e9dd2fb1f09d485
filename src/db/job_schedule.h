/* SPDX-License-Identifier: Apache-2.0 */
/* job_schedule.h - when jobs are asked for by the clock: rows of jobs/jobs.h. */
#pragma once

#include "sql/sql.h"

struct job_schedule_row {
	int64_t id;
	str name, kind, arguments, cron;
	str shown_as; /* what who made it calls its times; nobody here reads it */
	int64_t tenant_id, next_at_us, fired_at_us;
	int64_t created_at_us, updated_at_us;
	bool enabled;
};

/* Schedules are known by their names. */
err_t db_job_schedule_get(struct ctx *ctx, struct sql_tx *tx, str name,
			  struct job_schedule_row *ret);
/* The oldest first; `*ret_total` is of all. */
err_t db_job_schedule_page(struct ctx *ctx, struct sql_tx *tx, int64_t max, int64_t offset,
			   struct job_schedule_row **ret, size_t *ret_count, int64_t *ret_total);
err_t db_job_schedule_put(struct ctx *ctx, struct sql_tx *tx, const struct job_schedule_row *row);
err_t db_job_schedule_delete(struct ctx *ctx, struct sql_tx *tx, str name);

/* The one that is due longest, nobody else's until the end of the transaction, and the time that
 * was judged by. ERR_ABSENT. */
err_t db_job_schedule_due(struct ctx *ctx, struct sql_tx *tx, struct job_schedule_row *ret,
			  int64_t *ret_now_us);
err_t db_job_schedule_fired(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t next_at_us);
/* Another next time, unless it has one already since `row` was read. */
err_t db_job_schedule_move(struct ctx *ctx, struct sql_tx *tx, const struct job_schedule_row *row,
			   int64_t next_at_us);
err_t db_job_schedule_stop(struct ctx *ctx, struct sql_tx *tx, int64_t id);
