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

err_t webhook_view_state(struct ctx *ctx, str status, enum webhook_state *ret)
{
	static const struct {
		str word;
		enum webhook_state state;
	} words[] = {
		{ STR_INIT(""), WEBHOOK_STATE_COUNT },	  { STR_INIT("Success"), WEBHOOK_TOLD },
		{ STR_INIT("success"), WEBHOOK_TOLD },	  { STR_INIT("Error"), WEBHOOK_DEAD },
		{ STR_INIT("error"), WEBHOOK_DEAD },	  { STR_INIT("Pending"), WEBHOOK_WAITS },
		{ STR_INIT("pending"), WEBHOOK_WAITS },	  { STR_INIT("Scheduled"), WEBHOOK_WAITS },
		{ STR_INIT("scheduled"), WEBHOOK_WAITS },
	};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_eq(status, words[i].word)) {
			*ret = words[i].state;
			return OK;
		}
	return fail(ctx, ERR_REQUEST_INVALID,
		    "status is one of Success, Error, Pending and Scheduled");
}
