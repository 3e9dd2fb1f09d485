/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres_tell.h - telling other nodes what was changed, after the commit and before its answer;
 * private to sql.
 *
 * PostgreSQL commits transactions that notify one after another, each with its WAL on the way to
 * the disk. So a change leaves a row in `untold` instead (db/migrations/0046_untold.sql), and the
 * server says the transaction's number to the connection, in a message with the code BERTH. COMMIT
 * takes with it, in the same message to the server, a second transaction that tells these rows and
 * removes them. That one writes nothing to the WAL, so it holds the lock for microseconds; and the
 * server has all of it before it begins, so who dies after sending COMMIT has told, too.
 *
 * A row that stays (the server's process was ended between the two, or could not tell) is told by
 * any node that looks: postgres_tell_left(), every WATCH_BEAT_MS.
 */
#pragma once

#include "postgres.h"

/* What a connection says of itself, so that changes are left to it to tell. */
#define POSTGRES_TELLS "SET berth.tells = on"

/* Of libpq, with a struct postgres_connection as `arg`: sets its `untold`, ignores all else. */
void postgres_tell_notice(void *arg, const PGresult *result);

/*
 * COMMIT, and telling what `connection->untold` says. An error after which the transaction may have
 * been committed says so, and is not worth another try (sql_should_retry()).
 */
err_t postgres_tell_commit(struct ctx *ctx, struct postgres_connection *connection,
			   int64_t until_ns);

/* How far somebody has looked on one connection; zero at its beginning. */
struct postgres_tell_place {
	int64_t seen_twice, seen_once; /* transactions below were over when he looked */
};

/* Tells what others left. What is left of a transaction that was committed a second or more before
 * the call, or before the call before it, is told when this returns; more than 1,000 rows take
 * several calls. */
err_t postgres_tell_left(struct ctx *ctx, struct postgres_connection *connection,
			 struct postgres_tell_place *place, int64_t until_ns);
