/* SPDX-License-Identifier: Apache-2.0 */
/* label.c - see label.h. */
#include "db/label.h"
#include "base/clock.h"
#include "db/repository.h"
#include "db/tenant.h"
#include "label.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_columns(struct ctx *ctx, const struct sql_rows *rows, struct label *label)
{
	*label = (struct label){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.project_id = sql_i64(rows, 2),
		.name = db_text(ctx, rows, 3),
		.description = db_text(ctx, rows, 4),
		.color = db_text(ctx, rows, 5),
		.created_at_us = sql_i64(rows, 6),
		.updated_at_us = sql_i64(rows, 7),
	};
}

static void read_label(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	read_columns(ctx, rows, item);
}

static void read_worn_label(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct label *label = item;
	read_columns(ctx, rows, label);
	label->artifact_id = sql_i64(rows, 8);
}

err_t db_label_insert(struct ctx *ctx, struct sql_tx *tx, const struct label *label,
		      int64_t *ret_id)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	struct sql_value project = label->project_id ? SQL_I64(label->project_id) : SQL_NULL;
	TRY(db_tenant_hold(ctx, tx, label->tenant_id));
	err_t err = sql_one(ctx, tx, &SQL_LABEL_INSERT,
			    SQL_ARGS(SQL_I64(label->tenant_id), project, SQL_TEXT(label->name),
				     SQL_TEXT(label->description), SQL_TEXT(label->color),
				     SQL_I64(clock_wall_us())),
			    &rows);
	if (err == ERR_ABSENT)
		return tx->failed ? ERR_ABSENT : ERR_EXISTS; /* no such project; or no row made */
	TRY(err);
	*ret_id = sql_i64(&rows, 0);
	return OK;
}

err_t db_label_update(struct ctx *ctx, struct sql_tx *tx, const struct label *label)
{
	return db_exec_one(ctx, tx, &SQL_LABEL_UPDATE,
			   SQL_ARGS(SQL_I64(label->id), SQL_TEXT(label->name),
				    SQL_TEXT(label->description), SQL_TEXT(label->color),
				    SQL_I64(clock_wall_us())));
}

err_t db_label_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
		   struct label *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_LABEL_GET, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)), &rows));
	read_columns(ctx, &rows, ret);
	return OK;
}

err_t db_label_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	TRY(sql_exec(ctx, tx, &SQL_LABEL_RELIST_ALL, SQL_ARGS(SQL_I64(id)), NULL));
	return db_exec_one(ctx, tx, &SQL_LABEL_DELETE, SQL_ARGS(SQL_I64(id)));
}

err_t db_label_count(struct ctx *ctx, struct sql_tx *tx, const struct label_query *query,
		     int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_LABEL_COUNT,
			  SQL_ARGS(SQL_I64(query->tenant_id), SQL_I64(query->project_id),
				   SQL_TEXT(query->name_like)),
			  ret);
}

err_t db_label_page(struct ctx *ctx, struct sql_tx *tx, const struct label_query *query,
		    struct label **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct label), read_label };
	static const struct sql_statement *const pages[2][LABEL_ORDER_COUNT] = {
		{ &SQL_LABEL_PAGE_BY_NAME_UP, &SQL_LABEL_PAGE_BY_CREATED_AT_US_UP,
		  &SQL_LABEL_PAGE_BY_UPDATED_AT_US_UP, &SQL_LABEL_PAGE_BY_ID_UP },
		{ &SQL_LABEL_PAGE_BY_NAME_DOWN, &SQL_LABEL_PAGE_BY_CREATED_AT_US_DOWN,
		  &SQL_LABEL_PAGE_BY_UPDATED_AT_US_DOWN, &SQL_LABEL_PAGE_BY_ID_DOWN },
	};
	return db_rows_read(ctx, tx, pages[query->descending][query->order],
			    SQL_ARGS(SQL_I64(query->tenant_id), SQL_I64(query->project_id),
				     SQL_TEXT(query->name_like), SQL_I64(query->max),
				     SQL_I64(query->offset)),
			    &reader, (void **)ret, ret_count);
}

/* One more or less on an artifact, and its repository's lists are told. ERR_ABSENT: it is gone. */
static err_t change(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		    int64_t artifact_id, int64_t label_id, int64_t *ret_changed)
{
	int64_t repository_id;
	TRY(db_one_i64(ctx, tx, &SQL_LABEL_HOLD_REPOSITORY, SQL_ARGS(SQL_I64(artifact_id)),
		       &repository_id));
	TRY(sql_exec(ctx, tx, statement, SQL_ARGS(SQL_I64(artifact_id), SQL_I64(label_id)),
		     ret_changed));
	return db_repository_relist(ctx, tx, repository_id);
}

err_t db_label_put_on(struct ctx *ctx, struct sql_tx *tx, int64_t artifact_id, int64_t label_id)
{
	int64_t changed;
	TRY(change(ctx, tx, &SQL_LABEL_PUT_ON, artifact_id, label_id, &changed));
	return changed ? OK : ERR_EXISTS;
}

err_t db_label_take_off(struct ctx *ctx, struct sql_tx *tx, int64_t artifact_id, int64_t label_id)
{
	int64_t changed;
	TRY(change(ctx, tx, &SQL_LABEL_TAKE_OFF, artifact_id, label_id, &changed));
	return changed ? OK : ERR_ABSENT;
}

err_t db_label_count_on(struct ctx *ctx, struct sql_tx *tx, int64_t artifact_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_LABEL_COUNT_ON, SQL_ARGS(SQL_I64(artifact_id)), ret);
}

err_t db_label_on_artifacts(struct ctx *ctx, struct sql_tx *tx, str ids, size_t max,
			    struct label **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct label), read_worn_label };
	return db_rows_read(ctx, tx, &SQL_LABEL_ON_ARTIFACTS,
			    SQL_ARGS(SQL_TEXT(ids), SQL_I64((int64_t)max)), &reader, (void **)ret,
			    ret_count);
}
