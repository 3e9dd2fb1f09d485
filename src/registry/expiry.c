/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.c - see expiry.h. */
#include "registry/expiry.h"
#include "base/clock.h"
#include "db/db.h"
#include "internal.h"
#include "registry/delete.h"

#include "base/banned.h"

#define PAGE	   100
#define SECOND_US  INT64_C(1000000)
#define HOUR_US	   (3600 * SECOND_US)
#define TAGS_MAX   50 /* of one artifact in one transaction */
#define MEMORY_MAX MIB(64)

int64_t expiry_time(const struct expiry *expiry, int64_t set_at_us)
{
	return expiry->at_us ? expiry->at_us : set_at_us + expiry->after_s * SECOND_US;
}

err_t expiry_remember(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
		      const struct expiry *expiry)
{
	if (!expiry->after_s && !expiry->at_us)
		return OK;
	return db_expiry_insert(ctx, tx, manifest_id, expiry, expiry_time(expiry, clock_wall_us()));
}

/* --- one that is due -------------------------------------------------------------------------- */

struct work {
	struct registry *registry;
	const struct expiry_run *run;
	const struct expiry_row *row;
	int64_t now_us;
	digest digest;
	struct retention_tag *tags;
	size_t tag_count, expired;
	bool runs;
	struct delete_item items[TAGS_MAX];
	size_t item_count;
};

static err_t load(struct ctx *ctx, struct work *work)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, work->registry, &tx));
	TRY(db_expiry_tags(ctx, &tx, work->row->manifest_id, &work->tags, &work->tag_count));
	for (size_t i = 0; i < work->tag_count; i++)
		work->expired +=
			expiry_time(&work->row->expiry, work->tags[i].pushed_at_us) <= work->now_us;
	return digest_parse(work->row->digest_text, &work->digest)
		       ? OK
		       : fail(ctx, ERR_CORRUPT, "manifest row has a malformed digest");
}

/* As it was when it was found to be due; nothing of it was tagged again, and nobody runs it. */
static err_t is_still_due(struct ctx *ctx, struct sql_tx *tx, const struct delete_item *item,
			  void *arg, bool *ret)
{
	struct work *work = arg;
	struct retention_state now;
	TRY(db_retention_state(ctx, tx, item->manifest_id, ctx->tenant_id, work->now_us, &now));
	work->runs = now.runs;
	if (!item->tag.len) {
		int64_t latest_us = now.tags ? now.tag_pushed_at_us : now.pushed_at_us;
		*ret = !now.runs && now.tags == (int64_t)work->tag_count &&
		       expiry_time(&work->row->expiry, latest_us) <= work->now_us;
		return OK;
	}
	struct retention_tag tag;
	TRY(db_retention_tag_state(ctx, tx, work->row->repository_id, item->tag, &tag));
	*ret = !now.runs && tag.manifest_id == item->manifest_id &&
	       expiry_time(&work->row->expiry, tag.pushed_at_us) <= work->now_us;
	return OK;
}

static err_t record(struct ctx *ctx, struct sql_tx *tx, const struct delete_item *item, void *arg)
{
	const struct work *work = arg;
	const struct retention_gone gone = {
		.project_id = work->row->project_id,
		.repository = work->row->repository,
		.digest = item->digest,
		.tag = item->tag,
		.reason = STR("its time is over"),
	};
	return work->run->gone(ctx, tx, &gone, work->run->arg);
}

static void add(struct work *work, str tag)
{
	work->items[work->item_count++] = (struct delete_item){
		.manifest_id = work->row->manifest_id, .digest = work->digest, .tag = tag
	};
}

static void choose(struct work *work)
{
	bool all = work->tag_count ? work->expired == work->tag_count
				   : expiry_time(&work->row->expiry, work->row->pushed_at_us) <=
					     work->now_us;
	if (all && !work->row->parents) {
		add(work, STR_NONE);
		return;
	}
	for (size_t i = 0; i < work->tag_count && work->item_count < TAGS_MAX; i++)
		if (expiry_time(&work->row->expiry, work->tags[i].pushed_at_us) <= work->now_us)
			add(work, work->tags[i].name);
}

/* What is left of it is looked at again when the next tag expires; one that has none, no later than
 * a tag that is set from now on would. */
static int64_t next_time(const struct work *work)
{
	const struct expiry *expiry = &work->row->expiry;
	int64_t next_us = INT64_MAX;
	int64_t later_us = expiry->after_s ? expiry->after_s * SECOND_US : HOUR_US;
	if (work->runs)
		return work->now_us + HOUR_US;
	for (size_t i = 0; i < work->tag_count; i++) {
		int64_t at_us = expiry_time(expiry, work->tags[i].pushed_at_us);
		if (at_us > work->now_us)
			next_us = MIN(next_us, at_us);
	}
	if (work->expired > work->item_count) /* more than one transaction takes */
		next_us = work->now_us + SECOND_US;
	return MIN(next_us, work->now_us + later_us);
}

static err_t put_off_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct work *work = arg;
	return db_expiry_put_off(ctx, tx, work->row->manifest_id, next_time(work));
}

static err_t expire(struct ctx *ctx, struct work *work)
{
	TRY(load(ctx, work));
	choose(work);
	struct delete_batch batch = { .project_id = work->row->project_id,
				      .repository_id = work->row->repository_id,
				      .repository = work->row->repository,
				      .how = "expiry",
				      .items = work->items,
				      .count = work->item_count,
				      .still = is_still_due,
				      .gone = record,
				      .arg = work };
	if (batch.count)
		TRY(delete_batch(ctx, work->registry, &batch));
	if (work->runs)
		work->run->kept(work->row->repository, work->row->digest_text,
				"a cluster reports that it runs", work->run->arg);
	if (batch.count && batch.items[0].gone && !batch.items[0].tag.len)
		return OK;
	return db_run(ctx, work->registry->db, SQL_WRITE_RELAXED, put_off_body, work);
}

/* --- all of them ------------------------------------------------------------------------------ */

static err_t find_due(struct ctx *ctx, struct registry *registry, int64_t now_us,
		      struct expiry_row **ret, size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_expiry_due(ctx, &tx, now_us, PAGE, ret, ret_count);
}

static err_t expire_page(struct ctx *ctx, struct registry *registry, const struct expiry_run *run,
			 size_t *ret_count)
{
	struct expiry_row *rows;
	int64_t now_us = clock_wall_us();
	TRY(find_due(ctx, registry, now_us, &rows, ret_count));
	for (size_t i = 0; i < *ret_count; i++) {
		struct work *work = ARENA_NEW(ctx->arena, struct work);
		*work = (struct work){
			.registry = registry, .run = run, .row = &rows[i], .now_us = now_us
		};
		TRY(ctx_check(ctx));
		ctx->tenant_id = rows[i].tenant_id;
		TRY_CTX(ctx, expire(ctx, work), STR_FMT "@" STR_FMT, STR_ARG(rows[i].repository),
			STR_ARG(rows[i].digest_text));
	}
	return OK;
}

err_t expiry_run(struct ctx *ctx, struct registry *registry, const struct expiry_run *run)
{
	size_t count = PAGE;
	while (count == PAGE) {
		CLEANUP(arena_done) struct arena arena;
		struct arena *outer = ctx->arena;
		arena_init(&arena, MEMORY_MAX);
		ctx->arena = &arena;
		err_t err = expire_page(ctx, registry, run, &count);
		ctx->arena = outer;
		TRY(err);
	}
	return OK;
}

err_t expiry_list(struct ctx *ctx, struct registry *registry, const struct expiry_row *after,
		  int64_t max, struct expiry_row **ret, size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_expiry_page(ctx, &tx, after, max, ret, ret_count);
}

err_t expiry_tags(struct ctx *ctx, struct registry *registry, int64_t manifest_id,
		  struct retention_tag **ret, size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_expiry_tags(ctx, &tx, manifest_id, ret, ret_count);
}
