/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c - when the database's clock was set back.
 *
 * By less than a day, nothing is done: what is to happen at a time waits until the clock is there
 * again, so nothing happens twice. By more, the clock was wrong before, and what waits for times of
 * then would wait for months: schedules are at their next time from now on, leases end within the
 * longest there is, and jobs that were made or run at times to come wait no more.
 */
#include "internal.h"

#include "base/log.h"
#include "codec/cron.h"

#include "base/banned.h"

#define BACK_US	      (INT64_C(86400) * SECOND_US)
#define LEASE_US_MAX  (INT64_C(3600) * SECOND_US)
#define SCHEDULES_MAX 100

struct setting_back {
	int64_t offset;
	size_t count;
	int64_t moved;
};

static err_t move(struct ctx *ctx, struct sql_tx *tx, const struct job_schedule_row *row,
		  int64_t now_us, int64_t *moved)
{
	struct cron cron;
	struct cron_problem problem;
	if (!row->enabled || !cron_parse(row->cron, &cron, &problem) ||
	    row->next_at_us <= cron_next(&cron, now_us + BACK_US))
		return OK;
	++*moved;
	return db_job_schedule_move(ctx, tx, row, cron_next(&cron, now_us));
}

static err_t schedules_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct setting_back *back = arg;
	struct job_schedule_row *rows;
	int64_t now_us, total;
	back->moved = 0;
	TRY(db_job_now(ctx, tx, &now_us));
	TRY(db_job_schedule_page(ctx, tx, SCHEDULES_MAX, back->offset, &rows, &back->count,
				 &total));
	for (size_t i = 0; i < back->count; i++)
		TRY(move(ctx, tx, &rows[i], now_us, &back->moved));
	return OK;
}

static err_t jobs_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	(void)arg;
	return db_job_set_back(ctx, tx, BACK_US, LEASE_US_MAX);
}

static err_t set_back(struct ctx *ctx, struct jobs *jobs)
{
	struct setting_back back = { .count = SCHEDULES_MAX };
	int64_t moved = 0;
	for (; back.count == SCHEDULES_MAX; back.offset += SCHEDULES_MAX) {
		TRY(ctx_check(ctx));
		TRY(db_run(ctx, jobs->options.db, SQL_WRITE_RELAXED, schedules_body, &back));
		moved += back.moved;
	}
	if (moved)
		LOG(LOG_NOTICE, "the database's clock was set back: schedules go by it from now on",
		    LOG_I64("schedules", moved));
	return db_run(ctx, jobs->options.db, SQL_WRITE_RELAXED, jobs_body, NULL);
}

/* At first, and whenever it is far behind where it was. */
err_t jobs_watch_clock(struct ctx *ctx, struct jobs *jobs, int64_t now_us)
{
	int64_t seen_us = atomic_load(&jobs->seen_us);
	if (!seen_us || now_us < seen_us - BACK_US)
		TRY(set_back(ctx, jobs));
	atomic_store(&jobs->seen_us, now_us);
	return OK;
}
