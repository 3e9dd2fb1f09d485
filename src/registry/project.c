/* SPDX-License-Identifier: Apache-2.0 */
/* project.c - see project.h. */
#include "registry/project.h"
#include "db/db.h"
#include "internal.h"

#include "base/banned.h"

err_t project_get(struct ctx *ctx, struct registry *registry, str name, struct project *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_project_find(ctx, &tx, ctx->tenant_id, name, ret);
}

static err_t load_info(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	struct project project;
	TRY(db_project_find(ctx, tx, ctx->tenant_id, *(const str *)arg, &project));
	*(struct project_info *)ret = (struct project_info){ project.id, project.is_public };
	return OK;
}

err_t project_find(struct ctx *ctx, struct registry *registry, str name, struct project_info *ret)
{
	static const struct cached_kind kind = { load_info, sizeof *ret };
	struct cache_key key = key_named(ctx, 'p', name);
	return registry_cached(ctx, registry, &key, &kind, &name, ret);
}

err_t project_find_id(struct ctx *ctx, struct registry *registry, int64_t id, str *ret_name,
		      struct project_info *ret)
{
	struct project project;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_project_find_id(ctx, &tx, ctx->tenant_id, id, &project));
	*ret_name = project.name;
	*ret = (struct project_info){ project.id, project.is_public };
	return OK;
}

struct project_work {
	str name;
	bool is_public;
};

static err_t insert(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct project_work *work = arg;
	return db_project_insert(ctx, tx, ctx->tenant_id, work->name, work->is_public);
}

err_t project_create(struct ctx *ctx, struct registry *registry, str name, bool is_public)
{
	struct project_work work = { name, is_public };
	return db_run(ctx, registry->db, SQL_WRITE, insert, &work);
}

static err_t set_public(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct project_work *work = arg;
	return db_project_set_public(ctx, tx, ctx->tenant_id, work->name, work->is_public);
}

err_t project_set_public(struct ctx *ctx, struct registry *registry, str name, bool is_public)
{
	struct project_work work = { name, is_public };
	TRY(db_run(ctx, registry->db, SQL_WRITE, set_public, &work));
	struct cache_key key = key_named(ctx, 'p', name);
	cache_drop(registry->cache, key_str(&key));
	return OK;
}

err_t project_page(struct ctx *ctx, struct registry *registry, str last, bool all, size_t max,
		   struct project **ret, size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	const struct project_query query = { ctx->tenant_id, last, all, max };
	return db_project_page(ctx, &tx, &query, ret, ret_count);
}
