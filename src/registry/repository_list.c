/* SPDX-License-Identifier: Apache-2.0 */
/* repository_list.c - lists of repositories; see artifact.h. */
#include "anchors.h"
#include "internal.h"
#include "registry/artifact.h"

#include "base/banned.h"

/* Of a project or a tenant: what is asked for but for the page. */
static struct list_state state_of(struct ctx *ctx, const struct repository_search *search,
				  int64_t version)
{
	return (struct list_state){
		.kind = search->project_id ? 'l' : 'L',
		.id = search->project_id ? search->project_id : search->sight->tenant_id,
		.name = arena_printf(ctx->arena, "%d%d" STR_FMT, search->order, search->descending,
				     STR_ARG(search->name_like)),
		.version = { version },
	};
}

/* What holds a blob changes with every push. */
static err_t count(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
		   const struct repository_search *search, const struct list_state *list,
		   int64_t *total)
{
	bool remembered = !search->blob.len && !search->name.len;
	if (!repository_search_is_narrowed(search) ||
	    (remembered && anchor_total(registry, list, total)))
		return OK;
	TRY(db_repository_list_count(ctx, tx, search, total));
	if (remembered)
		anchor_remember_total(registry, list, *total);
	return OK;
}

/* From the nearest place that is known, and remembers where the page is. */
static err_t read_page(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
		       const struct repository_search *search, const struct list_state *list,
		       struct repository_page *page)
{
	struct repository_search rest = *search;
	struct anchor near = { 0, 0, 0 };
	bool led;
	if (!repository_search_has_places(search, &led))
		return db_repository_list(ctx, tx, search, 0, &page->items, &page->count);
	anchor_find(registry, list, led, search->offset, &near);
	rest.offset -= near.offset;
	TRY(db_repository_list(ctx, tx, &rest, near.id, &page->items, &page->count));
	if (!page->count)
		return OK;
	const struct anchor ends[2] = {
		{ search->offset, 0, page->items[0].id },
		{ search->offset + (int64_t)page->count - 1, 0, page->items[page->count - 1].id },
	};
	anchor_remember_page(registry, list, page->total, led, near.offset, ends);
	return OK;
}

static err_t list_whole(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
			const struct repository_search *search, struct repository_page *page)
{
	int64_t version;
	TRY(db_repository_total(ctx, tx, search, &page->total, &version));
	const struct list_state list = state_of(ctx, search, version);
	TRY(count(ctx, registry, tx, search, &list, &page->total));
	if (search->offset >= page->total)
		return OK;
	return read_page(ctx, registry, tx, search, &list, page);
}

err_t repository_list(struct ctx *ctx, struct registry *registry,
		      const struct repository_search *search, struct repository_page *ret)
{
	struct repository_page page = { 0 };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	if (search->project_id || search->sight->account_id == SIGHT_EVERYTHING) {
		TRY(list_whole(ctx, registry, &tx, search, &page));
	} else {
		TRY(db_repository_list_count(ctx, &tx, search, &page.total));
		TRY(db_repository_list(ctx, &tx, search, 0, &page.items, &page.count));
	}
	*ret = page;
	return OK;
}
