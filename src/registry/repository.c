/* SPDX-License-Identifier: Apache-2.0 */
/* repository.c - see repository.h. */
#include "registry/repository.h"
#include "codec/reference.h"
#include "db/db.h"
#include "db/project.h"
#include "db/repository.h"
#include "internal.h"
#include "registry/quota.h"
#include "project_internal.h"

#include "base/banned.h"

static err_t load_id(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	struct repository row;
	TRY(db_repository_find(ctx, tx, ctx->tenant_id, *(const str *)arg, &row));
	*(int64_t *)ret = row.id;
	return OK;
}

static err_t look_up(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id)
{
	static const struct cached_kind kind = { load_id, sizeof *ret_id };
	struct cache_key key = key_named(ctx, 'r', name);
	return registry_cached(ctx, registry, &key, &kind, &name, ret_id);
}

err_t repository_find(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id)
{
	err_t err = look_up(ctx, registry, name, ret_id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "no repository " STR_FMT, STR_ARG(name));
	return err;
}

struct ensure_work {
	struct registry *registry;
	str name;
	struct project_maker *maker;
	bool public_project;
};

static err_t make_project(struct ctx *ctx, struct sql_tx *tx, const struct ensure_work *work)
{
	struct project row = {
		.tenant_id = ctx->tenant_id,
		.name = reference_project(work->name),
		.is_public = work->public_project,
		.owner_id = work->maker->id,
		.owner_name = work->maker->name,
	};
	err_t err = project_insert(ctx, tx, work->registry, &row, quota_default(work->registry));
	work->maker->made = err == OK;
	return err == ERR_EXISTS ? OK : err;
}

static err_t ensure(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct ensure_work *work = arg;
	str project_name = reference_project(work->name);
	struct project project;
	err_t err = db_project_find(ctx, tx, ctx->tenant_id, project_name, &project);
	if (err == ERR_ABSENT && work->maker) {
		TRY(make_project(ctx, tx, work));
		err = db_project_find(ctx, tx, ctx->tenant_id, project_name, &project);
	}
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "no project " STR_FMT, STR_ARG(project_name));
	TRY(err);
	struct quota_charge charge = { .project_id = project.id };
	TRY(db_repository_ensure(ctx, tx, project.id, work->name,
				 &charge.more[QUOTA_REPOSITORIES]));
	return quota_charge(ctx, tx, work->registry, &charge);
}

err_t repository_ensure(struct ctx *ctx, struct registry *registry, str name,
			struct project_maker *maker, int64_t *ret_id)
{
	err_t err = look_up(ctx, registry, name, ret_id);
	if (err != ERR_ABSENT)
		return err;
	struct ensure_work work = { registry, name, maker, registry->options.auto_create_public };
	TRY(db_run(ctx, registry->db, SQL_WRITE_RELAXED, ensure, &work));
	return repository_find(ctx, registry, name, ret_id);
}
