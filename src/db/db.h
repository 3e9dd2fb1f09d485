/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h - what all entities share: running a transaction, with a second try after a conflict.
 *
 * Each entity has a header, a .c file and a .sql file of its name. Functions take an open
 * transaction; who opens it decides what is atomic. "find" functions return ERR_ABSENT, unrecorded,
 * when there is no row. Strings are copied to ctx's arena.
 */
#pragma once

#include "sql/migrate.h"

/* Runs `body` in a transaction and commits; on a conflict or a lost connection, again (three
 * times). */
err_t db_run(struct ctx *ctx, struct sql *db, enum sql_mode mode,
	     err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg), void *arg);

/* Brings the schema to this program's version. */
err_t db_migrate(struct ctx *ctx, struct sql *db);

/* The migrations, and how many of them the database has. */
err_t db_schema_read(struct ctx *ctx, struct sql *db, struct sql_schema *ret);
const struct sql_migration *db_migrations(size_t *ret_count);

/* Whether nobody ever served from it: there is no account, not even the administrator's. */
err_t db_is_new(struct ctx *ctx, struct sql *db, bool *ret);

/* ERR_CONFIG, with what is to be done about it, when the database has an older schema. */
err_t db_schema_check(struct ctx *ctx, struct sql *db);

/* How many statements exist: for sql_options.statement_count. */
unsigned db_statement_count(void);
