/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook_view.h - whose webhook policies a path is about, for Harbor's handlers and ours: those of
 * the project in the path; of the tenant where there is none; of the whole system where the route
 * says so (route.of_system). {id} is the policy's number, {sub} a delivery's.
 */
#pragma once

#include "api/harbor.h"
#include "api/request.h"
#include "model/audit_event.h"
#include "notify/webhook.h"

struct webhooks *webhook_view_of(const struct request *rq);
struct webhook_place webhook_view_place(const struct request *rq);

/* ERR_NOT_FOUND when there is none there, or it is another place's. */
err_t webhook_view_find(struct ctx *ctx, struct request *rq, struct webhook_policy *ret);
err_t webhook_view_find_delivery(struct ctx *ctx, struct request *rq,
				 struct webhook_policy *ret_policy, struct webhook_delivery *ret);

/* One page of what a policy's deliveries in a state (WEBHOOK_STATE_COUNT: in any) are, each as
 * `write` says it. `list` has begun, and the policy was found. */
struct webhook_view_page {
	struct list list;
	struct webhook_policy policy;
	enum webhook_state state;
};
err_t webhook_view_deliveries(struct ctx *ctx, struct request *rq, struct webhook_view_page *page,
			      void (*write)(struct json_writer *w,
					    const struct webhook_policy *policy,
					    const struct webhook_delivery *delivery));

/* For the audit trail: something happened to that policy. */
struct audit_event *webhook_view_record(struct ctx *ctx, struct request *rq, enum audit_type type,
					const struct webhook_policy *policy);
