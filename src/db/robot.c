/* SPDX-License-Identifier: Apache-2.0 */
/* robot.c - see robot.h. */
#include "db/robot.h"
#include "base/clock.h"
#include "db/tenant.h"
#include "robot.sql.h"
#include "rows.h"

#include "base/banned.h"

#define ROBOT_COLUMNS 15

#define I64_OR_NULL(n) ((n) ? SQL_I64(n) : SQL_NULL)

static void read_robot(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct robot_row *)item = (struct robot_row){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.project_id = sql_i64(rows, 3),
		.description = db_text(ctx, rows, 4),
		.duration_days = sql_i64(rows, 5),
		.expires_at_s = sql_i64(rows, 6),
		.disabled = sql_i64(rows, 7) != 0,
		.visible = sql_i64(rows, 8) != 0,
		.creator_type = db_text(ctx, rows, 9),
		.creator_id = sql_i64(rows, 10),
		.epoch = sql_i64(rows, 11),
		.created_at_us = sql_i64(rows, 12),
		.updated_at_us = sql_i64(rows, 13),
		.used_at_us = sql_i64(rows, 14),
	};
}

/* --- robots ----------------------------------------------------------------------------------- */

err_t db_robot_insert(struct ctx *ctx, struct sql_tx *tx, struct robot_row *row)
{
	TRY(db_tenant_hold(ctx, tx, row->tenant_id));
	row->created_at_us = row->updated_at_us = clock_wall_us();
	row->epoch = 1;
	return db_insert_id(ctx, tx, &SQL_ROBOT_INSERT,
			    SQL_ARGS(SQL_I64(row->tenant_id), SQL_TEXT(row->name),
				     I64_OR_NULL(row->project_id), SQL_TEXT(row->description),
				     SQL_I64(row->duration_days), I64_OR_NULL(row->expires_at_s),
				     SQL_I64(row->disabled), SQL_I64(row->visible),
				     SQL_TEXT(row->creator_type), SQL_I64(row->creator_id),
				     SQL_I64(row->created_at_us)),
			    &row->id);
}

err_t db_robot_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct robot_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_ROBOT_GET, SQL_ARGS(SQL_I64(id)), &rows));
	read_robot(ctx, &rows, ret);
	return OK;
}

err_t db_robot_named(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name, size_t max,
		     int64_t **ret, size_t *ret_count)
{
	str project = STR_NONE, own = STR_NONE;
	(void)str_cut(name, '+', &project, &own);
	return db_rows_read(ctx, tx, &SQL_ROBOT_NAMED,
			    SQL_ARGS(SQL_TEXT(name), SQL_I64(tenant_id), SQL_I64((int64_t)max),
				     SQL_TEXT(project), SQL_TEXT(own)),
			    &db_i64_reader, (void **)ret, ret_count);
}

err_t db_robot_find_secret(struct ctx *ctx, struct sql_tx *tx, int64_t id, str hash, int64_t now_us,
			   struct robot_row *ret, int64_t *ret_secret_id)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_ROBOT_FIND_SECRET,
		    SQL_ARGS(SQL_I64(id), SQL_TEXT(hash), SQL_I64(now_us)), &rows));
	read_robot(ctx, &rows, ret);
	*ret_secret_id = sql_i64(&rows, ROBOT_COLUMNS);
	return OK;
}

static err_t count_robots(struct ctx *ctx, struct sql_tx *tx, struct sql_args args, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_ROBOT_COUNT, args, ret);
}

err_t db_robot_page(struct ctx *ctx, struct sql_tx *tx, const struct robot_query *query,
		    struct robot_row **ret, size_t *ret_count, int64_t *ret_total)
{
	static const struct sql_statement *const statements[ROBOT_SORT_COUNT][2] = {
		[ROBOT_BY_NAME] = { &SQL_ROBOT_PAGE_BY_NAME, &SQL_ROBOT_PAGE_BY_NAME_DOWN },
		[ROBOT_BY_ID] = { &SQL_ROBOT_PAGE_BY_ID, &SQL_ROBOT_PAGE_BY_ID_DOWN },
		[ROBOT_BY_EXPIRY] = { &SQL_ROBOT_PAGE_BY_EXPIRES_AT_S,
				      &SQL_ROBOT_PAGE_BY_EXPIRES_AT_S_DOWN },
	};
	static const struct row_reader reader = { sizeof(struct robot_row), read_robot };
	const struct sql_value chosen[] = { SQL_I64(query->tenant_id), SQL_I64(query->project_id),
					    SQL_TEXT_OR_NULL(query->name_like),
					    SQL_TEXT_OR_NULL(query->name) };
	TRY(count_robots(ctx, tx, (struct sql_args){ chosen, COUNT_OF(chosen) }, ret_total));
	return db_rows_read(ctx, tx, statements[query->sort][query->descending],
			    SQL_ARGS(chosen[0], chosen[1], chosen[2], chosen[3],
				     SQL_I64(query->limit), SQL_I64(query->offset)),
			    &reader, (void **)ret, ret_count);
}

err_t db_robot_update(struct ctx *ctx, struct sql_tx *tx, const struct robot_row *row)
{
	return db_exec_one(ctx, tx, &SQL_ROBOT_UPDATE,
			   SQL_ARGS(SQL_I64(row->id), SQL_TEXT(row->description),
				    SQL_I64(row->duration_days), I64_OR_NULL(row->expires_at_s),
				    SQL_I64(row->disabled), SQL_I64(clock_wall_us())));
}

err_t db_robot_changed(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_ROBOT_CHANGED,
			   SQL_ARGS(SQL_I64(id), SQL_I64(clock_wall_us())));
}

err_t db_robot_touch(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_ROBOT_TOUCH,
			   SQL_ARGS(SQL_I64(id), SQL_I64(clock_wall_us())));
}

err_t db_robot_used(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t used_at_us)
{
	return sql_exec(ctx, tx, &SQL_ROBOT_USED, SQL_ARGS(SQL_I64(id), SQL_I64(used_at_us)), NULL);
}

err_t db_robot_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_ROBOT_DELETE, SQL_ARGS(SQL_I64(id)));
}

err_t db_robot_delete_of_project(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
				 int64_t **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_ROBOT_DELETE_OF_PROJECT, SQL_ARGS(SQL_I64(project_id)),
			    &db_i64_reader, (void **)ret, ret_count);
}

/* --- permissions ------------------------------------------------------------------------------ */

static void read_permission(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct robot_permission_row *)item = (struct robot_permission_row){
		.place = sql_i64(rows, 0),
		.project_id = sql_i64(rows, 1),
		.project = db_text(ctx, rows, 2),
		.repository_glob = db_text(ctx, rows, 3),
		.allowed = db_text(ctx, rows, 4),
		.denied = db_text(ctx, rows, 5),
	};
}

err_t db_robot_permission_list(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id,
			       struct robot_permission_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct robot_permission_row),
						  read_permission };
	return db_rows_read(ctx, tx, &SQL_ROBOT_PERMISSION_LIST, SQL_ARGS(SQL_I64(robot_id)),
			    &reader, (void **)ret, ret_count);
}

err_t db_robot_permission_set(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id,
			      const struct robot_permission_row *rows, size_t count)
{
	TRY(sql_exec(ctx, tx, &SQL_ROBOT_PERMISSION_DELETE_ALL, SQL_ARGS(SQL_I64(robot_id)), NULL));
	for (size_t i = 0; i < count; i++)
		TRY(sql_exec(ctx, tx, &SQL_ROBOT_PERMISSION_INSERT,
			     SQL_ARGS(SQL_I64(robot_id), SQL_I64((int64_t)i),
				      SQL_I64(rows[i].place), I64_OR_NULL(rows[i].project_id),
				      SQL_TEXT(rows[i].repository_glob), SQL_TEXT(rows[i].allowed),
				      SQL_TEXT(rows[i].denied)),
			     NULL));
	return OK;
}

/* --- secrets ---------------------------------------------------------------------------------- */

static void read_secret(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct robot_secret_row *)item = (struct robot_secret_row){
		.id = sql_i64(rows, 0),
		.robot_id = sql_i64(rows, 1),
		.hint = db_text(ctx, rows, 2),
		.created_at_us = sql_i64(rows, 3),
		.expires_at_us = sql_i64(rows, 4),
		.used_at_us = sql_i64(rows, 5),
	};
}

err_t db_robot_secret_insert(struct ctx *ctx, struct sql_tx *tx, struct robot_secret_row *row)
{
	row->created_at_us = clock_wall_us();
	return db_insert_id(ctx, tx, &SQL_ROBOT_SECRET_INSERT,
			    SQL_ARGS(SQL_I64(row->robot_id), SQL_TEXT(row->hash),
				     SQL_TEXT(row->hint), SQL_I64(row->created_at_us),
				     I64_OR_NULL(row->expires_at_us)),
			    &row->id);
}

err_t db_robot_secret_get(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id, int64_t id,
			  struct robot_secret_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_ROBOT_SECRET_GET, SQL_ARGS(SQL_I64(robot_id), SQL_I64(id)),
		    &rows));
	read_secret(ctx, &rows, ret);
	return OK;
}

err_t db_robot_secret_list(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id, int64_t now_us,
			   size_t max, struct robot_secret_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct robot_secret_row), read_secret };
	return db_rows_read(ctx, tx, &SQL_ROBOT_SECRET_LIST,
			    SQL_ARGS(SQL_I64(robot_id), SQL_I64(now_us), SQL_I64((int64_t)max)),
			    &reader, (void **)ret, ret_count);
}

err_t db_robot_secret_expire_others(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id,
				    int64_t but_id, int64_t at_us)
{
	return sql_exec(ctx, tx, &SQL_ROBOT_SECRET_EXPIRE_OTHERS,
			SQL_ARGS(SQL_I64(robot_id), SQL_I64(but_id), SQL_I64(at_us)), NULL);
}

err_t db_robot_secret_delete(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_ROBOT_SECRET_DELETE,
			   SQL_ARGS(SQL_I64(robot_id), SQL_I64(id)));
}

err_t db_robot_secret_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id)
{
	return sql_exec(ctx, tx, &SQL_ROBOT_SECRET_DELETE_ALL, SQL_ARGS(SQL_I64(robot_id)), NULL);
}

err_t db_robot_secret_delete_expired(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id,
				     int64_t until_us)
{
	return sql_exec(ctx, tx, &SQL_ROBOT_SECRET_DELETE_EXPIRED,
			SQL_ARGS(SQL_I64(robot_id), SQL_I64(until_us)), NULL);
}

err_t db_robot_secret_used(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t used_at_us)
{
	return sql_exec(ctx, tx, &SQL_ROBOT_SECRET_USED, SQL_ARGS(SQL_I64(id), SQL_I64(used_at_us)),
			NULL);
}
