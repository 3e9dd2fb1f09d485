/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - see rows.h. */
#include "rows.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

static err_t grow(struct ctx *ctx, void **items, size_t *cap, size_t item_bytes)
{
	size_t wanted = *cap ? *cap * 2 : 16;
	void *larger = arena_try(ctx->arena, wanted * item_bytes);
	if (!larger)
		return fail(ctx, ERR_LIMIT, "result larger than the request's memory");
	if (*cap)
		memcpy(larger, *items, *cap * item_bytes);
	*items = larger;
	*cap = wanted;
	return OK;
}

err_t db_rows_read(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		   struct sql_args args, const struct row_reader *reader, void **ret,
		   size_t *ret_count)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_query(ctx, tx, statement, args, &rows));

	void *items = NULL;
	size_t count = 0, cap = 0;
	for (;;) {
		bool has;
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			break;
		if (count == cap)
			TRY(grow(ctx, &items, &cap, reader->item_bytes));
		reader->read(ctx, &rows, (char *)items + count++ * reader->item_bytes);
	}
	*ret = items;
	*ret_count = count;
	return OK;
}

str db_text(struct ctx *ctx, const struct sql_rows *rows, int column)
{
	return arena_copy(ctx->arena, sql_text(rows, column));
}

static void read_text(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(str *)item = db_text(ctx, rows, 0);
}

const struct row_reader db_text_reader = { sizeof(str), read_text };

static void read_i64(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(int64_t *)item = sql_i64(rows, 0);
}

const struct row_reader db_i64_reader = { sizeof(int64_t), read_i64 };

struct sql_value db_digest(struct ctx *ctx, digest d)
{
	return SQL_TEXT(arena_copy(ctx->arena, str_from(digest_format(d).text)));
}

err_t db_exec_one(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args)
{
	int64_t changed;
	TRY(sql_exec(ctx, tx, statement, args, &changed));
	return changed ? OK : ERR_ABSENT;
}

err_t db_one_i64(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		 struct sql_args args, int64_t *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	*ret = sql_i64(&rows, 0);
	return OK;
}

err_t db_insert_id(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		   struct sql_args args, int64_t *ret_id)
{
	err_t err = db_one_i64(ctx, tx, statement, args, ret_id);
	return err == ERR_ABSENT ? ERR_EXISTS : err;
}

err_t db_has_row(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		 struct sql_args args, bool *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	err_t err = sql_one(ctx, tx, statement, args, &rows);
	if (err != OK && err != ERR_ABSENT)
		return err;
	*ret = err == OK;
	return OK;
}

#define LINK_TEXT_MAX 48 /* two numbers, brackets, commas */

struct sql_value db_links(struct ctx *ctx, const struct blob_link *links, size_t count)
{
	size_t room = count * LINK_TEXT_MAX + sizeof "[]", len = 1;
	char *text = arena_alloc(ctx->arena, room);
	text[0] = '[';
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, room - len, "%s[%lld,%lld]", i ? "," : "",
					(long long)links[i].blob_id, (long long)links[i].of_id);
	text[len++] = ']';
	return SQL_TEXT(((str){ text, len }));
}
