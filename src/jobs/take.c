/* SPDX-License-Identifier: Apache-2.0 */
/*
 * take.c - what is ready, for the workers that are free.
 *
 * The row of the kind is locked while jobs of it are taken, so the numbers that are counted hold,
 * at whatever node. Tenants take turns by their ids, from the one after the last. Where a read
 * finds nothing, nothing is locked.
 */
#include "internal.h"

#include "base/banned.h"

#define TENANT_FIRST (-1) /* before all ids */

struct taking {
	struct jobs *jobs;
	const struct job_kind *kind;
	unsigned free;
	struct job_row rows[JOB_WORKERS_MAX];
	size_t count;
};

static unsigned count_free(struct jobs *jobs)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&jobs->lock);
	unsigned free = 0;
	for (unsigned i = 0; i < jobs->worker_count && !jobs->stopping; i++)
		free += !jobs->workers[i].busy;
	return free;
}

static err_t any_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct taking *taking = arg;
	int64_t tenant_id;
	return db_job_next_tenant(ctx, tx, str_from(taking->kind->name), TENANT_FIRST, &tenant_id);
}

/* How many may be taken of the kind. */
static err_t room_of(struct ctx *ctx, struct sql_tx *tx, const struct taking *taking, int64_t *ret)
{
	int64_t running = 0, max = taking->kind->at_once_max;
	if (max)
		TRY(db_job_running(ctx, tx, str_from(taking->kind->name), &running));
	*ret = max ? MIN((int64_t)taking->free, max - running) : (int64_t)taking->free;
	return OK;
}

static err_t is_at_limit(struct ctx *ctx, struct sql_tx *tx, const struct job_kind *kind,
			 int64_t tenant_id, bool *ret)
{
	int64_t running = 0;
	if (kind->of_tenant_max)
		TRY(db_job_running_of_tenant(ctx, tx, str_from(kind->name), tenant_id, &running));
	*ret = kind->of_tenant_max && running >= kind->of_tenant_max;
	return OK;
}

/* ERR_ABSENT also when somebody has the row at this moment. */
static err_t take_one(struct ctx *ctx, struct sql_tx *tx, struct taking *taking, int64_t tenant_id)
{
	const struct jobs *jobs = taking->jobs;
	struct job_taker taker = { .kind = str_from(taking->kind->name),
				   .owner = jobs->owner,
				   .tenant_id = tenant_id,
				   .lease_us = jobs->options.lease_ms * MS_US };
	unsigned max = taking->kind->of_lane_max;
	str lane;
	if (max) {
		TRY(db_job_any_lane(ctx, tx, taker.kind, tenant_id, max, &lane));
		taker.lane = &lane;
	}
	return db_job_take(ctx, tx, &taker, &taking->rows[taking->count]);
}

/* One of the tenant, if it may have another. */
static err_t take_of(struct ctx *ctx, struct sql_tx *tx, struct taking *taking, int64_t tenant_id)
{
	bool at_limit;
	TRY(is_at_limit(ctx, tx, taking->kind, tenant_id, &at_limit));
	if (at_limit)
		return OK;
	err_t err = take_one(ctx, tx, taking, tenant_id);
	taking->count += err == OK;
	return err == ERR_ABSENT ? OK : err;
}

/* Round and round, until nothing is free or a whole round gave nothing. */
static err_t take_in_turns(struct ctx *ctx, struct sql_tx *tx, struct taking *taking,
			   int64_t *last_id, int64_t room)
{
	str kind = str_from(taking->kind->name);
	size_t before_round = 0;
	bool first_round = true;
	while ((int64_t)taking->count < room) {
		int64_t tenant_id;
		err_t err = db_job_next_tenant(ctx, tx, kind, *last_id, &tenant_id);
		if (err == ERR_ABSENT) {
			if (!first_round && taking->count == before_round)
				return OK;
			first_round = false;
			before_round = taking->count;
			*last_id = TENANT_FIRST;
			continue;
		}
		TRY(err);
		*last_id = tenant_id;
		TRY(take_of(ctx, tx, taking, tenant_id));
	}
	return OK;
}

static err_t take_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct taking *taking = arg;
	str kind = str_from(taking->kind->name);
	struct job_turn turn;
	int64_t room;
	taking->count = 0;
	TRY(db_job_kind_lock(ctx, tx, kind, &turn));
	if (turn.paused)
		return OK;
	TRY(room_of(ctx, tx, taking, &room));
	TRY(take_in_turns(ctx, tx, taking, &turn.last_tenant_id, room));
	return taking->count ? db_job_kind_turn(ctx, tx, kind, turn.last_tenant_id) : OK;
}

static err_t take_kind(struct ctx *ctx, struct jobs *jobs, struct taking *taking)
{
	int64_t asked_ns = clock_now_ns();
	err_t err = db_run(ctx, jobs->options.db, SQL_READ, any_body, taking);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	TRY(db_run(ctx, jobs->options.db, SQL_WRITE, take_body, taking));
	for (size_t i = 0; i < taking->count; i++)
		jobs_give(jobs_free_worker(jobs), &taking->rows[i],
			  asked_ns + jobs->options.lease_ms * CLOCK_MS,
			  taking->rows[i].started_at_us);
	taking->free -= (unsigned)taking->count;
	return OK;
}

err_t jobs_take(struct ctx *ctx, struct jobs *jobs)
{
	struct taking *taking = ARENA_NEW(ctx->arena, struct taking);
	taking->jobs = jobs;
	taking->free = count_free(jobs);
	for (size_t i = 0; i < jobs->options.kind_count && taking->free; i++) {
		taking->kind = &jobs->options.kinds[i];
		TRY(take_kind(ctx, jobs, taking));
	}
	return OK;
}
