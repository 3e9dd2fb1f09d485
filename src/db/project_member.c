/* SPDX-License-Identifier: Apache-2.0 */
/* project_member.c - see project_member.h. */
#include "db/project_member.h"
#include "base/clock.h"
#include "project_member.sql.h"
#include "rows.h"

#include "base/banned.h"

static struct sql_value i64_or_null(int64_t number)
{
	return number ? SQL_I64(number) : SQL_NULL;
}

static void read_member(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct project_member *)item = (struct project_member){
		.id = sql_i64(rows, 0),
		.project_id = sql_i64(rows, 1),
		.account_id = sql_i64(rows, 2),
		.group_id = sql_i64(rows, 3),
		.name = db_text(ctx, rows, 4),
		.role_id = sql_i64(rows, 5),
		.role_name = db_text(ctx, rows, 6),
		.expires_at_us = sql_i64(rows, 7),
		.created_at_us = sql_i64(rows, 8),
		.updated_at_us = sql_i64(rows, 9),
	};
}

static void read_held(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct member_role *)item = (struct member_role){
		.role_id = sql_i64(rows, 0),
		.expires_at_us = sql_i64(rows, 1),
		.grants = db_text(ctx, rows, 2),
	};
}

err_t db_member_held(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t account_id,
		     struct member_role **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct member_role), read_held };
	return db_rows_read(ctx, tx, &SQL_MEMBER_HELD,
			    SQL_ARGS(SQL_I64(project_id), SQL_I64(account_id)), &reader,
			    (void **)ret, ret_count);
}

err_t db_member_holds_anywhere(struct ctx *ctx, struct sql_tx *tx, int64_t role_id,
			       int64_t account_id, bool *ret)
{
	return db_has_row(ctx, tx, &SQL_MEMBER_HOLDS_ANYWHERE,
			  SQL_ARGS(SQL_I64(role_id), SQL_I64(account_id)), ret);
}

err_t db_member_projects(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t now_us,
			 size_t max, int64_t **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_MEMBER_PROJECTS,
			    SQL_ARGS(SQL_I64(account_id), SQL_I64(now_us), SQL_I64((int64_t)max)),
			    &db_i64_reader, (void **)ret, ret_count);
}

err_t db_member_insert(struct ctx *ctx, struct sql_tx *tx, const struct project_member *member,
		       int64_t *ret_id)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	err_t err = sql_one(ctx, tx, &SQL_MEMBER_INSERT,
			    SQL_ARGS(SQL_I64(member->project_id), i64_or_null(member->account_id),
				     i64_or_null(member->group_id), SQL_I64(member->role_id),
				     i64_or_null(member->expires_at_us), SQL_I64(clock_wall_us())),
			    &rows);
	if (err == ERR_ABSENT && !tx->failed)
		return ERR_EXISTS; /* no row came back: there was one */
	TRY(err);
	*ret_id = sql_i64(&rows, 0);
	return OK;
}

err_t db_member_get(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t id,
		    struct project_member *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_MEMBER_GET, SQL_ARGS(SQL_I64(project_id), SQL_I64(id)), &rows));
	read_member(ctx, &rows, ret);
	return OK;
}

err_t db_member_update(struct ctx *ctx, struct sql_tx *tx, const struct project_member *member)
{
	return db_exec_one(ctx, tx, &SQL_MEMBER_UPDATE,
			   SQL_ARGS(SQL_I64(member->project_id), SQL_I64(member->id),
				    SQL_I64(member->role_id), i64_or_null(member->expires_at_us),
				    SQL_I64(clock_wall_us())));
}

err_t db_member_delete(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_MEMBER_DELETE, SQL_ARGS(SQL_I64(project_id), SQL_I64(id)));
}

err_t db_member_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	return sql_exec(ctx, tx, &SQL_MEMBER_DELETE_ALL, SQL_ARGS(SQL_I64(project_id)), NULL);
}

err_t db_member_count(struct ctx *ctx, struct sql_tx *tx, const struct member_filter *f,
		      int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_MEMBER_COUNT,
			  SQL_ARGS(SQL_I64(f->project_id), SQL_TEXT_OR_NULL(f->name_like)), ret);
}

err_t db_member_page(struct ctx *ctx, struct sql_tx *tx, const struct member_filter *f,
		     struct project_member **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct project_member), read_member };
	return db_rows_read(ctx, tx, &SQL_MEMBER_PAGE,
			    SQL_ARGS(SQL_I64(f->project_id), SQL_TEXT_OR_NULL(f->name_like),
				     SQL_I64(f->limit), SQL_I64(f->offset)),
			    &reader, (void **)ret, ret_count);
}

static void read_count(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct member_role_count *)item =
		(struct member_role_count){ sql_i64(rows, 0), sql_i64(rows, 1) };
}

err_t db_member_count_by_role(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			      struct member_role_count **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct member_role_count), read_count };
	return db_rows_read(ctx, tx, &SQL_MEMBER_COUNT_BY_ROLE, SQL_ARGS(SQL_I64(project_id)),
			    &reader, (void **)ret, ret_count);
}

err_t db_member_raise_epochs(struct ctx *ctx, struct sql_tx *tx, enum member_holder holder,
			     int64_t id, int64_t **ret, size_t *ret_count)
{
	static const struct sql_statement *const statements[] = {
		[HOLDER_ACCOUNT] = &SQL_MEMBER_ACCOUNTS_OF_ACCOUNT,
		[HOLDER_GROUP] = &SQL_MEMBER_ACCOUNTS_OF_GROUP,
		[HOLDER_ROLE] = &SQL_MEMBER_ACCOUNTS_OF_ROLE,
		[HOLDER_PROJECT] = &SQL_MEMBER_ACCOUNTS_OF_PROJECT,
	};
	return db_rows_read(ctx, tx, statements[holder], SQL_ARGS(SQL_I64(id)), &db_i64_reader,
			    (void **)ret, ret_count);
}
