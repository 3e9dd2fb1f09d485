/* SPDX-License-Identifier: Apache-2.0 */
/* listen.h - hearing what other programs on the same database change. */
#pragma once

#include "sql/sql.h"

/*
 * What other programs on the same database change, told by notifications on one channel
 * (src/db/README.md): before sql_commit() of the change returns, and within some two seconds if
 * whoever made it dies in it. Whoever remembers rows learns by them what to forget, and by `trust`
 * whether that is enough:
 *
 *	SQL_TRUST_KEPT
 *		every change from now on is told. Coming from another state: forget what was read
 *		before, for a change of it may not have been told
 *	SQL_TRUST_NONE
 *		changes are missed: ask the database each time
 *	SQL_TRUST_STALE
 *		no server answers: what is remembered is all there is. For outage_max_ms, then
 *		SQL_TRUST_NONE
 *
 * Both are called by one thread, and may neither wait for the database nor take long. SQLite, which
 * only one program uses, is SQL_TRUST_KEPT at once and tells nothing.
 */
#define SQL_CHANNEL "berth"

enum sql_trust { SQL_TRUST_KEPT, SQL_TRUST_NONE, SQL_TRUST_STALE };

struct sql_listener {
	void (*told)(void *arg, str payload);
	void (*trust)(void *arg, enum sql_trust trust);
	void *arg;
	int64_t outage_max_ms;
};

/* One listener for each database. Returns with SQL_TRUST_NONE told, or SQL_TRUST_KEPT. */
err_t sql_listen(struct ctx *ctx, struct sql *db, const struct sql_listener *listener);
void sql_unlisten(struct sql *db); /* nothing is told after; harmless when nobody listens */
