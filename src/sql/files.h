/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - which files beside the database a connection may read.
 *
 * libpq reads certificates, keys, passwords and services from files: those that the connection
 * string or PG* variables name, and those it looks for at their usual places. Whoever confines the
 * process allows them; they are read again for every new connection. SQLite has none.
 */
#pragma once

#include "sql/sql.h"

/*
 * Calls `visit` with each path, whether the file is there or not. `replaceable`: one that was named
 * on purpose, and that somebody may replace while we run. A connection string that does not parse
 * has no files: sql_open() says what is wrong with it. Not seen: what a service that the string
 * names has to say (PGSERVICE is). The path is valid during the call only.
 */
err_t sql_files_visit(struct ctx *ctx, enum sql_engine engine, const char *location,
		      err_t (*visit)(struct ctx *ctx, void *arg, const char *path,
				     bool replaceable),
		      void *arg);
