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

err_t webhook_view_deliveries(struct ctx *ctx, struct request *rq, struct webhook_view_page *page,
			      void (*write)(struct json_writer *w,
					    const struct webhook_policy *policy,
					    const struct webhook_delivery *delivery))
{
	struct webhook_delivery *deliveries;
	size_t count;
	int64_t total;
	const struct webhook_delivery_query query = {
		.policy_id = page->policy.row.id,
		.state = page->state,
		.page = { page->list.page_size, page->list.offset },
	};
	TRY(webhook_delivery_list(ctx, webhook_view_of(rq), &query, &deliveries, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write(&w, &page->policy, &deliveries[i]);
	json_write_array_end(&w);
	return list_answer(rq, &page->list, total, &body);
}

struct audit_event *webhook_view_record(struct ctx *ctx, struct request *rq, enum audit_type type,
					const struct webhook_policy *policy)
{
	struct audit_event *event =
		rq->has_project ? audit_project(rq, type) : audit_change(rq, type);
	event->resource = arena_copy(ctx->arena, policy->row.name);
	return event;
}
