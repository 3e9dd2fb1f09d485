/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.c - see tenant.h. */
#include "db/tenant.h"
#include "base/clock.h"
#include "rows.h"
#include "tenant.sql.h"

#include "base/banned.h"

static void read_tenant(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct tenant_row *)item = (struct tenant_row){
		.id = sql_i64(rows, 0),
		.name = db_text(ctx, rows, 1),
		.title = db_text(ctx, rows, 2),
		.state = (enum tenant_state)sql_i64(rows, 3),
		.reason = db_text(ctx, rows, 4),
		.storage_id = sql_i64(rows, 5),
		.created_at_us = sql_i64(rows, 6),
		.updated_at_us = sql_i64(rows, 7),
		.left_id = sql_i64(rows, 8),
	};
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct tenant_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_tenant(ctx, &rows, ret);
	return OK;
}

err_t db_tenant_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct tenant_row *ret)
{
	return find(ctx, tx, &SQL_TENANT_GET, SQL_ARGS(SQL_I64(id)), ret);
}

err_t db_tenant_find(struct ctx *ctx, struct sql_tx *tx, str name, struct tenant_row *ret)
{
	return find(ctx, tx, &SQL_TENANT_FIND, SQL_ARGS(SQL_TEXT(name)), ret);
}

err_t db_tenant_of_host(struct ctx *ctx, struct sql_tx *tx, str host, struct tenant_row *ret)
{
	return find(ctx, tx, &SQL_TENANT_OF_HOST, SQL_ARGS(SQL_TEXT(host)), ret);
}

/* --- changes ---------------------------------------------------------------------------------- */

err_t db_tenant_insert(struct ctx *ctx, struct sql_tx *tx, struct tenant_row *row)
{
	return db_insert_id(ctx, tx, &SQL_TENANT_INSERT,
			    SQL_ARGS(SQL_TEXT(row->name), SQL_TEXT(row->title), SQL_I64(row->state),
				     SQL_TEXT(row->reason), SQL_I64(row->storage_id),
				     SQL_I64(clock_wall_us())),
			    &row->id);
}

err_t db_tenant_update(struct ctx *ctx, struct sql_tx *tx, const struct tenant_row *row)
{
	return db_exec_one(ctx, tx, &SQL_TENANT_UPDATE,
			   SQL_ARGS(SQL_I64(row->id), SQL_TEXT(row->title), SQL_I64(row->state),
				    SQL_TEXT(row->reason), SQL_I64(clock_wall_us())));
}

err_t db_tenant_touch(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_TENANT_TOUCH,
			   SQL_ARGS(SQL_I64(id), SQL_I64(clock_wall_us())));
}

err_t db_tenant_hold(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	bool is_there;
	TRY(db_has_row(ctx, tx, &SQL_TENANT_HOLD, SQL_ARGS(SQL_I64(id)), &is_there));
	return is_there ? OK : fail(ctx, ERR_NOT_FOUND, "tenant %lld is gone", (long long)id);
}

err_t db_tenant_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_TENANT_DELETE,
			   SQL_ARGS(SQL_I64(id), SQL_I64(clock_wall_us())));
}

/* Who refers to others goes before them. */
err_t db_tenant_clear(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	static const struct sql_statement *const all[] = {
		&SQL_TENANT_CLEAR_TENANT_HOST,
		&SQL_TENANT_CLEAR_SESSION,
		&SQL_TENANT_CLEAR_ACCESS_TOKEN,
		&SQL_TENANT_CLEAR_ACCOUNT_GROUP,
		&SQL_TENANT_CLEAR_BINDING,
		&SQL_TENANT_CLEAR_TOKEN_ISSUER,
		&SQL_TENANT_CLEAR_ROBOT,
		&SQL_TENANT_CLEAR_LABEL,
		&SQL_TENANT_CLEAR_USER_GROUP,
		&SQL_TENANT_CLEAR_ROLE,
		&SQL_TENANT_CLEAR_QUOTA,
		&SQL_TENANT_CLEAR_IDENTITY_PROVIDER,
		&SQL_TENANT_CLEAR_PROJECT,
		&SQL_TENANT_CLEAR_ACCOUNT,
		&SQL_TENANT_CLEAR_JOB_SCHEDULE,
		&SQL_TENANT_CLEAR_GARBAGE_FREED,
		&SQL_TENANT_CLEAR_JOB,
		&SQL_TENANT_CLEAR_INVENTORY,
		&SQL_TENANT_CLEAR_WEBHOOK_POLICY,
		&SQL_TENANT_CLEAR_TRASH_WINDOW,
	};
	for (size_t i = 0; i < COUNT_OF(all); i++)
		TRY(sql_exec(ctx, tx, all[i], SQL_ARGS(SQL_I64(id)), NULL));
	return OK;
}

err_t db_tenant_has_projects(struct ctx *ctx, struct sql_tx *tx, int64_t id, bool *ret)
{
	return db_has_row(ctx, tx, &SQL_TENANT_ANY_PROJECT, SQL_ARGS(SQL_I64(id)), ret);
}

/* --- lists ------------------------------------------------------------------------------------ */

err_t db_tenant_count(struct ctx *ctx, struct sql_tx *tx, const struct tenant_query *query,
		      int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_TENANT_COUNT,
			  SQL_ARGS(SQL_TEXT(query->name_like), SQL_I64(query->state)), ret);
}

err_t db_tenant_page(struct ctx *ctx, struct sql_tx *tx, const struct tenant_query *query,
		     struct tenant_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct tenant_row), read_tenant };
	static const struct sql_statement *const pages[2][TENANT_ORDER_COUNT] = {
		{ &SQL_TENANT_PAGE_BY_ID_UP, &SQL_TENANT_PAGE_BY_NAME_UP,
		  &SQL_TENANT_PAGE_BY_CREATED_AT_US_UP },
		{ &SQL_TENANT_PAGE_BY_ID_DOWN, &SQL_TENANT_PAGE_BY_NAME_DOWN,
		  &SQL_TENANT_PAGE_BY_CREATED_AT_US_DOWN },
	};
	return db_rows_read(ctx, tx, pages[query->descending][query->order],
			    SQL_ARGS(SQL_TEXT(query->name_like), SQL_I64(query->state),
				     SQL_I64(query->limit), SQL_I64(query->offset)),
			    &reader, (void **)ret, ret_count);
}

/* --- hosts ------------------------------------------------------------------------------------ */

err_t db_tenant_hosts(struct ctx *ctx, struct sql_tx *tx, int64_t id, size_t max, str **ret,
		      size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_TENANT_HOST_LIST,
			    SQL_ARGS(SQL_I64(id), SQL_I64((int64_t)max)), &db_text_reader,
			    (void **)ret, ret_count);
}

err_t db_tenant_host_insert(struct ctx *ctx, struct sql_tx *tx, int64_t id, str host)
{
	int64_t changed;
	TRY(sql_exec(ctx, tx, &SQL_TENANT_HOST_INSERT, SQL_ARGS(SQL_TEXT(host), SQL_I64(id)),
		     &changed));
	return changed ? OK : ERR_EXISTS;
}

err_t db_tenant_host_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id, str host)
{
	return db_exec_one(ctx, tx, &SQL_TENANT_HOST_DELETE, SQL_ARGS(SQL_I64(id), SQL_TEXT(host)));
}

/* --- administrators --------------------------------------------------------------------------- */

err_t db_tenant_admin_count(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_TENANT_ADMIN_COUNT, SQL_ARGS(SQL_I64(id)), ret);
}

static void read_admin(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct tenant_admin *)item = (struct tenant_admin){
		.is_group = sql_i64(rows, 0) != 0,
		.id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
	};
}

err_t db_tenant_admin_page(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t limit,
			   int64_t offset, struct tenant_admin **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct tenant_admin), read_admin };
	return db_rows_read(ctx, tx, &SQL_TENANT_ADMIN_PAGE,
			    SQL_ARGS(SQL_I64(id), SQL_I64(limit), SQL_I64(offset)), &reader,
			    (void **)ret, ret_count);
}
