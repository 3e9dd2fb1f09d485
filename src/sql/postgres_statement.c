/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_statement.c - prepared statements, values and results of PostgreSQL. See postgres.h. */
#include "postgres.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define FORMAT_TEXT	 0
#define FORMAT_BINARY	 1
#define NAME_MAX_BYTES	 16
#define NUMBER_MAX_BYTES 24

/* Types from PostgreSQL's pg_type.dat; these numbers are part of its protocol. */
enum type {
	TYPE_BOOL = 16,
	TYPE_BYTEA = 17,
	TYPE_INT8 = 20,
	TYPE_INT2 = 21,
	TYPE_INT4 = 23,
	TYPE_TEXT = 25,
	TYPE_VARCHAR = 1043
};

/* libpq's arrays. Numbers travel as text, so the server may take them for any integer type. */
struct parameters {
	const char *values[SQL_ARGUMENTS_MAX];
	int lengths[SQL_ARGUMENTS_MAX];
	int formats[SQL_ARGUMENTS_MAX];
	char numbers[SQL_ARGUMENTS_MAX][NUMBER_MAX_BYTES];
};

static void fill(struct parameters *p, struct sql_args args)
{
	for (size_t i = 0; i < args.count; i++) {
		const struct sql_value *value = &args.values[i];
		p->formats[i] = FORMAT_BINARY;
		p->lengths[i] = (int)value->bytes.len;
		switch (value->kind) {
		case SQL_KIND_NULL:
			p->values[i] = NULL;
			break;
		case SQL_KIND_I64:
			snprintf(p->numbers[i], NUMBER_MAX_BYTES, "%lld", (long long)value->number);
			p->values[i] = p->numbers[i];
			p->formats[i] = FORMAT_TEXT;
			break;
		case SQL_KIND_TEXT:
		case SQL_KIND_BLOB:
			/* A NULL pointer would be NULL, not an empty value. */
			p->values[i] = value->bytes.len ? value->bytes.ptr : "";
			break;
		}
	}
}

static void name_of(unsigned slot, char into[NAME_MAX_BYTES])
{
	snprintf(into, NAME_MAX_BYTES, "s%u", slot);
}

static err_t prepare_slot(struct ctx *ctx, struct postgres_connection *c, unsigned slot,
			  const struct sql_statement *statement, int64_t until_ns)
{
	char name[NAME_MAX_BYTES];
	name_of(slot, name);
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	int sent = libpq.PQsendPrepare(c->handle, name, statement->postgres, 0, NULL);
	TRY(postgres_answer(ctx, c, sent, until_ns, statement->name, &result));
	c->prepared[slot] = true;
	return OK;
}

bool postgres_is_prepared(const struct postgres_connection *c,
			  const struct sql_statement *statement)
{
	return statement->custom_plan || c->prepared[sql_slot(c->db, statement)];
}

err_t postgres_prepare_once(struct ctx *ctx, struct postgres_connection *c,
			    const struct sql_statement *statement)
{
	if (postgres_is_prepared(c, statement))
		return OK;
	return prepare_slot(ctx, c, sql_slot(c->db, statement), statement, postgres_until_ns(ctx));
}

/* With a custom plan: an unnamed statement, whose plan is made for these values and forgotten. */
int postgres_send(struct postgres_connection *c, const struct sql_statement *statement,
		  struct sql_args args)
{
	struct parameters p;
	char name[NAME_MAX_BYTES];
	int count = (int)args.count;
	fill(&p, args);
	if (statement->custom_plan)
		return libpq.PQsendQueryParams(c->handle, statement->postgres, count, NULL,
					       p.values, p.lengths, p.formats, FORMAT_BINARY);
	name_of(sql_slot(c->db, statement), name);
	return libpq.PQsendQueryPrepared(c->handle, name, count, p.values, p.lengths, p.formats,
					 FORMAT_BINARY);
}

static err_t run(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		 struct sql_args args, PGresult **ret)
{
	struct postgres_connection *c = tx->connection;
	TRY(postgres_prepare_once(ctx, c, statement));
	int sent = postgres_send(c, statement, args);
	return postgres_answer(ctx, c, sent, postgres_until_ns(ctx), statement->name, ret);
}

err_t postgres_exec(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		    struct sql_args args, int64_t *ret_changed)
{
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	TRY(run(ctx, tx, statement, args, &result));
	uint64_t changed = 0;
	if (libpq.PQresultStatus(result) == PGRES_COMMAND_OK)
		str_to_u64(str_from(libpq.PQcmdTuples(result)), INT64_MAX, &changed);
	*ret_changed = (int64_t)changed;
	return OK;
}

err_t postgres_query(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args, struct sql_rows *rows)
{
	PGresult *result;
	TRY(run(ctx, tx, statement, args, &result));
	rows->result = result;
	rows->row = -1;
	return OK;
}

err_t postgres_next(struct ctx *ctx, struct sql_rows *rows, bool *ret_has)
{
	int count = libpq.PQntuples(rows->result);
	if (rows->row < count)
		rows->row++;
	*ret_has = rows->row < count;
	return OK;
}

void postgres_rows_done(struct sql_rows *rows)
{
	libpq.PQclear(rows->result);
	rows->result = NULL;
}

bool postgres_is_null(const struct sql_rows *rows, int column)
{
	return libpq.PQgetisnull(rows->result, rows->row, column) != 0;
}

int64_t postgres_i64(const struct sql_rows *rows, int column)
{
	if (postgres_is_null(rows, column))
		return 0;
	const char *bytes = libpq.PQgetvalue(rows->result, rows->row, column);
	uint64_t wide;
	uint32_t middle;
	uint16_t narrow;
	switch (libpq.PQftype(rows->result, column)) {
	case TYPE_INT8:
		memcpy(&wide, bytes, sizeof wide);
		return (int64_t)be64toh(wide);
	case TYPE_INT4:
		memcpy(&middle, bytes, sizeof middle);
		return (int32_t)be32toh(middle);
	case TYPE_INT2:
		memcpy(&narrow, bytes, sizeof narrow);
		return (int16_t)be16toh(narrow);
	case TYPE_BOOL:
		return bytes[0];
	}
	CHECK(!"column of an integer type");
}

str postgres_text(const struct sql_rows *rows, int column)
{
	if (postgres_is_null(rows, column))
		return STR_NONE;
	Oid type = libpq.PQftype(rows->result, column);
	CHECK(type == TYPE_TEXT || type == TYPE_BYTEA || type == TYPE_VARCHAR);
	return (str){ libpq.PQgetvalue(rows->result, rows->row, column),
		      (size_t)libpq.PQgetlength(rows->result, rows->row, column) };
}

static bool is_known(Oid type)
{
	switch (type) {
	case TYPE_BOOL:
	case TYPE_BYTEA:
	case TYPE_INT8:
	case TYPE_INT2:
	case TYPE_INT4:
	case TYPE_TEXT:
	case TYPE_VARCHAR:
		return true;
	}
	return false;
}

err_t postgres_prepare(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement)
{
	struct postgres_connection *c = tx->connection;
	int64_t until_ns = postgres_until_ns(ctx);
	unsigned slot = sql_slot(c->db, statement);
	if (!c->prepared[slot])
		TRY(prepare_slot(ctx, c, slot, statement, until_ns));

	char name[NAME_MAX_BYTES];
	name_of(slot, name);
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	TRY(postgres_answer(ctx, c, libpq.PQsendDescribePrepared(c->handle, name), until_ns,
			    statement->name, &result));
	if ((unsigned)libpq.PQnparams(result) != statement->parameters)
		return fail(ctx, ERR_DATABASE, "has another number of parameters");
	for (int i = 0; i < libpq.PQnfields(result); i++) {
		if (!is_known(libpq.PQftype(result, i)))
			return fail(ctx, ERR_DATABASE,
				    "column %s is neither integer, text nor blob",
				    libpq.PQfname(result, i));
	}
	return OK;
}
