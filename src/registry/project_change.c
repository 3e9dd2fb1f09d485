/* SPDX-License-Identifier: Apache-2.0 */
/* project_change.c - see project.h: making, changing and deleting. */
#include "db/db.h"
#include "db/immutable.h"
#include "db/project_member.h"
#include "db/retention.h"
#include "db/robot.h"
#include "internal.h"
#include "model/access.h"
#include "project_internal.h"
#include "registry/delete.h"
#include "registry/project.h"
#include "registry/quota.h"
#include "registry/trash.h"

#include "base/banned.h"

#define LEFTOVERS_PAGE 100

static err_t put_settings(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			  const struct setting_value *settings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct project_metadata m = { project_id, project_setting_name(settings[i].setting),
					      settings[i].value };
		if (settings[i].setting != PROJECT_SETTING_PUBLIC)
			TRY(db_project_metadata_put(ctx, tx, &m));
	}
	return OK;
}

static err_t put_allowlist(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			   const struct cve_allowlist *list)
{
	if (!list)
		return OK;
	struct cve_allowlist own = *list;
	own.project_id = project_id;
	return db_cve_allowlist_put(ctx, tx, &own);
}

/* --- making ----------------------------------------------------------------------------------- */

struct create_work {
	struct registry *registry;
	const struct project_new *from;
	struct project row;
};

static err_t add_owner(struct ctx *ctx, struct sql_tx *tx, const struct project *row)
{
	struct project_member owner = { .project_id = row->id,
					.account_id = row->owner_id,
					.role_id = PROJECT_ADMIN };
	int64_t id;
	return row->owner_id ? db_member_insert(ctx, tx, &owner, &id) : OK;
}

err_t project_insert(struct ctx *ctx, struct sql_tx *tx, struct registry *registry,
		     struct project *row, int64_t storage_limit_bytes)
{
	const int64_t limit[QUOTA_RESOURCE_COUNT] = {
		[QUOTA_STORAGE] = storage_limit_bytes, [QUOTA_REPOSITORIES] = QUOTA_UNLIMITED,
		[QUOTA_TAGS] = QUOTA_UNLIMITED,	       [QUOTA_ARTIFACTS] = QUOTA_UNLIMITED,
		[QUOTA_PROJECTS] = QUOTA_UNLIMITED,
	};
	TRY(db_project_insert(ctx, tx, row));
	TRY(add_owner(ctx, tx, row));
	if (storage_limit_bytes == QUOTA_UNLIMITED)
		TRY(db_quota_ensure(ctx, tx, QUOTA_PROJECT, row->id));
	else
		TRY(db_quota_limit(ctx, tx, QUOTA_PROJECT, row->id, limit));
	const struct quota_charge charge = { .project_id = row->id,
					     .more = { [QUOTA_PROJECTS] = 1 } };
	return quota_charge(ctx, tx, registry, &charge);
}

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct create_work *work = arg;
	const struct project_new *from = work->from;
	work->row = (struct project){
		.tenant_id = ctx->tenant_id,
		.name = from->name,
		.is_public = from->is_public,
		.owner_id = from->owner_id,
		.owner_name = from->owner_name,
	};
	TRY(project_insert(ctx, tx, work->registry, &work->row, from->storage_limit_bytes));
	TRY(put_settings(ctx, tx, work->row.id, from->settings, from->setting_count));
	return put_allowlist(ctx, tx, work->row.id, from->allowlist);
}

err_t project_create(struct ctx *ctx, struct registry *registry, const struct project_new *from,
		     int64_t *ret_id)
{
	struct create_work work = { .registry = registry, .from = from };
	if (from->allowlist)
		TRY(cve_allowlist_check(ctx, from->allowlist));
	TRY(db_run(ctx, registry->db, SQL_WRITE, create_body, &work));
	*ret_id = work.row.id;
	return OK;
}

/* --- changing --------------------------------------------------------------------------------- */

static void take_public(const struct setting_value *settings, size_t count, bool *is_public)
{
	for (size_t i = 0; i < count; i++)
		if (settings[i].setting == PROJECT_SETTING_PUBLIC)
			*is_public = str_eq(settings[i].value, STR("true"));
}

static err_t change_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct project_change *change = arg;
	struct project row;
	TRY(db_project_find_id(ctx, tx, ctx->tenant_id, change->id, &row));
	take_public(change->settings, change->setting_count, &row.is_public);
	TRY(db_project_update(ctx, tx, &row));
	TRY(put_settings(ctx, tx, change->id, change->settings, change->setting_count));
	return put_allowlist(ctx, tx, change->id, change->allowlist);
}

err_t project_change(struct ctx *ctx, struct registry *registry,
		     const struct project_change *change)
{
	struct project_change work = *change;
	if (change->allowlist)
		TRY(cve_allowlist_check(ctx, change->allowlist));
	TRY(db_run(ctx, registry->db, SQL_WRITE, change_body, &work));
	project_forget(ctx, registry, change->id, change->name);
	return OK;
}

struct unset_work {
	int64_t id;
	enum project_setting setting;
};

static err_t unset_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct unset_work *work = arg;
	struct project row;
	TRY(db_project_find_id(ctx, tx, ctx->tenant_id, work->id, &row));
	if (work->setting == PROJECT_SETTING_PUBLIC)
		row.is_public = false;
	else
		TRY(db_project_metadata_delete(ctx, tx, work->id,
					       project_setting_name(work->setting)));
	return db_project_update(ctx, tx, &row);
}

err_t project_unset(struct ctx *ctx, struct registry *registry, int64_t id, str name,
		    enum project_setting setting)
{
	struct unset_work work = { id, setting };
	TRY(db_run(ctx, registry->db, SQL_WRITE, unset_body, &work));
	project_forget(ctx, registry, id, name);
	return OK;
}

/* --- deleting --------------------------------------------------------------------------------- */

struct delete_work {
	struct registry *registry;
	int64_t id;
	struct project_gone gone;
};

/* The row first: its lock keeps others from making a repository in it meanwhile. */
static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	struct project_gone *gone = &work->gone;
	struct project_name *left;
	size_t count;
	const struct trash_opening opening = { .kind = TRASH_PROJECT, .id = work->id };
	struct trash trash;
	TRY(trash_open(ctx, tx, work->registry, &opening, &trash));
	TRY(db_project_delete(ctx, tx, work->id));
	TRY(db_project_repositories(ctx, tx, work->id, 1, &left, &count));
	if (count)
		return fail(ctx, ERR_PRECONDITION_FAILED, "there are repositories in the project");
	TRY(db_member_raise_epochs(ctx, tx, HOLDER_PROJECT, work->id, &gone->accounts,
				   &gone->account_count));
	TRY(db_robot_delete_of_project(ctx, tx, work->id, &gone->robots, &gone->robot_count));
	TRY(db_member_delete_all(ctx, tx, work->id));
	TRY(db_project_metadata_delete_all(ctx, tx, work->id));
	TRY(db_cve_allowlist_delete(ctx, tx, work->id));
	TRY(db_immutable_delete_all(ctx, tx, work->id));
	TRY(db_retention_delete_of_project(ctx, tx, work->id));
	const struct quota_charge less = { .project_id = work->id,
					   .more = { [QUOTA_PROJECTS] = -1 } };
	TRY(quota_charge(ctx, tx, work->registry, &less));
	return db_quota_delete(ctx, tx, QUOTA_PROJECT, work->id);
}

static err_t find_leftovers(struct ctx *ctx, struct registry *registry, int64_t id,
			    struct project_name **ret, size_t *ret_count)
{
	int64_t filled;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_project_repository_count(ctx, &tx, id, &filled));
	if (filled)
		return fail(ctx, ERR_PRECONDITION_FAILED,
			    "there are %lld repositories in the project", (long long)filled);
	return db_project_repositories(ctx, &tx, id, LEFTOVERS_PAGE, ret, ret_count);
}

/* What uploads made and never filled. */
static err_t remove_leftovers(struct ctx *ctx, struct registry *registry, int64_t id)
{
	for (;;) {
		struct project_name *left;
		size_t count;
		TRY(find_leftovers(ctx, registry, id, &left, &count));
		if (!count)
			return OK;
		for (size_t i = 0; i < count; i++)
			TRY(repository_delete_empty(ctx, registry, left[i].name));
	}
}

err_t project_delete(struct ctx *ctx, struct registry *registry, int64_t id, str name,
		     struct project_gone *ret)
{
	struct delete_work work = { .registry = registry, .id = id };
	struct tx_rider *rider = ctx->rider;
	ctx->rider = NULL; /* the record belongs to the deletion, not to the tidying before it */
	err_t err = remove_leftovers(ctx, registry, id);
	ctx->rider = rider;
	TRY(err);
	TRY(db_run(ctx, registry->db, SQL_WRITE, delete_body, &work));
	project_forget(ctx, registry, id, name);
	*ret = work.gone;
	return OK;
}
