/* SPDX-License-Identifier: Apache-2.0 */
/* setting.c - see setting.h. */
#include "db/setting.h"
#include "base/clock.h"
#include "rows.h"
#include "setting.sql.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct setting_row *)item = (struct setting_row){ .name = db_text(ctx, rows, 0),
							    .value = db_text(ctx, rows, 1) };
}

err_t db_setting_list(struct ctx *ctx, struct sql_tx *tx, struct setting_row **ret,
		      size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct setting_row), read_row };
	return db_rows_read(ctx, tx, &SQL_SETTING_LIST, SQL_NO_ARGS, &reader, (void **)ret,
			    ret_count);
}

err_t db_setting_put(struct ctx *ctx, struct sql_tx *tx, str name, str value)
{
	return sql_exec(ctx, tx, &SQL_SETTING_PUT,
			SQL_ARGS(SQL_TEXT(name), SQL_TEXT(value), SQL_I64(clock_wall_us())), NULL);
}
