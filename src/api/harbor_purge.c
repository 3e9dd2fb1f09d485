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

const struct background harbor_purge = {
	.kind = STR_INIT(AUDIT_PURGE_KIND),
	.name = AUDIT_PURGE_TITLE,
	.parameters = read_parameters,
};
