/* SPDX-License-Identifier: Apache-2.0 */
/* db.c - see db.h. */
#include "db/db.h"
#include "statements.sql.h"

#include "base/banned.h"

#define DB_TRIES_MAX 4

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
	err_t err = OK;
	for (int tries = 0; tries < DB_TRIES_MAX; tries++) {
		err = run_once(ctx, db, mode, body, arg);
		if (err == OK || !sql_should_retry(ctx, err))
			break;
		if (tries + 1 < DB_TRIES_MAX)
			ctx_forgive(ctx);
	}
	return err;
}

err_t db_migrate(struct ctx *ctx, struct sql *db)
{
	return sql_migrate(ctx, db, SQL_MIGRATIONS, SQL_MIGRATION_COUNT);
}

unsigned db_statement_count(void)
{
	return (unsigned)SQL_STATEMENT_COUNT;
}
