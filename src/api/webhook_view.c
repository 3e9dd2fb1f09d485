/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_view.c - see webhook_view.h. */
#include "api/webhook_view.h"
#include "api/audit.h"

#include "base/banned.h"

struct webhooks *webhook_view_of(const struct request *rq)
{
	return rq->api->options.webhooks;
}

struct webhook_place webhook_view_place(const struct request *rq)
{
	if (rq->route->of_system)
		return (struct webhook_place){ 0, 0 };
	return (struct webhook_place){ request_tenant(rq),
				       rq->has_project ? rq->project_found.id : 0 };
}

err_t webhook_view_find(struct ctx *ctx, struct request *rq, struct webhook_policy *ret)
{
	return webhook_policy_find(ctx, webhook_view_of(rq), webhook_view_place(rq), rq->id, ret);
}

err_t webhook_view_find_delivery(struct ctx *ctx, struct request *rq,
				 struct webhook_policy *ret_policy, struct webhook_delivery *ret)
{
	TRY(webhook_view_find(ctx, rq, ret_policy));
	return webhook_delivery_find(ctx, webhook_view_of(rq), ret_policy->row.id, rq->sub_id, ret);
}

struct audit_event *webhook_view_record(struct ctx *ctx, struct request *rq, enum audit_type type,
					const struct webhook_policy *policy)
{
	struct audit_event *event =
		rq->has_project ? audit_project(rq, type) : audit_change(rq, type);
	event->resource = arena_copy(ctx->arena, policy->row.name);
	return event;
}
