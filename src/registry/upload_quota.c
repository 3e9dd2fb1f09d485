/* SPDX-License-Identifier: Apache-2.0 */
/* upload_quota.c - see upload_quota.h. */
#include "upload_quota.h"
#include "base/clock.h"
#include "db/db.h"
#include "db/project_content.h"
#include "db/upload.h"
#include "internal.h"
#include "registry/quota.h"
#include "settings/system.h"

#include "base/banned.h"

/* --- whether there is a limit ----------------------------------------------------------------- */

struct hint {
	uint64_t generation; /* of this node's changes */
	int64_t read_at_ns;
	int64_t room_bytes;
	bool limited;
};

struct hint_work {
	struct registry *registry;
	int64_t repository_id;
};

static err_t load_hint(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	const struct hint_work *work = arg;
	struct hint *hint = ret;
	*hint = (struct hint){ .generation = atomic_load(&work->registry->quota_generation),
			       .read_at_ns = clock_now_ns() };
	return db_quota_room(ctx, tx, work->repository_id, &hint->room_bytes, &hint->limited);
}

err_t upload_quota_is_limited(struct ctx *ctx, const struct upload *up, bool *ret)
{
	static const struct cached_kind kind = { load_hint, sizeof(struct hint) };
	struct registry *registry = up->registry;
	const struct hint_work work = { registry, up->repository_id };
	struct cache_key key = key_in_repository('q', up->repository_id, STR_NONE);
	for (int tries = 0;; tries++) {
		struct hint hint;
		TRY(registry_cached(ctx, registry, &key, &kind, &work, &hint));
		bool old = hint.generation != atomic_load(&registry->quota_generation) ||
			   clock_now_ns() - hint.read_at_ns > QUOTA_HINT_S * CLOCK_S;
		if (!old || tries) {
			*ret = hint.limited && system_bool(registry->options.settings,
							   SYSTEM_QUOTA_PER_PROJECT_ENABLE);
			return OK;
		}
		cache_drop(registry->cache, key_str(&key));
	}
}

/* --- reserving -------------------------------------------------------------------------------- */

struct reserve_work {
	struct upload *up;
	int64_t more_bytes;
};

static err_t reserve_in(struct ctx *ctx, struct sql_tx *tx, const struct upload *up,
			int64_t more_bytes)
{
	const struct quota_charge charge = { .repository_id = up->repository_id,
					     .more_reserved_bytes = more_bytes };
	err_t err = db_upload_reserve(ctx, tx, up->id, more_bytes);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "upload ended meanwhile");
	TRY(err);
	return quota_charge(ctx, tx, up->registry, &charge);
}

static err_t reserve_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct reserve_work *work = arg;
	return reserve_in(ctx, tx, work->up, work->more_bytes);
}

static err_t reserve(struct ctx *ctx, struct upload *up, uint64_t total_bytes)
{
	struct reserve_work work = { up, (int64_t)total_bytes - up->reserved_bytes };
	if (work.more_bytes <= 0)
		return OK;
	TRY(db_run(ctx, up->registry->db, SQL_WRITE_RELAXED, reserve_body, &work));
	up->reserved_bytes += work.more_bytes;
	return OK;
}

/* Up to a whole step, or as much as is needed now. */
static err_t reserve_step(struct ctx *ctx, struct upload *up, uint64_t total_bytes,
			  uint64_t step_bytes)
{
	uint64_t steps = total_bytes / step_bytes + (total_bytes % step_bytes != 0);
	err_t err = reserve(ctx, up, steps * step_bytes);
	if (err == ERR_QUOTA) {
		ctx_forgive(ctx);
		err = reserve(ctx, up, total_bytes);
	}
	return err;
}

static err_t find_room(struct ctx *ctx, struct upload *up, int64_t *ret_room_bytes)
{
	bool limited;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, up->registry, &tx));
	return db_quota_room(ctx, &tx, up->repository_id, ret_room_bytes, &limited);
}

static err_t grant(struct ctx *ctx, struct upload *up, uint64_t total_bytes, uint64_t step_bytes)
{
	int64_t room_bytes;
	if (total_bytes > UPLOAD_RESERVE_BYTES) {
		TRY(reserve_step(ctx, up, total_bytes, step_bytes));
		up->granted_bytes = (uint64_t)up->reserved_bytes;
		return OK;
	}
	TRY(find_room(ctx, up, &room_bytes));
	int64_t most = room_bytes + up->reserved_bytes;
	if (most < (int64_t)total_bytes) { /* says what does not fit, unless it does by now */
		TRY(reserve(ctx, up, total_bytes));
		most = (int64_t)total_bytes;
	}
	up->granted_bytes = MIN((uint64_t)most, UPLOAD_RESERVE_BYTES);
	return OK;
}

static err_t project_has(struct ctx *ctx, const struct upload *up, digest d, bool *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, up->registry, &tx));
	return db_content_has_blob(ctx, &tx, up->repository_id, d, ret);
}

static err_t grant_limited(struct ctx *ctx, struct upload *up, uint64_t total_bytes,
			   uint64_t step_bytes, const digest *want)
{
	bool limited, has = false;
	if (total_bytes <= MAX(up->granted_bytes, UPLOAD_UNASKED_BYTES))
		return OK;
	TRY(upload_quota_is_limited(ctx, up, &limited));
	if (limited && want)
		TRY(project_has(ctx, up, *want, &has));
	if (limited && !has)
		return grant(ctx, up, total_bytes, step_bytes);
	up->granted_bytes = UINT64_MAX;
	return OK;
}

err_t upload_quota_grant(struct ctx *ctx, struct upload *up, uint64_t total_bytes)
{
	return grant_limited(ctx, up, total_bytes, UPLOAD_RESERVE_BYTES, NULL);
}

err_t upload_quota_announce(struct ctx *ctx, struct upload *up, uint64_t total_bytes,
			    const digest *want)
{
	return grant_limited(ctx, up, total_bytes, 1, want);
}

err_t upload_quota_settle(struct ctx *ctx, struct sql_tx *tx, const struct upload *up, digest d)
{
	int64_t more_bytes = (int64_t)up->file.size_bytes - up->reserved_bytes;
	bool has;
	TRY(db_content_has_blob(ctx, tx, up->repository_id, d, &has));
	return has || more_bytes <= 0 ? OK : reserve_in(ctx, tx, up, more_bytes);
}
