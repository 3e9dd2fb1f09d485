/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - see account.h. */
#include "db/account.h"
#include "account.sql.h"
#include "base/clock.h"
#include "rows.h"

#include "base/banned.h"

err_t db_account_find(struct ctx *ctx, struct sql_tx *tx, str name, struct account *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_ACCOUNT_FIND, SQL_ARGS(SQL_TEXT(name)), &rows));
	*ret = (struct account){ sql_i64(&rows, 0), db_text(ctx, &rows, 1),
				 sql_i64(&rows, 2) != 0 };
	return OK;
}

err_t db_account_insert(struct ctx *ctx, struct sql_tx *tx, str name, str password, bool is_admin)
{
	err_t err = db_exec_one(ctx, tx, &SQL_ACCOUNT_INSERT,
				SQL_ARGS(SQL_TEXT(name), SQL_TEXT(password), SQL_I64(is_admin),
					 SQL_I64(clock_wall_us())));
	return err == ERR_ABSENT ? ERR_EXISTS : err;
}
