/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres_servers.h - the servers that a connection string names, which of them may write, and
 * when to try again; private to sql.
 *
 * `postgresql://one,two,three/berth` names three, of which one is the primary and the others are
 * standbys that can be read. Nobody tells us which: a new connection asks the server it reached.
 * The one that could write last is asked first. So a new primary is found without a change of the
 * options, and while there is none a standby is read. `target_session_attrs` plays no part.
 *
 * Each server has POSTGRES_SERVER_MAX_NS to let us in: one that swallows packets must not use up
 * the time of the others; half of it at most is for looking up its name (postgres_hosts.h). When
 * none lets us in (or, for who wants to write, none can), the next attempt is made after 100 ms,
 * then 200, 400 … 2 s, each less up to a half by chance, so that many nodes do not come at once.
 * Until then, and while somebody tries, whoever needs a connection is refused at once: nobody waits
 * in vain.
 *
 * What was found counts for all: `generation` grows when it changes, and connections of a former
 * one are closed when their transaction ends.
 */
#pragma once

#include "postgres.h"

#define POSTGRES_SERVER_MAX_NS	(3 * CLOCK_S)
#define POSTGRES_BACKOFF_MIN_MS 100
#define POSTGRES_BACKOFF_MAX_MS 2000

/* One server; NULL fields are left to libpq. */
struct postgres_server {
	char *host, *address, *port;
};

/* Trying again, for one purpose. */
struct postgres_attempts {
	unsigned failures; /* in a row */
	bool trying;	   /* somebody does, while failures */
	int64_t next_ns;
};

struct postgres_servers {
	char *location;
	struct postgres_server *list; /* one without fields when the string names none */
	size_t count;

	pthread_mutex_t lock;
	size_t newest; /* which let us in last */
	struct postgres_attempts reading, writing;
	_Atomic(enum sql_reach) reach;
	_Atomic(unsigned) generation;
};

/* Splits the string; one that does not parse is one server: connecting says what is wrong. */
void postgres_servers_init(struct postgres_servers *servers, const char *location);
void postgres_servers_done(struct postgres_servers *servers);

/*
 * A new connection: to a server that can write, or, unless `writes`, to any. ERR_DATABASE when none
 * lets us in; ERR_DATABASE_READ_ONLY when none can write; both set ctx->retry_after_s.
 */
err_t postgres_servers_connect(struct ctx *ctx, const struct sql *db,
			       struct postgres_servers *servers, bool writes,
			       struct postgres_connection **ret);

/* Fails as postgres_servers_connect() would without trying, while it is known that nobody can
 * write. */
err_t postgres_servers_check_writes(struct ctx *ctx, struct postgres_servers *servers);

/* What somebody found out; a change is written to the log. */
void postgres_servers_found(struct postgres_servers *servers, enum sql_reach reach);
