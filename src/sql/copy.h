/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.h - all rows of one database into another, of either engine, whatever tables they have.
 *
 * Which tables there are, their columns, keys and references is read from both catalogues, which
 * must agree, so nothing can be forgotten. Everything is one transaction on the target: all or
 * nothing. What the target has is removed first. The source is read from one snapshot, in pages by
 * primary key, so memory does not grow with it, and PostgreSQL is given rows many at a time
 * (load.h). Afterwards both sides are read once more and compared, table by table: how many rows,
 * and a sum over all their values. Numbers that were ever given to rows are not given again.
 *
 * Both databases must have the schema of this program and have been opened with room for
 * SQL_COPY_STATEMENTS more statements.
 */
#pragma once

#include "sql/sql.h"

#define SQL_COPY_TABLES_MAX    128
#define SQL_COPY_STATEMENTS_OF 4 /* a table's */
#define SQL_COPY_STATEMENTS    (SQL_COPY_TABLES_MAX * SQL_COPY_STATEMENTS_OF)
#define SQL_COPY_COLUMNS_MAX   64

struct sql_copied {
	str table;
	uint64_t rows;
	int64_t number_max; /* the greatest id ever given, 0 where there are none */
};

struct sql_copy {
	struct sql *from, *to;
	const char *const *apart; /* tables that each engine has in its own way, up to NULL */
	/* What is to be done about those, and before the commit. May be NULL. */
	err_t (*finish)(struct ctx *ctx, struct sql_tx *from, struct sql_tx *to,
			const struct sql_copied *copied, size_t count);
	void (*done)(void *arg, const struct sql_copied *table); /* may be NULL */
	void *arg;
};

/* ERR_CONFIG when the catalogues differ, ERR_CORRUPT when what was written is not what was read. */
err_t sql_copy(struct ctx *ctx, const struct sql_copy *copy);

/* For `finish`: rows of the table get greater numbers than `number` from now on. */
err_t sql_copy_raise(struct ctx *ctx, struct sql_tx *to, str table, int64_t number);
