/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_gone.h - webhooks are told of what goes with a whole repository; private to registry.
 *
 * As in Harbor, each artifact that lists show is deleted: children that have no tag and accessories
 * go with what they belong to. The oldest EVENT_GONE_EACH have an event each. Those beyond share
 * events of WEBHOOK_RESOURCES_MAX, in the order they were pushed in: so 100,000 artifacts are 4,960
 * events, and not as many rows in one transaction as there are artifacts.
 */
#pragma once

#include "registry/event.h"

#define EVENT_GONE_EACH 1000

/* In the transaction that deletes the repository, before it does and once nobody else can push. */
err_t event_add_gone(struct ctx *ctx, struct sql_tx *tx, struct event_plan *plan, str repository,
		     int64_t repository_id);
