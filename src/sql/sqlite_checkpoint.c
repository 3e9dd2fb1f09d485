/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_checkpoint.c - keeps the write-ahead log small without making commits wait.
 *
 * A thread moves pages from the log into the database whenever the log has grown by ASK_PAGES. It
 * does not stop writers, and so may never quite catch up with them; when the log is FORCE_PAGES
 * long the writer itself moves the rest, which is little, between two batches. Then the log starts
 * again from its beginning.
 */
#include "sqlite.h"

#include "base/banned.h"

#define ASK_PAGES   1000 /* 4 MB: what SQLite itself would wait for */
#define FORCE_PAGES 8000 /* 32 MB */

static bool await_wanted(struct sqlite_checkpointer *checkpointer)
{
	pthread_mutex_lock(&checkpointer->lock);
	while (!checkpointer->wanted && !checkpointer->stopping)
		pthread_cond_wait(&checkpointer->changed, &checkpointer->lock);
	checkpointer->wanted = false;
	bool stopping = checkpointer->stopping;
	pthread_mutex_unlock(&checkpointer->lock);
	return !stopping;
}

static void *run(void *arg)
{
	struct sqlite_checkpointer *checkpointer = arg;
	struct sqlite_connection *connection = NULL;
	while (await_wanted(checkpointer)) {
		struct ctx ctx;
		ctx_init(&ctx, NULL);
		/* A failure loses nothing: the log keeps the pages, and the next round tries again.
		 */
		if (!connection && sqlite_connect(&ctx, checkpointer->db, checkpointer->path,
						  SQLITE_CHECKPOINTER, &connection) != OK)
			continue;
		sqlite3_wal_checkpoint_v2(connection->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
					  NULL);
	}
	sqlite_disconnect(connection);
	return NULL;
}

static int note_log_pages(void *arg, sqlite3 *handle, const char *name, int pages)
{
	((struct sqlite_checkpointer *)arg)->log_pages = pages;
	return SQLITE_OK;
}

void sqlite_checkpoint_start(struct sqlite_checkpointer *checkpointer,
			     struct sqlite_connection *writer, const char *path)
{
	*checkpointer = (struct sqlite_checkpointer){ .db = writer->db, .path = path };
	sqlite3_wal_hook(writer->handle, note_log_pages, checkpointer);
	CHECK(pthread_mutex_init(&checkpointer->lock, NULL) == 0);
	CHECK(pthread_cond_init(&checkpointer->changed, NULL) == 0);
	CHECK(pthread_create(&checkpointer->thread, NULL, run, checkpointer) == 0);
}

void sqlite_checkpoint_stop(struct sqlite_checkpointer *checkpointer)
{
	pthread_mutex_lock(&checkpointer->lock);
	checkpointer->stopping = true;
	pthread_cond_signal(&checkpointer->changed);
	pthread_mutex_unlock(&checkpointer->lock);
	pthread_join(checkpointer->thread, NULL);
	pthread_cond_destroy(&checkpointer->changed);
	pthread_mutex_destroy(&checkpointer->lock);
}

void sqlite_checkpoint_consider(struct sqlite_checkpointer *checkpointer,
				struct sqlite_connection *writer)
{
	int pages = checkpointer->log_pages;
	if (pages < checkpointer->asked_at_pages)
		checkpointer->asked_at_pages = checkpointer->forced_at_pages = 0;

	/* An old reader can keep the log from being emptied: trying at every commit would not help.
	 */
	if (pages >= FORCE_PAGES && pages - checkpointer->forced_at_pages >= ASK_PAGES) {
		checkpointer->asked_at_pages = checkpointer->forced_at_pages = pages;
		sqlite3_wal_checkpoint_v2(writer->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
					  NULL);
	} else if (pages - checkpointer->asked_at_pages >= ASK_PAGES) {
		checkpointer->asked_at_pages = pages;
		pthread_mutex_lock(&checkpointer->lock);
		checkpointer->wanted = true;
		pthread_cond_signal(&checkpointer->changed);
		pthread_mutex_unlock(&checkpointer->lock);
	}
}
