/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_load.c - many rows at once, by COPY … FROM STDIN. See driver.h. */
#include "postgres.h"

#include "base/banned.h"

#define PUT_DONE 1

err_t postgres_load_begin(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement)
{
	struct postgres_connection *c = tx->connection;
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	int sent = libpq.PQsendQuery(c->handle, statement->postgres);
	TRY(postgres_answer(ctx, c, sent, postgres_until_ns(ctx), statement->name, &result));
	CHECK(libpq.PQresultStatus(result) == PGRES_COPY_IN);
	return OK;
}

/* libpq takes whatever it is given into its memory, so each piece is sent before the next comes. An
 * error of the server is heard at the end: until then it takes rows and throws them away. */
err_t postgres_load_bytes(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			  str bytes)
{
	struct postgres_connection *c = tx->connection;
	if (libpq.PQputCopyData(c->handle, bytes.ptr, (int)bytes.len) != PUT_DONE)
		return postgres_lost(ctx, c, statement->name);
	return postgres_flush(ctx, c, postgres_until_ns(ctx), statement->name);
}

err_t postgres_load_end(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement)
{
	struct postgres_connection *c = tx->connection;
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	bool sent = libpq.PQputCopyEnd(c->handle, NULL) == PUT_DONE;
	/* What all rows refer to is looked for now. */
	return postgres_answer(ctx, c, sent, ctx->deadline_ns, statement->name, &result);
}

void postgres_load_drop(struct postgres_connection *c, int64_t until_ns)
{
	struct ctx own;
	ctx_init(&own, NULL);
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	bool sent = libpq.PQputCopyEnd(c->handle, "given up") == PUT_DONE;
	/* The server says that it failed, which is what was asked for. */
	if (postgres_answer(&own, c, sent, until_ns, "copy", &result) == OK)
		c->broken = true;
}
