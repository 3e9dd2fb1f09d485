/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.c - brings a database to the program's schema, one numbered script per transaction.
 *
 * Every transaction takes the lock and looks again, so any number of programs may start at once on
 * one database: each script is run by one of them.
 */
#include "driver.h"
#include "base/clock.h"

#include "base/banned.h"

static const char TABLE[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
			    "number BIGINT PRIMARY KEY, "
			    "name TEXT NOT NULL, "
			    "applied_at_us BIGINT NOT NULL)";

static const struct sql_statement LATEST = {
	.name = "migration_latest",
	.sqlite = "SELECT COALESCE(MAX(number), 0) FROM schema_migration",
	.postgres = "SELECT COALESCE(MAX(number), 0) FROM schema_migration",
	.index = SQL_OWN_INDEX(SQL_OWN_MIGRATION_LATEST),
	.kind = SQL_STATEMENT_ONE,
};
static const struct sql_statement INSERT = {
	.name = "migration_insert",
	.sqlite = "INSERT INTO schema_migration (number, name, applied_at_us) VALUES (?1, ?2, ?3)",
	.postgres =
		"INSERT INTO schema_migration (number, name, applied_at_us) VALUES ($1, $2, $3)",
	.parameters = 3,
	.index = SQL_OWN_INDEX(SQL_OWN_MIGRATION_INSERT),
	.kind = SQL_STATEMENT_EXEC,
};

static err_t read_latest(struct ctx *ctx, struct sql_tx *tx, int64_t *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &LATEST, SQL_NO_ARGS, &rows));
	*ret = sql_i64(&rows, 0);
	return OK;
}

static err_t apply(struct ctx *ctx, struct sql_tx *tx, const struct sql_migration *migration)
{
	const struct sql *db = tx->db;
	const char *text = db->engine == SQL_POSTGRES ? migration->postgres : migration->sqlite;
	TRY_CTX(ctx, db->driver->script(ctx, tx, text), "migration %04d_%s", migration->number,
		migration->name);
	return sql_exec(ctx, tx, &INSERT,
			SQL_ARGS(SQL_I64(migration->number), SQL_TEXT(str_from(migration->name)),
				 SQL_I64(clock_wall_us())),
			NULL);
}

/* Runs the first migration that is missing, if any. */
static err_t step(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations,
		  size_t count, bool *ret_complete)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(sql_begin(ctx, db, SQL_WRITE, &tx));
	TRY(db->driver->lock_migrations(ctx, &tx));
	TRY(db->driver->script(ctx, &tx, TABLE));
	int64_t latest;
	TRY(read_latest(ctx, &tx, &latest));

	int64_t newest = count ? migrations[count - 1].number : 0;
	if (latest > newest)
		return fail(ctx, ERR_CONFIG,
			    "database has schema %lld, newer than this program's %lld",
			    (long long)latest, (long long)newest);
	size_t at = 0;
	while (at < count && migrations[at].number <= latest)
		at++;
	if (at < count)
		TRY(apply(ctx, &tx, &migrations[at]));
	TRY(sql_commit(ctx, &tx));
	*ret_complete = at + 1 >= count;
	return OK;
}

err_t sql_migrate(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations,
		  size_t count)
{
	for (size_t i = 1; i < count; i++)
		CHECK(migrations[i - 1].number < migrations[i].number);
	for (bool complete = false; !complete;)
		TRY(step(ctx, db, migrations, count, &complete));
	return OK;
}
