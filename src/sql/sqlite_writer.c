/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_writer.c - many write transactions, one fsync.
 *
 * Write transactions run one after another, in the order they came, as savepoints ("members") of
 * one outer transaction. A member that commits releases its savepoint and leaves. If others wait,
 * it hands them the open outer transaction and waits; if nobody does, it commits the outer one for
 * all. So while one commit waits for the disk the next members queue up, and share the next commit.
 *
 * No member is answered before the outer commit that contains it. A member that rolls back goes
 * back to its savepoint and hurts nobody. What ends the outer transaction (a full disk) fails all
 * its members.
 */
#include "sqlite.h"
#include "base/clock.h"
#include "os/fault.h"

#include <errno.h>

#include "base/banned.h"

/* A batch ends at this many members, or this long after it began: the first member waits for the
 * last. */
#define BATCH_MEMBERS_MAX 256
#define BATCH_AGE_MAX_NS  (10 * CLOCK_MS)

/* A committed member, on its thread's stack until the outer commit is settled. */
struct sqlite_member {
	bool settled;
	int code;  /* SQLite result of the outer commit */
	err_t err; /* and what it means */
	struct sqlite_member *next;
};

void sqlite_writer_init(struct sqlite_writer *writer, struct sql *db,
			struct sqlite_connection *connection,
			struct sqlite_checkpointer *checkpointer)
{
	*writer = (struct sqlite_writer){ .db = db,
					  .connection = connection,
					  .checkpointer = checkpointer };
	gate_init(&writer->gate, 1);
	CHECK(pthread_mutex_init(&writer->lock, NULL) == 0);
	CHECK(pthread_cond_init(&writer->settled, NULL) == 0);
}

void sqlite_writer_done(struct sqlite_writer *writer)
{
	CHECK(!writer->outer_open && !writer->members);
	gate_done(&writer->gate);
	pthread_cond_destroy(&writer->settled);
	pthread_mutex_destroy(&writer->lock);
	sqlite_disconnect(writer->connection);
}

/* The outer transaction. These run inside the gate. */

/* Tells every member of the batch how it ended. */
static void settle(struct sqlite_writer *writer, int code, err_t err)
{
	writer->outer_open = false;
	writer->member_count = 0;
	pthread_mutex_lock(&writer->lock);
	for (struct sqlite_member *member = writer->members; member; member = member->next) {
		member->code = code;
		member->err = err;
		member->settled = true;
	}
	writer->members = NULL;
	pthread_cond_broadcast(&writer->settled);
	pthread_mutex_unlock(&writer->lock);
}

/* An error may have ended the outer transaction on the spot; then its members are lost, too. */
static bool outer_is_lost(const struct sqlite_writer *writer)
{
	return sqlite3_get_autocommit(writer->connection->handle) != 0;
}

static void abandon_outer(struct sqlite_writer *writer, int code)
{
	err_t err = code == SQLITE_OK ? OK : sqlite_error_of(writer->connection, code);
	if (!outer_is_lost(writer))
		sqlite_run(writer->connection, SQL_OWN_ROLLBACK);
	CHECK(outer_is_lost(writer));
	settle(writer, code, err);
}

static int run_outer_commit(struct sqlite_writer *writer)
{
	if (FAULT("sql.commit"))
		return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR;
	return sqlite_run(writer->connection, SQL_OWN_COMMIT);
}

static void commit_outer(struct sqlite_writer *writer)
{
	bool relaxed = writer->outer_relaxed;
	int code = run_outer_commit(writer);
	if (code != SQLITE_OK) {
		abandon_outer(writer, code);
		return;
	}
	settle(writer, SQLITE_OK, OK);
	atomic_fetch_add_explicit(&writer->db->batches, 1, memory_order_relaxed);
	if (!relaxed)
		atomic_fetch_add_explicit(&writer->db->syncs, 1, memory_order_relaxed);
	/* The members are answered already; only who waits for the gate waits for this. */
	sqlite_checkpoint_consider(writer->checkpointer, writer->connection);
}

static void end_outer(struct sqlite_writer *writer)
{
	if (writer->member_count)
		commit_outer(writer);
	else
		abandon_outer(writer, SQLITE_OK);
}

static int open_outer(struct sqlite_writer *writer, bool relaxed)
{
	/* Only possible between transactions: why a durable member cannot join a relaxed batch. */
	if (writer->sync_relaxed != relaxed) {
		int code = sqlite_run(writer->connection,
				      relaxed ? SQL_OWN_SYNC_NORMAL : SQL_OWN_SYNC_FULL);
		if (code != SQLITE_OK)
			return code;
		writer->sync_relaxed = relaxed;
	}
	int code = sqlite_run(writer->connection, SQL_OWN_BEGIN_WRITE);
	if (code != SQLITE_OK)
		return code;
	writer->outer_open = true;
	writer->outer_relaxed = relaxed;
	writer->outer_since_ns = clock_now_ns();
	return SQLITE_OK;
}

/* Leaves the gate. Either somebody takes the open outer transaction over, or it ends here. */
static void leave(struct sqlite_writer *writer)
{
	writer->connection->ctx = NULL;
	if (writer->outer_open) {
		bool full = writer->member_count >= BATCH_MEMBERS_MAX ||
			    clock_now_ns() - writer->outer_since_ns > BATCH_AGE_MAX_NS;
		if (!full && gate_pass(&writer->gate))
			return;
		end_outer(writer);
	}
	gate_leave(&writer->gate);
}

/* Members. */

static int join(struct sqlite_writer *writer, bool relaxed)
{
	/* A relaxed batch commits without the disk, so ending it early for a durable member is
	 * cheap. */
	if (writer->outer_open && writer->outer_relaxed && !relaxed)
		end_outer(writer);
	if (!writer->outer_open) {
		int code = open_outer(writer, relaxed);
		if (code != SQLITE_OK)
			return code;
	}
	return sqlite_run(writer->connection, SQL_OWN_SAVEPOINT);
}

err_t sqlite_writer_begin(struct ctx *ctx, struct sqlite_writer *writer, enum sql_mode mode)
{
	TRY(gate_enter(ctx, &writer->gate, "turn to write"));
	writer->connection->ctx = ctx;
	int code = join(writer, mode != SQL_WRITE);
	if (code == SQLITE_OK)
		return OK;
	err_t err = sqlite_fail(ctx, writer->connection, code, "could not begin to write");
	if (writer->outer_open && outer_is_lost(writer))
		abandon_outer(writer, code);
	leave(writer);
	return err;
}

static void await_settled(struct sqlite_writer *writer, struct sqlite_member *member)
{
	/* No deadline: until the batch is settled nobody can say how this transaction ended. */
	pthread_mutex_lock(&writer->lock);
	while (!member->settled)
		pthread_cond_wait(&writer->settled, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
}

err_t sqlite_writer_commit(struct ctx *ctx, struct sqlite_writer *writer)
{
	int code = sqlite_run(writer->connection, SQL_OWN_RELEASE);
	if (code != SQLITE_OK) {
		err_t err = sqlite_fail(ctx, writer->connection, code, "could not commit");
		sqlite_writer_rollback(writer);
		return err;
	}
	struct sqlite_member member = { 0 };
	pthread_mutex_lock(&writer->lock);
	member.next = writer->members;
	writer->members = &member;
	pthread_mutex_unlock(&writer->lock);
	writer->member_count++;
	leave(writer);

	await_settled(writer, &member);
	if (member.err != OK)
		return fail(ctx, member.err, "could not commit the batch: %s (%d)",
			    sqlite3_errstr(member.code), member.code);
	return OK;
}

void sqlite_writer_rollback(struct sqlite_writer *writer)
{
	struct sqlite_connection *c = writer->connection;
	if (outer_is_lost(writer)) {
		abandon_outer(writer, c->last_error ? c->last_error : SQLITE_ABORT);
	} else {
		int code = sqlite_run(c, SQL_OWN_ROLLBACK_TO);
		if (code == SQLITE_OK)
			code = sqlite_run(c, SQL_OWN_RELEASE);
		if (code != SQLITE_OK)
			abandon_outer(writer, code);
	}
	leave(writer);
}
