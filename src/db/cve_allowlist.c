/* SPDX-License-Identifier: Apache-2.0 */
/* cve_allowlist.c - see cve_allowlist.h. */
#include "db/cve_allowlist.h"
#include "base/clock.h"
#include "cve_allowlist.sql.h"
#include "rows.h"

#include <string.h>

#include "base/banned.h"

/* Each id ends with a line feed. */
static void read_items(struct ctx *ctx, str text, struct cve_allowlist *ret)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	str *ids = ARENA_ARRAY(ctx->arena, str, count);
	for (size_t i = 0; i < count; i++)
		(void)str_cut(text, '\n', &ids[i], &text);
	ret->cve_ids = ids;
	ret->count = count;
}

static str write_items(struct ctx *ctx, const struct cve_allowlist *list)
{
	size_t len = 0;
	for (size_t i = 0; i < list->count; i++)
		len += list->cve_ids[i].len + 1;
	char *text = arena_alloc(ctx->arena, len + 1), *at = text;
	for (size_t i = 0; i < list->count; i++) {
		memcpy(at, list->cve_ids[i].ptr, list->cve_ids[i].len);
		at += list->cve_ids[i].len;
		*at++ = '\n';
	}
	return (str){ text, len };
}

err_t db_cve_allowlist_find(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			    struct cve_allowlist *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_CVE_ALLOWLIST_FIND, SQL_ARGS(SQL_I64(project_id)), &rows));
	*ret = (struct cve_allowlist){ .id = sql_i64(&rows, 0),
				       .project_id = sql_i64(&rows, 1),
				       .expires_at_s = sql_i64(&rows, 2),
				       .created_at_us = sql_i64(&rows, 4),
				       .updated_at_us = sql_i64(&rows, 5) };
	read_items(ctx, db_text(ctx, &rows, 3), ret);
	return OK;
}

err_t db_cve_allowlist_put(struct ctx *ctx, struct sql_tx *tx, const struct cve_allowlist *list)
{
	return sql_exec(ctx, tx, &SQL_CVE_ALLOWLIST_PUT,
			SQL_ARGS(SQL_I64(list->project_id), SQL_I64(list->expires_at_s),
				 SQL_TEXT(write_items(ctx, list)), SQL_I64(clock_wall_us())),
			NULL);
}

err_t db_cve_allowlist_delete(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	return sql_exec(ctx, tx, &SQL_CVE_ALLOWLIST_DELETE, SQL_ARGS(SQL_I64(project_id)), NULL);
}
