/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - see load.h. */
#include "load.h"
#include "driver.h"

#include <inttypes.h>

#include "base/banned.h"

/* Of a value, at once: it gets at most twice as long, and there is room for that. */
#define PIECE_BYTES KIB(16)

bool sql_load_is_at_once(const struct sql *db)
{
	return db->driver->load_begin != NULL;
}

static err_t send(struct ctx *ctx, struct sql_load *load)
{
	CHECK(!buf_overrun(&load->text));
	TRY(load->tx->db->driver->load_bytes(ctx, load->tx, load->statement, buf_str(&load->text)));
	buf_clear(&load->text);
	return OK;
}

/* --- COPY's text format (PostgreSQL, "COPY", File Formats) -------------------------------------
 */

static void add_text(struct buf *b, str piece)
{
	static const char escapes[] = { ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\\'] = '\\' };
	for (size_t i = 0; i < piece.len; i++) {
		unsigned char c = (unsigned char)piece.ptr[i];
		char escape = c < sizeof escapes ? escapes[c] : '\0';
		if (escape)
			buf_add_byte(b, '\\');
		buf_add_byte(b, escape ? escape : (char)c);
	}
}

static void add_hex(struct buf *b, str piece)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < piece.len; i++) {
		unsigned char c = (unsigned char)piece.ptr[i];
		buf_add_byte(b, digits[c >> 4]);
		buf_add_byte(b, digits[c & 15]);
	}
}

static err_t add_bytes(struct ctx *ctx, struct sql_load *load, const struct sql_value *value)
{
	if (value->kind == SQL_KIND_BLOB)
		buf_add(&load->text, STR("\\\\x"));
	for (str rest = value->bytes; rest.len; rest = str_skip(rest, PIECE_BYTES)) {
		str piece = str_take(rest, PIECE_BYTES);
		if (value->kind == SQL_KIND_BLOB)
			add_hex(&load->text, piece);
		else
			add_text(&load->text, piece);
		if (load->text.len >= LOAD_BYTES)
			TRY(send(ctx, load));
	}
	return OK;
}

static err_t add_row(struct ctx *ctx, struct sql_load *load, struct sql_args args)
{
	for (size_t i = 0; i < args.count; i++) {
		const struct sql_value *value = &args.values[i];
		if (i)
			buf_add_byte(&load->text, '\t');
		if (value->kind == SQL_KIND_NULL)
			buf_add(&load->text, STR("\\N"));
		else if (value->kind == SQL_KIND_I64)
			buf_printf(&load->text, "%" PRId64, value->number);
		else
			TRY(add_bytes(ctx, load, value));
	}
	buf_add_byte(&load->text, '\n');
	return load->text.len >= LOAD_BYTES ? send(ctx, load) : OK;
}

/* --- rows ------------------------------------------------------------------------------------- */

static err_t begin(struct ctx *ctx, struct sql_load *load)
{
	TRY(load->tx->db->driver->load_begin(ctx, load->tx, load->statement));
	load->begun = true;
	load->rows = 0;
	return OK;
}

static err_t end(struct ctx *ctx, struct sql_load *load)
{
	TRY(send(ctx, load));
	load->begun = false;
	return load->tx->db->driver->load_end(ctx, load->tx, load->statement);
}

static err_t take_row(struct ctx *ctx, struct sql_load *load, struct sql_args args)
{
	TRY(sql_check_call(ctx, load->tx, load->statement, args));
	if (!load->begun)
		TRY(begin(ctx, load));
	TRY(add_row(ctx, load, args));
	return ++load->rows == LOAD_ROWS_MAX ? end(ctx, load) : OK;
}

static err_t noted(struct sql_load *load, err_t err)
{
	load->tx->failed = load->tx->failed || err != OK;
	return err;
}

err_t sql_load_row(struct ctx *ctx, struct sql_load *load, struct sql_args args)
{
	if (!sql_load_is_at_once(load->tx->db))
		return sql_exec(ctx, load->tx, load->statement, args, NULL);
	return noted(load, take_row(ctx, load, args));
}

err_t sql_load_end(struct ctx *ctx, struct sql_load *load)
{
	return load->begun ? noted(load, end(ctx, load)) : OK;
}

void sql_load_done(struct sql_load *load)
{
	if (load->begun)
		load->tx->failed = true;
	buf_done(&load->text);
}
