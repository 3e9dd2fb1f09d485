/* SPDX-License-Identifier: Apache-2.0 */
/* Notes wait without ever making anybody wait for them. */
#include "audit_fixture.h"

static struct audit_queue queue; /* each test is a process of its own */

static struct audit_event pull(const char *resource)
{
	struct audit_event event = SOMEBODY;
	event.type = AUDIT_PULL_ARTIFACT;
	event.resource = str_from(resource);
	return event;
}

static size_t count_of(const struct audit_note *note)
{
	size_t count = 0;
	for (; note; note = note->next)
		count++;
	return count;
}

static void release_all(struct audit_note *note)
{
	for (struct audit_note *next; note; note = next) {
		next = note->next;
		audit_queue_release(&queue, note);
	}
}

Test(audit_queue, notes_alike_become_one_with_a_count)
{
	audit_queue_init(&queue, MIB(1));
	for (int i = 0; i < 1000; i++) {
		struct audit_event event = pull(i % 2 ? "library/a:v1" : "library/b:v1");
		event.request_id = i % 3 ? STR("x") : STR("y"); /* does not tell them apart */
		event.time_us = 1000 + i;
		audit_queue_put(&queue, &event);
	}
	struct audit_note *taken = audit_queue_take(&queue);
	cr_assert_eq(count_of(taken), 2);
	cr_assert_eq(taken->event.count, 500);
	cr_assert_eq(taken->event.time_us, 1000);
	cr_assert_eq(taken->last_us, 1998);
	cr_assert_eq(queue.noted, 1000);
	cr_assert_null(audit_queue_take(&queue));
	release_all(taken);
	cr_assert_eq(queue.bytes, 0);
	audit_queue_done(&queue);
}

Test(audit_queue, notes_that_differ_stay_apart)
{
	audit_queue_init(&queue, MIB(1));
	struct audit_event events[] = {
		SOMEBODY, SOMEBODY, SOMEBODY, SOMEBODY, SOMEBODY, SOMEBODY
	};
	events[1].address = STR("192.0.2.2");
	events[2].user_agent = STR("docker/28");
	events[3].result = AUDIT_DENIED;
	events[4].actor_id++;
	events[5].status = 404;
	for (size_t i = 0; i < COUNT_OF(events); i++)
		audit_queue_put(&queue, &events[i]);
	struct audit_note *taken = audit_queue_take(&queue);
	cr_assert_eq(count_of(taken), COUNT_OF(events));
	release_all(taken);
	audit_queue_done(&queue);
}

Test(audit_queue, is_bounded_and_counts_what_it_drops)
{
	bool hurry = false;
	char name[32];
	audit_queue_init(&queue, KIB(16));
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "library/app:%d", i);
		struct audit_event event = pull(name);
		hurry |= audit_queue_put(&queue, &event);
		cr_assert_leq(queue.bytes, KIB(16));
	}
	struct audit_note *taken = audit_queue_take(&queue);
	size_t kept = count_of(taken);
	cr_assert(hurry && kept > 10 && kept < 100, "%zu", kept);
	cr_assert_eq(queue.dropped, 1000 - kept);
	/* What was taken counts until it is written: a database that hangs fills no memory. */
	struct audit_event event = pull("library/one-more:v1");
	audit_queue_put(&queue, &event);
	cr_assert_null(audit_queue_take(&queue));
	release_all(taken);
	audit_queue_put(&queue, &event);
	release_all(audit_queue_take(&queue));
	audit_queue_done(&queue);
}

static err_t page_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct audit_filter filter = AUDIT_FILTER_NONE;
	struct audit_page page = { .max = 100 };
	struct audit_row *rows;
	size_t count;
	TRY(db_audit_page(ctx, tx, &filter, &page, &rows, &count));
	*(struct audit_row *)arg = count ? rows[0] : (struct audit_row){ 0 };
	return OK;
}

/* The thread writes what waits, and says what was lost. */
AUDIT_TEST(audit_thread, writes_notes_and_tells_of_drops)
{
	char name[64];
	audit_free(f->audit);
	const struct audit_options options = { .db = f->db, .queue_bytes_max = KIB(64) };
	EXPECT_OK(f->ctx, audit_new(f->ctx, &options, &f->audit));
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "library/app:%d", i);
		struct audit_event event = pull(name);
		audit_note(f->audit, &event);
	}
	struct audit_stats stats;
	audit_stats(f->audit, &stats);
	cr_assert(stats.dropped > 0 && stats.queued_bytes <= KIB(64));
	EXPECT_OK(f->ctx, audit_start(f->ctx, f->audit));
	audit_stop(f->audit);
	audit_stats(f->audit, &stats);
	cr_assert_eq(stats.written, 2000 - stats.dropped);
	cr_assert_eq(stats.queued_bytes, 0);
	struct audit_row newest;
	EXPECT_OK(f->ctx, db_run(f->ctx, f->db, SQL_READ, page_body, &newest));
	cr_assert(str_eq(newest.operation, STR("drop")), STR_FMT, STR_ARG(newest.operation));
	snprintf(name, sizeof name, "\"count\":%llu,", (unsigned long long)stats.dropped);
	size_t at;
	cr_assert(str_find(newest.detail, str_from(name), &at), STR_FMT, STR_ARG(newest.detail));
	cr_assert_eq(EXPECT_INTACT(f).waiting, 0);
}
