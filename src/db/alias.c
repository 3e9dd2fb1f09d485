/* SPDX-License-Identifier: Apache-2.0 */
/* alias.c - see alias.h. */
#include "db/alias.h"
#include "alias.sql.h"
#include "base/clock.h"
#include "rows.h"

#include "base/banned.h"

#define OF(WHAT)                                                                                   \
	{                                                                                          \
		.hold = &SQL_ALIAS_HOLD_##WHAT, .rename = &SQL_ALIAS_RENAME_##WHAT,                \
		.owner = &SQL_ALIAS_OWNER_##WHAT, .insert = &SQL_ALIAS_INSERT_##WHAT,              \
		.delete = &SQL_ALIAS_DELETE_##WHAT, .count = &SQL_ALIAS_COUNT_##WHAT,              \
		.page = &SQL_ALIAS_PAGE_##WHAT                                                     \
	}
static const struct {
	const struct sql_statement *hold, *rename, *owner, *insert, *delete, *count, *page;
} statements[ALIAS_OF_COUNT] = {
	[ALIAS_OF_PROJECT] = OF(PROJECT),
	[ALIAS_OF_REPOSITORY] = OF(REPOSITORY),
};
#undef OF

err_t db_alias_hold(struct ctx *ctx, struct sql_tx *tx, const struct named *what, str *ret_name)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statements[what->of].hold, SQL_ARGS(SQL_I64(what->id)), &rows));
	*ret_name = db_text(ctx, &rows, 0);
	return OK;
}

err_t db_alias_hold_repositories(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	int64_t count;
	return db_one_i64(ctx, tx, &SQL_ALIAS_HOLD_REPOSITORIES, SQL_ARGS(SQL_I64(project_id)),
			  &count);
}

err_t db_alias_rename(struct ctx *ctx, struct sql_tx *tx, const struct named *what, str name)
{
	return db_exec_one(ctx, tx, statements[what->of].rename,
			   SQL_ARGS(SQL_I64(what->id), SQL_TEXT(name), SQL_I64(clock_wall_us())));
}

err_t db_alias_relist(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	return sql_exec(ctx, tx, &SQL_ALIAS_RELIST, SQL_ARGS(SQL_I64(project_id)), NULL);
}

err_t db_alias_rename_parts(struct ctx *ctx, struct sql_tx *tx, const struct project_names *names,
			    int64_t **ret_robots, size_t *ret_robot_count)
{
	const struct sql_args args =
		SQL_ARGS(SQL_I64(names->id), SQL_TEXT(names->after), SQL_TEXT(names->before));
	TRY(sql_exec(ctx, tx, &SQL_ALIAS_RENAME_REPOSITORIES, args, NULL));
	TRY(sql_exec(ctx, tx, &SQL_ALIAS_RENAME_REPOSITORY_ALIASES, args, NULL));
	return db_rows_read(ctx, tx, &SQL_ALIAS_RENAME_ROBOTS, args, &db_i64_reader,
			    (void **)ret_robots, ret_robot_count);
}

err_t db_alias_longest(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
		       int64_t *ret_repository, int64_t *ret_robot)
{
	const struct sql_args args = SQL_ARGS(SQL_I64(project_id));
	TRY(db_one_i64(ctx, tx, &SQL_ALIAS_LONGEST_REPOSITORY, args, ret_repository));
	return db_one_i64(ctx, tx, &SQL_ALIAS_LONGEST_ROBOT, args, ret_robot);
}

err_t db_alias_owner(struct ctx *ctx, struct sql_tx *tx, enum alias_of of, int64_t tenant_id,
		     str name, int64_t *ret_id)
{
	return db_one_i64(ctx, tx, statements[of].owner,
			  SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name)), ret_id);
}

err_t db_alias_refuse(struct ctx *ctx, struct sql_tx *tx, enum alias_of of, int64_t tenant_id,
		      str name)
{
	int64_t id;
	err_t err = db_alias_owner(ctx, tx, of, tenant_id, name, &id);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	return fail(ctx, ERR_NAME_IS_ALIAS, STR_FMT " is an alias of %lld", STR_ARG(name),
		    (long long)id);
}

err_t db_alias_insert(struct ctx *ctx, struct sql_tx *tx, const struct named *what, str name)
{
	return sql_exec(ctx, tx, statements[what->of].insert,
			SQL_ARGS(SQL_I64(what->tenant_id), SQL_TEXT(name), SQL_I64(what->id),
				 SQL_I64(clock_wall_us())),
			NULL);
}

err_t db_alias_delete(struct ctx *ctx, struct sql_tx *tx, const struct named *what, str name)
{
	return db_exec_one(ctx, tx, statements[what->of].delete,
			   SQL_ARGS(SQL_I64(what->tenant_id), SQL_TEXT(name), SQL_I64(what->id)));
}

err_t db_alias_count(struct ctx *ctx, struct sql_tx *tx, const struct named *what, int64_t *ret)
{
	return db_one_i64(ctx, tx, statements[what->of].count, SQL_ARGS(SQL_I64(what->id)), ret);
}

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct alias_row *)item = (struct alias_row){ db_text(ctx, rows, 0), sql_i64(rows, 1) };
}

err_t db_alias_page(struct ctx *ctx, struct sql_tx *tx, const struct named *what, int64_t limit,
		    int64_t offset, struct alias_row **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct alias_row), read_row };
	return db_rows_read(ctx, tx, statements[what->of].page,
			    SQL_ARGS(SQL_I64(what->id), SQL_I64(limit), SQL_I64(offset)), &reader,
			    (void **)ret, ret_count);
}

err_t db_alias_wrong(struct ctx *ctx, struct sql_tx *tx, int64_t max, str **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_ALIAS_WRONG, SQL_ARGS(SQL_I64(max)), &db_text_reader,
			    (void **)ret, ret_count);
}
