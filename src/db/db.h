/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h - what all entities share: running a transaction, with a second try after a conflict.
 *
 * Each entity has a header, a .c file and a .sql file of its name. Functions take an open
 * transaction; who opens it decides what is atomic. "find" functions return ERR_ABSENT, unrecorded,
 * when there is no row. Strings are copied to ctx's arena.
 */
#pragma once

#include "sql/sql.h"

/* Runs `body` in a transaction and commits; on a conflict or a lost connection, again (three
 * times). */
err_t db_run(struct ctx *ctx, struct sql *db, enum sql_mode mode,
	     err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg), void *arg);

/* Brings the schema to this program's version. */
err_t db_migrate(struct ctx *ctx, struct sql *db);

/* How many statements exist: for sql_options.statement_count. */
unsigned db_statement_count(void);
