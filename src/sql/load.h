/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - many rows into one table, without a round trip for each; private to sql.
 *
 *	CLEANUP(sql_load_done) struct sql_load load = SQL_LOAD_INIT(tx, statement);
 *	TRY(sql_load_row(ctx, &load, args));	…
 *	return sql_load_end(ctx, &load);
 *
 * On PostgreSQL the statement is a COPY … FROM STDIN with as many parameters as it has columns, and
 * rows go on their way LOAD_BYTES at a time; elsewhere it is an INSERT, run for each row. After at
 * most LOAD_ROWS_MAX rows the server has looked at all of them, so that it need not remember more.
 *
 * Until the end nothing else may be done in the transaction, and a row that was taken may still be
 * refused. Every failure fails the transaction. Errors are sql_exec()'s.
 */
#pragma once

#include "base/buf.h"
#include "sql/sql.h"

#define LOAD_BYTES    KIB(64)
#define LOAD_ROWS_MAX 5000

struct sql_load {
	struct sql_tx *tx;
	const struct sql_statement *statement;
	bool begun;
	size_t rows; /* since it was */
	struct buf text;
};

#define SQL_LOAD_INIT(tx, statement)                                                               \
	{                                                                                          \
		(tx), (statement), false, 0, BUF_INIT(3 * LOAD_BYTES)                              \
	}

err_t sql_load_row(struct ctx *ctx, struct sql_load *load, struct sql_args args);
err_t sql_load_end(struct ctx *ctx, struct sql_load *load);

/* CLEANUP. What was not ended is taken back by the transaction's rollback. */
void sql_load_done(struct sql_load *load);

/* Whether it would be one: then the statement is to be a COPY. */
bool sql_load_is_at_once(const struct sql *db);
