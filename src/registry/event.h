/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - what webhooks are to be told of, written in the transaction of what happened.
 *
 *	struct event_plan plan;
 *	TRY(event_plan(ctx, registry, WEBHOOK_EVENT_PUSH, repository, &plan));	before it
 *	…	in it, as the last statements but those that charge:
 *	TRY(event_add(ctx, tx, &plan, &event));
 *	…	after its commit:
 *	event_told(&plan);
 *
 * Whether anybody in a project wants to know is remembered, so what nobody wants costs no query.
 * For each target of each policy that wants it there is a delivery then (db/webhook.h) and a letter
 * in the outbox about policy, target and repository; notify/webhook.h sends them.
 *
 * The payload says who asked and how he called this registry: ctx->actor, ctx->asked_at. A policy
 * that wants some of the resources only is told of those. More than WEBHOOK_RESOURCES_MAX are told
 * in several events.
 */
#pragma once

#include "model/webhook.h"
#include "registry/registry.h"

struct event_plan {
	struct registry *registry;
	enum webhook_event type;
	int64_t project_id;
	bool wanted;
	bool added;
};
err_t event_plan(struct ctx *ctx, struct registry *registry, enum webhook_event type,
		 str repository, struct event_plan *ret);
/* The same of a project by its id. */
err_t event_plan_in(struct ctx *ctx, struct registry *registry, enum webhook_event type,
		    int64_t project_id, struct event_plan *ret);

struct event {
	str repository; /* its present full name; empty: about none */
	int64_t repository_id;
	const struct webhook_resource *resources;
	size_t resource_count;	/* 0: about no artifact */
	str retention, details; /* JSON objects; may be empty */
	str by;			/* who does it, where nobody asked for it */
};
err_t event_add(struct ctx *ctx, struct sql_tx *tx, struct event_plan *plan,
		const struct event *event);
void event_told(const struct event_plan *plan);

/* In a transaction of its own, as for a pull. What fails is in the log, and not the pull's problem.
 */
void event_send(struct ctx *ctx, struct event_plan *plan, const struct event *event);

/* A policy was made, changed or deleted: nothing remembered of them counts. */
void event_policies_changed(struct registry *registry);

/* Who is told after a commit that there is something to send. */
void registry_set_wake(struct registry *registry, void (*wake)(void *arg), void *arg);
