/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_tell.c - see postgres_tell.h. */
#include "postgres_tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define UNTOLD_CODE "BERTH"

static bool to_number(const char *text, int64_t *ret)
{
	uint64_t number;
	if (!text || !str_to_u64(str_from(text), INT64_MAX, &number))
		return false;
	*ret = (int64_t)number;
	return true;
}

void postgres_tell_notice(void *arg, const PGresult *result)
{
	struct postgres_connection *c = arg;
	const char *state = libpq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (state && strcmp(state, UNTOLD_CODE) == 0)
		(void)to_number(libpq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
				&c->untold);
}

/* What follows COMMIT is a transaction of its own, which the connection's default would have read
 * only. It fails unless the first one was committed. */
static void write_commit(const struct postgres_connection *c, char *text, size_t size)
{
	if (c->untold)
		snprintf(text, size, "COMMIT; SET TRANSACTION READ WRITE; SELECT tell_untold(%lld)",
			 (long long)c->untold);
	else
		snprintf(text, size, "COMMIT");
}

/* What was lost after COMMIT went out may have been committed, and what could not be told was:
 * never to be repeated blindly. */
static err_t outcome_unknown(struct ctx *ctx, const struct postgres_connection *c, err_t err)
{
	if (!c->broken && !c->untold)
		return err;
	int sys_errno = ctx->failure.sys_errno;
	if (sys_errno == SQL_ERRNO_LOST || sys_errno == SQL_ERRNO_CONFLICT)
		ctx->failure.sys_errno = ECONNABORTED;
	ctx_note(ctx, "whether it was done is unknown");
	return err;
}

err_t postgres_tell_commit(struct ctx *ctx, struct postgres_connection *c, int64_t until_ns)
{
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	char text[128];
	write_commit(c, text, sizeof text);
	err_t err = postgres_answer(ctx, c, libpq.PQsendQuery(c->handle, text), until_ns, "commit",
				    &result);
	if (err != OK)
		return outcome_unknown(ctx, c, err);
	/* A failed transaction answers COMMIT with ROLLBACK, as a success. */
	if (!c->untold && strcmp(libpq.PQcmdStatus(result), "COMMIT") != 0)
		return fail(ctx, ERR_DATABASE, "the database rolled back");
	return OK;
}

err_t postgres_tell_left(struct ctx *ctx, struct postgres_connection *c,
			 struct postgres_tell_place *place, int64_t until_ns)
{
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	char text[128];
	int64_t oldest;
	snprintf(text, sizeof text, "SELECT tell_left(%lld, %lld)", (long long)place->seen_twice,
		 (long long)place->seen_once);
	TRY(postgres_answer(ctx, c, libpq.PQsendQuery(c->handle, text), until_ns,
			    "what others left untold", &result));
	bool is_all = libpq.PQntuples(result) == 1 && !libpq.PQgetisnull(result, 0, 0);
	if (is_all && to_number(libpq.PQgetvalue(result, 0, 0), &oldest))
		*place = (struct postgres_tell_place){ place->seen_once, oldest };
	return OK;
}
