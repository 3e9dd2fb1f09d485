/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - see job.h. */
#include "db/job.h"
#include "job.sql.h"
#include "job_schedule.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct job_row *ret = item;
	*ret = (struct job_row){
		.id = sql_i64(rows, 0),
		.kind = db_text(ctx, rows, 1),
		.tenant_id = sql_i64(rows, 2),
		.subject = db_text(ctx, rows, 3),
		.arguments = db_text(ctx, rows, 4),
		.state = (enum job_state)sql_i64(rows, 5),
		.due_at_us = sql_i64(rows, 6),
		.ready_at_us = sql_i64(rows, 7),
		.deadline_at_us = sql_i64(rows, 8),
		.attempts = sql_i64(rows, 9),
		.losses = sql_i64(rows, 10),
		.again = sql_i64(rows, 11),
		.cancel = sql_i64(rows, 12),
		.fence = sql_i64(rows, 13),
		.owner = db_text(ctx, rows, 14),
		.lease_until_us = sql_i64(rows, 15),
		.progress_done = sql_i64(rows, 16),
		.progress_total = sql_i64(rows, 17),
		.error = db_text(ctx, rows, 18),
		.created_at_us = sql_i64(rows, 19),
		.started_at_us = sql_i64(rows, 20),
		.finished_at_us = sql_i64(rows, 21),
		.cause = (enum job_cause)sql_i64(rows, 22),
		.asked_by = db_text(ctx, rows, 23),
		.lane = db_text(ctx, rows, 24),
		.asked_request = db_text(ctx, rows, 25),
		.asked_trace = db_text(ctx, rows, 26),
	};
}

static err_t one_row(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args, struct job_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

/* A state that comes back. */
static err_t one_state(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		       struct sql_args args, enum job_state *ret)
{
	int64_t state = 0;
	TRY(db_one_i64(ctx, tx, statement, args, &state));
	*ret = (enum job_state)state;
	return OK;
}

err_t db_job_insert(struct ctx *ctx, struct sql_tx *tx, const struct job_insert *wanted,
		    int64_t *ret_id)
{
	return db_one_i64(ctx, tx, &SQL_JOB_INSERT,
			  SQL_ARGS(SQL_TEXT(wanted->kind), SQL_I64(wanted->tenant_id),
				   SQL_TEXT(wanted->subject), SQL_TEXT(wanted->arguments),
				   SQL_I64(wanted->delay_us), SQL_I64(wanted->timeout_us),
				   SQL_I64(wanted->cause), SQL_TEXT(wanted->asked_by),
				   SQL_TEXT(wanted->lane), SQL_TEXT_OR_NULL(wanted->asked_request),
				   SQL_TEXT_OR_NULL(wanted->asked_trace)),
			  ret_id);
}

err_t db_job_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct job_row *ret)
{
	return one_row(ctx, tx, &SQL_JOB_GET, SQL_ARGS(SQL_I64(id)), ret);
}

static const struct row_reader row_reader = { sizeof(struct job_row), read_row };

err_t db_job_page(struct ctx *ctx, struct sql_tx *tx, const struct job_page *page,
		  struct job_row **ret, size_t *ret_count)
{
	if (!page->subject.len)
		return db_rows_read(
			ctx, tx, &SQL_JOB_PAGE,
			SQL_ARGS(SQL_TEXT(page->kind), SQL_I64(page->max), SQL_I64(page->offset)),
			&row_reader, (void **)ret, ret_count);
	return db_rows_read(ctx, tx, &SQL_JOB_PAGE_OF_SUBJECT,
			    SQL_ARGS(SQL_TEXT(page->kind), SQL_TEXT(page->subject),
				     SQL_I64(page->max), SQL_I64(page->offset)),
			    &row_reader, (void **)ret, ret_count);
}

err_t db_job_total(struct ctx *ctx, struct sql_tx *tx, const struct job_page *page, int64_t *ret)
{
	if (!page->subject.len)
		return db_one_i64(ctx, tx, &SQL_JOB_TOTAL, SQL_ARGS(SQL_TEXT(page->kind)), ret);
	return db_one_i64(ctx, tx, &SQL_JOB_TOTAL_OF_SUBJECT,
			  SQL_ARGS(SQL_TEXT(page->kind), SQL_TEXT(page->subject)), ret);
}

err_t db_job_look(struct ctx *ctx, struct sql_tx *tx, str owner, struct job_look *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_JOB_LOOK, SQL_ARGS(SQL_TEXT(owner)), &rows));
	*ret = (struct job_look){
		.now_us = sql_i64(&rows, 0),
		.asleep_until_us = sql_i64(&rows, 1),
		.lease_until_us = sql_i64(&rows, 2),
		.schedule_at_us = sql_i64(&rows, 3),
		.cancels = sql_i64(&rows, 4),
	};
	return OK;
}

err_t db_job_now(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_us)
{
	return db_one_i64(ctx, tx, &SQL_JOB_NOW, SQL_NO_ARGS, ret_us);
}

err_t db_job_wake(struct ctx *ctx, struct sql_tx *tx, int64_t max)
{
	return sql_exec(ctx, tx, &SQL_JOB_WAKE, SQL_ARGS(SQL_I64(max)), NULL);
}

/* --- taking ----------------------------------------------------------------------------------- */

err_t db_job_kind_put(struct ctx *ctx, struct sql_tx *tx, str kind)
{
	return sql_exec(ctx, tx, &SQL_JOB_KIND_PUT, SQL_ARGS(SQL_TEXT(kind)), NULL);
}

err_t db_job_kind_lock(struct ctx *ctx, struct sql_tx *tx, str kind, struct job_turn *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_JOB_KIND_LOCK, SQL_ARGS(SQL_TEXT(kind)), &rows));
	*ret = (struct job_turn){ sql_i64(&rows, 0) != 0, sql_i64(&rows, 1) };
	return OK;
}

err_t db_job_kind_turn(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t tenant_id)
{
	return sql_exec(ctx, tx, &SQL_JOB_KIND_TURN, SQL_ARGS(SQL_TEXT(kind), SQL_I64(tenant_id)),
			NULL);
}

err_t db_job_kind_pause(struct ctx *ctx, struct sql_tx *tx, str kind, bool paused)
{
	return sql_exec(ctx, tx, &SQL_JOB_KIND_PAUSE, SQL_ARGS(SQL_TEXT(kind), SQL_I64(paused)),
			NULL);
}

err_t db_job_running(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_JOB_RUNNING, SQL_ARGS(SQL_TEXT(kind)), ret);
}

err_t db_job_running_of_tenant(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t tenant_id,
			       int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_JOB_RUNNING_OF_TENANT,
			  SQL_ARGS(SQL_TEXT(kind), SQL_I64(tenant_id)), ret);
}

err_t db_job_next_tenant(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t after_id,
			 int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_JOB_NEXT_TENANT,
			  SQL_ARGS(SQL_TEXT(kind), SQL_I64(after_id)), ret);
}

err_t db_job_any_lane(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t tenant_id, int64_t max,
		      str *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_JOB_ANY_LANE,
		    SQL_ARGS(SQL_TEXT(kind), SQL_I64(tenant_id), SQL_I64(max)), &rows));
	*ret = db_text(ctx, &rows, 0);
	return OK;
}

err_t db_job_take(struct ctx *ctx, struct sql_tx *tx, const struct job_taker *taker,
		  struct job_row *ret)
{
	if (taker->lane)
		return one_row(ctx, tx, &SQL_JOB_TAKE_OF_LANE,
			       SQL_ARGS(SQL_TEXT(taker->kind), SQL_I64(taker->tenant_id),
					SQL_TEXT(taker->owner), SQL_I64(taker->lease_us),
					SQL_TEXT(*taker->lane)),
			       ret);
	return one_row(ctx, tx, &SQL_JOB_TAKE,
		       SQL_ARGS(SQL_TEXT(taker->kind), SQL_I64(taker->tenant_id),
				SQL_TEXT(taker->owner), SQL_I64(taker->lease_us)),
		       ret);
}

/* --- holding ---------------------------------------------------------------------------------- */

static void read_renewed(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	(void)ctx;
	*(struct job_renewed *)item =
		(struct job_renewed){ sql_i64(rows, 0), sql_i64(rows, 1), sql_i64(rows, 2) };
}

err_t db_job_renew(struct ctx *ctx, struct sql_tx *tx, str owner, int64_t lease_us,
		   struct job_renewed **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct job_renewed), read_renewed };
	return db_rows_read(ctx, tx, &SQL_JOB_RENEW, SQL_ARGS(SQL_TEXT(owner), SQL_I64(lease_us)),
			    &reader, (void **)ret, ret_count);
}

#define HELD(hold) SQL_I64((hold)->id), SQL_TEXT((hold)->owner), SQL_I64((hold)->fence)

err_t db_job_hold(struct ctx *ctx, struct sql_tx *tx, const struct job_hold *hold)
{
	int64_t id;
	return db_one_i64(ctx, tx, &SQL_JOB_HOLD, SQL_ARGS(HELD(hold)), &id);
}

err_t db_job_progress(struct ctx *ctx, struct sql_tx *tx, const struct job_hold *hold, int64_t done,
		      int64_t total)
{
	return db_exec_one(ctx, tx, &SQL_JOB_PROGRESS,
			   SQL_ARGS(HELD(hold), SQL_I64(done), SQL_I64(total)));
}

err_t db_job_got_on(struct ctx *ctx, struct sql_tx *tx, const struct job_hold *hold)
{
	return db_exec_one(ctx, tx, &SQL_JOB_GOT_ON, SQL_ARGS(HELD(hold)));
}

err_t db_job_end(struct ctx *ctx, struct sql_tx *tx, const struct job_hold *hold,
		 const struct job_end *end, enum job_state *ret)
{
	return one_state(ctx, tx, &SQL_JOB_END,
			 SQL_ARGS(HELD(hold), SQL_I64(end->state), SQL_I64(end->delay_us),
				  SQL_I64(end->uncounted), SQL_TEXT(end->error),
				  SQL_I64(end->keep_us)),
			 ret);
}

static void read_outcome(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct job_outcome *)item = (struct job_outcome){ sql_i64(rows, 0), db_text(ctx, rows, 1),
							    (enum job_state)sql_i64(rows, 2) };
}

err_t db_job_reclaim(struct ctx *ctx, struct sql_tx *tx, int64_t losses_max, int64_t keep_us,
		     struct job_outcome **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct job_outcome), read_outcome };
	return db_rows_read(ctx, tx, &SQL_JOB_RECLAIM,
			    SQL_ARGS(SQL_I64(losses_max), SQL_I64(keep_us)), &reader, (void **)ret,
			    ret_count);
}

err_t db_job_set_back(struct ctx *ctx, struct sql_tx *tx, int64_t back_us, int64_t lease_us)
{
	TRY(sql_exec(ctx, tx, &SQL_JOB_SET_BACK_LEASES,
		     SQL_ARGS(SQL_I64(back_us), SQL_I64(lease_us)), NULL));
	return sql_exec(ctx, tx, &SQL_JOB_SET_BACK_ASLEEP, SQL_ARGS(SQL_I64(back_us)), NULL);
}

err_t db_job_expire_others(struct ctx *ctx, struct sql_tx *tx, str owner)
{
	return sql_exec(ctx, tx, &SQL_JOB_EXPIRE_OTHERS, SQL_ARGS(SQL_TEXT(owner)), NULL);
}

err_t db_job_cancel(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t keep_us,
		    struct job_outcome *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_JOB_CANCEL, SQL_ARGS(SQL_I64(id), SQL_I64(keep_us)), &rows));
	read_outcome(ctx, &rows, ret);
	return OK;
}

err_t db_job_count(struct ctx *ctx, struct sql_tx *tx, str kind, enum job_state state,
		   struct job_count *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_JOB_COUNT, SQL_ARGS(SQL_TEXT(kind), SQL_I64(state)), &rows));
	*ret = (struct job_count){ sql_i64(&rows, 0), sql_i64(&rows, 1), sql_i64(&rows, 2) };
	return OK;
}

err_t db_job_purge(struct ctx *ctx, struct sql_tx *tx, int64_t max, int64_t *ret_count)
{
	return sql_exec(ctx, tx, &SQL_JOB_PURGE, SQL_ARGS(SQL_I64(max)), ret_count);
}

/* --- logs ------------------------------------------------------------------------------------- */

err_t db_job_log_last(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_JOB_LOG_LAST, SQL_ARGS(SQL_I64(id)), ret);
}

err_t db_job_log_add(struct ctx *ctx, struct sql_tx *tx, int64_t id,
		     const struct job_log_part *part, int64_t keep)
{
	TRY(sql_exec(ctx, tx, &SQL_JOB_LOG_ADD,
		     SQL_ARGS(SQL_I64(id), SQL_I64(part->number), SQL_TEXT(part->text)), NULL));
	if (part->number <= keep)
		return OK;
	return sql_exec(ctx, tx, &SQL_JOB_LOG_ROTATE,
			SQL_ARGS(SQL_I64(id), SQL_I64(part->number - keep + 1)), NULL);
}

static void read_part(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct job_log_part *)item =
		(struct job_log_part){ sql_i64(rows, 0), db_text(ctx, rows, 1) };
}

err_t db_job_log_page(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t after, int64_t max,
		      struct job_log_part **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct job_log_part), read_part };
	return db_rows_read(ctx, tx, &SQL_JOB_LOG_PAGE,
			    SQL_ARGS(SQL_I64(id), SQL_I64(after), SQL_I64(max)), &reader,
			    (void **)ret, ret_count);
}

err_t db_job_kind_paused(struct ctx *ctx, struct sql_tx *tx, str kind, bool *ret)
{
	int64_t paused = 0;
	TRY(db_one_i64(ctx, tx, &SQL_JOB_KIND_PAUSED, SQL_ARGS(SQL_TEXT(kind)), &paused));
	*ret = paused != 0;
	return OK;
}

err_t db_job_cancel_waiting(struct ctx *ctx, struct sql_tx *tx, str kind, int64_t keep_us,
			    int64_t max, int64_t *ret_count)
{
	return sql_exec(ctx, tx, &SQL_JOB_CANCEL_WAITING,
			SQL_ARGS(SQL_TEXT(kind), SQL_I64(keep_us), SQL_I64(max)), ret_count);
}

/* --- nodes ------------------------------------------------------------------------------------ */

err_t db_job_node_put(struct ctx *ctx, struct sql_tx *tx, const struct job_node *node)
{
	return sql_exec(ctx, tx, &SQL_JOB_NODE_PUT,
			SQL_ARGS(SQL_TEXT(node->owner), SQL_TEXT(node->host), SQL_I64(node->pid),
				 SQL_I64(node->workers)),
			NULL);
}

err_t db_job_node_delete(struct ctx *ctx, struct sql_tx *tx, str owner)
{
	return sql_exec(ctx, tx, &SQL_JOB_NODE_DELETE, SQL_ARGS(SQL_TEXT(owner)), NULL);
}

err_t db_job_node_forget(struct ctx *ctx, struct sql_tx *tx, int64_t unseen_us)
{
	return sql_exec(ctx, tx, &SQL_JOB_NODE_FORGET, SQL_ARGS(SQL_I64(unseen_us)), NULL);
}

static void read_node(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct job_node *ret = item;
	*ret = (struct job_node){
		.owner = db_text(ctx, rows, 0),
		.host = db_text(ctx, rows, 1),
		.pid = sql_i64(rows, 2),
		.workers = sql_i64(rows, 3),
		.started_at_us = sql_i64(rows, 4),
		.seen_at_us = sql_i64(rows, 5),
	};
}

err_t db_job_node_list(struct ctx *ctx, struct sql_tx *tx, struct job_node **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct job_node), read_node };
	return db_rows_read(ctx, tx, &SQL_JOB_NODE_LIST, SQL_NO_ARGS, &reader, (void **)ret,
			    ret_count);
}

err_t db_job_running_of_owner(struct ctx *ctx, struct sql_tx *tx, str owner, struct job_row **ret,
			      size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_JOB_RUNNING_OF_OWNER, SQL_ARGS(SQL_TEXT(owner)),
			    &row_reader, (void **)ret, ret_count);
}
