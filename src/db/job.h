/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - jobs, what they say, and whose turn it is: rows of jobs/jobs.h. */
#pragma once

#include "sql/sql.h"

enum job_state { /* as in the rows */
		 JOB_ASLEEP,
		 JOB_READY,
		 JOB_RUNNING,
		 JOB_DONE,
		 JOB_FAILED,
		 JOB_CANCELLED,
		 JOB_STATE_COUNT
};

/* Why there is one; as in the rows. */
enum job_cause { JOB_BY_EVENT, JOB_BY_CLOCK, JOB_BY_HAND };

struct job_row {
	int64_t id;
	str kind, subject, lane, arguments, owner, error;
	enum job_cause cause;
	str asked_by;			/* the name of who did; empty: nobody in particular */
	str asked_request, asked_trace; /* what it was asked for in; may be empty */
	int64_t tenant_id;
	enum job_state state;
	int64_t due_at_us, ready_at_us, deadline_at_us;
	int64_t attempts, losses, again, cancel, fence, lease_until_us;
	int64_t progress_done, progress_total;
	int64_t created_at_us, started_at_us, finished_at_us;
};

struct job_insert {
	str kind, subject, arguments;
	int64_t tenant_id, delay_us;
	int64_t timeout_us; /* from now; 0: none */
	enum job_cause cause;
	str asked_by, lane;
	str asked_request, asked_trace;
};

/* The id of the new one, or of the unfinished one of that subject, which is told. */
err_t db_job_insert(struct ctx *ctx, struct sql_tx *tx, const struct job_insert *wanted,
		    int64_t *ret_id);
err_t db_job_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct job_row *ret);

/* The newest of a kind first, of one subject where it is not empty; and how many there are, up to
 * 10,000. */
struct job_page {
	str kind, subject;
	int64_t max, offset;
};
err_t db_job_page(struct ctx *ctx, struct sql_tx *tx, const struct job_page *page,
		  struct job_row **ret, size_t *ret_count);
err_t db_job_total(struct ctx *ctx, struct sql_tx *tx, const struct job_page *page, int64_t *ret);

/* Times of the database; 0 where there is nothing. */
struct job_look {
	int64_t now_us;
	int64_t asleep_until_us, lease_until_us, schedule_at_us;
	int64_t cancels; /* running ones of that owner which are to end */
};
err_t db_job_look(struct ctx *ctx, struct sql_tx *tx, str owner, struct job_look *ret);
err_t db_job_now(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_us);

/* Those asleep whose time has come: at most `max`. */
err_t db_job_wake(struct ctx *ctx, struct sql_tx *tx, int64_t max);

/* --- taking ----------------------------------------------------------------------------------- */

struct job_turn {
	bool paused;
	int64_t last_tenant_id;
};
err_t db_job_kind_put(struct ctx *ctx, struct sql_tx *tx, str kind);
err_t db_job_kind_lock(struct ctx *ctx, struct sql_tx *tx, str kind, struct job_turn *ret);
err_t db_job_kind_turn(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t tenant_id);
err_t db_job_kind_pause(struct ctx *ctx, struct sql_tx *tx, str kind, bool paused);
err_t db_job_running(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t *ret);
err_t db_job_running_of_tenant(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t tenant_id,
			       int64_t *ret);
/* ERR_ABSENT when none after `after_id` has something to do. */
err_t db_job_next_tenant(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t after_id,
			 int64_t *ret);
/* One of the tenant's lanes that has something to do and runs fewer than `max`; ERR_ABSENT. */
err_t db_job_any_lane(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t tenant_id, int64_t max,
		      str *ret);
/* The oldest ready one; ERR_ABSENT. */
struct job_taker {
	str kind, owner;
	int64_t tenant_id, lease_us;
	const str *lane; /* NULL: any */
};
err_t db_job_take(struct ctx *ctx, struct sql_tx *tx, const struct job_taker *taker,
		  struct job_row *ret);

/* --- holding ---------------------------------------------------------------------------------- */

struct job_hold {
	int64_t id;
	str owner;
	int64_t fence;
};
struct job_renewed {
	int64_t id, fence, cancel;
};
err_t db_job_renew(struct ctx *ctx, struct sql_tx *tx, str owner, int64_t lease_us,
		   struct job_renewed **ret, size_t *ret_count);

/* ERR_ABSENT, unrecorded, when it is somebody else's by now. These four. */
err_t db_job_hold(struct ctx *ctx, struct sql_tx *tx, const struct job_hold *hold);
err_t db_job_progress(struct ctx *ctx, struct sql_tx *tx, const struct job_hold *hold, int64_t done,
		      int64_t total);
/* From here on attempts are counted anew. */
err_t db_job_got_on(struct ctx *ctx, struct sql_tx *tx, const struct job_hold *hold);
struct job_end {
	enum job_state state; /* wanted; asleep is a retry, ready gives it back */
	int64_t delay_us, keep_us;
	int64_t uncounted; /* attempts that shall not count */
	str error;
};
err_t db_job_end(struct ctx *ctx, struct sql_tx *tx, const struct job_hold *hold,
		 const struct job_end *end, enum job_state *ret);

struct job_outcome {
	int64_t id;
	str kind;
	enum job_state state;
};
err_t db_job_reclaim(struct ctx *ctx, struct sql_tx *tx, int64_t losses_max, int64_t keep_us,
		     struct job_outcome **ret, size_t *ret_count);
/* After the clock was set back by more than `back_us`: leases of before end `lease_us` from now,
 * and what sleeps since a time to come is due. */
err_t db_job_set_back(struct ctx *ctx, struct sql_tx *tx, int64_t back_us, int64_t lease_us);
err_t db_job_expire_others(struct ctx *ctx, struct sql_tx *tx, str owner);

/* What became of it; ERR_ABSENT when it is finished or was never there. */
err_t db_job_cancel(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t keep_us,
		    struct job_outcome *ret);

struct job_count {
	int64_t count;	     /* 10,000: so many or more */
	int64_t ready_at_us; /* of the oldest; 0: none */
	int64_t now_us;
};
err_t db_job_count(struct ctx *ctx, struct sql_tx *tx, str kind, enum job_state state,
		   struct job_count *ret);

err_t db_job_kind_paused(struct ctx *ctx, struct sql_tx *tx, str kind, bool *ret);
/* At most `max` of those that wait. */
err_t db_job_cancel_waiting(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t keep_us,
			    int64_t max, int64_t *ret_count);

/* Finished ones whose time is over, with their logs. */
err_t db_job_purge(struct ctx *ctx, struct sql_tx *tx, int64_t max, int64_t *ret_count);

/* --- logs ------------------------------------------------------------------------------------- */

struct job_log_part {
	int64_t number;
	str text;
};
err_t db_job_log_last(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret);
err_t db_job_log_add(struct ctx *ctx, struct sql_tx *tx, int64_t id,
		     const struct job_log_part *part, int64_t keep);
err_t db_job_log_page(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t after, int64_t max,
		      struct job_log_part **ret, size_t *ret_count);

/* --- nodes ------------------------------------------------------------------------------------ */

struct job_node {
	str owner, host;
	int64_t pid, workers, started_at_us, seen_at_us;
};
err_t db_job_node_put(struct ctx *ctx, struct sql_tx *tx, const struct job_node *node);
err_t db_job_node_delete(struct ctx *ctx, struct sql_tx *tx, str owner);
/* Those that were not seen for so long. */
err_t db_job_node_forget(struct ctx *ctx, struct sql_tx *tx, int64_t unseen_us);
err_t db_job_node_list(struct ctx *ctx, struct sql_tx *tx, struct job_node **ret,
		       size_t *ret_count);
/* What one of them runs. */
err_t db_job_running_of_owner(struct ctx *ctx, struct sql_tx *tx, str owner, struct job_row **ret,
			      size_t *ret_count);
