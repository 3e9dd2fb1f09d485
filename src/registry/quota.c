/* SPDX-License-Identifier: Apache-2.0 */
/* quota.c - see quota.h. */
#include "registry/quota.h"
#include "internal.h"
#include "settings/system.h"

#include "base/banned.h"

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
		    quota.used[i] + reserved + more <= quota.limit[i])
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
	return err == ERR_EXISTS ? refuse(ctx, tx, &work, &charged) : err;
}
