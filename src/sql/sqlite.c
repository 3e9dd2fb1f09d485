/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite.c - open, close, the pool of readers, begin and commit. See sqlite.h. */
#include "sqlite.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/banned.h"

struct sqlite {
	struct sql base;
	char *path;
	struct sqlite_writer writer;
	struct sqlite_checkpointer checkpointer;
	struct gate readers;
	pthread_mutex_t idle_lock;
	struct sqlite_connection *idle; /* the last one used first: its cache is warm */
};

static void configure(void)
{
	/* Statistics would put one process-wide lock around every allocation. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	CHECK(sqlite3_initialize() == SQLITE_OK);
}

/*
 * Makes an absent file for its owner only; log and shared memory take over its mode. Closing a
 * descriptor drops this process's locks on the file, so nothing else may be opening it meanwhile.
 */
static err_t create_private(struct ctx *ctx, const char *path)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int sys_errno = errno;
	if (fd >= 0)
		close(fd);
	pthread_mutex_unlock(&lock);
	if (fd >= 0 || sys_errno == EEXIST)
		return OK;
	errno = sys_errno;
	return fail_errno(ctx, sys_errno == ENOSPC ? ERR_STORAGE_FULL : ERR_DATABASE,
			  "could not create %s", path);
}

static err_t sqlite_open(struct ctx *ctx, const struct sql_options *options, struct sql **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, configure);
	TRY(create_private(ctx, options->location));

	struct sqlite *db = NEW(struct sqlite);
	db->base = (struct sql){ .driver = &sql_driver_sqlite,
				 .engine = SQL_SQLITE,
				 .connections_max = options->connections_max,
				 .statement_count = options->statement_count };
	struct sqlite_connection *connection;
	err_t err = sqlite_connect(ctx, &db->base, options->location, SQLITE_WRITER, &connection);
	if (err != OK) {
		free(db);
		return err;
	}
	atomic_store(&db->base.connections_opened, 1);
	db->path = mem_copy(str_from(options->location));
	sqlite_checkpoint_start(&db->checkpointer, connection, db->path);
	sqlite_writer_init(&db->writer, &db->base, connection, &db->checkpointer);
	gate_init(&db->readers, options->connections_max);
	CHECK(pthread_mutex_init(&db->idle_lock, NULL) == 0);
	*ret = &db->base;
	return OK;
}

static void sqlite_close(struct sql *base)
{
	struct sqlite *db = CONTAINER_OF(base, struct sqlite, base);
	sqlite_checkpoint_stop(&db->checkpointer);
	for (struct sqlite_connection *c = db->idle, *next; c; c = next) {
		next = c->next;
		sqlite_disconnect(c);
	}
	gate_done(&db->readers);
	pthread_mutex_destroy(&db->idle_lock);
	/* The last connection of all empties the log and removes it. */
	sqlite_writer_done(&db->writer);
	free(db->path);
	free(db);
}

/* Readers. */

static err_t take_reader(struct ctx *ctx, struct sqlite *db, struct sqlite_connection **ret)
{
	pthread_mutex_lock(&db->idle_lock);
	struct sqlite_connection *c = db->idle;
	if (c)
		db->idle = c->next;
	pthread_mutex_unlock(&db->idle_lock);
	if (!c) {
		TRY(sqlite_connect(ctx, &db->base, db->path, SQLITE_READER, &c));
		atomic_fetch_add_explicit(&db->base.connections_opened, 1, memory_order_relaxed);
	}
	*ret = c;
	return OK;
}

static void give_reader(struct sqlite *db, struct sqlite_connection *c)
{
	c->ctx = NULL;
	pthread_mutex_lock(&db->idle_lock);
	c->next = db->idle;
	db->idle = c;
	pthread_mutex_unlock(&db->idle_lock);
	gate_leave(&db->readers);
}

static err_t begin_reading(struct ctx *ctx, struct sqlite *db, struct sqlite_connection **ret)
{
	TRY(gate_enter(ctx, &db->readers, "database connection"));
	struct sqlite_connection *c;
	err_t err = take_reader(ctx, db, &c);
	if (err != OK) {
		gate_leave(&db->readers);
		return err;
	}
	c->ctx = ctx;
	int code = sqlite_run(c, SQL_OWN_BEGIN_READ);
	if (code != SQLITE_OK) {
		err = sqlite_fail(ctx, c, code, "could not begin to read");
		give_reader(db, c);
		return err;
	}
	*ret = c;
	return OK;
}

static void end_reading(struct sqlite *db, struct sqlite_connection *c)
{
	c->ctx = NULL;
	/* An error may have ended the transaction already. */
	if (sqlite3_get_autocommit(c->handle) || sqlite_run(c, SQL_OWN_COMMIT) == SQLITE_OK) {
		give_reader(db, c);
		return;
	}
	sqlite_disconnect(c);
	gate_leave(&db->readers);
}

/* Transactions. */

static err_t sqlite_begin(struct ctx *ctx, struct sql *base, enum sql_mode mode, struct sql_tx *tx)
{
	struct sqlite *db = CONTAINER_OF(base, struct sqlite, base);
	struct sqlite_connection *c = db->writer.connection;
	if (mode == SQL_READ)
		TRY(begin_reading(ctx, db, &c));
	else
		TRY(sqlite_writer_begin(ctx, &db->writer, mode));
	tx->connection = c;
	return OK;
}

static err_t sqlite_commit(struct ctx *ctx, struct sql_tx *tx)
{
	struct sqlite *db = CONTAINER_OF(tx->db, struct sqlite, base);
	if (tx->mode != SQL_READ)
		return sqlite_writer_commit(ctx, &db->writer);
	end_reading(db, tx->connection);
	return OK;
}

static void sqlite_rollback(struct sql_tx *tx)
{
	struct sqlite *db = CONTAINER_OF(tx->db, struct sqlite, base);
	if (tx->mode == SQL_READ)
		end_reading(db, tx->connection);
	else
		sqlite_writer_rollback(&db->writer);
}

static err_t sqlite_lock_migrations(struct ctx *ctx, struct sql_tx *tx)
{
	/* There is one writer, over all processes. */
	return OK;
}

static size_t sqlite_pools(struct sql *base, struct sql_pool ret[SQL_POOLS_MAX])
{
	struct sqlite *db = CONTAINER_OF(base, struct sqlite, base);
	ret[0] = gate_pool(&db->readers, "read", base->connections_max);
	ret[1] = gate_pool(&db->writer.gate, "write", 1);
	return 2;
}

const struct sql_driver sql_driver_sqlite = {
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.exec = sqlite_exec,
	.query = sqlite_query,
	.next = sqlite_next,
	.rows_done = sqlite_rows_done,
	.i64 = sqlite_i64,
	.text = sqlite_text,
	.is_null = sqlite_is_null,
	.prepare = sqlite_prepare,
	.script = sqlite_script,
	.lock_migrations = sqlite_lock_migrations,
	.pools = sqlite_pools,
};
