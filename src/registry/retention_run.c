/* SPDX-License-Identifier: Apache-2.0 */
/* retention_run.c - see retention.h: a run through the repositories of a project. */
#include "base/clock.h"
#include "db/db.h"
#include "internal.h"
#include "registry/delete.h"
#include "registry/event.h"
#include "retention_internal.h"

#include "base/banned.h"

#define REPOSITORY_PAGE	  100
#define BATCH_MEMORY_MAX  MIB(64)
#define POLICY_MEMORY_MAX MIB(16)
#define PAGE_BYTES	  KIB(256)
#define LINES_BYTES_MAX	  MIB(2) /* one line more than that */

struct work {
	struct registry *registry;
	const struct retention_run *run;
	int64_t project_id;
	struct retention_policy *policy;
	/* What is done with each repository; `*ret_on` false ends the walk. */
	err_t (*visit)(struct ctx *ctx, struct work *work, struct retention_set *set, bool *ret_on);
	int64_t visited, total;
	bool something, stays; /* of looking whether everything would go */
};

/* --- the walk --------------------------------------------------------------------------------- */

static err_t visit_one(struct ctx *ctx, struct work *work,
		       const struct retention_repository *repository, bool *ret_on)
{
	CLEANUP(arena_done) struct arena arena;
	struct arena *outer = ctx->arena;
	struct retention_set set;
	arena_init(&arena, RETENTION_MEMORY_MAX);
	ctx->arena = &arena;
	err_t err = retention_load(ctx, work->registry, work->policy, repository, &set);
	if (err == OK)
		err = work->visit(ctx, work, &set, ret_on);
	ctx->arena = outer;
	return err;
}

/* Some may have come meanwhile. Who only looks has nobody to tell. */
static void tell_progress(const struct work *work)
{
	if (work->run && work->run->progress)
		work->run->progress(work->visited, MAX(work->total, work->visited), work->run->arg);
}

static err_t next_repositories(struct ctx *ctx, struct work *work, str after,
			       struct retention_repository **ret, size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, work->registry, &tx));
	return db_retention_repositories(ctx, &tx, work->project_id, after, REPOSITORY_PAGE, ret,
					 ret_count);
}

static err_t walk_pages(struct ctx *ctx, struct work *work, struct arena *page)
{
	char last[512] = "";
	bool on = true;
	for (;;) {
		struct retention_repository *list;
		size_t count;
		arena_reset(page);
		TRY(next_repositories(ctx, work, arena_copy(page, str_from(last)), &list, &count));
		for (size_t i = 0; i < count && on; i++) {
			TRY(ctx_check(ctx));
			TRY_CTX(ctx, visit_one(ctx, work, &list[i], &on), STR_FMT,
				STR_ARG(list[i].name));
			work->visited++;
			tell_progress(work);
		}
		if (!count || !on)
			return OK;
		str name = list[count - 1].name;
		CHECK(name.len < sizeof last);
		for (size_t i = 0; i <= name.len; i++)
			last[i] = i < name.len ? name.ptr[i] : '\0';
	}
}

static err_t walk(struct ctx *ctx, struct work *work)
{
	CLEANUP(arena_done) struct arena page;
	struct arena *outer = ctx->arena;
	arena_init(&page, POLICY_MEMORY_MAX);
	ctx->arena = &page;
	err_t err = walk_pages(ctx, work, &page);
	ctx->arena = outer;
	return err;
}

/* --- everything ------------------------------------------------------------------------------- */

static err_t look(struct ctx *ctx, struct work *work, struct retention_set *set, bool *ret_on)
{
	(void)ctx;
	if (set->untouched) /* what it holds is not read, and stays */
		work->stays = true;
	for (size_t i = 0; i < set->count; i++) {
		work->something = true;
		work->stays = work->stays || set->candidates[i].stays;
	}
	*ret_on = !work->stays;
	return OK;
}

static err_t would_empty(struct ctx *ctx, struct registry *registry, int64_t project_id, str rules,
			 bool *ret)
{
	struct work work = { .registry = registry,
			     .project_id = project_id,
			     .policy = ARENA_NEW(ctx->arena, struct retention_policy),
			     .visit = look };
	TRY(retention_parse(ctx, rules, work.policy));
	TRY(walk(ctx, &work));
	*ret = work.something && !work.stays;
	return OK;
}

struct trial {
	int64_t project_id;
	str rules;
	bool tried;
};

static err_t find_trial(struct ctx *ctx, struct registry *registry, struct trial *trial)
{
	struct retention_row row;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = db_retention_of_project(ctx, &tx, ctx->tenant_id, trial->project_id, &row);
	trial->tried =
		err == OK && row.tried_version == row.version && str_eq(row.rules, trial->rules);
	return err == ERR_ABSENT ? OK : err;
}

err_t retention_check(struct ctx *ctx, struct registry *registry, int64_t project_id, str rules)
{
	struct trial trial = { .project_id = project_id, .rules = rules };
	bool empty;
	TRY(find_trial(ctx, registry, &trial));
	if (trial.tried)
		return OK;
	TRY(would_empty(ctx, registry, project_id, rules, &empty));
	if (empty)
		return fail(ctx, ERR_RETENTION_EMPTIES,
			    "these rules would delete everything in the project: run them dry "
			    "first, or force it");
	return OK;
}

static err_t write_trial(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct trial *trial = arg;
	return db_retention_tried(ctx, tx, trial->project_id, trial->rules);
}

/* --- deleting --------------------------------------------------------------------------------- */

struct batch {
	struct work *work;
	struct retention_set *set;
	size_t at[RETENTION_BATCH]; /* the candidate of each item */
	struct delete_item items[RETENTION_BATCH];
	size_t count;
};

static struct retention_subject *subject_of(const struct batch *batch,
					    const struct delete_item *item)
{
	return &batch->set->subjects[batch->at[item - batch->items]];
}

/* As it was when it was decided about, tags and all. */
static bool is_same(const struct retention_subject *subject, const struct retention_state *now)
{
	const struct retention_artifact *then = subject->artifact;
	int64_t ids = 0, pushed_at_us = 0, pulled_at_us = 0;
	for (size_t i = 0; i < subject->tag_count; i++) {
		ids += subject->tags[i].id;
		pushed_at_us = MAX(pushed_at_us, subject->tags[i].pushed_at_us);
		pulled_at_us = MAX(pulled_at_us, subject->tags[i].pulled_at_us);
	}
	return !now->runs && now->tags == (int64_t)subject->tag_count && now->tag_ids == ids &&
	       now->tag_pushed_at_us == pushed_at_us && now->tag_pulled_at_us == pulled_at_us &&
	       now->pushed_at_us == then->pushed_at_us && now->pulled_at_us == then->pulled_at_us;
}

static err_t is_still_so(struct ctx *ctx, struct sql_tx *tx, const struct delete_item *item,
			 void *arg, bool *ret)
{
	const struct batch *batch = arg;
	const struct retention_subject *subject = subject_of(batch, item);
	struct retention_state now;
	if (!item->tag.len) {
		TRY(db_retention_state(ctx, tx, item->manifest_id, ctx->tenant_id, clock_wall_us(),
				       &now));
		*ret = is_same(subject, &now);
		return OK;
	}
	for (size_t i = 0; i < subject->tag_count; i++) {
		const struct retention_tag *then = &subject->tags[i];
		struct retention_tag tag;
		if (!str_eq(then->name, item->tag))
			continue;
		TRY(db_retention_tag_state(ctx, tx, batch->set->repository.id, item->tag, &tag));
		*ret = tag.manifest_id == item->manifest_id &&
		       tag.pushed_at_us == then->pushed_at_us &&
		       tag.pulled_at_us == then->pulled_at_us;
	}
	return OK;
}

static err_t record(struct ctx *ctx, struct sql_tx *tx, const struct delete_item *item, void *arg)
{
	const struct batch *batch = arg;
	const struct retention_run *run = batch->work->run;
	const struct retention_gone gone = {
		.project_id = run->project_id,
		.repository = batch->set->repository.name,
		.digest = item->digest,
		.tag = item->tag,
		.reason = retention_reason_text(
			ctx->arena, batch->set->policy,
			&batch->set->candidates[batch->at[item - batch->items]]),
	};
	return run->gone(ctx, tx, &gone, run->arg);
}

static void mark(struct retention_subject *subject, const struct delete_item *item)
{
	subject->failed = subject->failed || !item->gone;
	subject->all_failed = subject->all_failed || (!item->gone && !item->tag.len);
}

static err_t flush(struct ctx *ctx, struct batch *batch)
{
	struct delete_batch deletes = {
		.project_id = batch->work->project_id,
		.repository_id = batch->set->repository.id,
		.repository = batch->set->repository.name,
		.how = "retention",
		.items = batch->items,
		.count = batch->count,
		.still = is_still_so,
		.gone = record,
		.arg = batch,
	};
	if (!batch->count)
		return OK;
	TRY(ctx_check(ctx));
	CLEANUP(arena_done) struct arena arena;
	struct arena *outer = ctx->arena;
	arena_init(&arena, BATCH_MEMORY_MAX);
	ctx->arena = &arena;
	err_t err = delete_batch(ctx, batch->work->registry, &deletes);
	ctx->arena = outer;
	TRY(err);
	for (size_t i = 0; i < batch->count; i++)
		mark(subject_of(batch, &batch->items[i]), &batch->items[i]);
	batch->count = 0;
	return OK;
}

static err_t add(struct ctx *ctx, struct batch *batch, size_t at, str tag)
{
	const struct retention_artifact *artifact = batch->set->subjects[at].artifact;
	if (batch->count == RETENTION_BATCH)
		TRY(flush(ctx, batch));
	struct delete_item item = { .manifest_id = artifact->id, .tag = tag };
	if (!digest_parse(artifact->digest_text, &item.digest))
		return fail(ctx, ERR_CORRUPT, "manifest row has a malformed digest");
	batch->at[batch->count] = at;
	batch->items[batch->count++] = item;
	return OK;
}

/* An artifact that nothing keeps. What an index names has only its tags taken. */
static err_t add_artifact(struct ctx *ctx, struct batch *batch, size_t at)
{
	const struct retention_subject *subject = &batch->set->subjects[at];
	if (!subject->artifact->parents)
		return add(ctx, batch, at, STR_NONE);
	for (size_t i = 0; i < subject->tag_count; i++)
		TRY(add(ctx, batch, at, subject->tags[i].name));
	return OK;
}

/* Of a policy of tags: the candidates from `at` on that are tags of one artifact. Without the last
 * of them it goes itself. */
static err_t add_tags(struct ctx *ctx, struct batch *batch, size_t at, size_t count)
{
	const struct retention_set *set = batch->set;
	size_t going = 0;
	for (size_t i = at; i < at + count; i++)
		going += !set->candidates[i].stays;
	if (going == count && !set->subjects[at].artifact->parents)
		return add(ctx, batch, at, STR_NONE);
	for (size_t i = at; i < at + count; i++)
		if (!set->candidates[i].stays)
			TRY(add(ctx, batch, i, set->subjects[i].tag->name));
	return OK;
}

static err_t delete_all(struct ctx *ctx, struct work *work, struct retention_set *set)
{
	struct batch *batch = ARENA_NEW(ctx->arena, struct batch);
	batch->work = work;
	batch->set = set;
	for (size_t at = 0; at < set->count;) {
		size_t count = set->subjects[at].tag ? set->subjects[at].tag_count : 1;
		if (set->subjects[at].tag)
			TRY(add_tags(ctx, batch, at, count));
		else if (!set->candidates[at].stays)
			TRY(add_artifact(ctx, batch, at));
		at += count;
	}
	return flush(ctx, batch);
}

/* --- what it did ------------------------------------------------------------------------------ */

/* A whole artifact that went stands for all candidates that are tags of it. */
static bool failed(const struct retention_set *set, size_t at)
{
	const struct retention_subject *subject = &set->subjects[at];
	size_t first = subject->tag ? at - (size_t)(subject->tag - subject->tags) : at;
	return subject->failed || (subject->tag && set->subjects[first].all_failed);
}

bool retention_stayed(const struct retention_set *set, size_t at)
{
	return set->candidates[at].stays || failed(set, at);
}

static void write_line(struct arena *arena, struct json_writer *w, const struct retention_set *set,
		       size_t at)
{
	const struct retention_candidate *c = &set->candidates[at];
	char when[CLOCK_RFC3339_MAX];
	bool skipped = !c->stays && failed(set, at);
	json_write_object_begin(w, NULL);
	json_write_str(w, "digest", set->subjects[at].artifact->digest_text);
	json_write_array_begin(w, "tags");
	for (size_t i = 0; i < MIN(c->tag_count, RETENTION_LINE_TAGS); i++)
		json_write_str(w, NULL, c->tags[i]);
	json_write_array_end(w);
	json_write_array_begin(w, "labels");
	for (size_t i = 0; i < c->label_count; i++)
		json_write_str(w, NULL, c->labels[i]);
	json_write_array_end(w);
	json_write_str(w, "pushed_at", clock_rfc3339(c->pushed_at_us, when));
	if (c->pulled_at_us)
		json_write_str(w, "pulled_at", clock_rfc3339(c->pulled_at_us, when));
	json_write_str(w, "action",
		       c->stays ? STR("retain") : (skipped ? STR("skip") : STR("delete")));
	json_write_str(w, "reason",
		       skipped ? STR("it changed meanwhile, is immutable, or an index has it")
			       : retention_reason_text(arena, set->policy, c));
	if (c->reason == RETENTION_BY_RULE)
		json_write_i64(w, "rule", (int64_t)c->rule + 1);
	json_write_object_end(w);
}

struct page {
	int64_t task_id, number;
	size_t from; /* its first candidate */
	str lines;
};

static err_t page_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct page *page = arg;
	return db_retention_page_insert(ctx, tx, page->task_id, page->number, page->lines);
}

static err_t write_page(struct ctx *ctx, struct work *work, const struct retention_set *set,
			struct page *page)
{
	CLEANUP(arena_done) struct arena arena;
	CLEANUP(buf_done) struct buf text = BUF_INIT(LINES_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&text);
	arena_init(&arena, POLICY_MEMORY_MAX);
	json_write_array_begin(&w, NULL);
	size_t end = MIN(page->from + RETENTION_PAGE_LINES, set->count);
	while (page->from < end && text.len < PAGE_BYTES)
		write_line(&arena, &w, set, page->from++);
	json_write_array_end(&w);
	if (buf_overrun(&text))
		return fail(ctx, ERR_LIMIT, "what is said of one page of artifacts is too long");
	page->lines = buf_str(&text);
	return db_run(ctx, work->registry->db, SQL_WRITE_RELAXED, page_body, page);
}

static err_t begin_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_retention_task_insert(ctx, tx, arg);
}

struct finish {
	const struct retention_run *run;
	const struct retention_set *set;
	struct retention_task *task;
	struct event_plan plan;
};

static err_t finish_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct finish *finish = arg;
	TRY(db_retention_task_finish(ctx, tx, finish->task));
	return retention_add_event(ctx, tx, &finish->plan, finish->run, finish->set, finish->task);
}

static err_t do_it(struct ctx *ctx, struct work *work, struct retention_set *set,
		   struct retention_task *task)
{
	if (!work->run->dry)
		TRY(delete_all(ctx, work, set));
	for (size_t i = 0; i < set->count; i++)
		task->retained += retention_stayed(set, i);
	task->total = (int64_t)set->count;
	for (struct page page = { .task_id = task->id }; page.from < set->count; page.number++)
		TRY(write_page(ctx, work, set, &page));
	return OK;
}

/* One that failed is said to have, and ends the run. */
static err_t visit(struct ctx *ctx, struct work *work, struct retention_set *set, bool *ret_on)
{
	struct retention_task task = { .job_id = work->run->job_id,
				       .repository = set->repository.name,
				       .state = RETENTION_RUNS,
				       .started_at_us = clock_wall_us() };
	struct finish finish = { .run = work->run, .set = set, .task = &task };
	*ret_on = true;
	if (set->untouched)
		return OK;
	TRY(event_plan_in(ctx, work->registry, WEBHOOK_EVENT_RETENTION, work->project_id,
			  &finish.plan));
	TRY(db_run(ctx, work->registry->db, SQL_WRITE, begin_body, &task));
	err_t err = do_it(ctx, work, set, &task);
	task.state = err == OK ? RETENTION_DONE : RETENTION_FAILED;
	task.finished_at_us = clock_wall_us();
	struct failure failure = ctx->failure;
	finish.plan.wanted = finish.plan.wanted && err == OK;
	err_t finished = db_run(ctx, work->registry->db, SQL_WRITE, finish_body, &finish);
	if (err != OK) {
		ctx->failure = failure;
		return err;
	}
	TRY(finished);
	event_told(&finish.plan);
	work->run->done(&task, work->run->arg);
	return OK;
}

static err_t forget_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_retention_task_delete_of_job(ctx, tx, *(int64_t *)arg);
}

static err_t count_repositories(struct ctx *ctx, struct work *work)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, work->registry, &tx));
	return db_retention_repository_count(ctx, &tx, work->project_id, &work->total);
}

err_t retention_run(struct ctx *ctx, struct registry *registry, const struct retention_run *run)
{
	struct work work = { .registry = registry,
			     .run = run,
			     .project_id = run->project_id,
			     .policy = ARENA_NEW(ctx->arena, struct retention_policy),
			     .visit = visit };
	int64_t job_id = run->job_id;
	TRY(retention_parse(ctx, run->rules, work.policy));
	if (!run->dry && !run->forced)
		TRY(retention_check(ctx, registry, run->project_id, run->rules));
	/* What it did before another node went on with it. */
	TRY(db_run(ctx, registry->db, SQL_WRITE, forget_body, &job_id));
	TRY(count_repositories(ctx, &work));
	TRY(walk(ctx, &work));
	if (!run->dry)
		return OK;
	struct trial trial = { .project_id = run->project_id, .rules = run->rules };
	return db_run(ctx, registry->db, SQL_WRITE, write_trial, &trial);
}
