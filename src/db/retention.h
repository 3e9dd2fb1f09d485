/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention.h - the policies of projects, what runs did, and all of a repository that a run decides
 * by. Nothing of another tenant is found.
 */
#pragma once

#include "sql/sql.h"

struct retention_row {
	int64_t id, project_id;
	str project; /* its name */
	str rules;   /* JSON: model/retention.h */
	str cron;    /* empty: by hand only */
	int64_t version, tried_version;
	int64_t created_at_us, updated_at_us;
};
err_t db_retention_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
		       struct retention_row *ret);
err_t db_retention_of_project(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
			      int64_t project_id, struct retention_row *ret);
/* Takes project_id, rules and cron. ERR_EXISTS when the project has one, or there is no project. */
err_t db_retention_insert(struct ctx *ctx, struct sql_tx *tx, struct retention_row *row);
/* Takes id, rules and cron. */
err_t db_retention_update(struct ctx *ctx, struct sql_tx *tx, const struct retention_row *row);
/* These rules were run without deleting. */
err_t db_retention_tried(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str rules);
err_t db_retention_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);
err_t db_retention_delete_of_project(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);

/* --- what a run did --------------------------------------------------------------------------- */

enum retention_task_state { RETENTION_RUNS, RETENTION_DONE, RETENTION_FAILED }; /* as in the rows */

struct retention_task {
	int64_t id, job_id;
	str repository;
	enum retention_task_state state;
	int64_t total, retained;
	int64_t started_at_us, finished_at_us;
};
err_t db_retention_task_insert(struct ctx *ctx, struct sql_tx *tx, struct retention_task *task);
err_t db_retention_task_finish(struct ctx *ctx, struct sql_tx *tx,
			       const struct retention_task *task);
err_t db_retention_task_delete_of_job(struct ctx *ctx, struct sql_tx *tx, int64_t job_id);
err_t db_retention_task_get(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t id,
			    struct retention_task *ret);
/* In the order they were done in. */
err_t db_retention_task_page(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t max,
			     int64_t offset, struct retention_task **ret, size_t *ret_count);
err_t db_retention_task_total(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t *ret);
err_t db_retention_page_insert(struct ctx *ctx, struct sql_tx *tx, int64_t task_id, int64_t number,
			       str lines);
err_t db_retention_page_get(struct ctx *ctx, struct sql_tx *tx, int64_t task_id, int64_t number,
			    str *ret);

/* --- what it decides by ----------------------------------------------------------------------- */

struct retention_repository {
	int64_t id;
	str name;
};
/* By name, after this one. */
err_t db_retention_repositories(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str after,
				int64_t max, struct retention_repository **ret, size_t *ret_count);
err_t db_retention_repository_count(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
				    int64_t *ret);

/* What is listed of a repository, in no order. */
struct retention_artifact {
	int64_t id;
	str digest_text;
	int64_t parents, pushed_at_us, pulled_at_us;
};
err_t db_retention_artifacts(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			     struct retention_artifact **ret, size_t *ret_count);
struct retention_tag {
	int64_t id, manifest_id;
	str name;
	int64_t pushed_at_us, pulled_at_us;
};
err_t db_retention_tags(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			struct retention_tag **ret, size_t *ret_count);
struct retention_label {
	int64_t manifest_id;
	str name;
};
err_t db_retention_labels(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			  struct retention_label **ret, size_t *ret_count);
/* Manifests, some perhaps twice. */
err_t db_retention_signed(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, int64_t **ret,
			  size_t *ret_count);
/* What clusters of the tenant report, and the indexes of the repository that lead to it. */
err_t db_retention_running(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			   int64_t tenant_id, int64_t now_us, int64_t **ret, size_t *ret_count);

/* As it is now. ERR_ABSENT. */
struct retention_state {
	int64_t parents, pushed_at_us, pulled_at_us;
	int64_t tags, tag_ids; /* how many, and the sum of their ids */
	int64_t tag_pushed_at_us, tag_pulled_at_us;
	bool runs;
};
err_t db_retention_state(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id, int64_t tenant_id,
			 int64_t now_us, struct retention_state *ret);
/* Of the tag of that name, which nobody changes before the transaction ends: all but its id. */
err_t db_retention_tag_state(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
			     struct retention_tag *ret);
