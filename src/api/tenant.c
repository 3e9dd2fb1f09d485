/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.c - see tenant.h. */
#include "api/tenant.h"
#include "settings/system.h"

#include "base/banned.h"

err_t tenant_begin(struct ctx *ctx, struct request *rq)
{
	TRY(tenant_of_host(ctx, rq->api->options.auth, rq->x->host, &rq->tenant));
	ctx->tenant_fixed = rq->tenant.id != 0;
	ctx->tenant_id = ctx->tenant_fixed ? rq->tenant.id : TENANT_DEFAULT;
	return OK;
}

/* Whose a proof is; 0: nobody's. A token speaks of the names of one tenant, whoever bears it. */
static int64_t tenant_of(const struct identity *who)
{
	return who->by_token ? who->grants_tenant_id : who->tenant_id;
}

err_t tenant_settle(struct ctx *ctx, struct request *rq)
{
	const struct identity *who = &rq->who;
	int64_t id = tenant_of(who);
	bool everywhere = !who->by_token && (who->flags & (IDENTITY_ADMIN | IDENTITY_AUDITOR));
	if (!id || id == ctx->tenant_id || (ctx->tenant_fixed && everywhere))
		return OK;
	if (!ctx->tenant_fixed)
		TRY(tenant_of_id(ctx, rq->api->options.auth, id, &rq->tenant));
	if (ctx->tenant_fixed || !rq->tenant.id) {
		rq->who = (struct identity){ .subject = SUBJECT_ANONYMOUS, .name = STR("") };
		return fail(ctx, ERR_UNAUTHORIZED, "known to tenant %lld, which is not here",
			    (long long)id);
	}
	ctx->tenant_id = id;
	return OK;
}

static bool is_system_admin(const struct request *rq)
{
	return (rq->who.flags & IDENTITY_ADMIN) != 0;
}

err_t tenant_check_suspended(struct ctx *ctx, const struct request *rq)
{
	if (rq->tenant.state != TENANT_SUSPENDED || is_system_admin(rq))
		return OK;
	return fail(ctx, ERR_TENANT_SUSPENDED, STR_FMT, STR_ARG(rq->tenant.reason));
}

err_t tenant_check_read_only(struct ctx *ctx, const struct request *rq)
{
	str pattern = str_from(rq->route->pattern);
	bool is_way_back =
		is_system_admin(rq) && str_has_prefix(pattern, STR("/api/berth/v1/tenants"));
	if (rq->tenant.state != TENANT_READ_ONLY || is_way_back)
		return OK;
	return fail(ctx, ERR_TENANT_READ_ONLY, STR_FMT, STR_ARG(rq->tenant.reason));
}

bool tenant_is_open(const struct request *rq)
{
	return request_tenant(rq) == TENANT_DEFAULT &&
	       system_bool(rq->api->options.settings, SYSTEM_SELF_REGISTRATION);
}
