/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres_watch.h - the connection beside the pool that hears notifications and knows how the
 * servers are; private to sql. What it tells is described at sql_listen() in sql.h.
 *
 * One thread, one connection. It listens where that is possible (a standby cannot), and asks every
 * WATCH_BEAT_MS whether the server would take a write, so a promotion, a demotion and a database
 * that was made read-only are known without a failed request. An answer that does not come within
 * WATCH_ANSWER_MS is a loss, as a closed connection is at once.
 */
#pragma once

#include "postgres_servers.h"

#define WATCH_BEAT_MS	1000
#define WATCH_ANSWER_MS 2000
#define WATCH_PAUSE_MS	100 /* before an attempt to connect again */

struct postgres_watch;

err_t postgres_watch_start(struct ctx *ctx, struct sql *db, struct postgres_servers *servers,
			   const struct sql_listener *listener, struct postgres_watch **ret);
void postgres_watch_stop(struct postgres_watch *watch); /* NULL is fine */
