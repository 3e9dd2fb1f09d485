/* SPDX-License-Identifier: Apache-2.0 */
/* repository.c - see repository.h. */
#include "registry/repository.h"
#include "db/db.h"
#include "db/repository.h"
#include "internal.h"
#include "registry/quota.h"
#include "project_internal.h"

#include <string.h>

#include "base/banned.h"

#define ENSURE_ATTEMPTS 2

/* --- from memory ------------------------------------------------------------------------------ */

struct repository_known {
	int64_t id, project_id;
	bool by_alias; /* of the repository or its project; it is called as is known under the id */
};

/* What is looked for; `wanted` may be NULL. */
struct looking {
	struct registry *registry;
	str name;
	const struct reference *wanted;
};

/* The tickets are those of the time before the rows were read. */
static err_t find_row(struct ctx *ctx, struct sql_tx *tx, const struct looking *looking,
		      const struct cache_tickets *tickets, struct repository *ret)
{
	if (!looking->wanted)
		return db_repository_find(ctx, tx, ctx->tenant_id, looking->name, ret);
	struct repository_wish wish = { .tag = looking->wanted->tag,
					.digest = looking->wanted->digest };
	TRY(db_repository_find_wanting(ctx, tx, ctx->tenant_id, looking->name, &wish, ret));
	if (wish.found)
		manifest_remember(ctx, looking->registry, ret->id, wish.tag, &wish.row, tickets);
	return OK;
}

/* What is remembered under a repository's id. */
struct repository_named {
	int64_t project_id;
	size_t name_len;
	char name[REPOSITORY_NAME_MAX];
};

static err_t make_named(struct ctx *ctx, const struct repository *row, struct repository_named *ret)
{
	if (row->name.len > sizeof ret->name)
		return fail(ctx, ERR_INTERNAL, "repository %lld has a name of %zu bytes",
			    (long long)row->id, row->name.len);
	memset(ret, 0, sizeof *ret);
	ret->project_id = row->project_id;
	ret->name_len = row->name.len;
	memcpy(ret->name, row->name.ptr, row->name.len);
	return OK;
}

static err_t load_named(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	struct repository row = { .id = *(const int64_t *)arg };
	TRY(db_repository_name(ctx, tx, ctx->tenant_id, row.id, &row.name, &row.project_id));
	return make_named(ctx, &row, ret);
}

/* Who was found by an alias is asked for by his id next, and then by the name that he has. `names`
 * is that of the time before the row was read: if it has changed since, these keys may be some
 * under which the name is not true. */
static err_t keep_present(struct ctx *ctx, struct registry *registry, const struct repository *row,
			  uint64_t names, const struct cache_tickets *tickets)
{
	struct repository_named named;
	struct repository_known known = { 0 };
	struct cache_key by_id = key_numbered(ctx, registry, 'n', row->id);
	struct cache_key by_name = key_named(ctx, registry, 'r', row->name);
	TRY(make_named(ctx, row, &named));
	known.id = row->id;
	known.project_id = row->project_id;
	if (atomic_load(&registry->names) != names)
		return OK;
	cache_put(cache_fill(registry->cache, key_str(&by_id),
			     cache_ticket_for(tickets, key_str(&by_id)),
			     (str){ (const char *)&named, sizeof named }, 0));
	cache_put(cache_fill(registry->cache, key_str(&by_name),
			     cache_ticket_for(tickets, key_str(&by_name)),
			     (str){ (const char *)&known, sizeof known }, 0));
	return OK;
}

static err_t load_known(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	const struct looking *looking = arg;
	struct registry *registry = looking->registry;
	struct repository row;
	struct repository_known known = { 0 };
	struct cache_tickets tickets;
	uint64_t names = atomic_load(&registry->names);
	cache_take_tickets(registry->cache, &tickets);
	TRY(find_row(ctx, tx, looking, &tickets, &row));
	known.id = row.id;
	known.project_id = row.project_id;
	known.by_alias = !str_eq(row.name, looking->name);
	if (known.by_alias)
		TRY(keep_present(ctx, registry, &row, names, &tickets));
	memcpy(ret, &known, sizeof known);
	return OK;
}

/* `*ret_stale`: the name was remembered as an alias of one that is gone, and is forgotten now. */
static err_t look_at(struct ctx *ctx, const struct looking *looking, int64_t *ret_id,
		     struct repository_place *ret, bool *ret_stale)
{
	struct registry *registry = looking->registry;
	str name = looking->name;
	static const struct cached_kind kind = { load_known, sizeof(struct repository_known) };
	static const struct cached_kind named_kind = { load_named,
						       sizeof(struct repository_named) };
	struct cache_key key = key_named(ctx, registry, 'r', name);
	struct repository_known known;
	struct repository_named named;
	*ret_stale = false;
	TRY(registry_cached(ctx, registry, &key, &kind, looking, &known));
	*ret_id = known.id;
	*ret = (struct repository_place){ known.project_id, name };
	if (!known.by_alias)
		return OK;
	struct cache_key by_id = key_numbered(ctx, registry, 'n', known.id);
	err_t err = registry_cached(ctx, registry, &by_id, &named_kind, &known.id, &named);
	*ret_stale = err == ERR_ABSENT; /* who deleted it did not know this name */
	if (*ret_stale)
		cache_drop(registry->cache, key_str(&key));
	TRY(err);
	*ret = (struct repository_place){
		named.project_id, arena_copy(ctx->arena, (str){ named.name, named.name_len })
	};
	return OK;
}

static err_t find_place(struct ctx *ctx, const struct looking *looking, int64_t *ret_id,
			struct repository_place *ret)
{
	bool stale;
	err_t err = look_at(ctx, looking, ret_id, ret, &stale);
	return stale ? look_at(ctx, looking, ret_id, ret, &stale) : err;
}

static err_t look_up(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id)
{
	const struct looking looking = { registry, name, NULL };
	struct repository_place place;
	TRY(find_place(ctx, &looking, ret_id, &place));
	return project_is_meant(ctx, name, place.project_id) ? OK : ERR_ABSENT;
}

err_t repository_find(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id)
{
	err_t err = look_up(ctx, registry, name, ret_id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "no repository " STR_FMT, STR_ARG(name));
	return err;
}

/* Of one that is not there: where it would be made. */
static err_t place_of_new(struct ctx *ctx, struct registry *registry, str name,
			  struct repository_place *ret)
{
	str asked = STR_NONE, rest = STR_NONE;
	struct project_info project;
	(void)str_cut(name, '/', &asked, &rest);
	*ret = (struct repository_place){ 0, name };
	err_t err = project_find(ctx, registry, asked, &project);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	ret->project_id = project.id;
	if (!str_eq(project.name, asked))
		ret->name = repository_name(ctx, project.name, rest);
	return OK;
}

err_t repository_place_pulled(struct ctx *ctx, struct registry *registry, str name,
			      const struct reference *wanted, struct repository_place *ret)
{
	const struct looking looking = { registry, name, wanted };
	int64_t id;
	err_t err = find_place(ctx, &looking, &id, ret);
	return err == ERR_ABSENT ? place_of_new(ctx, registry, name, ret) : err;
}

err_t repository_place(struct ctx *ctx, struct registry *registry, str name,
		       struct repository_place *ret)
{
	return repository_place_pulled(ctx, registry, name, NULL, ret);
}

str repository_name(struct ctx *ctx, str project, str rest)
{
	return arena_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(project), STR_ARG(rest));
}

/* --- making ----------------------------------------------------------------------------------- */

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
	struct project project = { 0 };
	err_t err = db_project_find(ctx, tx, ctx->tenant_id, project_name, &project);
	if (err == ERR_ABSENT && work->maker) {
		TRY(make_project(ctx, tx, work));
		err = db_project_find(ctx, tx, ctx->tenant_id, project_name, &project);
	}
	if (err == OK && !project_is_meant(ctx, work->name, project.id))
		err = ERR_ABSENT;
	struct quota_charge charge = { .project_id = project.id };
	if (err == OK)
		err = db_repository_ensure(ctx, tx, &project, work->name,
					   &charge.more[QUOTA_REPOSITORIES]);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "no project " STR_FMT, STR_ARG(project_name));
	TRY(err);
	return quota_charge(ctx, tx, work->registry, &charge);
}

err_t repository_ensure(struct ctx *ctx, struct registry *registry, str name,
			struct project_maker *maker, int64_t *ret_id)
{
	struct ensure_work work = { registry, name, maker, registry->options.auto_create_public };
	for (unsigned attempt = 0; attempt < ENSURE_ATTEMPTS; attempt++) {
		err_t err = look_up(ctx, registry, name, ret_id);
		if (err != ERR_ABSENT)
			return err;
		err = db_run(ctx, registry->db, SQL_WRITE_RELAXED, ensure, &work);
		if (err != ERR_NAME_IS_ALIAS && err != OK)
			return err;
		ctx_forgive(ctx); /* the name leads somewhere, if only since a moment ago */
	}
	return repository_find(ctx, registry, name, ret_id);
}
