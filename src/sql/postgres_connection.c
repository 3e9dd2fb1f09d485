/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_connection.c - one connection: connecting, waiting for the server, errors. See
 * postgres.h. */
#include "postgres.h"
#include "postgres_hosts.h"
#include "base/clock.h"
#include "base/mem.h"
#include "postgres_servers.h"
#include "postgres_tell.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/banned.h"

#define GRACE_NS (250 * CLOCK_MS)
/* How long one wait lasts before cancellation is looked at again. */
#define WAIT_SLICE_NS (200 * CLOCK_MS)

/*
 * Reads run without a transaction, so reading only is the default here and writers ask for more.
 * The limits free what a vanished program holds. A table that was counted when it was small seems
 * best read whole, and a push does that until it is counted again, however it has grown meanwhile:
 * every statement has an index that leads it (tests/plans), so it is to take that.
 */
static const char SETUP[] =
	"SET default_transaction_read_only = on;"
	"SET statement_timeout = 30000;"
	"SET enable_seqscan = off; SET enable_mergejoin = off; SET enable_hashjoin = off;"
	"SET idle_in_transaction_session_timeout = 60000;" POSTGRES_TELLS;

/* What a server that shall only be read says of itself. */
static const char WRITABLE[] = "SELECT NOT pg_is_in_recovery() AND "
			       "NOT CAST(current_setting('default_transaction_read_only') AS bool)";

/* libpq has said what happened; the errno only says that it is worth another try. */
err_t postgres_lost(struct ctx *ctx, struct postgres_connection *c, const char *what)
{
	c->broken = true;
	str text = str_trim(str_from(libpq.PQerrorMessage(c->handle)));
	str line, rest;
	if (!str_cut(text, '\n', &line, &rest))
		line = text;
	bool first = ctx->failure.code == OK;
	err_t err = fail(ctx, ERR_DATABASE, "%s: connection to the database: " STR_FMT, what,
			 STR_ARG(line));
	if (first)
		ctx->failure.sys_errno = SQL_ERRNO_LOST;
	return err;
}

/* Waits for the socket. ERR_DEADLINE, ERR_CANCELLED or ERR_BUSY leave the answer under way: broken.
 */
static err_t await_socket(struct ctx *ctx, struct postgres_connection *c, short events,
			  int64_t until_ns)
{
	for (;;) {
		int64_t now_ns = clock_now_ns();
		int64_t slice_ns = ctx->cancelled ? WAIT_SLICE_NS : 30 * CLOCK_S;
		if (until_ns)
			slice_ns = MIN(slice_ns, MAX(until_ns - now_ns, 0));
		struct pollfd socket = { .fd = libpq.PQsocket(c->handle), .events = events };
		int ready = poll(&socket, 1, (int)((slice_ns + CLOCK_MS - 1) / CLOCK_MS));
		if (ready > 0)
			return OK;
		if (ready < 0 && errno != EINTR)
			return postgres_lost(ctx, c, "poll");
		bool cancelled = ctx->cancelled &&
				 atomic_load_explicit(ctx->cancelled, memory_order_relaxed);
		if (!cancelled && (!until_ns || clock_now_ns() < until_ns))
			continue;
		c->broken = true;
		err_t err = ctx_check(ctx);
		return err == OK ? fail(ctx, ERR_BUSY, "no answer from the database in time") : err;
	}
}

/* Connecting. */

static err_t finish_connecting(struct ctx *ctx, struct postgres_connection *c, int64_t until_ns)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	for (;;) {
		if (!c->handle || libpq.PQstatus(c->handle) == CONNECTION_BAD)
			return postgres_lost(ctx, c, "could not connect");
		TRY(await_socket(ctx, c, status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
				 until_ns));
		status = libpq.PQconnectPoll(c->handle);
		if (status == PGRES_POLLING_OK)
			break;
		if (status == PGRES_POLLING_FAILED)
			return postgres_lost(ctx, c, "could not connect");
	}
	libpq.PQsetNoticeReceiver(c->handle, postgres_tell_notice, c);
	/* A large value must not block past the deadline, either. */
	if (libpq.PQsetnonblocking(c->handle, 1) != 0)
		return postgres_lost(ctx, c, "could not connect");
	TRY(postgres_ask_writable(ctx, c, until_ns, &c->writable));
	return postgres_simple(ctx, c, SETUP, until_ns);
}

err_t postgres_ask_writable(struct ctx *ctx, struct postgres_connection *c, int64_t until_ns,
			    bool *ret)
{
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	TRY(postgres_answer(ctx, c, libpq.PQsendQuery(c->handle, WRITABLE), until_ns,
			    "can it write", &result));
	*ret = libpq.PQntuples(result) == 1 && *libpq.PQgetvalue(result, 0, 0) == 't';
	return OK;
}

/* What comes before the string yields to it, what comes after replaces what it says. A server that
 * is gone without a word is noticed within half a minute. */
err_t postgres_connect(struct ctx *ctx, const struct sql *db,
		       const struct postgres_servers *servers, size_t at, int64_t until_ns,
		       struct postgres_connection **ret)
{
	const struct postgres_server *server = &servers->list[at];
	struct postgres_hosts found = { 0 };
	if (server->host && !server->address)
		TRY(postgres_hosts_find(ctx, server->host, until_ns, &found));
	bool is_found = *found.hosts != '\0';
	const char *const options[][2] = {
		{ "keepalives_idle", "10" },
		{ "keepalives_interval", "5" },
		{ "keepalives_count", "3" },
		{ "tcp_user_timeout", "20000" },
		{ "dbname", servers->location },
		{ "target_session_attrs", "any" },
		{ "fallback_application_name", "berth" },
		{ "client_encoding", "UTF8" },
		{ "host", is_found ? found.hosts : server->host },
		{ "hostaddr", is_found ? found.addresses : server->address },
		{ "port", server->port },
	};
	const char *keywords[COUNT_OF(options) + 1] = { NULL };
	const char *values[COUNT_OF(options) + 1] = { NULL };
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(options); i++)
		if (options[i][1]) {
			keywords[count] = options[i][0];
			values[count++] = options[i][1];
		}
	struct postgres_connection *c = NEW(struct postgres_connection);
	c->db = db;
	c->prepared = mem_new(sql_slot_count(db) * sizeof(bool));
	c->handle = libpq.PQconnectStartParams(keywords, values, 1);
	err_t err = finish_connecting(ctx, c, until_ns);
	if (err != OK) {
		postgres_disconnect(c);
		return err;
	}
	*ret = c;
	return OK;
}

void postgres_disconnect(struct postgres_connection *connection)
{
	if (!connection)
		return;
	libpq.PQfinish(connection->handle);
	free(connection->prepared);
	free(connection);
}

bool postgres_is_quiet(struct postgres_connection *connection)
{
	struct pollfd socket = { .fd = libpq.PQsocket(connection->handle), .events = POLLIN };
	return poll(&socket, 1, 0) == 0;
}

/* Answers. */

static err_t error_of(const char *state)
{
	static const struct {
		const char state[6];
		err_t err;
	} errors[] = {
		{ "23505", ERR_EXISTS },       /* unique_violation */
		{ "23503", ERR_ABSENT },       /* foreign_key_violation */
		{ "53100", ERR_STORAGE_FULL }, /* disk_full */
		{ "53300", ERR_BUSY },	       /* too_many_connections */
		{ "55P03", ERR_BUSY },	       /* lock_not_available */
		{ "57014", ERR_DEADLINE },     /* query_canceled: statement_timeout */
	};
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		if (strcmp(state, errors[i].state) == 0)
			return errors[i].err;
	}
	return ERR_DATABASE;
}

static int errno_of(const char *state)
{
	/* serialization_failure, deadlock_detected */
	if (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0)
		return SQL_ERRNO_CONFLICT;
	/* admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped,
	 * idle_in_transaction… */
	if (strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 ||
	    strcmp(state, "25P03") == 0)
		return SQL_ERRNO_LOST;
	return 0;
}

static err_t server_error(struct ctx *ctx, struct postgres_connection *c, const PGresult *result,
			  const char *what)
{
	const char *state = libpq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (!state)
		return postgres_lost(ctx, c, what);
	const char *text = libpq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	int sys_errno = errno_of(state);
	if (sys_errno == SQL_ERRNO_LOST)
		c->broken = true;
	err_t err = error_of(state);
	ctx_fail(ctx, err, sys_errno, __FILE__, __LINE__, "%s: %s (%s)", what, text ? text : "",
		 state);
	return err;
}

err_t postgres_flush(struct ctx *ctx, struct postgres_connection *c, int64_t until_ns,
		     const char *what)
{
	for (;;) {
		int left = libpq.PQflush(c->handle);
		if (left == 0)
			return OK;
		if (left < 0)
			return postgres_lost(ctx, c, what);
		/* The server may have to be read before it goes on reading. */
		TRY(await_socket(ctx, c, POLLIN | POLLOUT, until_ns));
		if (!libpq.PQconsumeInput(c->handle))
			return postgres_lost(ctx, c, what);
	}
}

err_t postgres_next_result(struct ctx *ctx, struct postgres_connection *c, int64_t until_ns,
			   const char *what, PGresult **ret)
{
	while (libpq.PQisBusy(c->handle)) {
		TRY(await_socket(ctx, c, POLLIN, until_ns));
		if (!libpq.PQconsumeInput(c->handle))
			return postgres_lost(ctx, c, what);
	}
	*ret = libpq.PQgetResult(c->handle);
	return OK;
}

static bool is_error(const PGresult *result)
{
	ExecStatusType status = libpq.PQresultStatus(result);
	return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN;
}

void postgres_result_done(PGresult **result)
{
	libpq.PQclear(*result);
	*result = NULL;
}

err_t postgres_answer(struct ctx *ctx, struct postgres_connection *connection, int sent,
		      int64_t until_ns, const char *what, PGresult **ret)
{
	if (!sent)
		return postgres_lost(ctx, connection, what);
	TRY(postgres_flush(ctx, connection, until_ns, what));
	return postgres_take(ctx, connection, until_ns, what, ret);
}

err_t postgres_take(struct ctx *ctx, struct postgres_connection *connection, int64_t until_ns,
		    const char *what, PGresult **ret)
{
	/* The answer is the last result, or the first error: after that come none of interest. */
	CLEANUP(postgres_result_done) PGresult *last = NULL;
	for (;;) {
		PGresult *result;
		TRY(postgres_next_result(ctx, connection, until_ns, what, &result));
		if (!result)
			break;
		if (last && is_error(last)) {
			libpq.PQclear(result);
			continue;
		}
		postgres_result_done(&last);
		last = result;
		if (libpq.PQresultStatus(last) == PGRES_COPY_IN)
			break; /* it would be the next result, too */
	}
	if (!last)
		return postgres_lost(ctx, connection, what);
	if (is_error(last))
		return server_error(ctx, connection, last, what);
	*ret = take(last);
	return OK;
}

err_t postgres_simple(struct ctx *ctx, struct postgres_connection *connection, const char *text,
		      int64_t until_ns)
{
	CLEANUP(postgres_result_done) PGresult *result = NULL;
	return postgres_answer(ctx, connection, libpq.PQsendQuery(connection->handle, text),
			       until_ns, "script", &result);
}

int64_t postgres_until_ns(const struct ctx *ctx)
{
	int64_t until_ns = clock_now_ns() + GATE_WAIT_MAX_S * CLOCK_S;
	if (ctx->deadline_ns)
		until_ns = MIN(until_ns, ctx->deadline_ns);
	return until_ns + GRACE_NS;
}
