/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.h - bringing a database to the program's schema. */
#pragma once

#include "sql/sql.h"

/*
 * Migrations: numbered scripts (several statements each), applied in order once, in one transaction
 * each, recorded in `schema_migration`; one runner at a time.
 *
 * One that is `compatible` leaves a program that does not know it in working order, and is recorded
 * as such in `schema_compatible`: so nodes of the version before go on while others are replaced. A
 * database that is newer than the program in any other way is ERR_CONFIG.
 */
struct sql_migration {
	int number;
	const char *name;
	const char *sqlite;
	const char *postgres;
	bool compatible;
};

struct sql_schema {
	int64_t latest; /* number of the last migration; 0: there is nothing yet */
	size_t applied; /* of the program's migrations, from the first */
};

/* Writes nothing. */
err_t sql_schema_read(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations,
		      size_t count, struct sql_schema *ret);
/* Runs those that are missing; without any it writes nothing. */
err_t sql_migrate(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations,
		  size_t count);
