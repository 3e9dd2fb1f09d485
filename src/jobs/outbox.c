/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c - see outbox.h. */
#include "jobs/outbox.h"
#include "internal.h"

#include "base/banned.h"

#define PAGE	      100
#define SUBJECTS_PAGE 200
#define DROP_BATCH    1000
#define SWEEP_ARENA   MIB(2)
#define SUBJECT_MAX   KIB(4)
#define SWEPT_KEPT_US (3600 * SECOND_US)

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

/* What took a node along is told alone, so that it is the first letter when it does so again. */
static bool is_enough(const struct page *page)
{
	return page->job->row.losses || page->told_to - page->told_from >= OUTBOX_TOGETHER_MAX ||
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

/* --- what has no job -------------------------------------------------------------------------- */

struct sweeping {
	struct sql *db;
	const struct outbox_sweep *sweep;
	struct buf *after; /* the subject that was looked at last */
	size_t seen;	   /* in the last page */
	str subject;
	size_t count;  /* letters dropped in the last step */
	bool is_whole; /* nothing more is to be done about it */
	int64_t dropped;
};

static err_t drop(struct ctx *ctx, struct sql_tx *tx, struct sweeping *work, int64_t max, str why)
{
	struct outbox_row *letters;
	TRY(db_outbox_page(ctx, tx, work->sweep->kind, work->subject, max, &letters, &work->count));
	for (size_t i = 0; i < work->count; i++) {
		TRY(work->sweep->dropped(ctx, tx, &letters[i], why));
		TRY(db_outbox_delete(ctx, tx, letters[i].id));
	}
	return OK;
}

/* `id` is a new job, `last` the one before. Of many letters some are dropped at a time; until they
 * all are, the newest job is a stopped one again. */
static err_t follow(struct ctx *ctx, struct sql_tx *tx, struct sweeping *work, int64_t id,
		    const struct job_row *last)
{
	struct job_outcome outcome;
	if (last->state == JOB_FAILED)
		return drop(ctx, tx, work, 1, last->error);
	if (last->state != JOB_CANCELLED)
		return OK;
	TRY(drop(ctx, tx, work, DROP_BATCH, STR("stopped")));
	work->is_whole = work->count < DROP_BATCH;
	return db_job_cancel(ctx, tx, id, SWEPT_KEPT_US, &outcome);
}

static err_t subject_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct sweeping *work = arg;
	const struct job_page newest = { .kind = work->sweep->kind,
					 .subject = work->subject,
					 .max = 1 };
	struct job_request wanted = { .kind = newest.kind, .subject = newest.subject };
	struct job_row *last, mine;
	size_t count;
	int64_t id;
	work->count = 0;
	work->is_whole = true;
	TRY(db_job_page(ctx, tx, &newest, &last, &count));
	if (count) {
		wanted.tenant_id = last->tenant_id;
		wanted.lane = last->lane;
	}
	TRY(jobs_enqueue(ctx, tx, &wanted, &id)); /* it holds the row that orders the letters */
	TRY(db_job_get(ctx, tx, id, &mine));
	if (!count || mine.again) /* nothing is known of it, or somebody has asked for it since */
		return OK;
	return follow(ctx, tx, work, id, last);
}

static err_t sweep_subject(struct ctx *ctx, struct sweeping *work)
{
	CLEANUP(arena_done) struct arena own;
	struct arena *before = ctx->arena;
	err_t err = OK;
	arena_init(&own, SWEEP_ARENA);
	ctx->arena = &own;
	work->is_whole = false;
	while (err == OK && !work->is_whole) {
		err = ctx_check(ctx);
		if (err == OK)
			err = db_run(ctx, work->db, SQL_WRITE, subject_body, work);
		if (err == OK)
			work->dropped += (int64_t)work->count;
		arena_reset(&own);
	}
	ctx->arena = before;
	return err;
}

struct subjects {
	str kind, after;
	struct outbox_subject *list;
	size_t count;
};

static err_t subjects_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct subjects *subjects = arg;
	return db_outbox_subjects(ctx, tx, subjects->kind, subjects->after, SUBJECTS_PAGE,
				  &subjects->list, &subjects->count);
}

static err_t sweep_page(struct ctx *ctx, struct sweeping *work)
{
	struct subjects subjects = { .kind = work->sweep->kind, .after = buf_str(work->after) };
	TRY(db_run(ctx, work->db, SQL_READ, subjects_body, &subjects));
	work->seen = subjects.count;
	for (size_t i = 0; i < subjects.count; i++) {
		work->subject = subjects.list[i].name;
		if (!subjects.list[i].has_job)
			TRY(sweep_subject(ctx, work));
	}
	if (subjects.count) {
		buf_clear(work->after);
		buf_add(work->after, work->subject);
	}
	return OK;
}

static err_t sweep_all(struct ctx *ctx, struct sweeping *work)
{
	work->seen = SUBJECTS_PAGE;
	for (; work->seen == SUBJECTS_PAGE; arena_reset(ctx->arena)) {
		TRY(sweep_page(ctx, work));
		CHECK(!buf_overrun(work->after));
	}
	return OK;
}

err_t outbox_sweep(struct ctx *ctx, struct sql *db, const struct outbox_sweep *sweep,
		   int64_t *ret_dropped)
{
	CLEANUP(buf_done) struct buf after = BUF_INIT(SUBJECT_MAX);
	CLEANUP(arena_done) struct arena own;
	struct sweeping work = { .db = db, .sweep = sweep, .after = &after };
	struct arena *before = ctx->arena;
	arena_init(&own, SWEEP_ARENA);
	ctx->arena = &own;
	err_t err = sweep_all(ctx, &work);
	ctx->arena = before;
	*ret_dropped = work.dropped;
	return err;
}
