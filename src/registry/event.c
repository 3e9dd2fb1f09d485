/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - see event.h. */
#include "registry/event.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"
#include "crypto/random.h"
#include "db/db.h"
#include "db/webhook.h"
#include "internal.h"
#include "jobs/outbox.h"
#include "registry/repository.h"
#include "settings/system.h"

#include "base/banned.h"

#define PAYLOAD_MAX KIB(28)

/* --- whether anybody wants it ----------------------------------------------------------------- */

struct wanted {
	uint64_t generation;
	int64_t events; /* by any policy */
};

struct wanted_work {
	struct registry *registry;
	int64_t project_id;
};

static err_t load_wanted(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	const struct wanted_work *work = arg;
	struct wanted wanted = { atomic_load(&work->registry->webhook_generation), 0 };
	const struct webhook_place place = { ctx->tenant_id, work->project_id };
	struct webhook_policy_row *rows;
	size_t count;
	TRY(db_webhook_policy_about(ctx, tx, place, &rows, &count));
	for (size_t i = 0; i < count; i++)
		wanted.events |= rows[i].events;
	*(struct wanted *)ret = wanted;
	return OK;
}

static err_t find_wanted(struct ctx *ctx, struct registry *registry, int64_t project_id,
			 int64_t *ret_events)
{
	static const struct cached_kind kind = { load_wanted, sizeof(struct wanted) };
	const struct wanted_work work = { registry, project_id };
	struct cache_key key = key_numbered(ctx, registry, 'w', project_id);
	struct wanted wanted;
	for (int tries = 0; tries < 2; tries++) {
		TRY(registry_cached(ctx, registry, &key, &kind, &work, &wanted));
		if (wanted.generation == atomic_load(&registry->webhook_generation))
			break;
		cache_drop(registry->cache, key_str(&key));
	}
	*ret_events = wanted.events;
	return OK;
}

err_t event_plan_in(struct ctx *ctx, struct registry *registry, enum webhook_event type,
		    int64_t project_id, struct event_plan *ret)
{
	int64_t events = 0;
	*ret = (struct event_plan){ .registry = registry, .type = type, .project_id = project_id };
	if (!project_id || !system_bool(registry->options.settings, SYSTEM_NOTIFICATION_ENABLE))
		return OK;
	TRY(find_wanted(ctx, registry, project_id, &events));
	ret->wanted = (events & WEBHOOK_EVENT_BIT(type)) != 0;
	return OK;
}

err_t event_plan(struct ctx *ctx, struct registry *registry, enum webhook_event type,
		 str repository, struct event_plan *ret)
{
	struct repository_place place;
	TRY(repository_place(ctx, registry, repository, &place));
	return event_plan_in(ctx, registry, type, place.project_id, ret);
}

void event_policies_changed(struct registry *registry)
{
	atomic_fetch_add(&registry->webhook_generation, 1);
}

/* --- telling ---------------------------------------------------------------------------------- */

static err_t write_payload(struct ctx *ctx, struct sql_tx *tx, const struct event_plan *plan,
			   const struct event *event, str *ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(PAYLOAD_MAX);
	struct json_writer w = JSON_WRITER(&text);
	struct webhook_facts facts = {
		.event = plan->type,
		.at_us = clock_wall_us(),
		.operator_name = ctx->actor.name.len ? ctx->actor.name : event->by,
		.host = ctx->asked_at,
		.resources = event->resources,
		.resource_count = event->resource_count,
		.retention = event->retention,
		.details = event->details,
	};
	if (!event->retention.len) /* Harbor's names projects only */
		facts.repository = event->repository;
	if (facts.repository.len && event->repository_id) {
		err_t err = db_webhook_repository(ctx, tx, event->repository_id,
						  &facts.repository_made_us, &facts.is_public);
		if (err != OK && err != ERR_ABSENT)
			return err;
	}
	webhook_payload_write(&w, &facts);
	if (buf_overrun(&text))
		return fail(ctx, ERR_LIMIT, "an event has more than %zu bytes",
			    (size_t)PAYLOAD_MAX);
	*ret = arena_copy(ctx->arena, buf_str(&text));
	return OK;
}

static str write_extra(struct ctx *ctx, const struct event *event)
{
	char id[UUID_TEXT_LEN + 1];
	unique_uuid(id);
	return webhook_extra(ctx, (str){ id, UUID_TEXT_LEN }, event->resources,
			     event->resource_count);
}

static size_t target_count(str targets)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	return json_parse(targets, JSON_LIMITS_SMALL, &doc, &problem) ? json_count(doc.root) : 0;
}

static err_t deliver(struct ctx *ctx, struct sql_tx *tx, struct webhook_delivery *delivery,
		     const struct event *event)
{
	int64_t id;
	str lane = webhook_lane(ctx->arena, delivery->policy_id, delivery->target);
	delivery->subject = arena_printf(ctx->arena, STR_FMT ".%lld", STR_ARG(lane),
					 (long long)event->repository_id);
	TRY(db_webhook_delivery_insert(ctx, tx, delivery, &id));
	const struct outbox_letter letter = {
		.kind = STR(WEBHOOK_JOB),
		.subject = delivery->subject,
		.lane = lane,
		.tenant_id = ctx->tenant_id,
		.payload = arena_printf(ctx->arena, "%lld", (long long)id),
	};
	return outbox_add(ctx, tx, &letter);
}

static err_t tell_policy(struct ctx *ctx, struct sql_tx *tx, const struct webhook_policy_row *row,
			 struct webhook_delivery *delivery, const struct event *event)
{
	size_t count = target_count(row->targets);
	delivery->policy_id = row->id;
	for (size_t i = 0; i < count; i++) {
		delivery->target = (int64_t)i;
		TRY(deliver(ctx, tx, delivery, event));
	}
	return OK;
}

/* What all policies are told that want all of it is written once. */
static err_t describe(struct ctx *ctx, struct sql_tx *tx, const struct event_plan *plan,
		      const struct event *event, struct webhook_delivery *delivery)
{
	if (delivery->payload.len)
		return OK;
	TRY(write_payload(ctx, tx, plan, event, &delivery->payload));
	delivery->extra = write_extra(ctx, event);
	return OK;
}

static err_t ask_policy(struct ctx *ctx, struct sql_tx *tx, struct event_plan *plan,
			const struct webhook_policy_row *row, const struct event *event,
			struct webhook_delivery *whole)
{
	const struct webhook_about about = { event->repository, event->resources,
					     event->resource_count };
	struct webhook_resource chosen[WEBHOOK_RESOURCES_MAX];
	struct webhook_delivery part = { .event = plan->type }, *delivery = whole;
	struct event of = *event;
	if (!(row->events & WEBHOOK_EVENT_BIT(plan->type)) ||
	    !webhook_filter_choose(row->filters, row->project_id != 0, &about, chosen,
				   &of.resource_count))
		return OK;
	of.resources = chosen;
	if (of.resource_count < event->resource_count)
		delivery = &part;
	TRY(describe(ctx, tx, plan, &of, delivery));
	plan->added = true;
	return tell_policy(ctx, tx, row, delivery, event);
}

err_t event_add(struct ctx *ctx, struct sql_tx *tx, struct event_plan *plan,
		const struct event *event)
{
	struct webhook_policy_row *rows;
	size_t count;
	if (!plan->wanted)
		return OK;
	TRY(db_webhook_policy_about(ctx, tx,
				    (struct webhook_place){ ctx->tenant_id, plan->project_id },
				    &rows, &count));
	struct event part = *event;
	for (size_t left = event->resource_count;; part.resources += part.resource_count) {
		struct webhook_delivery whole = { .event = plan->type };
		part.resource_count = MIN(left, (size_t)WEBHOOK_RESOURCES_MAX);
		left -= part.resource_count;
		for (size_t i = 0; i < count; i++)
			TRY(ask_policy(ctx, tx, plan, &rows[i], &part, &whole));
		if (!left)
			return OK;
	}
}

void event_told(const struct event_plan *plan)
{
	if (plan->added && plan->registry->wake)
		plan->registry->wake(plan->registry->wake_arg);
}

void registry_set_wake(struct registry *registry, void (*wake)(void *arg), void *arg)
{
	registry->wake_arg = arg;
	registry->wake = wake;
}

struct send_work {
	struct event_plan *plan;
	const struct event *event;
};

static err_t send_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct send_work *work = arg;
	return event_add(ctx, tx, work->plan, work->event);
}

void event_send(struct ctx *ctx, struct event_plan *plan, const struct event *event)
{
	struct send_work work = { plan, event };
	err_t err = plan->wanted
			    ? db_run(ctx, plan->registry->db, SQL_WRITE_RELAXED, send_body, &work)
			    : OK;
	if (err != OK) {
		LOG(LOG_WARN, "webhooks are not told of an event",
		    LOG_STR("repository", event->repository),
		    LOG_CSTR("detail", ctx->failure.detail));
		ctx_forgive(ctx);
		return;
	}
	event_told(plan);
}
