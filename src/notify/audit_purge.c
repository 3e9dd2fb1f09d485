/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_purge.c - see audit_purge.h. Fault point: audit.purge.
 *
 * The types are merged by time, each from a page of its own; a batch is then put into the order of
 * the chain, in which neighbours are removed together.
 */
#include "notify/audit_purge.h"
#include "audit_chain.h"
#include "audit_gap.h"
#include "internal.h"

#include "base/clock.h"
#include "codec/json_writer.h"
#include "db/db.h"
#include "db/job.h"
#include "os/fault.h"

#include <stdlib.h>

#include "base/banned.h"

#define SOURCE_ROWS	100
#define BATCH_ROWS	250
#define CHECKPOINT_ROWS 250
#define WORK_BYTES_MAX	MIB(64)
#define DETAIL_MAX	KIB(8)
#define SECOND_US	INT64_C(1000000)

/* Old records of one type: a page of them. */
struct source {
	enum audit_type type;
	struct audit_old rows[SOURCE_ROWS];
	size_t at, count;
	struct audit_place after;
	bool drained;
};

struct purging {
	struct audit *audit;
	const struct audit_purge *wanted;
	struct source *sources;
	size_t source_count;

	struct audit_old batch[BATCH_ROWS];
	enum audit_type batch_types[BATCH_ROWS]; /* while it is in the order of times */
	size_t batch_count;

	struct audit_purged done;	/* of what was committed */
	struct audit_purged batch_done; /* of the transaction at hand */
	bool told;			/* the purge has a record */
};

/* --- what is old ------------------------------------------------------------------------------ */

struct filling {
	const struct purging *work;
	struct source *source;
};

static err_t fill_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct filling *filling = arg;
	struct source *source = filling->source;
	const struct audit_type_info *type = audit_type_info(source->type);
	const struct audit_old_page page = {
		.operation = type->operation,
		.resource_type = type->resource_type,
		.until_us = filling->work->done.older_than_us,
		.after = source->after,
		.max = SOURCE_ROWS,
	};
	struct audit_old *rows;
	TRY(db_audit_old_page(ctx, tx, &page, &rows, &source->count));
	for (size_t i = 0; i < source->count; i++)
		source->rows[i] = rows[i];
	return OK;
}

static err_t fill(struct ctx *ctx, const struct purging *work, struct source *source)
{
	struct filling filling = { work, source };
	if (source->at < source->count || source->drained)
		return OK;
	TRY(db_run(ctx, work->audit->options.db, SQL_READ, fill_body, &filling));
	source->at = 0;
	source->drained = source->count < SOURCE_ROWS;
	if (source->count)
		source->after = source->rows[source->count - 1].at;
	return OK;
}

static bool is_before(const struct audit_place *a, const struct audit_place *b)
{
	return a->time_us < b->time_us || (a->time_us == b->time_us && a->id < b->id);
}

/* The one with the oldest record; NULL: there are no more. */
static err_t oldest(struct ctx *ctx, struct purging *work, struct source **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < work->source_count; i++) {
		struct source *source = &work->sources[i];
		TRY(fill(ctx, work, source));
		if (source->at < source->count &&
		    (!*ret ||
		     is_before(&source->rows[source->at].at, &(*ret)->rows[(*ret)->at].at)))
			*ret = source;
	}
	return OK;
}

static int by_place(const void *a, const void *b)
{
	int64_t left = ((const struct audit_old *)a)->seq,
		right = ((const struct audit_old *)b)->seq;
	return left < right ? -1 : left > right;
}

static err_t next_batch(struct ctx *ctx, struct purging *work)
{
	struct source *source = NULL;
	for (work->batch_count = 0; work->batch_count < BATCH_ROWS; work->batch_count++) {
		TRY(oldest(ctx, work, &source));
		if (!source)
			break;
		work->batch_types[work->batch_count] = source->type;
		work->batch[work->batch_count] = source->rows[source->at++];
	}
	return OK;
}

/* --- removing ----------------------------------------------------------------------------------
 */

/* Places that follow one another, none of them behind the last checkpoint, and what is known of
 * them. */
struct run {
	int64_t first, last;
	struct audit_sealed *sealed; /* also of the place before, if it is there */
	size_t sealed_at, sealed_count;
	struct audit_checkpoint *signs;
	size_t sign_at, sign_count;
	bool joins; /* `gap` ends right before */
	struct audit_gap_claims gap;
	str before; /* the hash of the place before; empty: nobody knows */
};

static err_t find_gap(struct ctx *ctx, struct sql_tx *tx, const struct purging *work, int64_t seq,
		      struct audit_gap_claims *ret)
{
	struct audit_gap gap;
	TRY(db_audit_gap_find(ctx, tx, seq, &gap));
	return audit_gap_verify(ctx, work->audit->keys, &gap, ret) ? OK : ERR_ABSENT;
}

static err_t find_before(struct ctx *ctx, struct sql_tx *tx, const struct purging *work,
			 struct run *run)
{
	run->before = run->first == 1 ? audit_hash_none : STR_NONE;
	if (run->first == 1)
		return OK;
	if (run->sealed_count && run->sealed[0].seal.seq == run->first - 1) {
		run->before = run->sealed[0].seal.hash;
		run->sealed_at = 1;
		return OK;
	}
	err_t err = find_gap(ctx, tx, work, run->first - 1, &run->gap);
	run->joins = err == OK && run->gap.last == run->first - 1;
	if (run->joins)
		run->before = run->gap.hash;
	return err == ERR_ABSENT ? OK : err;
}

static err_t read_run(struct ctx *ctx, struct sql_tx *tx, const struct purging *work,
		      struct run *run)
{
	size_t places = (size_t)(run->last - run->first + 1);
	TRY(db_audit_seal_page(ctx, tx, run->first - 2, places + 1, &run->sealed,
			       &run->sealed_count));
	TRY(db_audit_checkpoint_page(ctx, tx, run->first - 1, CHECKPOINT_ROWS, &run->signs,
				     &run->sign_count));
	return find_before(ctx, tx, work, run);
}

static bool is_signed(struct ctx *ctx, const struct purging *work, str token, int64_t seq, str hash)
{
	struct audit_checkpoint_claims claims;
	str payload;
	if (jws_verify(ctx, work->audit->keys, token, &payload) != OK) {
		ctx_forgive(ctx);
		return false;
	}
	return audit_checkpoint_read(ctx->arena, payload, &claims) && claims.seq == seq &&
	       str_eq(claims.hash, hash);
}

/* Whether a place is what the hash before it, its own and a checkpoint of it say. */
static bool is_whole(struct ctx *ctx, const struct purging *work, struct run *run, str before,
		     const struct audit_sealed *sealed)
{
	const struct audit_seal *seal = &sealed->seal;
	if (!sealed->has_row)
		return false;
	if (seal->salt.len &&
	    !str_eq(audit_hash_personal(ctx->arena, seal->salt, &sealed->row), seal->personal))
		return false;
	str hash = audit_hash_chain(ctx->arena, before, seal->seq, &sealed->row, seal->personal);
	if (!str_eq(hash, seal->hash))
		return false;
	while (run->sign_at < run->sign_count && run->signs[run->sign_at].seq < seal->seq)
		run->sign_at++;
	return run->sign_at == run->sign_count || run->signs[run->sign_at].seq != seal->seq ||
	       is_signed(ctx, work, run->signs[run->sign_at].token, seal->seq, hash);
}

static void count(struct purging *work, const struct audit_row *row)
{
	enum audit_type type;
	work->batch_done.records++;
	if (audit_type_find_by(row->operation, row->resource_type, &type))
		work->batch_done.by_type[type]++;
}

/* A gap for the places, made one with those it meets. */
static err_t put_gap(struct ctx *ctx, struct sql_tx *tx, const struct purging *work,
		     struct audit_gap_claims claims, const struct run *run)
{
	struct audit_gap_claims next;
	struct audit_gap gap;
	if (run->joins) {
		TRY(db_audit_gap_delete(ctx, tx, run->gap.first));
		claims.first = run->gap.first;
		claims.before = run->gap.before;
	}
	err_t err = find_gap(ctx, tx, work, claims.last + 1, &next);
	if (err == OK && next.first == claims.last + 1 && str_eq(next.before, claims.hash)) {
		TRY(db_audit_gap_delete(ctx, tx, next.first));
		claims.last = next.last;
		claims.hash = next.hash;
	} else if (err != OK && err != ERR_ABSENT) {
		return err;
	}
	gap.first = claims.first;
	gap.last = claims.last;
	claims.time_us = clock_wall_us();
	TRY(jws_sign(ctx, work->audit->keys, audit_gap_write(ctx->arena, &claims), &gap.token));
	return db_audit_gap_insert(ctx, tx, &gap);
}

/* Removes as many from the front of a run as are whole. `*ret_next` is the place behind them. */
static err_t remove_whole(struct ctx *ctx, struct sql_tx *tx, struct purging *work, struct run *run,
			  int64_t *ret_next)
{
	struct audit_gap_claims claims = { .first = run->first };
	int64_t seq = run->first;
	claims.before = claims.hash = run->before;
	for (size_t i = run->sealed_at; run->before.len && i < run->sealed_count; i++, seq++) {
		const struct audit_sealed *sealed = &run->sealed[i];
		if (sealed->seal.seq != seq || seq > run->last ||
		    !is_whole(ctx, work, run, claims.hash, sealed))
			break;
		claims.hash = sealed->seal.hash;
		count(work, &sealed->row);
	}
	*ret_next = seq;
	if (seq == run->first)
		return OK;
	claims.last = seq - 1;
	TRY(db_audit_remove(ctx, tx, claims.first, claims.last));
	return put_gap(ctx, tx, work, claims, run);
}

static err_t remove_run(struct ctx *ctx, struct sql_tx *tx, struct purging *work, int64_t first,
			int64_t last)
{
	struct audit_purged *done = &work->batch_done;
	while (first <= last) {
		struct run run = { .first = first, .last = last };
		int64_t next;
		TRY(read_run(ctx, tx, work, &run));
		TRY(remove_whole(ctx, tx, work, &run, &next));
		if (next <= last) {
			done->differing++;
			if (!done->first_differing)
				done->first_differing = next;
			next++;
		}
		first = next;
	}
	return OK;
}

static err_t tell(struct ctx *ctx, struct sql_tx *tx, const struct purging *work, bool at_end);

static err_t batch_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct purging *work = arg;
	struct audit_chain chain;
	work->batch_done = (struct audit_purged){ 0 };
	TRY(db_audit_chain_wait(ctx, tx, &chain));
	for (size_t i = 0, end; i < work->batch_count; i = end) {
		int64_t first = work->batch[i].seq, last = first;
		for (end = i + 1; end < work->batch_count && work->batch[end].seq == last + 1;
		     end++)
			last++;
		TRY(remove_run(ctx, tx, work, first, MIN(last, chain.checkpoint_seq)));
	}
	if (work->batch_done.records && !work->told)
		TRY(tell(ctx, tx, work, false));
	return FAULT("audit.purge") ? fail_errno(ctx, ERR_DATABASE, "could not purge") : OK;
}

/* --- its records ------------------------------------------------------------------------------ */

static void write_types(struct json_writer *w, const struct purging *work)
{
	json_write_array_begin(w, "types");
	for (size_t i = 0; i < work->source_count; i++)
		json_write_str(w, NULL, audit_type_info(work->sources[i].type)->name);
	json_write_array_end(w);
}

static void write_counts(struct json_writer *w, const struct audit_purged *done)
{
	json_write_i64(w, "records", done->records);
	json_write_i64(w, "differing", done->differing);
	json_write_object_begin(w, "by_type");
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		if (done->by_type[type])
			json_write_i64(w, audit_type_info(type)->name.ptr, done->by_type[type]);
	json_write_object_end(w);
}

static err_t tell(struct ctx *ctx, struct sql_tx *tx, const struct purging *work, bool at_end)
{
	char time[CLOCK_RFC3339_MAX];
	struct audit_event event = *work->wanted->by;
	CLEANUP(buf_done) struct buf after = BUF_INIT(DETAIL_MAX);
	struct json_writer w = JSON_WRITER(&after);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "older_than", clock_rfc3339(work->done.older_than_us, time));
	if (at_end)
		write_counts(&w, &work->done);
	else
		write_types(&w, work);
	json_write_object_end(&w);
	event.type = AUDIT_PURGE_AUDIT;
	event.resource = at_end ? STR("end") : STR("begin");
	event.after = buf_str(&after);
	return audit_write(ctx, work->audit, tx, &event);
}

static err_t tell_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return tell(ctx, tx, arg, true);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void add(struct audit_purged *sum, const struct audit_purged *more)
{
	sum->records += more->records;
	sum->differing += more->differing;
	if (!sum->first_differing)
		sum->first_differing = more->first_differing;
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		sum->by_type[type] += more->by_type[type];
}

static err_t do_batch(struct ctx *ctx, struct purging *work)
{
	if (work->wanted->dry_run) {
		work->batch_done = (struct audit_purged){ .records = (int64_t)work->batch_count };
		for (size_t i = 0; i < work->batch_count; i++)
			work->batch_done.by_type[work->batch_types[i]]++;
	} else {
		qsort(work->batch, work->batch_count, sizeof *work->batch, by_place);
		TRY(db_run(ctx, work->audit->options.db, SQL_WRITE, batch_body, work));
		work->told |= work->batch_done.records > 0;
	}
	add(&work->done, &work->batch_done);
	if (work->wanted->progress)
		work->wanted->progress(work->wanted->arg, &work->done);
	return OK;
}

static err_t now_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_job_now(ctx, tx, arg);
}

static err_t begin(struct ctx *ctx, struct purging *work)
{
	int64_t now_us;
	if (!work->audit->keys)
		return fail(ctx, ERR_CONFIG, "no key signs what a purge of the audit trail leaves");
	TRY(db_run(ctx, work->audit->options.db, SQL_READ, now_body, &now_us));
	work->done.older_than_us = now_us - work->wanted->older_than_s * SECOND_US;
	work->sources = ARENA_ARRAY(ctx->arena, struct source, AUDIT_TYPE_COUNT);
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		if (audit_types_has(&work->wanted->types, type) && audit_type_info(type)->optional)
			work->sources[work->source_count++].type = type;
	return OK;
}

/* With a ctx for each batch, which lets go of what it read. */
static err_t all_batches(struct ctx *ctx, struct purging *work)
{
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, WORK_BYTES_MAX);
	for (work->batch_count = BATCH_ROWS; work->batch_count == BATCH_ROWS; arena_reset(&arena)) {
		struct ctx batch = *ctx;
		batch.arena = &arena;
		err_t err = ctx_check(&batch);
		err = err == OK ? next_batch(&batch, work) : err;
		err = err == OK && work->batch_count ? do_batch(&batch, work) : err;
		ctx->failure = batch.failure;
		TRY(err);
	}
	return OK;
}

err_t audit_purge(struct ctx *ctx, struct audit *audit, const struct audit_purge *wanted,
		  struct audit_purged *ret)
{
	struct purging *work = ARENA_NEW(ctx->arena, struct purging);
	work->audit = audit;
	work->wanted = wanted;
	TRY(begin(ctx, work));
	TRY(all_batches(ctx, work));
	if (work->told)
		TRY(db_run(ctx, audit->options.db, SQL_WRITE, tell_body, work));
	*ret = work->done;
	return OK;
}
