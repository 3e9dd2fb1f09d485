/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_connection.c - one connection: how it is set up, its statements, values and errors. See
 * sqlite.h. */
#include "sqlite.h"
#include "base/clock.h"
#include "base/mem.h"
#include "os/file.h"

#include <time.h>

#include "base/banned.h"

/* Virtual machine steps between two looks at a reader's deadline: well under a millisecond. */
#define STEPS_PER_LOOK 20000

/* The writer: the checkpointer replaces automatic checkpoints; a log once grown is cut to 64 MiB.
 */
static const char SETUP_WRITER[] =
	"PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192;"
	"PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864;"
	"PRAGMA temp_store=MEMORY; PRAGMA case_sensitive_like=ON";
static const char SETUP_READER[] = "PRAGMA query_only=ON; PRAGMA cache_size=-1024;"
				   "PRAGMA temp_store=MEMORY; PRAGMA case_sensitive_like=ON";
static const char SETUP_CHECKPOINTER[] = "PRAGMA synchronous=FULL; PRAGMA cache_size=-64";
static const char *const SETUP[] = {
	[SQLITE_WRITER] = SETUP_WRITER,
	[SQLITE_READER] = SETUP_READER,
	[SQLITE_CHECKPOINTER] = SETUP_CHECKPOINTER,
};

static const char *const OWN[SQL_OWN_COUNT] = {
	[SQL_OWN_BEGIN_READ] = "BEGIN DEFERRED",
	[SQL_OWN_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_OWN_COMMIT] = "COMMIT",
	[SQL_OWN_ROLLBACK] = "ROLLBACK",
	[SQL_OWN_SAVEPOINT] = "SAVEPOINT member",
	[SQL_OWN_RELEASE] = "RELEASE member",
	[SQL_OWN_ROLLBACK_TO] = "ROLLBACK TO member",
	[SQL_OWN_SYNC_FULL] = "PRAGMA synchronous=FULL",
	[SQL_OWN_SYNC_NORMAL] = "PRAGMA synchronous=NORMAL",
};

/* Another process, or recovery after a crash, holds a lock: wait a little, as long as the user has
 * time. */
static int wait_busy(void *arg, int tries)
{
	struct sqlite_connection *connection = arg;
	struct ctx *ctx = connection->ctx;
	int64_t now_ns = clock_now_ns();
	if (tries == 0)
		connection->busy_since_ns = now_ns;
	if (now_ns - connection->busy_since_ns > GATE_WAIT_MAX_S * CLOCK_S)
		return 0;
	if (ctx && ctx->deadline_ns && now_ns >= ctx->deadline_ns)
		return 0;
	if (ctx && ctx->cancelled && atomic_load_explicit(ctx->cancelled, memory_order_relaxed))
		return 0;
	struct timespec pause = { .tv_nsec = MIN(1 + tries, 20) * CLOCK_MS };
	nanosleep(&pause, NULL);
	return 1;
}

/* Readers only: interrupting the writer would roll back the whole batch, other people's work
 * included. */
static int look_at_deadline(void *arg)
{
	const struct sqlite_connection *connection = arg;
	const struct ctx *ctx = connection->ctx;
	if (!ctx)
		return 0;
	if (ctx->cancelled && atomic_load_explicit(ctx->cancelled, memory_order_relaxed))
		return 1;
	return ctx->deadline_ns && clock_now_ns() >= ctx->deadline_ns;
}

static int switch_to_wal(struct sqlite_connection *c)
{
	sqlite3_stmt *pragma;
	int code = sqlite3_prepare_v2(c->handle, "PRAGMA journal_mode=WAL", -1, &pragma, NULL);
	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(pragma);
	/* A file system without shared memory keeps the old mode, and says so as if it were no
	 * error. */
	if (code == SQLITE_ROW) {
		str mode = str_from((const char *)sqlite3_column_text(pragma, 0));
		code = str_eq(mode, STR("wal")) ? SQLITE_OK : SQLITE_CANTOPEN;
	}
	sqlite3_finalize(pragma);
	return code;
}

static int set_up(struct sqlite_connection *c, enum sqlite_role role)
{
	sqlite3_extended_result_codes(c->handle, 1);
	sqlite3_busy_handler(c->handle, wait_busy, c);
	/* "x" is a name and never a string, as in PostgreSQL. */
	sqlite3_db_config(c->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(c->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(c->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (role == SQLITE_READER)
		sqlite3_progress_handler(c->handle, STEPS_PER_LOOK, look_at_deadline, c);
	if (role == SQLITE_WRITER) {
		/* SQLite does not wait here when another process does the same right now. */
		int tries = 0;
		int code;
		do
			code = switch_to_wal(c);
		while ((code & 0xff) == SQLITE_BUSY && wait_busy(c, tries++));
		if (code != SQLITE_OK)
			return code;
	}
	return sqlite3_exec(c->handle, SETUP[role], NULL, NULL, NULL);
}

err_t sqlite_connect(struct ctx *ctx, const struct sql *db, const char *path, enum sqlite_role role,
		     struct sqlite_connection **ret)
{
	struct sqlite_connection *c = NEW(struct sqlite_connection);
	c->db = db;
	c->ctx = ctx;
	c->statements = mem_new(sql_slot_count(db) * sizeof(sqlite3_stmt *));
	int code = sqlite3_open_v2(path, &c->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				   NULL);
	if (code == SQLITE_OK)
		code = set_up(c, role);
	if (code != SQLITE_OK) {
		err_t err = sqlite_fail(ctx, c, code, path);
		sqlite_disconnect(c);
		return err;
	}
	c->ctx = NULL;
	*ret = c;
	return OK;
}

void sqlite_disconnect(struct sqlite_connection *connection)
{
	if (!connection)
		return;
	unsigned count = sql_slot_count(connection->db);
	for (unsigned i = 0; i < count; i++)
		sqlite3_finalize(connection->statements[i]);
	CHECK(sqlite3_close(connection->handle) == SQLITE_OK);
	free(connection->statements);
	free(connection);
}

/* Errors. */

/* SQLite knows ENOSPC itself; a quota or a limit is an I/O error to it, and the errno stays with
 * the file. */
static bool is_storage_full(sqlite3 *handle)
{
	int database_errno = 0, log_errno = 0;
	sqlite3_file *log = NULL;
	sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &database_errno);
	sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (log && log->pMethods)
		log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &log_errno);
	return file_error(database_errno) == ERR_STORAGE_FULL ||
	       file_error(log_errno) == ERR_STORAGE_FULL;
}

err_t sqlite_error_of(const struct sqlite_connection *connection, int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return ERR_EXISTS;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return ERR_ABSENT;
	}
	switch (code & 0xff) {
	case SQLITE_FULL:
		return ERR_STORAGE_FULL;
	case SQLITE_IOERR:
		return is_storage_full(connection->handle) ? ERR_STORAGE_FULL : ERR_DATABASE;
	case SQLITE_BUSY:
	case SQLITE_INTERRUPT:
		return ERR_BUSY;
	default:
		return ERR_DATABASE;
	}
}

err_t sqlite_fail(struct ctx *ctx, struct sqlite_connection *connection, int code, const char *what)
{
	connection->last_error = code;
	err_t err = sqlite_error_of(connection, code);
	/* A wait or a statement ended early, perhaps because its user ran out of time. */
	if (err == ERR_BUSY)
		TRY(ctx_check(ctx));
	bool current = connection->handle && sqlite3_extended_errcode(connection->handle) == code;
	return fail(ctx, err, "%s: %s (%d)", what,
		    current ? sqlite3_errmsg(connection->handle) : sqlite3_errstr(code), code);
}

/* Statements. */

static int prepare_slot(struct sqlite_connection *c, unsigned slot, const char *text,
			sqlite3_stmt **ret)
{
	sqlite3_stmt *prepared = c->statements[slot];
	if (!prepared) {
		int code = sqlite3_prepare_v3(c->handle, text, -1, SQLITE_PREPARE_PERSISTENT,
					      &prepared, NULL);
		if (code != SQLITE_OK)
			return code;
		c->statements[slot] = prepared;
	}
	/* A statement has one open result at a time. */
	CHECK(!sqlite3_stmt_busy(prepared));
	*ret = prepared;
	return SQLITE_OK;
}

int sqlite_run(struct sqlite_connection *connection, enum sql_own own)
{
	sqlite3_stmt *prepared;
	unsigned slot = connection->db->statement_count + own;
	int code = prepare_slot(connection, slot, OWN[own], &prepared);
	if (code != SQLITE_OK)
		return code;
	do
		code = sqlite3_step(prepared);
	while (code == SQLITE_ROW);
	sqlite3_reset(prepared);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int bind_value(sqlite3_stmt *prepared, int at, const struct sql_value *value,
		      sqlite3_destructor_type copy)
{
	/* A NULL pointer would bind NULL, not an empty value. */
	const char *bytes = value->bytes.len ? value->bytes.ptr : "";
	switch (value->kind) {
	case SQL_KIND_I64:
		return sqlite3_bind_int64(prepared, at, value->number);
	case SQL_KIND_TEXT:
		return sqlite3_bind_text64(prepared, at, bytes, value->bytes.len, copy,
					   SQLITE_UTF8);
	case SQL_KIND_BLOB:
		return sqlite3_bind_blob64(prepared, at, bytes, value->bytes.len, copy);
	case SQL_KIND_NULL:
		return sqlite3_bind_null(prepared, at);
	}
	return SQLITE_MISUSE;
}

static void finish_statement(sqlite3_stmt *prepared)
{
	sqlite3_reset(prepared);
	sqlite3_clear_bindings(prepared);
}

/* `copy` is SQLITE_TRANSIENT when the statement is stepped after the caller's values may be gone.
 */
static err_t start_statement(struct ctx *ctx, struct sqlite_connection *c,
			     const struct sql_statement *statement, struct sql_args args,
			     sqlite3_destructor_type copy, sqlite3_stmt **ret)
{
	sqlite3_stmt *prepared;
	int code = prepare_slot(c, sql_slot(c->db, statement), statement->sqlite, &prepared);
	if (code != SQLITE_OK)
		return sqlite_fail(ctx, c, code, statement->name);
	for (size_t i = 0; i < args.count && code == SQLITE_OK; i++)
		code = bind_value(prepared, (int)i + 1, &args.values[i], copy);
	if (code != SQLITE_OK) {
		err_t err = sqlite_fail(ctx, c, code, statement->name);
		finish_statement(prepared);
		return err;
	}
	*ret = prepared;
	return OK;
}

err_t sqlite_exec(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, int64_t *ret_changed)
{
	struct sqlite_connection *c = tx->connection;
	sqlite3_stmt *prepared;
	TRY(start_statement(ctx, c, statement, args, SQLITE_STATIC, &prepared));
	int code;
	do
		code = sqlite3_step(prepared);
	while (code == SQLITE_ROW);

	err_t err = OK;
	if (code != SQLITE_DONE)
		err = sqlite_fail(ctx, c, code, statement->name);
	else
		*ret_changed = sqlite3_stmt_readonly(prepared) ? 0 : sqlite3_changes64(c->handle);
	finish_statement(prepared);
	return err;
}

err_t sqlite_query(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		   struct sql_args args, struct sql_rows *rows)
{
	sqlite3_stmt *prepared;
	TRY(start_statement(ctx, tx->connection, statement, args, SQLITE_TRANSIENT, &prepared));
	rows->result = prepared;
	return OK;
}

err_t sqlite_next(struct ctx *ctx, struct sql_rows *rows, bool *ret_has)
{
	int code = sqlite3_step(rows->result);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return sqlite_fail(ctx, rows->tx->connection, code, "next row");
	*ret_has = code == SQLITE_ROW;
	return OK;
}

void sqlite_rows_done(struct sql_rows *rows)
{
	finish_statement(rows->result);
}

int64_t sqlite_i64(const struct sql_rows *rows, int column)
{
	return sqlite3_column_int64(rows->result, column);
}

str sqlite_text(const struct sql_rows *rows, int column)
{
	int type = sqlite3_column_type(rows->result, column);
	if (type == SQLITE_NULL)
		return STR_NONE;
	const void *bytes = type == SQLITE_BLOB ? sqlite3_column_blob(rows->result, column)
						: sqlite3_column_text(rows->result, column);
	return (str){ bytes, (size_t)sqlite3_column_bytes(rows->result, column) };
}

bool sqlite_is_null(const struct sql_rows *rows, int column)
{
	return sqlite3_column_type(rows->result, column) == SQLITE_NULL;
}

err_t sqlite_prepare(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement)
{
	struct sqlite_connection *c = tx->connection;
	sqlite3_stmt *prepared;
	int code = prepare_slot(c, sql_slot(c->db, statement), statement->sqlite, &prepared);
	if (code != SQLITE_OK)
		return sqlite_fail(ctx, c, code, statement->name);
	if ((unsigned)sqlite3_bind_parameter_count(prepared) != statement->parameters)
		return fail(ctx, ERR_DATABASE, "has another number of parameters");
	return OK;
}

err_t sqlite_script(struct ctx *ctx, struct sql_tx *tx, const char *text)
{
	struct sqlite_connection *c = tx->connection;
	int code = sqlite3_exec(c->handle, text, NULL, NULL, NULL);
	return code == SQLITE_OK ? OK : sqlite_fail(ctx, c, code, "script");
}
