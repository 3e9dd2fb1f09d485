/* SPDX-License-Identifier: Apache-2.0 */
/* collect.c - see collect.h. */
#include "registry/collect.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/traceparent.h"
#include "collect_dry.h"
#include "db/db.h"
#include "db/project_content.h"
#include "internal.h"
#include "os/fault.h"
#include "os/thread.h"
#include "os/unique.h"
#include "registry/delete.h"
#include "registry/quota.h"
#include "registry/storage.h"
#include "registry/upload_sweep.h"
#include "store/store_remove.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/banned.h"

#define BATCH	   250
#define RUN_ARENA  MIB(16)
#define PUT_OFF_US INT64_C(60000000)
#define STALE_US   INT64_C(120000000) /* as long as a removal may take, and twice that: a bet */
#define REMOVAL_NS (60 * CLOCK_S)
#define WHY_BLOB   "no repository has it"
#define WHY_ALONG  "no repository has it when what has no tag is gone"
#define WHY_LOOSE  "it has no tag, and nothing refers to it"
#define WHY_UPLOAD "its upload is over"

/* One run; each of its workers has its own. */
struct run {
	struct registry *registry;
	const struct collecting *how;
	struct collected done, counted; /* of it, so much is in the registry's sum */
	int64_t started_ns;
	_Atomic(int64_t) *looked; /* of all workers */
	bool tells;		  /* the first worker */
};

/* One turn of taking, condemning, removing and burying. */
struct batch {
	struct run *run;
	str by;
	struct unlinked *unlinked;
	size_t unlinked_count;
	struct condemned *condemned;
	size_t condemned_count, taken;
	int64_t put_off;
};

/* --- counting --------------------------------------------------------------------------------- */

static void add(struct collected *sum, const struct collected *more, int64_t times)
{
	sum->artifacts += times * more->artifacts;
	sum->links += times * more->links;
	sum->blobs += times * more->blobs;
	sum->bytes += times * more->bytes;
	sum->uploads += times * more->uploads;
	sum->put_off += times * more->put_off;
	sum->failed += times * more->failed;
}

/* What a run did since it was here before; a dry run does nothing. */
static void tally(struct run *run)
{
	struct registry_collected *all = &run->registry->collected;
	if (run->how->dry_run)
		return;
	pthread_mutex_lock(&all->lock);
	add(&all->here.sum, &run->done, 1);
	add(&all->here.sum, &run->counted, -1);
	pthread_mutex_unlock(&all->lock);
	run->counted = run->done;
}

static void tally_end(struct registry *registry)
{
	pthread_mutex_lock(&registry->collected.lock);
	registry->collected.here.ended_us = clock_wall_us();
	pthread_mutex_unlock(&registry->collected.lock);
}

void registry_collected(struct registry *registry, struct collected_here *ret)
{
	pthread_mutex_lock(&registry->collected.lock);
	*ret = registry->collected.here;
	pthread_mutex_unlock(&registry->collected.lock);
}

int64_t registry_window_us(const struct registry *registry)
{
	return registry->options.window_ms * 1000;
}

/* --- looking ---------------------------------------------------------------------------------- */

/* By blob: who collects and who pushes lock in one order. */
static int compare(const void *a, const void *b)
{
	const struct blob_link *x = a, *y = b;
	if (x->blob_id != y->blob_id)
		return x->blob_id < y->blob_id ? -1 : 1;
	return (x->of_id > y->of_id) - (x->of_id < y->of_id);
}

static err_t put_off(struct ctx *ctx, struct sql_tx *tx, struct batch *batch,
		     const struct blob_link *link)
{
	batch->put_off++;
	return db_garbage_add_link(ctx, tx, link->of_id, link->blob_id, PUT_OFF_US);
}

/* What is let go, in the order of its blobs. */
struct links {
	struct blob_link list[BATCH];
	size_t count;
};

static void links_add(struct links *links, int64_t blob_id, int64_t of_id)
{
	links->list[links->count++] = (struct blob_link){ blob_id, of_id };
}

static bool links_have(const struct blob_link *list, size_t count, const struct blob_link *link)
{
	return count && bsearch(link, list, count, sizeof *list, compare);
}

/* Those that are not held: somebody relies on them, or they are gone, and their blobs are looked
 * at. */
static err_t look_at_others(struct ctx *ctx, struct sql_tx *tx, struct batch *batch,
			    const struct links *links, const struct links *held,
			    struct links *blobs)
{
	struct blob_link *there;
	size_t count;
	TRY(db_garbage_links(ctx, tx, links->list, links->count, false, &there, &count));
	if (count)
		qsort(there, count, sizeof *there, compare);
	for (size_t i = 0; i < links->count; i++) {
		const struct blob_link *link = &links->list[i];
		if (links_have(held->list, held->count, link))
			continue;
		if (links_have(there, count, link))
			TRY(put_off(ctx, tx, batch, link));
		else
			links_add(blobs, link->blob_id, 0);
	}
	return OK;
}

/* Adds to `blobs` those that a repository has let go of. */
static err_t look_at_links(struct ctx *ctx, struct sql_tx *tx, struct batch *batch,
			   const struct links *links, struct links *blobs)
{
	struct links held = { .count = 0 };
	struct blob_link *found;
	size_t count;
	if (!links->count)
		return OK;
	TRY(db_garbage_links(ctx, tx, links->list, links->count, true, &found, &count));
	for (size_t i = 0; i < count; i++)
		links_add(&held, found[i].blob_id, found[i].of_id);
	qsort(held.list, held.count, sizeof *held.list, compare);
	if (held.count < links->count)
		TRY(look_at_others(ctx, tx, batch, links, &held, blobs));
	if (held.count)
		TRY(db_garbage_unlink(ctx, tx, held.list, held.count, &batch->unlinked,
				      &batch->unlinked_count));
	for (size_t i = 0; i < batch->unlinked_count; i++)
		links_add(blobs, batch->unlinked[i].link.blob_id, 0);
	return OK;
}

static err_t look_at_blobs(struct ctx *ctx, struct sql_tx *tx, struct batch *batch,
			   struct links *blobs)
{
	struct blob_link *undecided;
	size_t count, unique = 0;
	if (!blobs->count)
		return OK;
	qsort(blobs->list, blobs->count, sizeof *blobs->list, compare);
	for (size_t i = 0; i < blobs->count; i++)
		if (!unique || blobs->list[unique - 1].blob_id != blobs->list[i].blob_id)
			blobs->list[unique++] = blobs->list[i];
	TRY(db_garbage_condemn(ctx, tx, blobs->list, unique, batch->by, &undecided, &count));
	for (size_t i = 0; i < count; i++)
		TRY(put_off(ctx, tx, batch, &undecided[i]));
	return OK;
}

static int by_project(const void *a, const void *b)
{
	const struct content_freed *x = a, *y = b;
	return (x->project_id > y->project_id) - (x->project_id < y->project_id);
}

/* Last, and in one order: quotas are what everybody charges. */
static err_t charge(struct ctx *ctx, struct sql_tx *tx, struct batch *batch)
{
	struct links gone = { .count = 0 };
	struct content_freed *freed;
	size_t count;
	for (size_t i = 0; i < batch->unlinked_count; i++)
		links_add(&gone, batch->unlinked[i].link.blob_id, batch->unlinked[i].link.of_id);
	if (!gone.count)
		return OK;
	TRY(db_content_free_links(ctx, tx, gone.list, gone.count, &freed, &count));
	if (count)
		qsort(freed, count, sizeof *freed, by_project);
	for (size_t i = 0; i < count;) {
		struct quota_charge less = { .project_id = freed[i].project_id };
		for (; i < count && freed[i].project_id == less.project_id; i++)
			less.more[QUOTA_STORAGE] -= freed[i].bytes;
		TRY(quota_charge(ctx, tx, batch->run->registry, &less));
	}
	return OK;
}

static err_t look_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct batch *batch = arg;
	struct links *links = ARENA_NEW(ctx->arena, struct links);
	struct links *blobs = ARENA_NEW(ctx->arena, struct links);
	struct blob_link *taken;
	batch->unlinked_count = 0;
	batch->put_off = 0;
	TRY(db_garbage_take(ctx, tx, BATCH, &taken, &batch->taken));
	if (batch->taken)
		qsort(taken, batch->taken, sizeof *taken, compare);
	for (size_t i = 0; i < batch->taken; i++)
		links_add(taken[i].of_id ? links : blobs, taken[i].blob_id, taken[i].of_id);
	TRY(look_at_links(ctx, tx, batch, links, blobs));
	TRY(look_at_blobs(ctx, tx, batch, blobs));
	TRY(db_garbage_condemned(ctx, tx, batch->by, &batch->condemned, &batch->condemned_count));
	return charge(ctx, tx, batch);
}

/* What this node remembers of them; the others are told by the rows. */
static void forget_links(const struct batch *batch)
{
	struct registry *registry = batch->run->registry;
	for (size_t i = 0; i < batch->unlinked_count; i++) {
		digest d;
		if (!digest_parse(batch->unlinked[i].digest_text, &d))
			continue;
		struct cache_key key = key_of_digest('b', batch->unlinked[i].link.of_id, d);
		cache_drop(registry->cache, key_str(&key));
	}
}

/* --- removing --------------------------------------------------------------------------------- */

/* A batch's bytes, storage by storage. */
struct removing {
	struct batch *batch;
	int64_t until_ns;
	bool *taken, *gone; /* of each in the batch */
	blob_name *names;   /* of one storage … */
	size_t *places;	    /* … and where in the batch they are */
	size_t count;
};

static void tell(struct ctx *ctx, struct removing *all, size_t place, err_t err)
{
	struct collected *done = &all->batch->run->done;
	const struct condemned *condemned = &all->batch->condemned[place];
	if (err != OK) {
		LOG(LOG_WARN, "a blob that nobody has could not be removed",
		    LOG_STR("digest", condemned->digest_text),
		    LOG_CSTR("detail", ctx->failure.detail));
		done->failed++;
		return;
	}
	all->gone[place] = true;
	done->blobs++;
	done->bytes += condemned->size_bytes;
}

static void told(struct ctx *ctx, void *arg, const blob_name *name, err_t err)
{
	struct removing *all = arg;
	tell(ctx, all, all->places[name - all->names], err);
}

/* What the batch has of one storage. */
static void take_storage(struct ctx *ctx, struct removing *all, int64_t storage_id)
{
	all->count = 0;
	for (size_t i = 0; i < all->batch->condemned_count; i++) {
		const struct condemned *condemned = &all->batch->condemned[i];
		digest d;
		if (all->taken[i] || condemned->storage_id != storage_id)
			continue;
		all->taken[i] = true;
		if (digest_parse(condemned->digest_text, &d)) {
			all->places[all->count] = i;
			all->names[all->count++] = (blob_name){ d, condemned->edition };
			continue;
		}
		tell(ctx, all, i, fail(ctx, ERR_CORRUPT, "a blob's row has a malformed digest"));
		ctx_forgive(ctx);
	}
}

static err_t remove_of_storage(struct ctx *ctx, struct removing *all, int64_t storage_id)
{
	CLEANUP(storage_put) struct storage *storage = NULL;
	take_storage(ctx, all, storage_id);
	const struct store_removal removal = { .names = all->names,
					       .count = all->count,
					       .until_ns = all->until_ns,
					       .told = told,
					       .arg = all };
	err_t err = storage_get(ctx, all->batch->run->registry, storage_id, &storage);
	if (err == OK)
		return store_blobs_remove(ctx, storage->store, &removal);
	if (err == ERR_STORAGE_ERASED) { /* with its key all of it is gone */
		ctx_forgive(ctx);
		err = OK;
	}
	for (size_t i = 0; i < all->count; i++)
		told(ctx, all, &all->names[i], err);
	ctx_forgive(ctx);
	return OK;
}

/* Those whose bytes are gone stay in the batch; the others stay condemned, for another time. */
static err_t remove_all(struct ctx *ctx, struct batch *batch)
{
	size_t count = batch->condemned_count, gone = 0;
	struct removing all = {
		.batch = batch,
		.until_ns = clock_now_ns() + REMOVAL_NS,
		.taken = ARENA_ARRAY(ctx->arena, bool, count),
		.gone = ARENA_ARRAY(ctx->arena, bool, count),
		.names = ARENA_ARRAY(ctx->arena, blob_name, count),
		.places = ARENA_ARRAY(ctx->arena, size_t, count),
	};
	for (size_t i = 0; i < count; i++) {
		if (all.taken[i])
			continue;
		TRY(ctx_check(ctx));
		if (clock_now_ns() > all.until_ns) /* another one may think that we are not there */
			break;
		TRY(remove_of_storage(ctx, &all, batch->condemned[i].storage_id));
	}
	for (size_t i = 0; i < count; i++)
		if (all.gone[i])
			batch->condemned[gone++] = batch->condemned[i];
	batch->condemned_count = gone;
	return FAULT("collect.removed") ? fail(ctx, ERR_STORAGE, "after removing") : OK;
}

static err_t report(struct ctx *ctx, struct sql_tx *tx, const struct run *run,
		    const struct garbage_freed *freed)
{
	return run->how->job_id ? db_garbage_report(ctx, tx, run->how->job_id, freed) : OK;
}

static err_t bury_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct batch *batch = arg;
	struct links gone = { .count = 0 };
	for (size_t i = 0; i < batch->condemned_count; i++)
		links_add(&gone, batch->condemned[i].id, batch->condemned[i].storage_id);
	const struct garbage_burial burial = {
		.blobs = gone.list,
		.count = gone.count,
		.job_id = batch->run->how->job_id,
		.by = batch->by,
		.why = STR(WHY_BLOB),
	};
	return db_garbage_bury(ctx, tx, &burial);
}

static err_t remove_and_bury(struct ctx *ctx, struct batch *batch)
{
	if (!batch->condemned_count)
		return OK;
	if (FAULT("collect.condemned"))
		return fail(ctx, ERR_STORAGE, "before removing");
	TRY(remove_all(ctx, batch));
	return db_run(ctx, batch->run->registry->db, SQL_WRITE_RELAXED, bury_body, batch);
}

/* --- a run ------------------------------------------------------------------------------------ */

static str name_batch(struct ctx *ctx)
{
	return arena_printf(ctx->arena, "%016llx", (unsigned long long)unique_u64());
}

static void tell_run(const struct run *run)
{
	struct collected so_far = run->done;
	so_far.looked = atomic_load(run->looked);
	if (run->how->tell && run->tells)
		run->how->tell(run->how->arg, &so_far);
}

/* Not faster than it may, and told. */
static err_t pace(struct ctx *ctx, struct run *run)
{
	const struct collected *done = &run->done;
	tally(run);
	tell_run(run);
	int64_t most = run->how->per_second_max / run->how->workers;
	while (most && (done->blobs + done->artifacts) * CLOCK_S / most >
			       clock_now_ns() - run->started_ns) {
		TRY(ctx_check(ctx));
		(void)poll(NULL, 0, 10);
		tell_run(run);
	}
	return ctx_check(ctx);
}

static err_t collect_batch(struct ctx *ctx, struct run *run, bool *ret_more)
{
	struct batch *batch = ARENA_NEW(ctx->arena, struct batch);
	batch->run = run;
	batch->by = name_batch(ctx);
	TRY(db_run(ctx, run->registry->db, SQL_WRITE, look_body, batch));
	forget_links(batch);
	run->done.links += (int64_t)batch->unlinked_count;
	run->done.put_off += batch->put_off;
	atomic_fetch_add(run->looked, (int64_t)batch->taken);
	*ret_more = batch->taken > 0;
	return remove_and_bury(ctx, batch);
}

struct inheritance {
	struct batch *batch;
	int64_t count;
};

static err_t inherit_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct inheritance *left = arg;
	struct batch *batch = left->batch;
	TRY(db_garbage_inherit(ctx, tx, batch->by, STALE_US, BATCH, &left->count));
	return db_garbage_condemned(ctx, tx, batch->by, &batch->condemned, &batch->condemned_count);
}

/* What another collector condemned and did not live to remove. */
static err_t collect_left(struct ctx *ctx, struct run *run)
{
	struct inheritance left = { .count = BATCH };
	while (left.count == BATCH) {
		left.batch = ARENA_NEW(ctx->arena, struct batch);
		left.batch->run = run;
		left.batch->by = name_batch(ctx);
		TRY(db_run(ctx, run->registry->db, SQL_WRITE, inherit_body, &left));
		TRY(remove_and_bury(ctx, left.batch));
		TRY(pace(ctx, run));
		arena_reset(ctx->arena);
	}
	return OK;
}

static err_t collect_due(struct ctx *ctx, struct run *run)
{
	bool more = true;
	while (more) {
		TRY(collect_batch(ctx, run, &more));
		TRY(pace(ctx, run));
		arena_reset(ctx->arena);
	}
	return OK;
}

/* --- untagged artifacts ----------------------------------------------------------------------- */

/* An untagged artifact that goes, or would. */
struct loose {
	const struct run *run;
	const struct loose_artifact *artifact;
	struct immutability rules; /* of its repository, in a dry run */
};

static err_t report_loose(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct loose *loose = arg;
	const struct loose_artifact *artifact = loose->artifact;
	const struct garbage_freed freed = {
		.kind = STR("artifact"),
		.tenant_id = artifact->tenant_id,
		.repository = artifact->repository,
		.digest_text = artifact->digest_text,
		.size_bytes = artifact->size_bytes,
		.why = STR(WHY_LOOSE),
	};
	return report(ctx, tx, loose->run, &freed);
}

static err_t is_still_loose(struct ctx *ctx, struct sql_tx *tx, const struct delete_item *item,
			    void *arg, bool *ret)
{
	const struct loose *loose = arg;
	return db_garbage_is_loose(ctx, tx, item->manifest_id,
				   registry_window_us(loose->run->registry), ret);
}

static err_t loose_gone(struct ctx *ctx, struct sql_tx *tx, const struct delete_item *item,
			void *arg)
{
	struct loose *loose = arg;
	const struct collecting *how = loose->run->how;
	if (how->gone)
		TRY(how->gone(ctx, tx, loose->artifact, how->arg));
	return report_loose(ctx, tx, loose);
}

/* One that has got a tag or a parent meanwhile, or is gone, is none any more. */
static err_t delete_loose(struct ctx *ctx, struct loose *loose, bool *ret)
{
	const struct loose_artifact *artifact = loose->artifact;
	struct delete_item item = { .manifest_id = artifact->id };
	struct delete_batch batch = {
		.project_id = artifact->project_id,
		.repository_id = artifact->repository_id,
		.repository = artifact->repository,
		.how = "gc",
		.items = &item,
		.count = 1,
		.still = is_still_loose,
		.gone = loose_gone,
		.arg = loose,
	};
	if (!digest_parse(artifact->digest_text, &item.digest))
		return fail(ctx, ERR_CORRUPT, "a manifest's row has a malformed digest");
	err_t err = delete_batch(ctx, loose->run->registry, &batch);
	*ret = err == OK && item.gone;
	return err == ERR_ABSENT ? OK : err; /* its repository is gone */
}

static err_t doom_loose(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct loose *loose = arg;
	const struct doom doom = { .job_id = loose->run->how->job_id,
				   .manifest_id = loose->artifact->id,
				   .rules = &loose->rules };
	TRY(report_loose(ctx, tx, arg));
	return doom.job_id ? collect_doom(ctx, tx, &doom) : OK;
}

/* Of another tenant than the job's, as a rule. */
static err_t take_loose_of_tenant(struct ctx *ctx, struct loose *loose, bool *ret)
{
	struct registry *registry = loose->run->registry;
	*ret = true;
	if (!loose->run->how->dry_run)
		return delete_loose(ctx, loose, ret);
	TRY(immutability_find_by_id(ctx, registry, loose->artifact->repository_id, &loose->rules));
	return db_run(ctx, registry->db, SQL_WRITE_RELAXED, doom_loose, loose);
}

static err_t take_loose(struct ctx *ctx, struct run *run, const struct loose_artifact *artifact)
{
	struct loose loose = { .run = run, .artifact = artifact };
	int64_t tenant_id = ctx->tenant_id;
	bool gone;
	ctx->tenant_id = artifact->tenant_id;
	err_t err = take_loose_of_tenant(ctx, &loose, &gone);
	ctx->tenant_id = tenant_id;
	TRY(err);
	run->done.artifacts += gone;
	return OK;
}

struct walk {
	struct run *run;
	int64_t after;
	struct loose_artifact *loose;
	struct would_free *blobs;
	bool only_doomed;
	size_t count;
};

static err_t loose_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct walk *page = arg;
	return db_garbage_loose_page(ctx, tx, page->after, registry_window_us(page->run->registry),
				     BATCH, &page->loose, &page->count);
}

static err_t collect_loose(struct ctx *ctx, struct run *run)
{
	struct walk page = { .run = run, .count = BATCH };
	while (page.count == BATCH) {
		TRY(db_run(ctx, run->registry->db, SQL_READ, loose_body, &page));
		for (size_t i = 0; i < page.count; i++) {
			TRY(take_loose(ctx, run, &page.loose[i]));
			page.after = page.loose[i].id;
		}
		TRY(pace(ctx, run));
		arena_reset(ctx->arena);
	}
	return OK;
}

/* --- uploads that are over -------------------------------------------------------------------- */

struct left_upload {
	const struct run *run;
	struct garbage_freed freed;
};

static err_t report_upload(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct left_upload *left = arg;
	return report(ctx, tx, left->run, &left->freed);
}

static err_t upload_gone(struct ctx *ctx, str id, uint64_t size_bytes, void *arg)
{
	struct run *run = arg;
	struct left_upload left = { run,
				    { .kind = STR("upload"),
				      .digest_text = id,
				      .size_bytes = (int64_t)size_bytes,
				      .why = STR(WHY_UPLOAD) } };
	TRY(db_run(ctx, run->registry->db, SQL_WRITE_RELAXED, report_upload, &left));
	run->done.uploads++;
	return pace(ctx, run);
}

static err_t collect_uploads(struct ctx *ctx, struct run *run)
{
	int64_t count;
	const struct upload_sweep sweep = { run->how->dry_run, upload_gone, run };
	return registry_sweep_uploads(ctx, run->registry, &sweep, &count);
}

/* --- dry runs --------------------------------------------------------------------------------- */

static err_t would_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct walk *page = arg;
	const struct would_free_query query = { .job_id = page->run->how->job_id,
						.after_id = page->after,
						.max = BATCH,
						.only_doomed = page->only_doomed };
	return db_garbage_would_free(ctx, tx, &query, &page->blobs, &page->count);
}

static err_t report_blobs_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct walk *page = arg;
	for (size_t i = 0; i < page->count; i++) {
		const struct would_free *would = &page->blobs[i];
		const struct garbage_freed freed = {
			.kind = STR("blob"),
			.digest_text = would->blob.digest_text,
			.size_bytes = would->blob.size_bytes,
			.why = would->with_doomed ? STR(WHY_ALONG) : STR(WHY_BLOB),
		};
		TRY(report(ctx, tx, page->run, &freed));
	}
	return OK;
}

static err_t report_blobs(struct ctx *ctx, struct run *run, bool only_doomed)
{
	struct walk page = { .run = run, .only_doomed = only_doomed, .count = BATCH };
	while (page.count == BATCH) {
		TRY(db_run(ctx, run->registry->db, SQL_READ, would_body, &page));
		for (size_t i = 0; i < page.count; i++) {
			run->done.blobs++;
			run->done.bytes += page.blobs[i].blob.size_bytes;
			page.after = page.blobs[i].blob.id;
		}
		TRY(db_run(ctx, run->registry->db, SQL_WRITE_RELAXED, report_blobs_body, &page));
		TRY(pace(ctx, run));
		arena_reset(ctx->arena);
	}
	return OK;
}

/* Who was interrupted here before, and begins again, has left something. */
static err_t collect_nothing(struct ctx *ctx, struct run *run)
{
	bool dooms = run->how->untagged && run->how->job_id;
	if (dooms)
		TRY(collect_forget_doomed(ctx, run->registry, run->how->job_id));
	if (run->how->untagged)
		TRY(collect_loose(ctx, run));
	TRY(report_blobs(ctx, run, false));
	if (!dooms)
		return OK;
	TRY(report_blobs(ctx, run, true));
	return collect_forget_doomed(ctx, run->registry, run->how->job_id);
}

/* --- workers ---------------------------------------------------------------------------------- */

/* One that takes from the queue beside the first. */
struct worker {
	pthread_t thread;
	struct run run;
	struct ctx ctx;
	struct trace trace; /* a copy, since each thread is in another step */
	struct arena arena;
	err_t err;
};

static void *work(void *arg)
{
	struct worker *worker = arg;
	const struct log_field about = LOG_I64("job", worker->run.how->job_id);
	log_about(&about, 1);
	worker->err = collect_due(&worker->ctx, &worker->run);
	return NULL;
}

/* With what the run's own has: who holds the job, until when, and whether it is to end. */
static err_t start_worker(struct ctx *ctx, const struct run *run, struct worker *worker)
{
	worker->run = (struct run){ .registry = run->registry,
				    .how = run->how,
				    .looked = run->looked,
				    .started_ns = run->started_ns };
	arena_init(&worker->arena, RUN_ARENA);
	worker->ctx = *ctx;
	worker->ctx.arena = &worker->arena;
	if (ctx->trace) {
		worker->trace = *ctx->trace;
		worker->ctx.trace = &worker->trace;
	}
	err_t err = thread_start(ctx, "collect", work, worker, &worker->thread);
	if (err != OK)
		arena_done(&worker->arena);
	return err;
}

static err_t end_worker(struct ctx *ctx, struct run *run, struct worker *worker)
{
	pthread_join(worker->thread, NULL);
	arena_done(&worker->arena);
	tally(&worker->run);
	add(&run->done, &worker->run.done, 1);
	add(&run->counted, &worker->run.done, 1);
	if (worker->err != OK)
		ctx->failure = worker->ctx.failure;
	return worker->err;
}

/* As many as there is room for: one does it too. */
static err_t collect_together(struct ctx *ctx, struct run *run)
{
	struct worker *others =
		mem_new((size_t)run->how->workers * sizeof *others); /* one more than needed */
	unsigned count = 0;
	while (count + 1 < run->how->workers && start_worker(ctx, run, &others[count]) == OK)
		count++;
	ctx_forgive(ctx);
	err_t err = collect_due(ctx, run);
	while (count) {
		err_t other = end_worker(ctx, run, &others[--count]);
		err = err == OK ? other : err;
	}
	free(others);
	return err;
}

static err_t collect_all(struct ctx *ctx, struct run *run)
{
	if (run->how->uploads)
		TRY(collect_uploads(ctx, run));
	if (run->how->dry_run)
		return collect_nothing(ctx, run);
	if (run->how->untagged)
		TRY(collect_loose(ctx, run));
	TRY(collect_left(ctx, run));
	return collect_together(ctx, run);
}

/* In an arena of its own, which is emptied after each batch. */
err_t registry_collect(struct ctx *ctx, struct registry *registry,
		       const struct collecting *collecting, struct collected *ret)
{
	struct collecting how = *collecting;
	how.workers = MAX(how.workers, 1);
	if (how.per_second_max)
		how.per_second_max = MAX(how.per_second_max, how.workers);
	_Atomic(int64_t) looked = 0;
	struct run run = { .registry = registry,
			   .how = &how,
			   .looked = &looked,
			   .started_ns = clock_now_ns(),
			   .tells = true };
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, RUN_ARENA);
	struct ctx inner = *ctx;
	inner.arena = &arena;
	err_t err = collect_all(&inner, &run);
	*ret = run.done;
	ret->looked = looked;
	tally(&run);
	if (err == OK && !how.dry_run)
		tally_end(registry);
	if (err != OK)
		ctx->failure = inner.failure;
	return err;
}

/* --- what others want to know ------------------------------------------------------------------
 */

struct freed_query {
	int64_t job_id, after;
	size_t max;
	struct garbage_freed **rows;
	size_t *count;
};

static err_t freed_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct freed_query *query = arg;
	return db_garbage_freed_page(ctx, tx, query->job_id, query->after, query->max, query->rows,
				     query->count);
}

err_t registry_freed(struct ctx *ctx, struct registry *registry, int64_t job_id, int64_t after,
		     size_t max, struct garbage_freed **ret, size_t *ret_count)
{
	struct freed_query query = { job_id, after, max, ret, ret_count };
	return db_run(ctx, registry->db, SQL_READ, freed_body, &query);
}

static err_t count_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_garbage_count(ctx, tx, arg);
}

err_t registry_garbage(struct ctx *ctx, struct registry *registry, struct garbage_count *ret)
{
	return db_run(ctx, registry->db, SQL_READ, count_body, ret);
}
