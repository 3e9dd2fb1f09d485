/* SPDX-License-Identifier: Apache-2.0 */
/* repository.c - see repository.h. */
#include "registry/repository.h"
#include "codec/reference.h"
#include "db/db.h"
#include "db/project.h"
#include "db/repository.h"
#include "internal.h"

#include <string.h>

#include "base/banned.h"

static err_t look_up(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id)
{
	struct cache_key key = key_named('r', name);
	CLEANUP(cache_value_done)
	struct cache_value *value = cache_get(registry->cache, key_str(&key));
	if (value) {
		memcpy(ret_id, value->bytes.ptr, sizeof *ret_id);
		return OK;
	}
	uint64_t ticket = cache_ticket(registry->cache, key_str(&key));
	struct repository row;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(registry_read(ctx, registry, &tx));
		TRY(db_repository_find(ctx, &tx, name, &row));
	}
	value = cache_fill(registry->cache, key_str(&key), ticket,
			   (str){ (const char *)&row.id, sizeof row.id }, 0);
	*ret_id = row.id;
	return OK;
}

err_t repository_find(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id)
{
	err_t err = look_up(ctx, registry, name, ret_id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "no repository " STR_FMT, STR_ARG(name));
	return err;
}

struct ensure_work {
	str name;
	bool may_create_project;
	bool public_project;
};

static err_t ensure(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct ensure_work *work = arg;
	str project_name = reference_project(work->name);
	if (work->may_create_project) {
		err_t err = db_project_insert(ctx, tx, project_name, work->public_project);
		if (err != OK && err != ERR_EXISTS)
			return err;
	}
	struct project project;
	err_t err = db_project_find(ctx, tx, project_name, &project);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "no project " STR_FMT, STR_ARG(project_name));
	TRY(err);
	return db_repository_ensure(ctx, tx, project.id, work->name);
}

err_t repository_ensure(struct ctx *ctx, struct registry *registry, str name,
			bool may_create_project, int64_t *ret_id)
{
	err_t err = look_up(ctx, registry, name, ret_id);
	if (err != ERR_ABSENT)
		return err;
	struct ensure_work work = { name, may_create_project,
				    registry->options.auto_create_public };
	TRY(db_run(ctx, registry->db, SQL_WRITE_RELAXED, ensure, &work));
	return repository_find(ctx, registry, name, ret_id);
}
