/* SPDX-License-Identifier: Apache-2.0 */
/* copy_catalogue.c - see copy_catalogue.h. */
#include "copy_catalogue.h"
#include "driver.h"

#include <string.h>

#include "base/banned.h"

SQL_OWN(TABLES, SQL_OWN_COPY_TABLES, MANY, 0,
	"SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' "
	"ORDER BY name",
	"SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind = 'r' AND "
	"relpersistence = 'p' AND relnamespace = CAST(current_schema() AS regnamespace) ORDER BY "
	"relname");
SQL_OWN(COLUMNS, SQL_OWN_COPY_COLUMNS, MANY, 1,
	"SELECT name, CASE upper(type) WHEN 'INTEGER' THEN 1 WHEN 'BIGINT' THEN 1 WHEN 'TEXT' THEN "
	"2 "
	"WHEN 'BLOB' THEN 3 ELSE 0 END, pk FROM pragma_table_info(?1) ORDER BY name",
	"SELECT CAST(a.attname AS TEXT), CASE CAST(a.atttypid AS regtype) "
	"WHEN CAST('bigint' AS regtype) THEN 1 WHEN CAST('text' AS regtype) THEN 2 "
	"WHEN CAST('bytea' AS regtype) THEN 3 ELSE 0 END, "
	"COALESCE(array_position(CAST(i.indkey AS int2[]), a.attnum) + 1, 0) "
	"FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary "
	"WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped "
	"ORDER BY CAST(a.attname AS TEXT) COLLATE \"C\"");
SQL_OWN(REFERENCES, SQL_OWN_COPY_REFERENCES, MANY, 1,
	"SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1)",
	"SELECT DISTINCT CAST(c.relname AS TEXT) FROM pg_constraint f "
	"JOIN pg_class c ON c.oid = f.confrelid WHERE f.conrelid = to_regclass($1) AND f.contype = "
	"'f'");
SQL_OWN(NUMBER, SQL_OWN_COPY_NUMBER, ONE, 1, "SELECT seq FROM sqlite_sequence WHERE name = ?1",
	"SELECT COALESCE(pg_sequence_last_value(CAST(pg_get_serial_sequence($1, 'id') AS "
	"regclass)), "
	"0)");
SQL_OWN(RAISE, SQL_OWN_COPY_RAISE, EXEC, 2,
	"UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1 AND seq < ?2",
	"SELECT setval(CAST(s.seqrelid AS regclass), GREATEST(CAST($2 AS BIGINT), s.seqstart - 1)) "
	"FROM pg_sequence s "
	"WHERE s.seqrelid = CAST(pg_get_serial_sequence($1, 'id') AS regclass) "
	"AND GREATEST(CAST($2 AS BIGINT), s.seqstart - 1) > 0");
SQL_OWN(BEGIN_NUMBER, SQL_OWN_COPY_BEGIN_NUMBER, EXEC, 2,
	"INSERT INTO sqlite_sequence (name, seq) SELECT name, ?2 FROM sqlite_master "
	"WHERE name = ?1 AND instr(sql, 'AUTOINCREMENT') > 0 "
	"AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
	"SELECT 1 WHERE CAST($1 AS TEXT) = '' AND CAST($2 AS BIGINT) = 0");

/* Of the migrations: the target has its own. */
static const char *const never[] = { "schema_migration", "schema_compatible", NULL };

static bool is_among(str name, const char *const *list)
{
	for (; list && *list; list++)
		if (str_eq(name, str_from(*list)))
			return true;
	return false;
}

/* The kinds that the statements give. */
static int kind_of(int64_t number)
{
	static const int kinds[] = { SQL_KIND_NULL, SQL_KIND_I64, SQL_KIND_TEXT, SQL_KIND_BLOB };
	return kinds[number];
}

static err_t read_columns(struct ctx *ctx, struct sql_tx *tx, struct copy_table *table)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_query(ctx, tx, &COLUMNS, SQL_ARGS(SQL_TEXT(table->name)), &rows));
	for (bool has;;) {
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			break;
		if (table->column_count == SQL_COPY_COLUMNS_MAX)
			return fail(ctx, ERR_CONFIG, "table " STR_FMT " has too many columns",
				    STR_ARG(table->name));
		struct copy_column *column = &table->columns[table->column_count++];
		*column = (struct copy_column){ arena_copy(ctx->arena, sql_text(&rows, 0)),
						kind_of(sql_i64(&rows, 1)), sql_i64(&rows, 2) };
		if (column->kind == SQL_KIND_NULL)
			return fail(ctx, ERR_CONFIG, "table " STR_FMT ": the type of " STR_FMT,
				    STR_ARG(table->name), STR_ARG(column->name));
		table->key_count += column->place > 0;
		table->numbered |= column->kind == SQL_KIND_I64 && str_eq(column->name, STR("id"));
	}
	if (!table->key_count)
		return fail(ctx, ERR_CONFIG, "table " STR_FMT " has no primary key",
			    STR_ARG(table->name));
	return OK;
}

static err_t read_tables(struct ctx *ctx, struct sql_tx *tx, const char *const *apart,
			 struct copy_catalogue *catalogue)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	catalogue->tables = ARENA_ARRAY(ctx->arena, struct copy_table, SQL_COPY_TABLES_MAX);
	catalogue->count = 0;
	TRY(sql_query(ctx, tx, &TABLES, SQL_NO_ARGS, &rows));
	for (bool has;;) {
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			return OK;
		str name = arena_copy(ctx->arena, sql_text(&rows, 0));
		if (is_among(name, never) || is_among(name, apart))
			continue;
		if (catalogue->count == SQL_COPY_TABLES_MAX)
			return fail(ctx, ERR_CONFIG, "more than %d tables", SQL_COPY_TABLES_MAX);
		catalogue->tables[catalogue->count++] = (struct copy_table){ .name = name };
	}
}

/* --- their order ------------------------------------------------------------------------------ */

static bool is_placed(const struct copy_catalogue *catalogue, size_t placed, str name)
{
	for (size_t i = 0; i < placed; i++)
		if (str_eq(catalogue->tables[i].name, name))
			return true;
	return false;
}

/* Whether all that it refers to stands before. */
static err_t may_follow(struct ctx *ctx, struct sql_tx *tx, const struct copy_catalogue *catalogue,
			size_t placed, size_t at, bool *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	str name = catalogue->tables[at].name;
	*ret = true;
	TRY(sql_query(ctx, tx, &REFERENCES, SQL_ARGS(SQL_TEXT(name)), &rows));
	for (bool has; *ret;) {
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			break;
		str other = sql_text(&rows, 0);
		*ret = str_eq(other, name) || is_placed(catalogue, placed, other);
	}
	return OK;
}

static err_t place_next(struct ctx *ctx, struct sql_tx *tx, struct copy_catalogue *catalogue,
			size_t placed)
{
	for (size_t at = placed; at < catalogue->count; at++) {
		bool may;
		TRY(may_follow(ctx, tx, catalogue, placed, at, &may));
		if (!may)
			continue;
		struct copy_table next = catalogue->tables[at];
		catalogue->tables[at] = catalogue->tables[placed];
		catalogue->tables[placed] = next;
		return OK;
	}
	return fail(ctx, ERR_CONFIG, "tables refer to each other in a circle");
}

err_t copy_catalogue_read(struct ctx *ctx, struct sql_tx *tx, const char *const *apart,
			  struct copy_catalogue *ret)
{
	struct copy_catalogue catalogue;
	TRY(read_tables(ctx, tx, apart, &catalogue));
	for (size_t i = 0; i < catalogue.count; i++)
		TRY(read_columns(ctx, tx, &catalogue.tables[i]));
	for (size_t placed = 0; placed < catalogue.count; placed++)
		TRY(place_next(ctx, tx, &catalogue, placed));
	*ret = catalogue;
	return OK;
}

/* --- comparing -------------------------------------------------------------------------------- */

const struct copy_table *copy_catalogue_find(const struct copy_catalogue *catalogue, str name)
{
	for (size_t i = 0; i < catalogue->count; i++)
		if (str_eq(catalogue->tables[i].name, name))
			return &catalogue->tables[i];
	return NULL;
}

static bool is_same(const struct copy_table *one, const struct copy_table *other)
{
	if (one->column_count != other->column_count)
		return false;
	for (size_t i = 0; i < one->column_count; i++)
		if (!str_eq(one->columns[i].name, other->columns[i].name) ||
		    one->columns[i].kind != other->columns[i].kind)
			return false;
	return true;
}

static err_t check_has_all(struct ctx *ctx, const struct copy_catalogue *one,
			   const struct copy_catalogue *other)
{
	for (size_t i = 0; i < one->count; i++) {
		const struct copy_table *table = &one->tables[i];
		const struct copy_table *same = copy_catalogue_find(other, table->name);
		if (!same || !is_same(table, same))
			return fail(ctx, ERR_CONFIG, "table " STR_FMT " is not the same on both",
				    STR_ARG(table->name));
	}
	return OK;
}

err_t copy_catalogue_compare(struct ctx *ctx, const struct copy_catalogue *one,
			     const struct copy_catalogue *other)
{
	TRY(check_has_all(ctx, one, other));
	return check_has_all(ctx, other, one);
}

/* --- numbers ---------------------------------------------------------------------------------- */

err_t copy_number_read(struct ctx *ctx, struct sql_tx *tx, str table, int64_t *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	*ret = 0;
	err_t err = sql_one(ctx, tx, &NUMBER, SQL_ARGS(SQL_TEXT(table)), &rows);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	*ret = sql_i64(&rows, 0);
	return OK;
}

err_t copy_number_raise(struct ctx *ctx, struct sql_tx *tx, str table, int64_t number)
{
	struct sql_args args = SQL_ARGS(SQL_TEXT(table), SQL_I64(number));
	TRY(sql_exec(ctx, tx, &BEGIN_NUMBER, args, NULL));
	return sql_exec(ctx, tx, &RAISE, args, NULL);
}
