/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_purge.c - purging the audit trail, by hand and by the clock, in Harbor's words. What is
 * removed and what stays provable: notify/audit_purge.h.
 */
#include "api/background.h"
#include "api/handlers.h"
#include "notify/audit_purge.h"

#include "base/banned.h"

/* What is shown later is what was given, as far as it counts. */
static err_t read_parameters(struct ctx *ctx, const struct json_value *given, str *ret)
{
	struct audit_purge purge = { 0 };
	TRY(audit_purge_read(ctx, given, &purge));
	return audit_purge_print(ctx, given, ret);
}

static const struct background purge = {
	.kind = STR_INIT(AUDIT_PURGE_KIND),
	.name = AUDIT_PURGE_TITLE,
	.parameters = read_parameters,
};

err_t harbor_purge_history(struct ctx *ctx, struct request *rq)
{
	return background_history(ctx, rq, &purge);
}

err_t harbor_purge_get(struct ctx *ctx, struct request *rq)
{
	return background_get(ctx, rq, &purge);
}

err_t harbor_purge_stop(struct ctx *ctx, struct request *rq)
{
	return background_stop(ctx, rq, &purge);
}

err_t harbor_purge_log(struct ctx *ctx, struct request *rq)
{
	return background_get_log(ctx, rq, &purge);
}

err_t harbor_purge_schedule_get(struct ctx *ctx, struct request *rq)
{
	return background_schedule_get(ctx, rq, &purge);
}

err_t harbor_purge_schedule_put(struct ctx *ctx, struct request *rq)
{
	return background_schedule_put(ctx, rq, &purge);
}
