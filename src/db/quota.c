/* SPDX-License-Identifier: Apache-2.0 */
/* quota.c - see quota.h. */
#include "db/quota.h"
#include "base/clock.h"
#include "quota.sql.h"
#include "rows.h"

#include <string.h>

#include "base/banned.h"

#define STRIPES 16 /* of PostgreSQL: as the migration makes them */

/* --- charging --------------------------------------------------------------------------------- */

/* $1 and $2 are whose, $3 to $8 what; $9 is a number that only some have. */
static struct sql_args charge_args(struct ctx *ctx, const struct quota_charge *charge,
				   int64_t whose, int64_t whose_else, const int64_t *number)
{
	struct sql_value *values = ARENA_ARRAY(ctx->arena, struct sql_value, SQL_PARAMETERS_MAX);
	size_t count = 0;
	values[count++] = SQL_I64(whose);
	values[count++] = SQL_I64(whose_else);
	for (size_t i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		values[count++] = SQL_I64(charge->more[i]);
	values[count++] = SQL_I64(charge->more_reserved_bytes);
	if (number)
		values[count++] = SQL_I64(*number);
	return (struct sql_args){ values, count };
}

/* Takes it where it can be taken at once; `charged` says by scope where that was. */
static err_t charge_at_once(struct ctx *ctx, struct sql_tx *tx, const struct quota_charge *charge,
			    bool charged[QUOTA_PROJECT + 1], bool *limited)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_query(ctx, tx, &SQL_QUOTA_CHARGE,
		      charge_args(ctx, charge, charge->repository_id, charge->project_id, NULL),
		      &rows));
	for (;;) {
		bool has;
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			return OK;
		int64_t scope = sql_i64(&rows, 0);
		if (scope < QUOTA_TENANT || scope > QUOTA_PROJECT)
			return fail(ctx, ERR_CORRUPT, "quota of scope %lld", (long long)scope);
		charged[scope] = true;
		*limited |= sql_i64(&rows, 1) != 0;
	}
}

static err_t find_holders(struct ctx *ctx, struct sql_tx *tx, const struct quota_charge *charge,
			  struct quota_charged *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_QUOTA_HOLDERS,
		    SQL_ARGS(SQL_I64(charge->repository_id), SQL_I64(charge->project_id)), &rows));
	ret->project_id = sql_i64(&rows, 0);
	ret->tenant_id = sql_i64(&rows, 1);
	return OK;
}

/* How many stripes there are: none before the first charge. */
static err_t lock(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope, int64_t holder_id,
		  size_t *ret_count)
{
	int64_t *stripes;
	return db_rows_read(ctx, tx, &SQL_QUOTA_LOCK, SQL_ARGS(SQL_I64(scope), SQL_I64(holder_id)),
			    &db_i64_reader, (void **)&stripes, ret_count);
}

static err_t run_charge(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			struct sql_args args, bool *ret_done, bool *limited)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_query(ctx, tx, statement, args, &rows));
	TRY(sql_next(ctx, &rows, ret_done));
	if (*ret_done)
		*limited |= sql_i64(&rows, 0) != 0;
	return OK;
}

/* Nobody's stripe had it: everybody else has one, or there is less in each than is needed, or in
 * all. */
static err_t charge_patiently(struct ctx *ctx, struct sql_tx *tx, const struct quota_charge *charge,
			      enum quota_scope scope, int64_t holder_id, bool *ret_done,
			      bool *limited)
{
	int64_t even = charge->even_beyond && scope == QUOTA_PROJECT;
	int64_t stripe = clock_now_ns() / 1000 % STRIPES;
	bool postgres = sql_engine_of(tx->db) == SQL_POSTGRES;
	size_t stripes;
	*ret_done = false;
	if (postgres)
		TRY(run_charge(ctx, tx, &SQL_QUOTA_CHARGE_STRIPE,
			       charge_args(ctx, charge, scope, holder_id, &stripe), ret_done,
			       limited));
	if (*ret_done)
		return OK;
	TRY(lock(ctx, tx, scope, holder_id, &stripes));
	if (!stripes) {
		TRY(db_quota_ensure(ctx, tx, scope, holder_id));
		TRY(lock(ctx, tx, scope, holder_id, &stripes));
	}
	return run_charge(ctx, tx, &SQL_QUOTA_CHARGE_ALL,
			  charge_args(ctx, charge, scope, holder_id, &even), ret_done, limited);
}

err_t db_quota_charge(struct ctx *ctx, struct sql_tx *tx, const struct quota_charge *charge,
		      struct quota_charged *ret)
{
	struct quota_charged result = { 0 };
	bool charged[QUOTA_PROJECT + 1] = { false };
	TRY(charge_at_once(ctx, tx, charge, charged, &result.limited));
	bool all = charged[QUOTA_PROJECT] && charged[QUOTA_TENANT];
	if (!all || result.limited)
		TRY(find_holders(ctx, tx, charge, &result));
	for (enum quota_scope scope = QUOTA_PROJECT; scope >= QUOTA_TENANT; scope--) {
		int64_t holder_id = scope == QUOTA_PROJECT ? result.project_id : result.tenant_id;
		if (!charged[scope])
			TRY(charge_patiently(ctx, tx, charge, scope, holder_id, &charged[scope],
					     &result.limited));
		if (!charged[scope]) {
			result.refused_by = scope;
			*ret = result;
			return ERR_EXISTS;
		}
	}
	*ret = result;
	return OK;
}

/* --- rows ------------------------------------------------------------------------------------- */

static void read_numbers(const struct sql_rows *rows, int column,
			 int64_t numbers[QUOTA_RESOURCE_COUNT])
{
	for (int i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		numbers[i] = sql_i64(rows, column + i);
}

static void read_quota(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct quota *quota = item;
	int column = 2;
	*quota = (struct quota){ .scope = (enum quota_scope)sql_i64(rows, 0),
				 .holder_id = sql_i64(rows, 1) };
	read_numbers(rows, column, quota->limit);
	read_numbers(rows, column += QUOTA_RESOURCE_COUNT, quota->used);
	column += QUOTA_RESOURCE_COUNT;
	quota->reserved_bytes = sql_i64(rows, column++);
	quota->warned_percent = sql_i64(rows, column++);
	quota->created_at_us = sql_i64(rows, column++);
	quota->updated_at_us = sql_i64(rows, column++);
	quota->name = db_text(ctx, rows, column++);
	quota->owner = db_text(ctx, rows, column++);
	quota->tenant_id = sql_i64(rows, column);
}

err_t db_quota_get(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope, int64_t holder_id,
		   struct quota *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_QUOTA_GET, SQL_ARGS(SQL_I64(scope), SQL_I64(holder_id)), &rows));
	read_quota(ctx, &rows, ret);
	return OK;
}

static err_t settle(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope, int64_t holder_id)
{
	return sql_exec(ctx, tx, &SQL_QUOTA_SETTLE, SQL_ARGS(SQL_I64(scope), SQL_I64(holder_id)),
			NULL);
}

err_t db_quota_ensure(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope, int64_t holder_id)
{
	size_t stripes;
	int64_t made;
	TRY(sql_exec(ctx, tx, &SQL_QUOTA_INSERT,
		     SQL_ARGS(SQL_I64(scope), SQL_I64(holder_id), SQL_I64(clock_wall_us())),
		     &made));
	if (!made)
		return OK;
	TRY(sql_exec(ctx, tx, &SQL_QUOTA_INSERT_STRIPES,
		     SQL_ARGS(SQL_I64(scope), SQL_I64(holder_id)), NULL));
	TRY(lock(ctx, tx, scope, holder_id, &stripes));
	return settle(ctx, tx, scope, holder_id);
}

err_t db_quota_limit(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope, int64_t holder_id,
		     const int64_t limit[QUOTA_RESOURCE_COUNT])
{
	struct quota_charge as_limits = { 0 };
	size_t stripes;
	memcpy(as_limits.more, limit, sizeof as_limits.more);
	as_limits.more_reserved_bytes = clock_wall_us();
	TRY(db_quota_ensure(ctx, tx, scope, holder_id));
	TRY(db_exec_one(ctx, tx, &SQL_QUOTA_LIMIT,
			charge_args(ctx, &as_limits, scope, holder_id, NULL)));
	TRY(lock(ctx, tx, scope, holder_id, &stripes));
	return settle(ctx, tx, scope, holder_id);
}

static err_t correct(struct ctx *ctx, struct sql_tx *tx, const struct quota *to)
{
	struct quota_charge used = { 0 };
	memcpy(used.more, to->used, sizeof used.more);
	used.more_reserved_bytes = to->reserved_bytes;
	TRY(sql_exec(ctx, tx, &SQL_QUOTA_CORRECT,
		     charge_args(ctx, &used, to->scope, to->holder_id, NULL), NULL));
	return settle(ctx, tx, to->scope, to->holder_id);
}

err_t db_quota_delete(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope, int64_t holder_id)
{
	return sql_exec(ctx, tx, &SQL_QUOTA_DELETE, SQL_ARGS(SQL_I64(scope), SQL_I64(holder_id)),
			NULL);
}

err_t db_quota_passed(struct ctx *ctx, struct sql_tx *tx, int64_t percent, size_t max,
		      struct quota **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct quota), read_quota };
	return db_rows_read(ctx, tx, &SQL_QUOTA_PASSED,
			    SQL_ARGS(SQL_I64(percent), SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}

err_t db_quota_warn(struct ctx *ctx, struct sql_tx *tx, const struct quota *quota, int64_t percent)
{
	return db_exec_one(ctx, tx, &SQL_QUOTA_WARN,
			   SQL_ARGS(SQL_I64(quota->scope), SQL_I64(quota->holder_id),
				    SQL_I64(percent), SQL_I64(quota->warned_percent)));
}

err_t db_quota_room(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, int64_t *ret_bytes,
		    bool *ret_limited)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_QUOTA_ROOM, SQL_ARGS(SQL_I64(repository_id)), &rows));
	*ret_bytes = sql_i64(&rows, 0);
	*ret_limited = sql_i64(&rows, 1) != 0;
	return OK;
}

/* --- lists ------------------------------------------------------------------------------------ */

err_t db_quota_count(struct ctx *ctx, struct sql_tx *tx, const struct quota_query *query,
		     int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_QUOTA_COUNT,
			  SQL_ARGS(SQL_I64(query->tenant_id), SQL_I64(query->project_id)), ret);
}

err_t db_quota_page(struct ctx *ctx, struct sql_tx *tx, const struct quota_query *query,
		    struct quota **ret, size_t *ret_count)
{
#define BY(column)                                                                                 \
	{                                                                                          \
		&SQL_QUOTA_BY_##column##_UP, &SQL_QUOTA_BY_##column##_DOWN                         \
	}
	static const struct sql_statement *const pages[QUOTA_ORDER_COUNT][2] = {
		[QUOTA_BY_ID] = BY(HOLDER_ID),
		[QUOTA_BY_CREATION] = BY(CREATED_AT_US),
		[QUOTA_BY_UPDATE] = BY(UPDATED_AT_US),
		[QUOTA_BY_LIMIT] = BY(LIMIT_STORAGE),
		[QUOTA_BY_USED] = BY(USED),
	};
#undef BY
	static const struct row_reader reader = { sizeof(struct quota), read_quota };
	return db_rows_read(ctx, tx, pages[query->order][query->descending],
			    SQL_ARGS(SQL_I64(query->tenant_id), SQL_I64(query->project_id),
				     SQL_I64(query->limit), SQL_I64(query->offset)),
			    &reader, (void **)ret, ret_count);
}

/* --- proof ------------------------------------------------------------------------------------ */

static void read_wrong(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct quota_wrong *wrong = item;
	int column = 3;
	*wrong = (struct quota_wrong){ .scope = (enum quota_scope)sql_i64(rows, 0),
				       .holder_id = sql_i64(rows, 1),
				       .name = db_text(ctx, rows, 2) };
	struct quota *both[] = { &wrong->actual, &wrong->said };
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		both[i]->scope = wrong->scope;
		both[i]->holder_id = wrong->holder_id;
		read_numbers(rows, column, both[i]->used);
		column += QUOTA_RESOURCE_COUNT;
		both[i]->reserved_bytes = sql_i64(rows, column++);
	}
}

static err_t wrong(struct ctx *ctx, struct sql_tx *tx, struct sql_args args,
		   struct quota_wrong **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct quota_wrong), read_wrong };
	return db_rows_read(ctx, tx, &SQL_QUOTA_WRONG, args, &reader, (void **)ret, ret_count);
}

err_t db_quota_wrong(struct ctx *ctx, struct sql_tx *tx, size_t max, struct quota_wrong **ret,
		     size_t *ret_count)
{
	return wrong(ctx, tx, SQL_ARGS(SQL_I64(0), SQL_I64(0), SQL_I64((int64_t)max)), ret,
		     ret_count);
}

err_t db_quota_recount(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope,
		       int64_t holder_id)
{
	struct quota_wrong *found;
	size_t stripes, count;
	TRY(db_quota_ensure(ctx, tx, scope, holder_id));
	TRY(lock(ctx, tx, scope, holder_id, &stripes));
	/* Only now: who had a stripe has committed, and what he did is seen. */
	TRY(wrong(ctx, tx, SQL_ARGS(SQL_I64(scope), SQL_I64(holder_id), SQL_I64(1)), &found,
		  &count));
	return count ? correct(ctx, tx, &found->actual) : OK;
}
