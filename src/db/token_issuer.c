/* SPDX-License-Identifier: Apache-2.0 */
/* token_issuer.c - see token_issuer.h. */
#include "db/token_issuer.h"
#include "base/clock.h"
#include "db/tenant.h"
#include "rows.h"
#include "token_issuer.sql.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct token_issuer_row *)item = (struct token_issuer_row){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.url = db_text(ctx, rows, 3),
		.keys = db_text(ctx, rows, 4),
		.ca = db_text(ctx, rows, 5),
		.audiences = db_text(ctx, rows, 6),
		.enabled = sql_i64(rows, 7) != 0,
		.skip_verify = sql_i64(rows, 8) != 0,
		.single_use = sql_i64(rows, 9) != 0,
		.created_at_us = sql_i64(rows, 10),
		.updated_at_us = sql_i64(rows, 11),
	};
}

static const struct row_reader reader = { sizeof(struct token_issuer_row), read_row };

err_t db_token_issuer_insert(struct ctx *ctx, struct sql_tx *tx, struct token_issuer_row *row)
{
	TRY(db_tenant_hold(ctx, tx, row->tenant_id));
	row->created_at_us = row->updated_at_us = clock_wall_us();
	return db_insert_id(ctx, tx, &SQL_TOKEN_ISSUER_INSERT,
			    SQL_ARGS(SQL_I64(row->tenant_id), SQL_TEXT(row->name),
				     SQL_TEXT(row->url), SQL_TEXT(row->keys), SQL_TEXT(row->ca),
				     SQL_TEXT(row->audiences), SQL_I64(row->enabled),
				     SQL_I64(row->skip_verify), SQL_I64(row->single_use),
				     SQL_I64(row->created_at_us)),
			    &row->id);
}

err_t db_token_issuer_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			  struct token_issuer_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_TOKEN_ISSUER_GET, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)),
		    &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

static err_t count_issuers(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_TOKEN_ISSUER_COUNT, SQL_ARGS(SQL_I64(tenant_id)), ret);
}

err_t db_token_issuer_page(struct ctx *ctx, struct sql_tx *tx, struct token_issuer_page *page)
{
	TRY(count_issuers(ctx, tx, page->tenant_id, &page->total));
	return db_rows_read(
		ctx, tx, &SQL_TOKEN_ISSUER_LIST,
		SQL_ARGS(SQL_I64(page->tenant_id), SQL_I64(page->limit), SQL_I64(page->offset)),
		&reader, (void **)&page->rows, &page->count);
}

err_t db_token_issuer_of_url(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str url,
			     size_t max, struct token_issuer_row **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_TOKEN_ISSUER_OF_URL,
			    SQL_ARGS(SQL_TEXT(url), SQL_I64(tenant_id), SQL_I64((int64_t)max)),
			    &reader, (void **)ret, ret_count);
}

err_t db_token_issuer_update(struct ctx *ctx, struct sql_tx *tx, const struct token_issuer_row *row)
{
	return db_exec_one(ctx, tx, &SQL_TOKEN_ISSUER_UPDATE,
			   SQL_ARGS(SQL_I64(row->tenant_id), SQL_I64(row->id), SQL_TEXT(row->url),
				    SQL_TEXT(row->keys), SQL_TEXT(row->ca),
				    SQL_TEXT(row->audiences), SQL_I64(row->enabled),
				    SQL_I64(row->skip_verify), SQL_I64(row->single_use),
				    SQL_I64(clock_wall_us())));
}

err_t db_token_issuer_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_TOKEN_ISSUER_DELETE,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)));
}

err_t db_token_use(struct ctx *ctx, struct sql_tx *tx, int64_t issuer_id, str hash,
		   int64_t expires_at_us)
{
	err_t err =
		db_exec_one(ctx, tx, &SQL_TOKEN_USED_INSERT,
			    SQL_ARGS(SQL_I64(issuer_id), SQL_TEXT(hash), SQL_I64(expires_at_us)));
	return err == ERR_ABSENT ? ERR_EXISTS : err;
}

err_t db_token_use_forget(struct ctx *ctx, struct sql_tx *tx, int64_t until_us, int64_t *ret_count)
{
	return sql_exec(ctx, tx, &SQL_TOKEN_USED_FORGET, SQL_ARGS(SQL_I64(until_us)), ret_count);
}
