/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c - see copy.h. */
#include "sql/copy.h"
#include "base/buf.h"
#include "copy_catalogue.h"
#include "driver.h"
#include "load.h"

#include <string.h>

#include "base/banned.h"

#define PAGE_ROWS	500
#define PAGE_ROWS_BYTES 8 /* of a table with bytes: manifests have up to megabytes */
#define TEXT_MAX	KIB(16)
#define KEYS_BYTES_MAX	MIB(1)

/* One snapshot for all reads; SQLite's readers have one anyway. */
#define SNAPSHOT "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

/* --- statements, made of the catalogue -------------------------------------------------------- */

enum statement_use { SELECT_FIRST, SELECT_NEXT, INSERT_ROW, DELETE_ALL };

static void add_names(struct buf *b, const struct copy_table *table)
{
	for (size_t i = 0; i < table->column_count; i++)
		buf_printf(b, "%s\"" STR_FMT "\"", i ? ", " : "", STR_ARG(table->columns[i].name));
}

static const struct copy_column *key_column(const struct copy_table *table, size_t place)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].place == (int64_t)place + 1)
			return &table->columns[i];
	return NULL;
}

static void add_keys(struct buf *b, const struct copy_table *table)
{
	for (size_t i = 0; i < table->key_count; i++)
		buf_printf(b, "%s\"" STR_FMT "\"", i ? ", " : "",
			   STR_ARG(key_column(table, i)->name));
}

static void add_places(struct buf *b, const struct sql *db, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(b, "%s%c%zu", i ? ", " : "", db->engine == SQL_POSTGRES ? '$' : '?',
			   i + 1);
}

static size_t page_rows(const struct copy_table *table)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].kind == SQL_KIND_BLOB)
			return PAGE_ROWS_BYTES;
	return PAGE_ROWS;
}

static void add_select(struct buf *b, const struct sql *db, const struct copy_table *table,
		       bool next)
{
	buf_printf(b, "SELECT ");
	add_names(b, table);
	buf_printf(b, " FROM \"" STR_FMT "\"", STR_ARG(table->name));
	if (next) {
		buf_printf(b, " WHERE (");
		add_keys(b, table);
		buf_printf(b, ") > (");
		add_places(b, db, table->key_count);
		buf_printf(b, ")");
	}
	buf_printf(b, " ORDER BY ");
	add_keys(b, table);
	buf_printf(b, " LIMIT %zu", page_rows(table));
}

/* What load.h wants of an engine. */
static void add_insert(struct buf *b, const struct sql *db, const struct copy_table *table)
{
	bool at_once = sql_load_is_at_once(db);
	buf_printf(b, "%s \"" STR_FMT "\" (", at_once ? "COPY" : "INSERT INTO",
		   STR_ARG(table->name));
	add_names(b, table);
	if (at_once) {
		buf_printf(b, ") FROM STDIN");
		return;
	}
	buf_printf(b, ") VALUES (");
	add_places(b, db, table->column_count);
	buf_printf(b, ")");
}

/* `at` is the table's place in the catalogue; the statement lives in the arena. */
static const struct sql_statement *make_statement(struct ctx *ctx, const struct sql *db,
						  const struct copy_table *table, size_t at,
						  enum statement_use use)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	struct sql_statement *made = ARENA_NEW(ctx->arena, struct sql_statement);
	*made = (struct sql_statement){
		.name = arena_cstr(ctx->arena, table->name),
		.index = db->statement_count - SQL_COPY_STATEMENTS +
			 (unsigned)at * SQL_COPY_STATEMENTS_OF + use,
		.kind = use == INSERT_ROW || use == DELETE_ALL ? SQL_STATEMENT_EXEC
							       : SQL_STATEMENT_MANY,
	};
	if (use == INSERT_ROW) {
		made->parameters = (unsigned)table->column_count;
		add_insert(&b, db, table);
	} else if (use == DELETE_ALL) {
		buf_printf(&b, "DELETE FROM \"" STR_FMT "\"", STR_ARG(table->name));
	} else {
		made->parameters = use == SELECT_NEXT ? (unsigned)table->key_count : 0;
		add_select(&b, db, table, use == SELECT_NEXT);
	}
	made->sqlite = made->postgres = arena_cstr(ctx->arena, buf_str(&b));
	return made;
}

/* --- one table -------------------------------------------------------------------------------- */

struct table_copy {
	const struct copy_table *table; /* of the side that is read */
	const struct sql_statement *first, *next;
	struct sql_tx *from;
	struct sql_load *into; /* NULL: only read */
	uint64_t rows, sum;
	int64_t id_max;
};

static struct sql_value value_of(const struct sql_rows *rows, int column, int kind)
{
	if (sql_is_null(rows, column))
		return SQL_NULL;
	if (kind == SQL_KIND_I64)
		return SQL_I64(sql_i64(rows, column));
	str bytes = sql_text(rows, column);
	return kind == SQL_KIND_TEXT ? SQL_TEXT(bytes) : SQL_BLOB(bytes);
}

static uint64_t hash_row(const struct sql_value *values, size_t count)
{
	uint64_t hash = count;
	for (size_t i = 0; i < count; i++) {
		str bytes = values[i].bytes;
		if (values[i].kind == SQL_KIND_I64)
			bytes = (str){ (const char *)&values[i].number, sizeof values[i].number };
		uint64_t own = values[i].kind == SQL_KIND_NULL ? 1 : str_hash(bytes);
		hash = (hash ^ own) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}

static struct sql_value keep_value(struct arena *arena, struct sql_value value)
{
	if (value.bytes.len)
		value.bytes = arena_copy(arena, value.bytes);
	return value;
}

static void keep_keys(const struct copy_table *table, struct arena *arena,
		      const struct sql_value *values, struct sql_value *keys)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].place)
			keys[table->columns[i].place - 1] = keep_value(arena, values[i]);
}

static err_t take_row(struct ctx *ctx, struct table_copy *work, const struct sql_value *values)
{
	const struct copy_table *table = work->table;
	work->rows++;
	work->sum += hash_row(values, table->column_count);
	for (size_t i = 0; i < table->column_count && table->numbered; i++)
		if (str_eq(table->columns[i].name, STR("id")))
			work->id_max = MAX(work->id_max, values[i].number);
	const struct sql_args args = { values, table->column_count };
	return work->into ? sql_load_row(ctx, work->into, args) : OK;
}

/* The rows after `keys`, or the first; `keys` are then the last row's, in `arena`. */
static err_t take_page(struct ctx *ctx, struct table_copy *work, struct sql_value *keys,
		       struct arena *arena, size_t *ret_count)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	const struct copy_table *table = work->table;
	struct sql_value values[SQL_COPY_COLUMNS_MAX];
	const struct sql_args args = { keys, work->rows ? table->key_count : 0 };
	TRY(sql_query(ctx, work->from, work->rows ? work->next : work->first, args, &rows));
	for (*ret_count = 0;; ++*ret_count) {
		bool has;
		TRY(sql_next(ctx, &rows, &has));
		if (!has)
			return OK;
		for (size_t i = 0; i < table->column_count; i++)
			values[i] = value_of(&rows, (int)i, table->columns[i].kind);
		TRY(take_row(ctx, work, values));
		if (*ret_count + 1 == page_rows(table))
			keep_keys(table, arena, values, keys);
	}
}

/* The keys of the last page live while those of the next are taken. */
static err_t take_table(struct ctx *ctx, struct table_copy *work)
{
	struct sql_value keys[SQL_COPY_COLUMNS_MAX];
	CLEANUP(arena_done) struct arena even;
	CLEANUP(arena_done) struct arena odd;
	arena_init(&even, KEYS_BYTES_MAX);
	arena_init(&odd, KEYS_BYTES_MAX);
	struct arena *mine = &even, *other = &odd;
	for (size_t count = page_rows(work->table); count == page_rows(work->table);) {
		arena_reset(mine);
		TRY_CTX(ctx, take_page(ctx, work, keys, mine, &count), "table " STR_FMT,
			STR_ARG(work->table->name));
		struct arena *last = mine;
		mine = other;
		other = last;
	}
	return OK;
}

/* --- all of them ------------------------------------------------------------------------------ */

struct copying {
	const struct sql_copy *copy;
	struct sql_tx from, to;
	struct copy_catalogue source, target;
	struct sql_copied *copied; /* by the target's order */
	uint64_t *sums;
};

static void copying_done(struct copying *c)
{
	sql_tx_done(&c->to);
	sql_tx_done(&c->from);
}

static err_t begin(struct ctx *ctx, struct copying *c)
{
	const struct sql_copy *copy = c->copy;
	bool snapshot = copy->from->engine == SQL_POSTGRES;
	TRY(sql_begin(ctx, copy->from, snapshot ? SQL_WRITE : SQL_READ, &c->from));
	if (snapshot)
		TRY(copy->from->driver->script(ctx, &c->from, SNAPSHOT));
	TRY(sql_begin(ctx, copy->to, SQL_WRITE, &c->to));
	TRY(copy->to->driver->lock_migrations(ctx, &c->to));
	TRY_CTX(ctx, copy_catalogue_read(ctx, &c->from, copy->apart, &c->source), "source");
	TRY_CTX(ctx, copy_catalogue_read(ctx, &c->to, copy->apart, &c->target), "target");
	TRY(copy_catalogue_compare(ctx, &c->source, &c->target));
	c->copied = ARENA_ARRAY(ctx->arena, struct sql_copied, c->target.count);
	c->sums = ARENA_ARRAY(ctx->arena, uint64_t, c->target.count);
	return OK;
}

/* Whatever refers to others goes before them. */
static err_t empty(struct ctx *ctx, struct copying *c)
{
	for (size_t i = c->target.count; i-- > 0;)
		TRY(sql_exec(ctx, &c->to,
			     make_statement(ctx, c->copy->to, &c->target.tables[i], i, DELETE_ALL),
			     SQL_NO_ARGS, NULL));
	return OK;
}

static err_t read_table(struct ctx *ctx, struct sql_tx *tx, const struct copy_table *table,
			size_t at, struct table_copy *work)
{
	work->table = table;
	work->from = tx;
	work->first = make_statement(ctx, tx->db, table, at, SELECT_FIRST);
	work->next = make_statement(ctx, tx->db, table, at, SELECT_NEXT);
	return take_table(ctx, work);
}

static err_t copy_table(struct ctx *ctx, struct copying *c, size_t at)
{
	const struct copy_table *target = &c->target.tables[at];
	const struct copy_table *source = copy_catalogue_find(&c->source, target->name);
	const struct sql_statement *insert =
		make_statement(ctx, c->copy->to, target, at, INSERT_ROW);
	CLEANUP(sql_load_done) struct sql_load load = SQL_LOAD_INIT(&c->to, insert);
	struct table_copy work = { .into = &load };
	int64_t number = 0;
	TRY(read_table(ctx, &c->from, source, at, &work));
	TRY_CTX(ctx, sql_load_end(ctx, &load), "table " STR_FMT, STR_ARG(target->name));
	if (target->numbered) {
		TRY(copy_number_read(ctx, &c->from, target->name, &number));
		number = MAX(number, work.id_max);
		TRY(copy_number_raise(ctx, &c->to, target->name, number));
	}
	c->copied[at] = (struct sql_copied){ target->name, work.rows, number };
	c->sums[at] = work.sum;
	return OK;
}

static err_t verify_table(struct ctx *ctx, struct copying *c, size_t at)
{
	struct table_copy work = { 0 };
	TRY(read_table(ctx, &c->to, &c->target.tables[at], at, &work));
	if (work.rows != c->copied[at].rows || work.sum != c->sums[at])
		return fail(ctx, ERR_CORRUPT,
			    "table " STR_FMT ": %llu rows were read, and %llu others are there",
			    STR_ARG(work.table->name), (unsigned long long)c->copied[at].rows,
			    (unsigned long long)work.rows);
	if (c->copy->done)
		c->copy->done(c->copy->arg, &c->copied[at]);
	return OK;
}

err_t sql_copy(struct ctx *ctx, const struct sql_copy *copy)
{
	CLEANUP(copying_done) struct copying c = { .copy = copy };
	TRY(begin(ctx, &c));
	TRY(empty(ctx, &c));
	for (size_t i = 0; i < c.target.count; i++)
		TRY(copy_table(ctx, &c, i));
	for (size_t i = 0; i < c.target.count; i++)
		TRY(verify_table(ctx, &c, i));
	if (copy->finish)
		TRY(copy->finish(ctx, &c.from, &c.to, c.copied, c.target.count));
	return sql_commit(ctx, &c.to);
}

err_t sql_copy_raise(struct ctx *ctx, struct sql_tx *to, str table, int64_t number)
{
	return copy_number_raise(ctx, to, table, number);
}
