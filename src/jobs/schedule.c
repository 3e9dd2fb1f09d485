/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c - see schedule.h; and the firing of what is due. */
#include "jobs/schedule.h"
#include "internal.h"

#include "base/log.h"
#include "codec/cron.h"

#include "base/banned.h"

/* --- making them ------------------------------------------------------------------------------ */

struct making {
	const struct job_schedule *wanted;
	const struct cron *cron;
};

static bool is_same(const struct job_schedule *wanted, const struct job_schedule_row *row)
{
	return str_eq(wanted->kind, row->kind) && wanted->tenant_id == row->tenant_id &&
	       str_eq(wanted->arguments, row->arguments) && str_eq(wanted->cron, row->cron) &&
	       str_eq(wanted->shown_as, row->shown_as) && wanted->disabled != row->enabled;
}

static err_t put_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct making *making = arg;
	const struct job_schedule *wanted = making->wanted;
	struct job_schedule_row row;
	int64_t now_us = 0;
	err_t err = db_job_schedule_get(ctx, tx, wanted->name, &row);
	if (err == OK && is_same(wanted, &row))
		return OK;
	if (err != OK && err != ERR_ABSENT)
		return err;
	TRY(db_job_now(ctx, tx, &now_us));
	row = (struct job_schedule_row){
		.name = wanted->name,
		.kind = wanted->kind,
		.tenant_id = wanted->tenant_id,
		.arguments = wanted->arguments,
		.cron = wanted->cron,
		.enabled = !wanted->disabled,
		.shown_as = wanted->shown_as,
		.next_at_us = cron_next(making->cron, now_us),
	};
	return db_job_schedule_put(ctx, tx, &row);
}

err_t jobs_schedule(struct ctx *ctx, struct jobs *jobs, const struct job_schedule *wanted)
{
	struct cron cron;
	struct cron_problem problem;
	if (!cron_parse(wanted->cron, &cron, &problem))
		return fail(ctx, ERR_REQUEST_INVALID, "cron: " CRON_PROBLEM_FMT,
			    CRON_PROBLEM_ARG(problem));
	struct making making = { wanted, &cron };
	TRY(db_run(ctx, jobs->options.db, SQL_WRITE, put_body, &making));
	jobs_wake(jobs);
	return OK;
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const str *name = arg;
	return db_job_schedule_delete(ctx, tx, *name);
}

err_t jobs_unschedule(struct ctx *ctx, struct jobs *jobs, str name)
{
	err_t err = db_run(ctx, jobs->options.db, SQL_WRITE, delete_body, &name);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "there is no schedule " STR_FMT, STR_ARG(name));
	return err;
}

struct listing {
	int64_t max, offset, *total;
	str name;
	struct job_schedule_row **rows, *row;
	size_t *count;
};

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct listing *listing = arg;
	return db_job_schedule_get(ctx, tx, listing->name, listing->row);
}

err_t jobs_schedule_get(struct ctx *ctx, struct jobs *jobs, str name, struct job_schedule_row *ret)
{
	struct listing listing = { .name = name, .row = ret };
	err_t err = db_run(ctx, jobs->options.db, SQL_READ, get_body, &listing);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "there is no schedule " STR_FMT, STR_ARG(name));
	return err;
}

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct listing *listing = arg;
	return db_job_schedule_page(ctx, tx, listing->max, listing->offset, listing->rows,
				    listing->count, listing->total);
}

err_t jobs_schedule_list(struct ctx *ctx, struct jobs *jobs, int64_t max, int64_t offset,
			 struct job_schedule_row **ret, size_t *ret_count, int64_t *ret_total)
{
	struct listing listing = {
		.max = max, .offset = offset, .rows = ret, .count = ret_count, .total = ret_total
	};
	return db_run(ctx, jobs->options.db, SQL_READ, list_body, &listing);
}

/* --- firing them ------------------------------------------------------------------------------ */

struct firing {
	struct job_schedule_row row;
	bool fired, broken;
};

/* The job and the next time are one transaction, and the row is nobody else's meanwhile. */
static err_t fire_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct firing *firing = arg;
	struct job_schedule_row *row = &firing->row;
	struct cron cron;
	struct cron_problem problem;
	int64_t now_us;
	firing->fired = firing->broken = false;
	err_t err = db_job_schedule_due(ctx, tx, row, &now_us);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	firing->fired = true;
	firing->broken = !cron_parse(row->cron, &cron, &problem);
	if (firing->broken)
		return db_job_schedule_stop(ctx, tx, row->id);
	const struct job_request wanted = { .kind = row->kind,
					    .tenant_id = row->tenant_id,
					    .subject = row->name,
					    .arguments = row->arguments,
					    .cause = JOB_BY_CLOCK };
	TRY(jobs_enqueue(ctx, tx, &wanted, NULL));
	return db_job_schedule_fired(ctx, tx, row->id, cron_next(&cron, now_us));
}

err_t jobs_fire(struct ctx *ctx, struct jobs *jobs)
{
	struct firing firing = { .fired = true };
	while (firing.fired) {
		TRY(ctx_check(ctx));
		TRY(db_run(ctx, jobs->options.db, SQL_WRITE, fire_body, &firing));
		if (firing.broken)
			LOG(LOG_ERROR, "a schedule is off: its cron line is none",
			    LOG_STR("schedule", firing.row.name), LOG_STR("cron", firing.row.cron));
	}
	return OK;
}
