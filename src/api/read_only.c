/* SPDX-License-Identifier: Apache-2.0 */
/* read_only.c - see request_check_read_only(). */
#include "api/tenant.h"
#include "settings/system.h"

#include "base/banned.h"

/* What changes nothing that is kept, and the way back. */
static const char *const exempt[] = {
	"/api/v2.0/configurations",
	"/api/v2.0/ldap/ping",
	"/api/v2.0/system/oidc/ping",
};

static bool is_exempt(const struct route *route)
{
	if (route->kind == ROUTE_TOKEN || route->method == HTTP_GET || route->method == HTTP_HEAD ||
	    str_has_prefix(str_from(route->pattern), STR("/c/"))) /* logging in and out */
		return true;
	for (size_t i = 0; i < COUNT_OF(exempt); i++)
		if (str_eq(str_from(route->pattern), str_from(exempt[i])))
			return true;
	return false;
}

err_t request_check_read_only(struct ctx *ctx, const struct request *rq)
{
	if (is_exempt(rq->route))
		return OK;
	if (system_bool(rq->api->options.settings, SYSTEM_READ_ONLY))
		return fail(ctx, ERR_READ_ONLY, "the setting read_only is on");
	return tenant_check_read_only(ctx, rq);
}
