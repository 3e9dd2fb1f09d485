/* SPDX-License-Identifier: Apache-2.0 */
/* collect_dry.c - see collect_dry.h. */
#include "collect_dry.h"
#include "db/db.h"
#include "db/garbage.h"
#include "internal.h"

#include "base/banned.h"

#define FORGET_BATCH 1000

/* Manifests that are to be looked at: last in, first out. */
struct waiting {
	struct waiting *next;
	int64_t manifest_id;
};

static err_t wait(struct ctx *ctx, struct waiting **waiting, int64_t manifest_id)
{
	struct waiting *one = arena_try(ctx->arena, sizeof *one);
	if (!one)
		return fail(ctx, ERR_LIMIT, "more accessories than fit into memory");
	*one = (struct waiting){ *waiting, manifest_id };
	*waiting = one;
	return OK;
}

/* An accessory goes with its tags, unless a rule keeps one of them. */
static err_t add_followers(struct ctx *ctx, struct sql_tx *tx, const struct doom *doom,
			   int64_t manifest_id, struct waiting **waiting)
{
	struct doomed_follower *followers;
	size_t count;
	TRY(db_garbage_doom_followers(ctx, tx, doom->job_id, manifest_id, &followers, &count));
	for (size_t i = 0; i < count; i++) {
		bool kept = false;
		if (followers[i].tags && doom->rules->count)
			TRY(immutability_keeps(ctx, tx, doom->rules, followers[i].manifest_id,
					       &kept));
		if (!kept)
			TRY(wait(ctx, waiting, followers[i].manifest_id));
	}
	return OK;
}

err_t collect_doom(struct ctx *ctx, struct sql_tx *tx, const struct doom *doom)
{
	struct waiting *waiting = NULL;
	TRY(wait(ctx, &waiting, doom->manifest_id));
	while (waiting) {
		int64_t manifest_id = waiting->manifest_id;
		bool is_new;
		waiting = waiting->next;
		TRY(db_garbage_doom(ctx, tx, doom->job_id, manifest_id, &is_new));
		if (is_new)
			TRY(add_followers(ctx, tx, doom, manifest_id, &waiting));
	}
	return OK;
}

struct forgetting {
	int64_t job_id, count;
};

static err_t forget_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct forgetting *work = arg;
	return db_garbage_forget_doomed(ctx, tx, work->job_id, FORGET_BATCH, &work->count);
}

err_t collect_forget_doomed(struct ctx *ctx, struct registry *registry, int64_t job_id)
{
	struct forgetting work = { job_id, 1 };
	while (work.count)
		TRY(db_run(ctx, registry->db, SQL_WRITE_RELAXED, forget_body, &work));
	return OK;
}
