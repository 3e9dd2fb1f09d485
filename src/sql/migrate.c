/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.c - brings a database to the program's schema, one numbered script per transaction, and
 * says whether it is there.
 *
 * Every transaction takes the lock and looks again, so any number of programs may start at once on
 * one database: each script is run by one of them.
 */
#include "sql/migrate.h"
#include "driver.h"
#include "base/clock.h"

#include "base/banned.h"

/* Apart from the numbers, because programs that know nothing of it write those. */
static const char TABLES[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
			     "number BIGINT PRIMARY KEY, "
			     "name TEXT NOT NULL, "
			     "applied_at_us BIGINT NOT NULL);"
			     "CREATE TABLE IF NOT EXISTS schema_compatible ("
			     "number BIGINT PRIMARY KEY)";

SQL_OWN(TABLE_COUNT, SQL_OWN_MIGRATION_TABLES, ONE, 0,
	"SELECT COUNT(*) FROM sqlite_master WHERE name IN ('schema_migration', "
	"'schema_compatible')",
	"SELECT COUNT(to_regclass(name)) FROM (VALUES ('schema_migration'), ('schema_compatible')) "
	"AS t (name)");
SQL_OWN(LATEST, SQL_OWN_MIGRATION_LATEST, ONE, 0,
	"SELECT COALESCE(MAX(number), 0) FROM schema_migration",
	"SELECT COALESCE(MAX(number), 0) FROM schema_migration");
SQL_OWN(INCOMPATIBLE, SQL_OWN_MIGRATION_INCOMPATIBLE, ONE, 1,
	"SELECT COUNT(*) FROM schema_migration WHERE number > ?1 "
	"AND number NOT IN (SELECT number FROM schema_compatible)",
	"SELECT COUNT(*) FROM schema_migration WHERE number > $1 "
	"AND number NOT IN (SELECT number FROM schema_compatible)");
SQL_OWN(INSERT, SQL_OWN_MIGRATION_INSERT, EXEC, 3,
	"INSERT INTO schema_migration (number, name, applied_at_us) VALUES (?1, ?2, ?3)",
	"INSERT INTO schema_migration (number, name, applied_at_us) VALUES ($1, $2, $3)");
SQL_OWN(MARK, SQL_OWN_MIGRATION_MARK, EXEC, 1, "INSERT INTO schema_compatible (number) VALUES (?1)",
	"INSERT INTO schema_compatible (number) VALUES ($1)");

static err_t read_number(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			 struct sql_args args, int64_t *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	*ret = sql_i64(&rows, 0);
	return OK;
}

/* A newer schema is fine when all that came after is. */
static err_t check_newer(struct ctx *ctx, struct sql_tx *tx, int64_t latest, int64_t newest)
{
	int64_t incompatible;
	if (latest <= newest)
		return OK;
	TRY(read_number(ctx, tx, &INCOMPATIBLE, SQL_ARGS(SQL_I64(newest)), &incompatible));
	if (incompatible)
		return fail(ctx, ERR_CONFIG,
			    "database has schema %lld, newer than this program's %lld and not "
			    "compatible with it",
			    (long long)latest, (long long)newest);
	return OK;
}

static err_t apply(struct ctx *ctx, struct sql_tx *tx, const struct sql_migration *migration)
{
	const struct sql *db = tx->db;
	const char *text = db->engine == SQL_POSTGRES ? migration->postgres : migration->sqlite;
	TRY_CTX(ctx, db->driver->script(ctx, tx, text), "migration %04d_%s", migration->number,
		migration->name);
	if (migration->compatible)
		TRY(sql_exec(ctx, tx, &MARK, SQL_ARGS(SQL_I64(migration->number)), NULL));
	return sql_exec(ctx, tx, &INSERT,
			SQL_ARGS(SQL_I64(migration->number), SQL_TEXT(str_from(migration->name)),
				 SQL_I64(clock_wall_us())),
			NULL);
}

static int64_t newest_of(const struct sql_migration *migrations, size_t count)
{
	return count ? migrations[count - 1].number : 0;
}

/* How many of them the database has: a newer program's may lie beyond, not between. */
static size_t count_until(const struct sql_migration *migrations, size_t count, int64_t latest)
{
	size_t at = 0;
	while (at < count && migrations[at].number <= latest)
		at++;
	return at;
}

/* Runs the first migration that is missing, if any. */
static err_t step(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations,
		  size_t count, bool *ret_complete)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(sql_begin(ctx, db, SQL_WRITE, &tx));
	TRY(db->driver->lock_migrations(ctx, &tx));
	TRY(db->driver->script(ctx, &tx, TABLES));
	int64_t latest;
	TRY(read_number(ctx, &tx, &LATEST, SQL_NO_ARGS, &latest));
	TRY(check_newer(ctx, &tx, latest, newest_of(migrations, count)));
	size_t at = count_until(migrations, count, latest);
	if (at < count)
		TRY(apply(ctx, &tx, &migrations[at]));
	TRY(sql_commit(ctx, &tx));
	*ret_complete = at + 1 >= count;
	return OK;
}

err_t sql_schema_read(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations,
		      size_t count, struct sql_schema *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	struct sql_schema schema = { 0 };
	int64_t tables;
	for (size_t i = 1; i < count; i++)
		CHECK(migrations[i - 1].number < migrations[i].number);
	TRY(sql_begin(ctx, db, SQL_READ, &tx));
	TRY(read_number(ctx, &tx, &TABLE_COUNT, SQL_NO_ARGS, &tables));
	if (tables > 0)
		TRY(read_number(ctx, &tx, &LATEST, SQL_NO_ARGS, &schema.latest));
	if (tables > 1)
		TRY(check_newer(ctx, &tx, schema.latest, newest_of(migrations, count)));
	else if (schema.latest > newest_of(migrations, count))
		return fail(ctx, ERR_CONFIG, "database has schema %lld, newer than this program's",
			    (long long)schema.latest);
	schema.applied = count_until(migrations, count, schema.latest);
	*ret = schema;
	return OK;
}

err_t sql_migrate(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations,
		  size_t count)
{
	struct sql_schema schema;
	TRY(sql_schema_read(ctx, db, migrations, count, &schema));
	/* A database that can only be read may have all that is needed. */
	for (bool complete = count && schema.applied == count; !complete;)
		TRY(step(ctx, db, migrations, count, &complete));
	return OK;
}
