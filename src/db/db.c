/* SPDX-License-Identifier: Apache-2.0 */
/* db.c - see db.h. */
#include "db/db.h"
#include "account.sql.h"
#include "rows.h"
#include "statements.sql.h"

#include "base/banned.h"

#define DB_TRIES_MAX 8

static err_t run_once(struct ctx *ctx, struct sql *db, enum sql_mode mode,
		      err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg), void *arg)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(sql_begin(ctx, db, mode, &tx));
	TRY(body(ctx, &tx, arg));
	return sql_commit(ctx, &tx);
}

err_t db_run(struct ctx *ctx, struct sql *db, enum sql_mode mode,
	     err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg), void *arg)
{
	err_t err;
	for (unsigned tries = 1;; tries++) {
		err = run_once(ctx, db, mode, body, arg);
		if (err == OK || !sql_should_retry(ctx, err) || tries == DB_TRIES_MAX)
			return err;
		ctx_forgive(ctx);
		sql_wait_to_retry(ctx, tries);
	}
}

err_t db_migrate(struct ctx *ctx, struct sql *db)
{
	return sql_migrate(ctx, db, SQL_MIGRATIONS, SQL_MIGRATION_COUNT);
}

const struct sql_migration *db_migrations(size_t *ret_count)
{
	*ret_count = SQL_MIGRATION_COUNT;
	return SQL_MIGRATIONS;
}

err_t db_schema_read(struct ctx *ctx, struct sql *db, struct sql_schema *ret)
{
	return sql_schema_read(ctx, db, SQL_MIGRATIONS, SQL_MIGRATION_COUNT, ret);
}

err_t db_is_new(struct ctx *ctx, struct sql *db, bool *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	struct sql_schema schema;
	int64_t accounts = 0;
	TRY(db_schema_read(ctx, db, &schema));
	TRY(sql_begin(ctx, db, SQL_READ, &tx));
	if (schema.latest)
		TRY(db_one_i64(ctx, &tx, &SQL_ACCOUNT_ANY, SQL_NO_ARGS, &accounts));
	*ret = accounts == 0;
	return OK;
}

err_t db_schema_check(struct ctx *ctx, struct sql *db)
{
	struct sql_schema schema;
	TRY(db_schema_read(ctx, db, &schema));
	if (schema.applied < SQL_MIGRATION_COUNT)
		return fail(ctx, ERR_CONFIG,
			    "database has schema %lld, older than this program's %d: run berth "
			    "migrate",
			    (long long)schema.latest,
			    SQL_MIGRATIONS[SQL_MIGRATION_COUNT - 1].number);
	return OK;
}

unsigned db_statement_count(void)
{
	return (unsigned)SQL_STATEMENT_COUNT;
}
