/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres_later.c - statements that are waited for together, in libpq's pipeline mode. See
 * driver.h.
 *
 * A connection is in that mode while there are some, and never otherwise. After one that failed the
 * server passes over the others.
 */
#include "postgres.h"

#include "base/banned.h"

err_t postgres_later(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		     struct sql_args args)
{
	struct postgres_connection *c = tx->connection;
	/* Preparing is waited for, which it is once in a connection's life. */
	if (c->later_count == LATER_MAX || !postgres_is_prepared(c, statement))
		TRY(postgres_settle(ctx, tx));
	TRY(postgres_prepare_once(ctx, c, statement));
	if (!c->later_count && !libpq.PQenterPipelineMode(c->handle))
		return postgres_lost(ctx, c, statement->name);
	c->later[c->later_count++] = statement;
	if (!postgres_send(c, statement, args))
		return postgres_lost(ctx, c, statement->name);
	return OK;
}

/* Up to the point that PQpipelineSync() has marked; between the answers, and never twice in a row,
 * there is none. */
static err_t skip_to_mark(struct ctx *ctx, struct postgres_connection *c, int64_t until_ns)
{
	for (bool before = true;;) {
		CLEANUP(postgres_result_done) PGresult *result = NULL;
		TRY(postgres_next_result(ctx, c, until_ns, "the end of many", &result));
		if (!result && !before)
			return postgres_lost(ctx, c, "the end of many");
		if (result && libpq.PQresultStatus(result) == PGRES_PIPELINE_SYNC)
			return OK;
		before = result != NULL;
	}
}

static err_t leave(struct ctx *ctx, struct postgres_connection *c, int64_t until_ns)
{
	TRY(skip_to_mark(ctx, c, until_ns));
	if (!libpq.PQexitPipelineMode(c->handle))
		return postgres_lost(ctx, c, "the end of many");
	return OK;
}

static err_t take_all(struct ctx *ctx, struct postgres_connection *c, size_t count,
		      int64_t until_ns)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(postgres_result_done) PGresult *result = NULL;
		TRY(postgres_take(ctx, c, until_ns, c->later[i]->name, &result));
	}
	return OK;
}

static err_t settle(struct ctx *ctx, struct postgres_connection *c, int64_t until_ns)
{
	size_t count = c->later_count;
	c->later_count = 0;
	if (!libpq.PQpipelineSync(c->handle))
		return postgres_lost(ctx, c, "many");
	TRY(postgres_flush(ctx, c, until_ns, "many"));
	err_t err = take_all(ctx, c, count, until_ns);
	if (c->broken)
		return err;
	struct failure why = ctx->failure;
	err_t left = leave(ctx, c, until_ns);
	if (err == OK)
		return left;
	ctx->failure = why;
	return err;
}

err_t postgres_settle(struct ctx *ctx, struct sql_tx *tx)
{
	struct postgres_connection *c = tx->connection;
	return c->later_count ? settle(ctx, c, postgres_until_ns(ctx)) : OK;
}

void postgres_later_drop(struct postgres_connection *c, int64_t until_ns)
{
	struct ctx own;
	ctx_init(&own, NULL);
	if (c->later_count)
		(void)settle(&own, c, until_ns); /* what failed is rolled back anyway */
}
