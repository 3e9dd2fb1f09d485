/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c - see copy.h. */
#include "db/copy.h"
#include "copy.sql.h"
#include "db/db.h"
#include "db/quota.h"
#include "repository.sql.h"
#include "rows.h"

#include "base/banned.h"

static const char *const apart[] = { "quota_stripe", "audit_unsealed", "repository_floor", NULL };

static err_t recount(struct ctx *ctx, struct sql_tx *to, enum quota_scope scope)
{
	int64_t *ids;
	size_t count;
	TRY(db_rows_read(ctx, to, &SQL_COPY_QUOTAS, SQL_ARGS(SQL_I64(scope)), &db_i64_reader,
			 (void **)&ids, &count));
	for (size_t i = 0; i < count; i++)
		TRY(db_quota_recount(ctx, to, scope, ids[i]));
	return OK;
}

static err_t finish_quotas(struct ctx *ctx, struct sql_tx *to)
{
	TRY(sql_exec(ctx, to, &SQL_COPY_STRIPES, SQL_NO_ARGS, NULL));
	TRY(recount(ctx, to, QUOTA_PROJECT));
	return recount(ctx, to, QUOTA_TENANT);
}

static err_t finish_audit(struct ctx *ctx, struct sql_tx *from, struct sql_tx *to)
{
	int64_t waiting = 0;
	if (sql_engine_of(to->db) == SQL_SQLITE && sql_engine_of(from->db) != SQL_SQLITE)
		TRY(db_one_i64(ctx, from, &SQL_COPY_UNSEALED_COUNT, SQL_NO_ARGS, &waiting));
	if (waiting)
		return fail(ctx, ERR_IN_USE,
			    "%lld audit records have no place in the chain yet: start the server "
			    "on the source once more, and stop it",
			    (long long)waiting);
	return sql_exec(ctx, to, &SQL_COPY_AUDIT, SQL_NO_ARGS, NULL);
}

static err_t finish_floor(struct ctx *ctx, struct sql_tx *from, struct sql_tx *to,
			  const struct sql_copied *copied, size_t count)
{
	int64_t floor;
	TRY(db_one_i64(ctx, from, &SQL_COPY_FLOOR, SQL_NO_ARGS, &floor));
	for (size_t i = 0; i < count; i++)
		if (str_eq(copied[i].table, STR("repository")))
			floor = MAX(floor, copied[i].number_max);
	TRY(sql_exec(ctx, to, &SQL_REPOSITORY_RAISE_FLOOR, SQL_ARGS(SQL_I64(floor)), NULL));
	return sql_copy_raise(ctx, to, STR("repository"), floor);
}

static err_t finish(struct ctx *ctx, struct sql_tx *from, struct sql_tx *to,
		    const struct sql_copied *copied, size_t count)
{
	TRY_CTX(ctx, finish_quotas(ctx, to), "quotas");
	TRY(finish_audit(ctx, from, to));
	return finish_floor(ctx, from, to, copied, count);
}

static err_t check_new(struct ctx *ctx, struct sql *to)
{
	bool is_new;
	TRY(db_is_new(ctx, to, &is_new));
	return is_new ? OK : fail(ctx, ERR_EXISTS, "there is a registry in the target");
}

err_t db_copy(struct ctx *ctx, struct sql *from, struct sql *to,
	      void (*done)(void *arg, const struct sql_copied *table), void *arg)
{
	const struct sql_copy copy = {
		.from = from, .to = to, .apart = apart, .finish = finish, .done = done, .arg = arg
	};
	TRY_CTX(ctx, db_schema_check(ctx, from), "source");
	TRY_CTX(ctx, db_schema_check(ctx, to), "target");
	TRY(check_new(ctx, to));
	return sql_copy(ctx, &copy);
}
