/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - see list.h. One row more than asked tells whether there is another page. */
#include "registry/list.h"
#include "db/repository.h"
#include "db/tag.h"
#include "internal.h"
#include "registry/repository.h"

#include "base/banned.h"

static void cut_page(struct name_page *page, size_t max)
{
	page->more = page->count > max;
	if (page->more)
		page->count = max;
}

err_t tag_list(struct ctx *ctx, struct registry *registry, str repository, str last, size_t max,
	       struct name_page *ret)
{
	int64_t repository_id;
	TRY(repository_find(ctx, registry, repository, &repository_id));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	struct name_page page;
	TRY(db_tag_page(ctx, &tx, repository_id, last, max + 1, &page.names, &page.count));
	cut_page(&page, max);
	*ret = page;
	return OK;
}

err_t catalog_list(struct ctx *ctx, struct registry *registry, str last, bool all, size_t max,
		   struct name_page *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	struct name_page page;
	const struct repository_query query = { ctx->tenant_id, last, all, max + 1 };
	TRY(db_repository_page(ctx, &tx, &query, &page.names, &page.count));
	cut_page(&page, max);
	*ret = page;
	return OK;
}
