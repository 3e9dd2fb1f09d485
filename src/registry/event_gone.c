/* SPDX-License-Identifier: Apache-2.0 */
/* event_gone.c - see event_gone.h. */
#include "event_gone.h"
#include "db/webhook.h"

#include "base/banned.h"

#define PAGE	    250 /* WEBHOOK_RESOURCES_MAX divides it, and it divides EVENT_GONE_EACH */
#define PAGE_MEMORY MIB(16)

struct going {
	struct event_plan *plan;
	struct event event;
	struct webhook_resource resources[PAGE];
	int64_t after_id;
	size_t told;
	bool more;
};

static err_t add_page(struct ctx *ctx, struct sql_tx *tx, struct going *going, size_t count)
{
	struct event event = going->event;
	bool each = going->told < EVENT_GONE_EACH;
	event.resource_count = each ? 1 : count;
	for (size_t at = 0; at < count; at += event.resource_count) {
		event.resources = &going->resources[at];
		TRY(event_add(ctx, tx, going->plan, &event));
	}
	going->told += count;
	return OK;
}

static err_t next_page(struct ctx *ctx, struct sql_tx *tx, struct going *going)
{
	struct webhook_artifact *list;
	size_t count;
	TRY(ctx_check(ctx));
	TRY(db_webhook_artifacts(ctx, tx, going->event.repository_id, going->after_id, PAGE, &list,
				 &count));
	for (size_t i = 0; i < count; i++)
		going->resources[i] = (struct webhook_resource){ list[i].digest_text, list[i].tag,
								 list[i].media_type };
	if (count)
		going->after_id = list[count - 1].id;
	going->more = count == PAGE;
	return count ? add_page(ctx, tx, going, count) : OK;
}

err_t event_add_gone(struct ctx *ctx, struct sql_tx *tx, struct event_plan *plan, str repository,
		     int64_t repository_id)
{
	CLEANUP(arena_done) struct arena page;
	struct arena *outer = ctx->arena;
	struct going *going = ARENA_NEW(outer, struct going);
	err_t err = OK;
	*going = (struct going){ .plan = plan, .more = plan->wanted };
	going->event = (struct event){ .repository = repository, .repository_id = repository_id };
	arena_init(&page, PAGE_MEMORY);
	ctx->arena = &page;
	for (; err == OK && going->more; arena_reset(&page))
		err = next_page(ctx, tx, going);
	ctx->arena = outer;
	return err;
}
