/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_webhook.c - what webhook policies told, and telling once more or for a test: of projects,
 * tenants and the whole system alike. The policies of projects are Harbor's; those of the others
 * have the same handlers in harbor_webhook.c.
 */
#include "api/audit.h"
#include "api/handlers_webhook.h"
#include "api/harbor.h"
#include "api/webhook_view.h"
#include "jobs/jobs.h"
#include "notify/webhook_format.h"

#include "base/banned.h"

static const char *const states[WEBHOOK_STATE_COUNT] = {
	[WEBHOOK_WAITS] = "waiting",
	[WEBHOOK_TOLD] = "told",
	[WEBHOOK_DEAD] = "dead",
};

/* An object that is not ended yet. */
static void begin_delivery(struct json_writer *w, const struct webhook_policy *policy,
			   const struct webhook_delivery *delivery)
{
	bool there = (size_t)delivery->target < policy->target_count;
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", delivery->id);
	json_write_str(w, "event_type",
		       webhook_event_info((enum webhook_event)delivery->event)->name);
	json_write_i64(w, "target", delivery->target);
	if (there)
		json_write_str(w, "target_type",
			       webhook_kind_info(policy->targets[delivery->target].kind)->name);
	json_write_str(w, "state", str_from(states[delivery->state]));
	json_write_i64(w, "attempt_count", delivery->attempts);
	json_write_i64(w, "status", delivery->status);
	json_write_str(w, "error", delivery->error);
	json_write_time(w, "created_at", delivery->created_at_us);
	json_write_time(w, "tried_at", delivery->tried_at_us);
	json_write_time(w, "finished_at", delivery->finished_at_us);
	json_write_raw(w, "payload", delivery->payload);
}

static void write_attempt(struct json_writer *w, const struct webhook_attempt *attempt)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "number", attempt->number);
	json_write_time(w, "at", attempt->at_us);
	json_write_i64(w, "took_ms", attempt->took_us / 1000);
	json_write_i64(w, "status", attempt->status);
	json_write_str(w, "error", attempt->error);
	json_write_str(w, "request", attempt->request);
	json_write_str(w, "response", attempt->response);
	json_write_object_end(w);
}

/* WEBHOOK_STATE_COUNT for an empty one. */
static err_t read_state(struct ctx *ctx, str word, enum webhook_state *ret)
{
	unsigned at = 0;
	while (word.len && at < WEBHOOK_STATE_COUNT && !str_eq(word, str_from(states[at])))
		at++;
	if (at == WEBHOOK_STATE_COUNT)
		return fail(ctx, ERR_REQUEST_INVALID, "state is one of waiting, told and dead");
	*ret = word.len ? (enum webhook_state)at : WEBHOOK_STATE_COUNT;
	return OK;
}

static void write_delivery(struct json_writer *w, const struct webhook_policy *policy,
			   const struct webhook_delivery *delivery)
{
	begin_delivery(w, policy, delivery);
	json_write_object_end(w);
}

err_t berth_webhook_deliveries(struct ctx *ctx, struct request *rq)
{
	struct webhook_view_page page;
	TRY(list_begin(ctx, rq, &page.list));
	TRY(webhook_view_find(ctx, rq, &page.policy));
	TRY(read_state(ctx, request_query(rq, STR("state")), &page.state));
	return webhook_view_deliveries(ctx, rq, &page, write_delivery);
}

static err_t answer_delivery(struct ctx *ctx, struct request *rq,
			     const struct webhook_policy *policy,
			     const struct webhook_delivery *delivery)
{
	struct webhook_attempt *attempts;
	size_t count;
	TRY(webhook_delivery_attempts(ctx, webhook_view_of(rq), delivery->id, &attempts, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	begin_delivery(&w, policy, delivery);
	json_write_array_begin(&w, "attempts");
	for (size_t i = 0; i < count; i++)
		write_attempt(&w, &attempts[i]);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t berth_webhook_delivery(struct ctx *ctx, struct request *rq)
{
	struct webhook_policy policy;
	struct webhook_delivery delivery;
	TRY(webhook_view_find_delivery(ctx, rq, &policy, &delivery));
	return answer_delivery(ctx, rq, &policy, &delivery);
}

static void record_delivery(struct ctx *ctx, struct request *rq, enum audit_type type,
			    const struct webhook_policy *policy, int64_t id)
{
	struct audit_event *event = webhook_view_record(ctx, rq, type, policy);
	event->after = arena_printf(ctx->arena, "{\"delivery\":%lld}", (long long)id);
}

err_t berth_webhook_redeliver(struct ctx *ctx, struct request *rq)
{
	struct webhook_policy policy;
	struct webhook_delivery delivery;
	TRY(webhook_view_find_delivery(ctx, rq, &policy, &delivery));
	record_delivery(ctx, rq, AUDIT_REDELIVER_WEBHOOK, &policy, delivery.id);
	TRY(webhook_redeliver(ctx, webhook_view_of(rq), &delivery));
	jobs_wake(rq->api->options.jobs);
	return answer_empty(rq, 202);
}

err_t berth_webhook_ping(struct ctx *ctx, struct request *rq)
{
	struct webhook_policy policy;
	struct webhook_delivery delivery;
	int64_t target, id;
	TRY(query_i64(ctx, rq, STR("target"), 0, &target));
	TRY(webhook_view_find(ctx, rq, &policy));
	(void)webhook_view_record(ctx, rq, AUDIT_PING_WEBHOOK, &policy);
	TRY(webhook_ping(ctx, webhook_view_of(rq), &policy, target, &id));
	TRY(webhook_delivery_find(ctx, webhook_view_of(rq), policy.row.id, id, &delivery));
	return answer_delivery(ctx, rq, &policy, &delivery);
}
