/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nodes.c - who is there: a row for each engine, for those who look. Nothing goes by it: leases say
 * who holds what.
 */
#include "internal.h"

#include <unistd.h>

#include "base/banned.h"

#define LEAVE_ARENA KIB(64)
#define HOST_MAX    63

static err_t say_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct jobs *jobs = arg;
	char host[HOST_MAX + 1] = "";
	(void)gethostname(host, sizeof host - 1);
	const struct job_node node = {
		.owner = jobs->owner,
		.host = str_is_utf8(str_from(host)) ? str_from(host) : STR_NONE,
		.pid = getpid(),
		.workers = jobs->options.workers_max,
	};
	TRY(db_job_node_put(ctx, tx, &node));
	return db_job_node_forget(ctx, tx, JOB_NODE_UNSEEN_S * SECOND_US);
}

err_t jobs_node_say(struct ctx *ctx, struct jobs *jobs)
{
	int64_t now_ns = clock_now_ns();
	if (jobs->said_ns && now_ns - jobs->said_ns < JOB_NODE_SAYS_S * CLOCK_S)
		return OK;
	TRY(db_run(ctx, jobs->options.db, SQL_WRITE_RELAXED, say_body, jobs));
	jobs->said_ns = now_ns;
	return OK;
}

static err_t leave_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct jobs *jobs = arg;
	return db_job_node_delete(ctx, tx, jobs->owner);
}

/* Whoever cannot say so is forgotten after a while. */
void jobs_node_leave(struct jobs *jobs)
{
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	arena_init(&arena, LEAVE_ARENA);
	ctx_init(&ctx, &arena);
	ctx.deadline_ns = clock_now_ns() + CLOCK_S;
	if (sql_reach(jobs->options.db) == SQL_REACH_ALL)
		(void)db_run(&ctx, jobs->options.db, SQL_WRITE_RELAXED, leave_body, jobs);
}

struct nodes {
	struct job_node **rows;
	size_t *count;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct nodes *nodes = arg;
	return db_job_node_list(ctx, tx, nodes->rows, nodes->count);
}

err_t jobs_nodes(struct ctx *ctx, struct jobs *jobs, struct job_node **ret, size_t *ret_count)
{
	struct nodes nodes = { ret, ret_count };
	return db_run(ctx, jobs->options.db, SQL_READ, list_body, &nodes);
}

struct running {
	str owner;
	struct job_row **rows;
	size_t *count;
};

static err_t running_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct running *running = arg;
	return db_job_running_of_owner(ctx, tx, running->owner, running->rows, running->count);
}

err_t jobs_running_at(struct ctx *ctx, struct jobs *jobs, str owner, struct job_row **ret,
		      size_t *ret_count)
{
	struct running running = { owner, ret, ret_count };
	return db_run(ctx, jobs->options.db, SQL_READ, running_body, &running);
}
