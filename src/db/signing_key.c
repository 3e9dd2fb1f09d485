/* SPDX-License-Identifier: Apache-2.0 */
/* signing_key.c - see signing_key.h. */
#include "db/signing_key.h"
#include "rows.h"
#include "signing_key.sql.h"

#include "base/banned.h"

err_t db_signing_key_list(struct ctx *ctx, struct sql_tx *tx, struct signing_key *into, size_t max,
			  size_t *ret_count)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_query(ctx, tx, &SQL_SIGNING_KEY_LIST, SQL_ARGS(SQL_I64((int64_t)max)), &rows));
	size_t count = 0;
	for (; count < max; count++) {
		bool has;
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			break;
		into[count] = (struct signing_key){ db_text(ctx, &rows, 0), db_text(ctx, &rows, 1),
						    sql_i64(&rows, 2) };
	}
	*ret_count = count;
	return OK;
}

err_t db_signing_key_insert(struct ctx *ctx, struct sql_tx *tx, const struct signing_key *key)
{
	return sql_exec(
		ctx, tx, &SQL_SIGNING_KEY_INSERT,
		SQL_ARGS(SQL_TEXT(key->id), SQL_BLOB(key->sealed), SQL_I64(key->created_at_us)),
		NULL);
}

err_t db_signing_key_delete_before(struct ctx *ctx, struct sql_tx *tx, int64_t created_at_us)
{
	return sql_exec(ctx, tx, &SQL_SIGNING_KEY_DELETE_BEFORE, SQL_ARGS(SQL_I64(created_at_us)),
			NULL);
}
