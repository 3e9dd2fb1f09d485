/* SPDX-License-Identifier: Apache-2.0 */
/* quota.c - see quota.h. */
#include "registry/quota.h"
#include "db/db.h"
#include "db/project.h"
#include "db/project_content.h"
#include "db/tenant.h"
#include "internal.h"
#include "settings/system.h"

#include "base/banned.h"

#define LOOKS	   2 /* after a charge */
#define PASSED_MAX 1000

const char *quota_resource_text(enum quota_resource resource)
{
	static const char *const texts[] = {
#define QUOTA_TEXT(name, text) text,
		QUOTA_RESOURCES(QUOTA_TEXT)
#undef QUOTA_TEXT
	};
	return texts[resource];
}

/* "4.5 GiB"; a count is itself. */
static str amount_text(struct ctx *ctx, enum quota_resource resource, int64_t amount)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double shown = (double)amount;
	size_t unit = 0;
	if (resource != QUOTA_STORAGE)
		return arena_printf(ctx->arena, "%lld", (long long)amount);
	for (; shown >= 1024 && unit + 1 < COUNT_OF(units); unit++)
		shown /= 1024;
	return arena_printf(ctx->arena, unit ? "%.1f %s" : "%.0f %s", shown, units[unit]);
}

/* Which of its limits it was: the first that does not hold. */
static err_t refuse(struct ctx *ctx, struct sql_tx *tx, const struct quota_charge *charge,
		    const struct quota_charged *charged)
{
	bool of_project = charged->refused_by == QUOTA_PROJECT;
	struct quota quota;
	TRY(db_quota_get(ctx, tx, charged->refused_by,
			 of_project ? charged->project_id : charged->tenant_id, &quota));
	for (enum quota_resource i = 0; i < QUOTA_RESOURCE_COUNT; i++) {
		int64_t reserved = i == QUOTA_STORAGE ? quota.reserved_bytes : 0;
		int64_t more =
			charge->more[i] + (i == QUOTA_STORAGE ? charge->more_reserved_bytes : 0);
		if (more <= 0 || quota.limit[i] < 0 ||
		    more <= quota.limit[i] - quota.used[i] - reserved)
			continue;
		return fail(ctx, ERR_QUOTA,
			    "adding " STR_FMT
			    " of %s resource, which when updated to current usage of " STR_FMT
			    " will exceed the configured upper limit of " STR_FMT "%s",
			    STR_ARG(amount_text(ctx, i, more)), quota_resource_text(i),
			    STR_ARG(amount_text(ctx, i, quota.used[i] + reserved)),
			    STR_ARG(amount_text(ctx, i, quota.limit[i])),
			    of_project ? "" : " of the tenant");
	}
	return fail(ctx, ERR_QUOTA, "the quota of the %s is used up",
		    of_project ? "project" : "tenant");
}

int64_t quota_default(const struct registry *registry)
{
	const struct system_settings *settings = registry->options.settings;
	return system_bool(settings, SYSTEM_QUOTA_PER_PROJECT_ENABLE)
		       ? system_i64(settings, SYSTEM_STORAGE_PER_PROJECT)
		       : QUOTA_UNLIMITED;
}

static bool is_nothing(const struct quota_charge *charge)
{
	bool nothing = !charge->more_reserved_bytes;
	for (size_t i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		nothing &= !charge->more[i];
	return nothing;
}

err_t quota_charge(struct ctx *ctx, struct sql_tx *tx, struct registry *registry,
		   const struct quota_charge *charge)
{
	struct quota_charge work = *charge;
	struct quota_charged charged;
	if (is_nothing(charge))
		return OK;
	work.even_beyond =
		!system_bool(registry->options.settings, SYSTEM_QUOTA_PER_PROJECT_ENABLE);
	err_t err = db_quota_charge(ctx, tx, &work, &charged);
	if (err == OK && charged.limited)
		atomic_store(&registry->quota_looks, LOOKS);
	return err == ERR_EXISTS ? refuse(ctx, tx, &work, &charged) : err;
}

/* --- thresholds ------------------------------------------------------------------------------- */

struct passed_work {
	int64_t warning_percent;
	struct quota *passed;
	size_t count;
	int64_t percent; /* of the one being reported */
};

static err_t passed_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct passed_work *work = arg;
	return db_quota_passed(ctx, tx, work->warning_percent, PASSED_MAX, &work->passed,
			       &work->count);
}

static err_t warn_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct passed_work *work = arg;
	return db_quota_warn(ctx, tx, work->passed, work->percent);
}

static int64_t threshold_of(const struct quota *quota, int64_t warning_percent)
{
	int64_t limit = quota->limit[QUOTA_STORAGE], used = quota->used[QUOTA_STORAGE];
	if (limit < 0 || used * 100 < limit * warning_percent)
		return 0;
	return used >= limit ? 100 : warning_percent;
}

err_t quota_watch(struct ctx *ctx, struct registry *registry, const struct quota_watcher *watcher)
{
	struct passed_work work = { .warning_percent = watcher->warning_percent };
	unsigned looks = atomic_load(&registry->quota_looks);
	if (!looks || !atomic_compare_exchange_strong(&registry->quota_looks, &looks, looks - 1))
		return OK;
	TRY(db_run(ctx, registry->db, SQL_READ, passed_body, &work));
	for (; work.count; work.count--, work.passed++) {
		work.percent = threshold_of(work.passed, watcher->warning_percent);
		err_t err = db_run(ctx, registry->db, SQL_WRITE, warn_body, &work);
		if (err == OK && work.percent > work.passed->warned_percent)
			watcher->report(watcher->arg, work.passed, work.percent);
		if (err != OK && err != ERR_ABSENT) /* another node was first */
			return err;
	}
	return OK;
}

/* --- for people ------------------------------------------------------------------------------- */

struct quota_work {
	const struct quota_query *query;
	struct quota quota;
	struct quota *page;
	size_t count;
	int64_t total;
};

/* A project of another tenant is none; a tenant that was never charged has no row yet. */
static err_t find(struct ctx *ctx, struct sql_tx *tx, struct quota *quota)
{
	struct project project;
	struct tenant_row tenant;
	err_t err =
		quota->scope == QUOTA_PROJECT
			? db_project_find_id(ctx, tx, ctx->tenant_id, quota->holder_id, &project)
			: db_tenant_get(ctx, tx, quota->holder_id, &tenant);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "nothing has the quota %lld",
			    (long long)quota->holder_id);
	return err;
}

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct quota_work *work = arg;
	struct quota *quota = &work->quota;
	TRY(find(ctx, tx, quota));
	err_t err = db_quota_get(ctx, tx, quota->scope, quota->holder_id, quota);
	if (err != ERR_ABSENT)
		return err;
	for (size_t i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		quota->limit[i] = QUOTA_UNLIMITED;
	return OK;
}

err_t quota_get(struct ctx *ctx, struct registry *registry, enum quota_scope scope,
		int64_t holder_id, struct quota *ret)
{
	struct quota_work work = { .quota = { .scope = scope, .holder_id = holder_id } };
	TRY(db_run(ctx, registry->db, SQL_READ, get_body, &work));
	*ret = work.quota;
	return OK;
}

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct quota_work *work = arg;
	struct quota_query query = *work->query;
	query.tenant_id = ctx->tenant_id;
	TRY(db_quota_count(ctx, tx, &query, &work->total));
	return db_quota_page(ctx, tx, &query, &work->page, &work->count);
}

err_t quota_list(struct ctx *ctx, struct registry *registry, const struct quota_query *query,
		 struct quota **ret, size_t *ret_count, int64_t *ret_total)
{
	struct quota_work work = { .query = query };
	TRY(db_run(ctx, registry->db, SQL_READ, list_body, &work));
	*ret = work.page;
	*ret_count = work.count;
	*ret_total = work.total;
	return OK;
}

static err_t limit_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct quota_work *work = arg;
	const struct quota *quota = &work->quota;
	TRY(find(ctx, tx, &work->quota));
	return db_quota_limit(ctx, tx, quota->scope, quota->holder_id, quota->limit);
}

err_t quota_limit(struct ctx *ctx, struct registry *registry, const struct quota *quota)
{
	struct quota_work work = { .quota = *quota };
	TRY(db_run(ctx, registry->db, SQL_WRITE, limit_body, &work));
	atomic_fetch_add(&registry->quota_generation, 1);
	atomic_store(&registry->quota_looks, LOOKS);
	return OK;
}

/* Each of them is counted again while nobody can charge it: what was read before may be old. */
static err_t mend_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct quota_recounted *found = arg;
	TRY(db_content_mend(ctx, tx, &found->rows));
	TRY(db_quota_wrong(ctx, tx, QUOTA_RECOUNT_MAX, &found->holders, &found->count));
	for (size_t i = 0; i < found->count; i++)
		TRY(db_quota_recount(ctx, tx, found->holders[i].scope,
				     found->holders[i].holder_id));
	return OK;
}

static err_t look_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	static err_t (*const looks[])(struct ctx *, struct sql_tx *, int64_t, size_t,
				      struct artifact_wrong **, size_t *) = {
		db_content_wrong_blobs,
		db_content_wrong_manifests,
	};
	struct quota_recounted *found = arg;
	TRY(db_quota_wrong(ctx, tx, 1, &found->holders, &found->count));
	for (size_t i = 0; i < COUNT_OF(looks); i++) {
		struct artifact_wrong *wrong;
		size_t count;
		TRY(looks[i](ctx, tx, 0, 1, &wrong, &count));
		found->rows += (int64_t)count;
	}
	return OK;
}

err_t quota_recount(struct ctx *ctx, struct registry *registry, struct quota_recounted *ret)
{
	struct quota_recounted found = { 0 };
	TRY(db_run(ctx, registry->db, SQL_READ, look_body, &found));
	if (found.rows || found.count)
		TRY(db_run(ctx, registry->db, SQL_WRITE, mend_body, &found));
	*ret = found;
	return OK;
}
