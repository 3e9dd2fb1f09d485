/* SPDX-License-Identifier: Apache-2.0 */
/* rename.c - see rename.h. */
#include "registry/rename.h"
#include "codec/reference.h"
#include "db/db.h"
#include "db/project.h"
#include "db/repository.h"
#include "internal.h"
#include "registry/repository.h"

#include "base/banned.h"

struct rename_work {
	const struct rename *rename;
	struct renamed done;
};

/* Repositories before their project: as a push locks them. */
static err_t hold_project(struct ctx *ctx, struct sql_tx *tx, struct rename_work *work)
{
	const struct rename *rename = work->rename;
	struct project project;
	TRY(db_alias_hold_repositories(ctx, tx, rename->project_id));
	TRY(db_alias_hold(ctx, tx, &rename->what, &work->done.before));
	work->done.after = rename->name;
	return db_project_find_id(ctx, tx, ctx->tenant_id, rename->project_id, &project);
}

static err_t hold_repository(struct ctx *ctx, struct sql_tx *tx, struct rename_work *work)
{
	const struct rename *rename = work->rename;
	str project;
	TRY(db_alias_hold(ctx, tx, &rename->what, &work->done.before));
	TRY(db_repository_hold_project(ctx, tx, rename->project_id, &project));
	/* Now that nobody renames the project: what we wait for is called as its project is. */
	TRY(db_alias_hold(ctx, tx, &rename->what, &work->done.before));
	work->done.after = repository_name(ctx, project, rename->name);
	return OK;
}

/* Its own alias of that name ends; another's stands in the way. */
static err_t take_name(struct ctx *ctx, struct sql_tx *tx, const struct rename_work *work)
{
	const struct named *what = &work->rename->what;
	str name = work->done.after;
	if (str_eq(name, work->done.before))
		return fail(ctx, ERR_EXISTS, "it has this name");
	err_t err = db_alias_delete(ctx, tx, what, name);
	if (err != ERR_ABSENT)
		TRY(err);
	TRY(db_alias_rename(ctx, tx, what, name));
	return db_alias_refuse(ctx, tx, what->of, what->tenant_id, name);
}

static err_t keep_alias(struct ctx *ctx, struct sql_tx *tx, const struct rename_work *work)
{
	const struct named *what = &work->rename->what;
	int64_t count;
	if (!work->rename->keep_alias)
		return OK;
	TRY(db_alias_count(ctx, tx, what, &count));
	if (count >= RENAME_ALIASES_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "it has %d aliases: delete some first",
			    RENAME_ALIASES_MAX);
	return db_alias_insert(ctx, tx, what, work->done.before);
}

static err_t check_lengths(struct ctx *ctx, struct sql_tx *tx, const struct rename_work *work)
{
	const struct rename *rename = work->rename;
	int64_t repository, robot;
	TRY(db_alias_longest(ctx, tx, rename->project_id, &repository, &robot));
	if (repository > REPOSITORY_NAME_MAX)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "a repository's name would have more than %d bytes",
			    REPOSITORY_NAME_MAX);
	if (robot > (int64_t)rename->robot_name_max)
		return fail(ctx, ERR_REQUEST_INVALID, "a robot's name would be too long");
	return OK;
}

static err_t rename_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct rename_work *work = arg;
	bool of_project = work->rename->what.of == ALIAS_OF_PROJECT;
	TRY((of_project ? hold_project : hold_repository)(ctx, tx, work));
	TRY(take_name(ctx, tx, work));
	TRY(keep_alias(ctx, tx, work));
	if (!of_project)
		return db_alias_relist(ctx, tx, work->rename->project_id);
	const struct project_names names = { work->rename->project_id, work->done.before,
					     work->done.after };
	TRY(db_alias_rename_parts(ctx, tx, &names, &work->done.robots, &work->done.robot_count));
	TRY(check_lengths(ctx, tx, work));
	return db_alias_relist(ctx, tx, work->rename->project_id);
}

err_t registry_rename(struct ctx *ctx, struct registry *registry, const struct rename *rename,
		      struct renamed *ret)
{
	struct rename_work work = { .rename = rename };
	TRY(db_run(ctx, registry->db, SQL_WRITE, rename_body, &work));
	registry_names_changed(registry);
	*ret = work.done;
	return OK;
}

/* --- aliases ---------------------------------------------------------------------------------- */

err_t alias_list(struct ctx *ctx, struct registry *registry, const struct named *what,
		 int64_t limit, int64_t offset, struct alias_page *ret)
{
	struct alias_page page;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_alias_count(ctx, &tx, what, &page.total));
	TRY(db_alias_page(ctx, &tx, what, limit, offset, &page.items, &page.count));
	*ret = page;
	return OK;
}

struct delete_work {
	const struct named *what;
	str name;
};

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct delete_work *work = arg;
	return db_alias_delete(ctx, tx, work->what, work->name);
}

err_t alias_delete(struct ctx *ctx, struct registry *registry, const struct named *what, str name)
{
	struct delete_work work = { what, name };
	TRY(db_run(ctx, registry->db, SQL_WRITE, delete_body, &work));
	registry_names_changed(registry);
	return OK;
}
