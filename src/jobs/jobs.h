/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs.h - work in the background: durable, at any node, never twice at once.
 *
 * A job is a row: a kind, arguments, and when it is due. It is asked for in the transaction of
 * what it follows from, so both happen or neither:
 *
 *	const struct job_request wanted = { .kind = STR("scan"), .tenant_id = 7, … };
 *	TRY(jobs_enqueue(ctx, tx, &wanted, &id));
 *	…	after the commit: jobs_wake(jobs);
 *
 * Every node has an engine, which takes what is ready, as long as it has a worker free and as
 * the kind (job.h) allows it: so many at once in the whole cluster, so many of them of one
 * tenant. The tenants that wait take turns, whoever has how many; among those of one tenant the
 * oldest is next.
 *
 * *Leases and fencing.* Who takes a job holds it for lease_ms and renews that three times in the
 * time. When its node dies, another one takes it. A node that only was slow or cut off may go on
 * for a while and not know; so each time a job is taken its fence rises, and every write
 * transaction that is made with the job's ctx, by whatever module, is committed only while the
 * job is held with that fence, and keeps others from taking it meanwhile (ctx->guard). A late
 * write is ERR_CANCELLED and changes nothing. What is not in the database cannot be fenced:
 * bytes come before rows as everywhere, and handlers do the same again when they are run again.
 *
 * *Times* of leases, of what is due and of schedules are the database's, because that is the one
 * clock that all nodes share: a node whose own clock is minutes off takes nothing from others,
 * and fires nothing early, late or twice. How long a node may rely on a lease it counts itself,
 * by the monotonic clock from before it asked. When the database's own clock jumps ahead, leases
 * end early and fences do the rest, and what was jumped over happens once; when it jumps back,
 * schedules wait until it is there again, or, if that is more than a day, go by it from then on.
 *
 * *Failing.* A handler that fails is run again after a pause, which doubles each time and is
 * spread (full jitter over its second half), until the kind's attempts are used up or the job's
 * own time is over. A job whose node went away with it three times is parked as failed, for it
 * may be what kills them, and its log says so. A log has the first part and the newest megabyte
 * of what was said, and is kept as long as its row: the kind's time.
 *
 * *Cancelling* ends a job that waits at once. One that runs sees ctx->cancelled: all that waits
 * or asks ctx_check() ends. At the node that runs it that is at once, elsewhere within a few
 * seconds. A node that stops gives its jobs back in the same way, and the attempt does not
 * count.
 *
 * *Subjects.* At most one unfinished job of a kind has the same subject. Who asks for another
 * gets that one: if it waits, it will do; if it runs, it is run once more when it is done, since
 * it may have looked already. On this stands the outbox (outbox.h), and that a schedule whose
 * last job still runs does not pile up others.
 *
 * *Lanes.* Jobs that wait for the same thing, as all that are told to one receiver, have the same
 * lane. When that thing is slow, a kind with of_lane_max has no more of its workers wait for it;
 * among a tenant's lanes that may have one more, chance decides, so none waits until another has
 * nothing to do. In a lane the oldest is next.
 *
 * *Schedules* (schedule.h) are rows too. Firing is one transaction: the job, and when it is
 * next. So it happens once in the cluster, whoever does it, and what was missed while no node
 * ran happens once when one does.
 *
 * *Being seen.* All that a job does carries its name, `job-ID`, as what a request does carries the
 * request's id (ctx->request_id); each line that its thread logs has its number (`job`), and the
 * trace that its run is recorded in, if it is (run.h). Its row remembers the id and the trace of
 * what it was first asked for in, out of the ctx of who asked.
 *
 * An idle engine asks the database one question every two seconds, and is woken by whoever asks
 * for a job at the same node.
 *
 * Errors: those of the database; ERR_ABSENT and ERR_NOT_FOUND where it says so.
 */
#pragma once

#include "db/job.h"
#include "jobs/job.h"
#include "jobs/run.h"

struct job_schedule;

struct jobs_options {
	struct sql *db;
	const struct job_kind *kinds; /* as long as the engine */
	size_t kind_count;
	const struct job_schedule *schedules; /* the program's own (schedule.h), as long as it */
	size_t schedule_count;
	void *arg;		       /* for their handlers, and for the watch */
	const struct job_watch *watch; /* who records runs, as long as the engine; NULL: nobody */
	unsigned
		workers_max; /* jobs that this node runs at once; 0: none, it only fires and asks */
	int64_t lease_ms;    /* default 30 s */
	int64_t poll_ms;     /* default 2 s */
	int64_t keep_s;	     /* finished jobs, unless their kind says otherwise; default 30 days */
	int64_t turn_ms_max; /* how long a step of the engine may take; default 10 s */
};

#define JOB_KINDS_MAX	64
#define JOB_WORKERS_MAX 256
#define JOB_LOSSES_MAX	3

struct jobs;

/* The handlers run from jobs_start() until jobs_stop() returns. Rows of the kinds and schedules are
 * made as soon as the database can be written. */
err_t jobs_new(struct ctx *ctx, const struct jobs_options *options, struct jobs **ret);
err_t jobs_start(struct ctx *ctx, struct jobs *jobs);
void jobs_stop(struct jobs *jobs); /* NULL, and more than once, is fine; so with free */
void jobs_free(struct jobs *jobs);

struct job_request {
	str kind;
	int64_t tenant_id; /* whose turn it takes; 0: the system's */
	str subject;	   /* empty: none */
	str lane;	   /* for a kind with of_lane_max; of one tenant */
	str arguments;	   /* what the handler reads; JSON */
	int64_t delay_ms;
	int64_t timeout_ms; /* from now, all attempts together; 0: none */
	enum job_cause cause;
	str asked_by; /* who did, for those who look at it later; empty: nobody in particular */
};

/* `ret_id` may be NULL. */
err_t jobs_enqueue(struct ctx *ctx, struct sql_tx *tx, const struct job_request *wanted,
		   int64_t *ret_id);

/* There may be something to do: look now. After the commit. */
void jobs_wake(struct jobs *jobs);

/* Both, in a transaction of its own: for who wants a job and nothing else. */
err_t jobs_ask(struct ctx *ctx, struct jobs *jobs, const struct job_request *wanted,
	       int64_t *ret_id);

/* ERR_NOT_FOUND when it is finished, or never was. */
err_t jobs_cancel(struct ctx *ctx, struct jobs *jobs, int64_t id);
/* A paused kind is not taken, at any node; what runs goes on. ERR_NOT_FOUND. */
err_t jobs_pause(struct ctx *ctx, struct jobs *jobs, str kind, bool paused);
/* Cancels all of a kind that wait. */
err_t jobs_cancel_waiting(struct ctx *ctx, struct jobs *jobs, str kind, int64_t *ret_count);
err_t jobs_get(struct ctx *ctx, struct jobs *jobs, int64_t id, struct job_row *ret);
/* Those of a kind that are kept, the newest first; only those of `subject` unless it is empty. */
err_t jobs_list(struct ctx *ctx, struct jobs *jobs, const struct job_page *page,
		struct job_row **ret, size_t *ret_count, int64_t *ret_total);
/* Parts after number `after`, at most `max`. */
err_t jobs_read_log(struct ctx *ctx, struct jobs *jobs, int64_t id, int64_t after, size_t max,
		    struct job_log_part **ret, size_t *ret_count);

/* Removes finished jobs whose kind's time is over, with their logs: for a schedule. */
err_t jobs_purge(struct ctx *ctx, struct jobs *jobs, int64_t *ret_count);

/* --- what metrics show ------------------------------------------------------------------------ */

extern const char *const job_state_names[JOB_STATE_COUNT];

struct jobs_kind_stats {
	const char *kind, *title;
	bool paused;
	struct job_count counts[JOB_RUNNING + 1]; /* of the cluster, by state */
	uint64_t results[JOB_RESULT_COUNT];	  /* of this node, since it started */
};
/* Of kind number `at`; asks the database. */
err_t jobs_kind_stats(struct ctx *ctx, struct jobs *jobs, size_t at, struct jobs_kind_stats *ret);
size_t jobs_kind_count(const struct jobs *jobs);
const char *jobs_kind_name(const struct jobs *jobs, size_t at);
/* By name or title; NULL when there is none. */
const struct job_kind *jobs_kind_find(const struct jobs *jobs, str name);

/* The nodes whose engines run, and were seen in the last two minutes; and what one of them runs. A
 * node that has stopped is not among them. */
err_t jobs_nodes(struct ctx *ctx, struct jobs *jobs, struct job_node **ret, size_t *ret_count);
err_t jobs_running_at(struct ctx *ctx, struct jobs *jobs, str owner, struct job_row **ret,
		      size_t *ret_count);
