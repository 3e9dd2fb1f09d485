/* SPDX-License-Identifier: Apache-2.0 */
/* user_group.c - see user_group.h. */
#include "db/user_group.h"
#include "base/clock.h"
#include "db/tenant.h"
#include "rows.h"
#include "user_group.sql.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct user_group *)item = (struct user_group){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.type = sql_i64(rows, 2),
		.name = db_text(ctx, rows, 3),
		.dn = db_text(ctx, rows, 4),
	};
}

static const struct row_reader group_reader = { sizeof(struct user_group), read_row };

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct user_group *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

err_t db_user_group_insert(struct ctx *ctx, struct sql_tx *tx, struct user_group *group)
{
	TRY(db_tenant_hold(ctx, tx, group->tenant_id));
	err_t err = db_one_i64(ctx, tx, &SQL_USER_GROUP_INSERT,
			       SQL_ARGS(SQL_I64(group->tenant_id), SQL_I64(group->type),
					SQL_TEXT(group->name), SQL_TEXT(group->dn),
					SQL_I64(clock_wall_us())),
			       &group->id);
	return err == ERR_ABSENT ? ERR_EXISTS : err;
}

err_t db_user_group_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			struct user_group *ret)
{
	return find(ctx, tx, &SQL_USER_GROUP_GET, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)), ret);
}

err_t db_user_group_find(struct ctx *ctx, struct sql_tx *tx, const struct user_group *like,
			 struct user_group *ret)
{
	return find(ctx, tx, &SQL_USER_GROUP_FIND,
		    SQL_ARGS(SQL_I64(like->tenant_id), SQL_I64(like->type), SQL_TEXT(like->name),
			     SQL_TEXT(like->dn)),
		    ret);
}

err_t db_user_group_rename(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			   str name)
{
	return db_exec_one(ctx, tx, &SQL_USER_GROUP_RENAME,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id), SQL_TEXT(name)));
}

err_t db_user_group_set_tenant_admin(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
				     int64_t id, bool on)
{
	TRY(db_exec_one(ctx, tx, &SQL_USER_GROUP_SET_TENANT_ADMIN,
			SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id), SQL_I64(on))));
	return sql_exec(ctx, tx, &SQL_USER_GROUP_AGE_MEMBERS, SQL_ARGS(SQL_I64(id)), NULL);
}

err_t db_user_group_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id)
{
	TRY(sql_exec(ctx, tx, &SQL_USER_GROUP_AGE_MEMBERS, SQL_ARGS(SQL_I64(id)), NULL));
	return db_exec_one(ctx, tx, &SQL_USER_GROUP_DELETE,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)));
}

err_t db_user_group_count(struct ctx *ctx, struct sql_tx *tx, const struct group_filter *f,
			  int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_USER_GROUP_COUNT,
			  SQL_ARGS(SQL_I64(f->tenant_id), SQL_TEXT_OR_NULL(f->name_like),
				   SQL_TEXT_OR_NULL(f->dn)),
			  ret);
}

err_t db_user_group_page(struct ctx *ctx, struct sql_tx *tx, const struct group_filter *f,
			 struct user_group **ret, size_t *ret_count)
{
	return db_rows_read(
		ctx, tx, f->nearest_first ? &SQL_USER_GROUP_PAGE_BY_LENGTH : &SQL_USER_GROUP_PAGE,
		SQL_ARGS(SQL_I64(f->tenant_id), SQL_TEXT_OR_NULL(f->name_like),
			 SQL_TEXT_OR_NULL(f->dn), SQL_I64(f->limit), SQL_I64(f->offset)),
		&group_reader, (void **)ret, ret_count);
}

/* --- membership ------------------------------------------------------------------------------- */

err_t db_account_group_elsewhere(struct ctx *ctx, struct sql_tx *tx, int64_t account_id,
				 struct user_group **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_ACCOUNT_GROUP_ELSEWHERE, SQL_ARGS(SQL_I64(account_id)),
			    &group_reader, (void **)ret, ret_count);
}

err_t db_account_group_insert(struct ctx *ctx, struct sql_tx *tx, int64_t account_id,
			      int64_t group_id)
{
	return sql_exec(ctx, tx, &SQL_ACCOUNT_GROUP_INSERT,
			SQL_ARGS(SQL_I64(account_id), SQL_I64(group_id)), NULL);
}

err_t db_account_group_delete(struct ctx *ctx, struct sql_tx *tx, int64_t account_id,
			      int64_t group_id)
{
	return db_exec_one(ctx, tx, &SQL_ACCOUNT_GROUP_DELETE,
			   SQL_ARGS(SQL_I64(account_id), SQL_I64(group_id)));
}

err_t db_user_group_member_count(struct ctx *ctx, struct sql_tx *tx, int64_t group_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_USER_GROUP_MEMBER_COUNT, SQL_ARGS(SQL_I64(group_id)), ret);
}

static void read_member(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct group_member *)item =
		(struct group_member){ sql_i64(rows, 0), db_text(ctx, rows, 1) };
}

err_t db_user_group_members(struct ctx *ctx, struct sql_tx *tx, int64_t group_id, int64_t limit,
			    int64_t offset, struct group_member **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct group_member), read_member };
	return db_rows_read(ctx, tx, &SQL_USER_GROUP_MEMBER_PAGE,
			    SQL_ARGS(SQL_I64(group_id), SQL_I64(limit), SQL_I64(offset)), &reader,
			    (void **)ret, ret_count);
}
