/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c - see outbox.h. */
#include "jobs/outbox.h"
#include "internal.h"

#include "base/banned.h"

#define PAGE 100

err_t outbox_add(struct ctx *ctx, struct sql_tx *tx, const struct outbox_letter *letter)
{
	const struct job_request wanted = { .kind = letter->kind,
					    .tenant_id = letter->tenant_id,
					    .subject = letter->subject };
	int64_t id;
	CHECK(letter->subject.len);
	TRY(jobs_enqueue(ctx, tx, &wanted, NULL)); /* first: it holds the row that orders them */
	return db_outbox_insert(ctx, tx, letter->kind, letter->subject, letter->payload, &id);
}

struct page {
	const struct job *job;
	struct outbox_row *letters;
	size_t count;
	int64_t told_id;
};

static err_t page_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct page *page = arg;
	return db_outbox_page(ctx, tx, page->job->row.kind, page->job->row.subject, PAGE,
			      &page->letters, &page->count);
}

static err_t told_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct page *page = arg;
	TRY(db_outbox_delete(ctx, tx, page->told_id));
	return page->job->row.attempts > 1 ? db_job_got_on(ctx, tx, &page->job->hold) : OK;
}

static err_t remove_told(struct ctx *ctx, struct job *job, struct page *page, int64_t id)
{
	page->told_id = id;
	TRY(db_run(ctx, job->jobs->options.db, SQL_WRITE, told_body, page));
	job->row.attempts = 1;
	return OK;
}

err_t outbox_drain(struct ctx *ctx, struct job *job, const struct outbox_teller *teller)
{
	struct sql *db = job->jobs->options.db;
	struct page page = { .job = job, .count = PAGE };
	while (page.count) {
		TRY(db_run(ctx, db, SQL_READ, page_body, &page));
		for (size_t i = 0; i < page.count; i++) {
			TRY(ctx_check(ctx));
			TRY(teller->tell(ctx, &page.letters[i], teller->arg));
			TRY(remove_told(ctx, job, &page, page.letters[i].id));
		}
	}
	return OK;
}
