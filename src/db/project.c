/* SPDX-License-Identifier: Apache-2.0 */
/* project.c - see project.h. */
#include "db/project.h"
#include "base/clock.h"
#include "db/alias.h"
#include "db/webhook.h"
#include "project.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_project(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct project *)item = (struct project){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.is_public = sql_i64(rows, 3) != 0,
		.owner_id = sql_i64(rows, 4),
		.owner_name = db_text(ctx, rows, 5),
		.created_at_us = sql_i64(rows, 6),
		.updated_at_us = sql_i64(rows, 7),
	};
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct project *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_project(ctx, &rows, ret);
	return OK;
}

err_t db_project_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
		      struct project *ret)
{
	return find(ctx, tx, &SQL_PROJECT_FIND, SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name)), ret);
}

err_t db_project_find_id(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			 struct project *ret)
{
	return find(ctx, tx, &SQL_PROJECT_FIND_ID, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)), ret);
}

err_t db_project_insert(struct ctx *ctx, struct sql_tx *tx, struct project *project)
{
	struct sql_value owner = project->owner_id ? SQL_I64(project->owner_id) : SQL_NULL;
	err_t err = db_one_i64(ctx, tx, &SQL_PROJECT_INSERT,
			       SQL_ARGS(SQL_I64(project->tenant_id), SQL_TEXT(project->name),
					SQL_I64(project->is_public), owner,
					SQL_TEXT(project->owner_name), SQL_I64(clock_wall_us())),
			       &project->id);
	if (err == ERR_ABSENT && !tx->failed)
		return ERR_EXISTS;
	TRY(err);
	return db_alias_refuse(ctx, tx, ALIAS_OF_PROJECT, project->tenant_id, project->name);
}

err_t db_project_update(struct ctx *ctx, struct sql_tx *tx, const struct project *project)
{
	return db_exec_one(ctx, tx, &SQL_PROJECT_UPDATE,
			   SQL_ARGS(SQL_I64(project->id), SQL_I64(project->is_public),
				    SQL_I64(clock_wall_us())));
}

err_t db_project_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	TRY(db_exec_one(ctx, tx, &SQL_PROJECT_DELETE,
			SQL_ARGS(SQL_I64(id), SQL_I64(clock_wall_us()))));
	TRY(db_webhook_policy_delete_of_project(ctx, tx, id));
	return sql_exec(ctx, tx, &SQL_PROJECT_DELETE_ALIASES, SQL_ARGS(SQL_I64(id)), NULL);
}

static void read_name(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct project_name *)item =
		(struct project_name){ sql_i64(rows, 0), db_text(ctx, rows, 1) };
}

static const struct row_reader name_reader = { sizeof(struct project_name), read_name };

err_t db_project_names(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str prefix,
		       int64_t max, struct project_name **ret, size_t *ret_count)
{
	str end = arena_printf(ctx->arena, STR_FMT "~", STR_ARG(prefix)); /* after every name */
	return db_rows_read(
		ctx, tx, &SQL_PROJECT_NAMES,
		SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(prefix), SQL_TEXT(end), SQL_I64(max)),
		&name_reader, (void **)ret, ret_count);
}

/* --- lists ------------------------------------------------------------------------------------ */

static struct sql_value public_of(const struct project_query *q)
{
	return q->has_public ? SQL_I64(q->is_public) : SQL_NULL;
}

err_t db_project_count(struct ctx *ctx, struct sql_tx *tx, const struct project_query *q,
		       int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_PROJECT_COUNT,
			  SQL_ARGS(SQL_SIGHT(q->sight), SQL_TEXT_OR_NULL(q->name_like),
				   SQL_TEXT_OR_NULL(q->names_json), SQL_TEXT_OR_NULL(q->owner),
				   public_of(q)),
			  ret);
}

err_t db_project_page(struct ctx *ctx, struct sql_tx *tx, const struct project_query *q,
		      struct project **ret, size_t *ret_count)
{
	static const struct sql_statement *const pages[PROJECT_ORDER_COUNT][2] = {
		[PROJECT_BY_NAME] = { &SQL_PROJECT_PAGE_BY_NAME, &SQL_PROJECT_PAGE_BY_NAME_DOWN },
		[PROJECT_BY_ID] = { &SQL_PROJECT_PAGE_BY_ID, &SQL_PROJECT_PAGE_BY_ID_DOWN },
		/* Their ids are in the order in which they were made. */
		[PROJECT_BY_CREATION] = { &SQL_PROJECT_PAGE_BY_ID, &SQL_PROJECT_PAGE_BY_ID_DOWN },
		[PROJECT_BY_UPDATE] = { &SQL_PROJECT_PAGE_BY_UPDATED_AT_US,
					&SQL_PROJECT_PAGE_BY_UPDATED_AT_US_DOWN },
	};
	static const struct row_reader reader = { sizeof(struct project), read_project };
	return db_rows_read(ctx, tx, pages[q->order][q->descending],
			    SQL_ARGS(SQL_SIGHT(q->sight), SQL_TEXT_OR_NULL(q->name_like),
				     SQL_TEXT_OR_NULL(q->names_json), SQL_TEXT_OR_NULL(q->owner),
				     public_of(q), SQL_I64(q->limit), SQL_I64(q->offset)),
			    &reader, (void **)ret, ret_count);
}

/* --- what is in it ---------------------------------------------------------------------------- */

err_t db_project_repository_count(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_PROJECT_REPOSITORY_COUNT, SQL_ARGS(SQL_I64(id)), ret);
}

err_t db_project_repositories(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t max,
			      struct project_name **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_PROJECT_REPOSITORIES, SQL_ARGS(SQL_I64(id), SQL_I64(max)),
			    &name_reader, (void **)ret, ret_count);
}

/* --- settings by name ------------------------------------------------------------------------- */

static void read_setting(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct project_metadata *)item = (struct project_metadata){
		.name = db_text(ctx, rows, 0),
		.value = db_text(ctx, rows, 1),
	};
}

err_t db_project_metadata_list(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			       struct project_metadata **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct project_metadata), read_setting };
	return db_rows_read(ctx, tx, &SQL_PROJECT_METADATA_LIST, SQL_ARGS(SQL_I64(project_id)),
			    &reader, (void **)ret, ret_count);
}

static void read_setting_of(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct project_metadata *)item = (struct project_metadata){
		sql_i64(rows, 0),
		db_text(ctx, rows, 1),
		db_text(ctx, rows, 2),
	};
}

err_t db_project_metadata_of(struct ctx *ctx, struct sql_tx *tx, str project_ids,
			     struct project_metadata **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct project_metadata),
						  read_setting_of };
	return db_rows_read(ctx, tx, &SQL_PROJECT_METADATA_OF, SQL_ARGS(SQL_TEXT(project_ids)),
			    &reader, (void **)ret, ret_count);
}

err_t db_project_metadata_put(struct ctx *ctx, struct sql_tx *tx, const struct project_metadata *m)
{
	return sql_exec(ctx, tx, &SQL_PROJECT_METADATA_PUT,
			SQL_ARGS(SQL_I64(m->project_id), SQL_TEXT(m->name), SQL_TEXT(m->value)),
			NULL);
}

err_t db_project_metadata_delete(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str name)
{
	return db_exec_one(ctx, tx, &SQL_PROJECT_METADATA_DELETE,
			   SQL_ARGS(SQL_I64(project_id), SQL_TEXT(name)));
}

err_t db_project_metadata_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	return sql_exec(ctx, tx, &SQL_PROJECT_METADATA_DELETE_ALL, SQL_ARGS(SQL_I64(project_id)),
			NULL);
}
