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
					    .subject = letter->subject,
					    .lane = letter->lane };
	int64_t id;
	CHECK(letter->subject.len);
	TRY(jobs_enqueue(ctx, tx, &wanted, NULL)); /* first: it holds the row that orders them */
	return db_outbox_insert(ctx, tx, letter->kind, letter->subject, letter->payload, &id);
}

struct page {
	struct job *job;
	const struct outbox_teller *teller;
	struct outbox_row *letters;
	size_t count;
	size_t told_from, told_to; /* told, and not removed */
	int64_t told_ns;	   /* since when */
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
	for (size_t i = page->told_from; i < page->told_to; i++)
		TRY(db_outbox_delete(ctx, tx, page->letters[i].id));
	if (page->teller->told)
		TRY(page->teller->told(ctx, tx, page->teller->arg));
	return page->job->row.attempts > 1 ? db_job_got_on(ctx, tx, &page->job->hold) : OK;
}

static err_t remove_told(struct ctx *ctx, struct page *page)
{
	if (page->told_from == page->told_to)
		return OK;
	TRY(db_run(ctx, page->job->jobs->options.db, SQL_WRITE, told_body, page));
	page->job->row.attempts = 1;
	page->told_from = page->told_to;
	if (page->teller->removed)
		page->teller->removed(page->teller->arg);
	return OK;
}

static bool is_enough(const struct page *page)
{
	return page->told_to - page->told_from >= OUTBOX_TOGETHER_MAX ||
	       clock_now_ns() - page->told_ns > OUTBOX_TOGETHER_MS * CLOCK_MS;
}

static err_t tell_one(struct ctx *ctx, struct page *page, size_t at)
{
	TRY(ctx_check(ctx));
	TRY(page->teller->tell(ctx, &page->letters[at], page->teller->arg));
	if (page->told_from == page->told_to)
		page->told_ns = clock_now_ns();
	page->told_to = at + 1;
	return is_enough(page) ? remove_told(ctx, page) : OK;
}

static err_t tell_page(struct ctx *ctx, struct page *page)
{
	page->told_from = page->told_to = 0;
	for (size_t i = 0; i < page->count; i++) {
		err_t err = tell_one(ctx, page, i);
		if (err == OK)
			continue;
		struct failure failure = ctx->failure;
		ctx_forgive(ctx);
		(void)remove_told(ctx, page); /* what was told before it */
		ctx->failure = failure;
		return err;
	}
	return remove_told(ctx, page);
}

err_t outbox_drain(struct ctx *ctx, struct job *job, const struct outbox_teller *teller)
{
	struct page page = { .job = job, .teller = teller, .count = PAGE };
	while (page.count) {
		TRY(db_run(ctx, job->jobs->options.db, SQL_READ, page_body, &page));
		TRY(tell_page(ctx, &page));
	}
	return OK;
}
