/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c - see retention.h. */
#include "db/retention.h"
#include "base/clock.h"
#include "retention.sql.h"
#include "rows.h"

#include "base/banned.h"

/* --- policies --------------------------------------------------------------------------------- */

static err_t read_policy(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			 struct sql_args args, struct retention_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	*ret = (struct retention_row){
		.id = sql_i64(&rows, 0),
		.project_id = sql_i64(&rows, 1),
		.project = db_text(ctx, &rows, 2),
		.rules = db_text(ctx, &rows, 3),
		.cron = db_text(ctx, &rows, 4),
		.version = sql_i64(&rows, 5),
		.tried_version = sql_i64(&rows, 6),
		.created_at_us = sql_i64(&rows, 7),
		.updated_at_us = sql_i64(&rows, 8),
	};
	return OK;
}

err_t db_retention_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
		       struct retention_row *ret)
{
	return read_policy(ctx, tx, &SQL_RETENTION_POLICY_GET,
			   SQL_ARGS(SQL_I64(id), SQL_I64(tenant_id)), ret);
}

err_t db_retention_of_project(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
			      int64_t project_id, struct retention_row *ret)
{
	return read_policy(ctx, tx, &SQL_RETENTION_POLICY_OF_PROJECT,
			   SQL_ARGS(SQL_I64(project_id), SQL_I64(tenant_id)), ret);
}

err_t db_retention_insert(struct ctx *ctx, struct sql_tx *tx, struct retention_row *row)
{
	return db_insert_id(ctx, tx, &SQL_RETENTION_POLICY_INSERT,
			    SQL_ARGS(SQL_I64(row->project_id), SQL_TEXT(row->rules),
				     SQL_TEXT(row->cron), SQL_I64(clock_wall_us())),
			    &row->id);
}

err_t db_retention_update(struct ctx *ctx, struct sql_tx *tx, const struct retention_row *row)
{
	return db_exec_one(ctx, tx, &SQL_RETENTION_POLICY_UPDATE,
			   SQL_ARGS(SQL_I64(row->id), SQL_TEXT(row->rules), SQL_TEXT(row->cron),
				    SQL_I64(clock_wall_us())));
}

err_t db_retention_tried(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str rules)
{
	return sql_exec(ctx, tx, &SQL_RETENTION_POLICY_TRIED,
			SQL_ARGS(SQL_I64(project_id), SQL_TEXT(rules)), NULL);
}

err_t db_retention_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_RETENTION_POLICY_DELETE, SQL_ARGS(SQL_I64(id)));
}

err_t db_retention_delete_of_project(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	return sql_exec(ctx, tx, &SQL_RETENTION_POLICY_DELETE_OF_PROJECT,
			SQL_ARGS(SQL_I64(project_id)), NULL);
}

/* --- what a run did --------------------------------------------------------------------------- */

err_t db_retention_task_insert(struct ctx *ctx, struct sql_tx *tx, struct retention_task *task)
{
	return db_one_i64(ctx, tx, &SQL_RETENTION_TASK_INSERT,
			  SQL_ARGS(SQL_I64(task->job_id), SQL_TEXT(task->repository),
				   SQL_I64(task->state), SQL_I64(task->started_at_us)),
			  &task->id);
}

err_t db_retention_task_finish(struct ctx *ctx, struct sql_tx *tx,
			       const struct retention_task *task)
{
	return db_exec_one(ctx, tx, &SQL_RETENTION_TASK_FINISH,
			   SQL_ARGS(SQL_I64(task->id), SQL_I64(task->state), SQL_I64(task->total),
				    SQL_I64(task->retained), SQL_I64(task->finished_at_us)));
}

err_t db_retention_task_delete_of_job(struct ctx *ctx, struct sql_tx *tx, int64_t job_id)
{
	return sql_exec(ctx, tx, &SQL_RETENTION_TASK_DELETE_OF_JOB, SQL_ARGS(SQL_I64(job_id)),
			NULL);
}

static void read_task(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct retention_task *ret = item;
	*ret = (struct retention_task){
		.id = sql_i64(rows, 0),
		.job_id = sql_i64(rows, 1),
		.repository = db_text(ctx, rows, 2),
		.state = (enum retention_task_state)sql_i64(rows, 3),
		.total = sql_i64(rows, 4),
		.retained = sql_i64(rows, 5),
		.started_at_us = sql_i64(rows, 6),
		.finished_at_us = sql_i64(rows, 7),
	};
}

err_t db_retention_task_get(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t id,
			    struct retention_task *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_RETENTION_TASK_GET, SQL_ARGS(SQL_I64(id), SQL_I64(job_id)),
		    &rows));
	read_task(ctx, &rows, ret);
	return OK;
}

err_t db_retention_task_page(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t max,
			     int64_t offset, struct retention_task **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct retention_task), read_task };
	return db_rows_read(ctx, tx, &SQL_RETENTION_TASK_PAGE,
			    SQL_ARGS(SQL_I64(job_id), SQL_I64(max), SQL_I64(offset)), &reader,
			    (void **)ret, ret_count);
}

err_t db_retention_task_total(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_RETENTION_TASK_TOTAL, SQL_ARGS(SQL_I64(job_id)), ret);
}

err_t db_retention_page_insert(struct ctx *ctx, struct sql_tx *tx, int64_t task_id, int64_t number,
			       str lines)
{
	return sql_exec(ctx, tx, &SQL_RETENTION_PAGE_INSERT,
			SQL_ARGS(SQL_I64(task_id), SQL_I64(number), SQL_TEXT(lines)), NULL);
}

err_t db_retention_page_get(struct ctx *ctx, struct sql_tx *tx, int64_t task_id, int64_t number,
			    str *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_RETENTION_PAGE_GET, SQL_ARGS(SQL_I64(task_id), SQL_I64(number)),
		    &rows));
	*ret = db_text(ctx, &rows, 0);
	return OK;
}

/* --- what it decides by ----------------------------------------------------------------------- */

static void read_repository(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct retention_repository *ret = item;
	ret->id = sql_i64(rows, 0);
	ret->name = db_text(ctx, rows, 1);
}

err_t db_retention_repositories(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str after,
				int64_t max, struct retention_repository **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct retention_repository),
						  read_repository };
	return db_rows_read(ctx, tx, &SQL_RETENTION_REPOSITORIES,
			    SQL_ARGS(SQL_I64(project_id), SQL_TEXT(after), SQL_I64(max)), &reader,
			    (void **)ret, ret_count);
}

err_t db_retention_repository_count(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
				    int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_RETENTION_REPOSITORY_COUNT, SQL_ARGS(SQL_I64(project_id)),
			  ret);
}

static void read_artifact(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct retention_artifact *ret = item;
	*ret = (struct retention_artifact){
		.id = sql_i64(rows, 0),
		.digest_text = db_text(ctx, rows, 1),
		.parents = sql_i64(rows, 2),
		.pushed_at_us = sql_i64(rows, 3),
		.pulled_at_us = sql_i64(rows, 4),
	};
}

err_t db_retention_artifacts(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			     struct retention_artifact **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct retention_artifact),
						  read_artifact };
	return db_rows_read(ctx, tx, &SQL_RETENTION_ARTIFACTS, SQL_ARGS(SQL_I64(repository_id)),
			    &reader, (void **)ret, ret_count);
}

static void read_tag(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct retention_tag *ret = item;
	*ret = (struct retention_tag){
		.id = sql_i64(rows, 0),
		.manifest_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.pushed_at_us = sql_i64(rows, 3),
		.pulled_at_us = sql_i64(rows, 4),
	};
}

const struct row_reader db_retention_tag_reader = { sizeof(struct retention_tag), read_tag };

err_t db_retention_tags(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			struct retention_tag **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_RETENTION_TAGS, SQL_ARGS(SQL_I64(repository_id)),
			    &db_retention_tag_reader, (void **)ret, ret_count);
}

static void read_label(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct retention_label *ret = item;
	ret->manifest_id = sql_i64(rows, 0);
	ret->name = db_text(ctx, rows, 1);
}

err_t db_retention_labels(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			  struct retention_label **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct retention_label), read_label };
	return db_rows_read(ctx, tx, &SQL_RETENTION_LABELS, SQL_ARGS(SQL_I64(repository_id)),
			    &reader, (void **)ret, ret_count);
}

err_t db_retention_signed(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, int64_t **ret,
			  size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_RETENTION_SIGNED, SQL_ARGS(SQL_I64(repository_id)),
			    &db_i64_reader, (void **)ret, ret_count);
}

err_t db_retention_running(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			   int64_t tenant_id, int64_t now_us, int64_t **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_RETENTION_RUNNING,
			    SQL_ARGS(SQL_I64(repository_id), SQL_I64(tenant_id), SQL_I64(now_us)),
			    &db_i64_reader, (void **)ret, ret_count);
}

err_t db_retention_state(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id, int64_t tenant_id,
			 int64_t now_us, struct retention_state *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_RETENTION_STATE,
		    SQL_ARGS(SQL_I64(manifest_id), SQL_I64(tenant_id), SQL_I64(now_us)), &rows));
	*ret = (struct retention_state){
		.parents = sql_i64(&rows, 0),
		.pushed_at_us = sql_i64(&rows, 1),
		.pulled_at_us = sql_i64(&rows, 2),
		.tags = sql_i64(&rows, 3),
		.tag_ids = sql_i64(&rows, 4),
		.tag_pushed_at_us = sql_i64(&rows, 5),
		.tag_pulled_at_us = sql_i64(&rows, 6),
		.runs = sql_i64(&rows, 7) != 0,
	};
	return OK;
}

err_t db_retention_tag_state(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
			     struct retention_tag *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_RETENTION_TAG_STATE,
		    SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(name)), &rows));
	*ret = (struct retention_tag){
		.manifest_id = sql_i64(&rows, 0),
		.name = name,
		.pushed_at_us = sql_i64(&rows, 1),
		.pulled_at_us = sql_i64(&rows, 2),
	};
	return OK;
}
