/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c - see retention.h: policies, and what runs did. */
#include "registry/retention.h"
#include "codec/json.h"
#include "db/db.h"
#include "db/project.h"
#include "internal.h"
#include "model/project_setting.h"

#include "base/banned.h"

/* --- policies --------------------------------------------------------------------------------- */

static err_t unknown(struct ctx *ctx, err_t err)
{
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "there is no such retention policy")
				 : err;
}

err_t retention_get(struct ctx *ctx, struct registry *registry, int64_t id,
		    struct retention_row *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return unknown(ctx, db_retention_get(ctx, &tx, ctx->tenant_id, id, ret));
}

err_t retention_of_project(struct ctx *ctx, struct registry *registry, int64_t project_id,
			   struct retention_row *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return unknown(ctx, db_retention_of_project(ctx, &tx, ctx->tenant_id, project_id, ret));
}

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct retention_row *row = arg;
	TRY(db_retention_insert(ctx, tx, row));
	const struct project_metadata m = { row->project_id,
					    project_setting_name(PROJECT_SETTING_RETENTION),
					    arena_printf(ctx->arena, "%lld", (long long)row->id) };
	return db_project_metadata_put(ctx, tx, &m);
}

err_t retention_create(struct ctx *ctx, struct registry *registry, struct retention_row *row)
{
	err_t err = db_run(ctx, registry->db, SQL_WRITE, create_body, row);
	if (err != ERR_EXISTS)
		return err;
	return fail(ctx, ERR_EXISTS, "the project has a retention policy");
}

static err_t update_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_retention_update(ctx, tx, arg);
}

err_t retention_update(struct ctx *ctx, struct registry *registry, const struct retention_row *row)
{
	struct retention_row copy = *row;
	return unknown(ctx, db_run(ctx, registry->db, SQL_WRITE, update_body, &copy));
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct retention_row *row = arg;
	TRY(db_retention_delete(ctx, tx, row->id));
	err_t err = db_project_metadata_delete(ctx, tx, row->project_id,
					       project_setting_name(PROJECT_SETTING_RETENTION));
	return err == ERR_ABSENT ? OK : err;
}

err_t retention_delete(struct ctx *ctx, struct registry *registry, const struct retention_row *row)
{
	struct retention_row copy = *row;
	return unknown(ctx, db_run(ctx, registry->db, SQL_WRITE, delete_body, &copy));
}

str retention_text(struct arena *arena, const struct retention_policy *policy)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(RETENTION_JSON_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	retention_write(&w, policy);
	json_write_object_end(&w);
	CHECK(!buf_overrun(&text)); /* retention_read() refuses what is longer */
	return arena_copy(arena, buf_str(&text));
}

err_t retention_parse(struct ctx *ctx, str text, struct retention_policy *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem at;
	struct retention_problem problem;
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &at))
		return fail(ctx, ERR_CORRUPT, "retention rules: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(at));
	if (!retention_read(ctx->arena, doc.root, ret, &problem))
		return fail(ctx, ERR_CORRUPT, "retention rules: " STR_FMT, STR_ARG(problem.text));
	return OK;
}

/* --- what it did ------------------------------------------------------------------------------ */

err_t retention_tasks(struct ctx *ctx, struct registry *registry, struct retention_tasks *tasks)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_retention_task_total(ctx, &tx, tasks->job_id, &tasks->total));
	return db_retention_task_page(ctx, &tx, tasks->job_id, tasks->max, tasks->offset,
				      &tasks->list, &tasks->count);
}

err_t retention_task(struct ctx *ctx, struct registry *registry, int64_t job_id, int64_t id,
		     struct retention_task *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = db_retention_task_get(ctx, &tx, job_id, id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "there is no such task") : err;
}

err_t retention_lines(struct ctx *ctx, struct registry *registry, int64_t task_id, int64_t number,
		      str *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_retention_page_get(ctx, &tx, task_id, number, ret);
}
