/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h - the engine's own: one thread that looks what is to be done (turn.c), and workers
 * that run what it took (worker.c).
 *
 * `lock` guards what the workers hold and the flags; it is held for a few instructions, never
 * while the database is asked. Only the turning thread gives jobs to workers, takes and renews;
 * so what it read of the rows is not about a job that somebody took since.
 */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "db/job_schedule.h"
#include "jobs/jobs.h"
#include "os/thread.h"

#define MS_US	  INT64_C(1000)
#define SECOND_US INT64_C(1000000)

#define JOB_OWNER_MAX	    96
#define JOB_LOG_PART_MAX    KIB(16)
#define JOB_LOG_PARTS_MAX   64
#define JOB_LOG_FLUSH_NS    (CLOCK_S / 5)
#define JOB_ARENA_BYTES_MAX MIB(64)
#define JOB_WRITE_S	    5 /* for what the engine itself writes */
#define JOB_NODE_SAYS_S	    30
#define JOB_NODE_UNSEEN_S   120
#define JOB_LOG_ABOUT	    3 /* what each line says that is logged while it runs */
#define JOB_KEEP_S	    (INT64_C(30) * 86400) /* a finished job, by default */

/* Why a running job is to end. */
enum job_why { JOB_GOES_ON, JOB_CANCEL, JOB_LOST, JOB_STOP };

struct job {
	struct jobs *jobs;
	const struct job_kind *kind;
	struct job_row row; /* its strs are in the worker's arena */
	struct job_hold hold;
	struct tx_guard guard;
	int64_t deadline_ns; /* monotonic; of all attempts, 0: none */
	_Atomic(bool) cancelled;
	_Atomic(int) why;
	_Atomic(int64_t)
		leased_ns; /* until when, monotonic, counted from before it was asked for */

	/* By the worker's own thread alone. */
	const struct ctx *work; /* the handler's */
	struct arena log_arena;
	struct buf log;
	int64_t log_part; /* the last one written */
	int64_t log_flushed_ns;
	uint64_t log_dropped;
	int64_t progress_done, progress_total;
	bool progress_due;
	bool kept; /* job_keep() */
	struct job_run run;
	int64_t began_ns;
	str name;	     /* "job-ID", in the worker's arena */
	struct trace *trace; /* of the run; NULL: none */
	struct log_field about[JOB_LOG_ABOUT];
};

struct worker {
	struct jobs *jobs;
	pthread_t thread;
	struct arena arena;
	struct job job;
	/* By the lock. */
	bool busy;   /* from when it was given until its row has an end */
	bool ending; /* its handler has returned: the row's end is being written */
};

struct jobs {
	struct jobs_options options;
	char owner_text[JOB_OWNER_MAX];
	str owner;
	_Atomic(uint64_t) results[JOB_KINDS_MAX][JOB_RESULT_COUNT];

	pthread_mutex_t lock;
	pthread_cond_t wake;  /* of the turning thread */
	pthread_cond_t given; /* of the workers */
	bool due, stopping;
	struct worker *workers;
	unsigned worker_count; /* those that run */
	pthread_t thread;
	bool started;
	int64_t renewed_ns; /* this and the next two by the turning thread */
	int64_t said_ns;    /* when the node was last said to be there; 0: not yet */
	bool prepared;
	_Atomic(int64_t) seen_us; /* the database's clock at the last turn; 0: none yet */
};

void jobs_count_result(struct jobs *jobs, const struct job_kind *kind, enum job_result result);

/* In the transaction in which a job ended so: what it left is for the kind that its own names. */
err_t jobs_clean_after(struct ctx *ctx, struct sql_tx *tx, const struct jobs *jobs, str kind,
		       enum job_state state);

/* turn.c */
void *jobs_turn_main(void *jobs);

/* clock.c: after the time that a turn has read. */
err_t jobs_watch_clock(struct ctx *ctx, struct jobs *jobs, int64_t now_us);

/* nodes.c: that this one is there, from time to time; and that it is not any more. */
err_t jobs_node_say(struct ctx *ctx, struct jobs *jobs);
void jobs_node_leave(struct jobs *jobs);

/* take.c: as many as workers are free, given to them. */
err_t jobs_take(struct ctx *ctx, struct jobs *jobs);

/* worker.c */
void *jobs_worker_main(void *worker);
/* The one that is free, or NULL; the caller is the only one who makes it busy. */
struct worker *jobs_free_worker(struct jobs *jobs);
void jobs_give(struct worker *worker, const struct job_row *row, int64_t leased_ns, int64_t now_us);
void jobs_end_it(struct job *job, enum job_why why); /* with the lock */

/* schedule.c: what is due. */
err_t jobs_fire(struct ctx *ctx, struct jobs *jobs);

/* log.c */
void job_log_open(struct ctx *ctx, struct job *job);
void job_log_flush(struct job *job);
void job_log_close(struct job *job);
