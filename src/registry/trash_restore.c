/* SPDX-License-Identifier: Apache-2.0 */
/* trash_restore.c - see trash.h: what comes back. */
#include "codec/reference.h"
#include "db/alias.h"
#include "db/db.h"
#include "db/manifest.h"
#include "db/project_member.h"
#include "db/repository.h"
#include "db/tag.h"
#include "internal.h"
#include "listing.h"
#include "project_internal.h"
#include "registry/repository.h"
#include "registry/trash.h"

#include "base/banned.h"

struct restore_work {
	struct registry *registry;
	const struct trash_restore *wanted;
	struct trash_entry *entry;
	struct trash_restored done;
	int64_t repository_id;
	struct immutability rules;
	struct trash_tag *moved; /* tags that were taken from others */
	size_t moved_count;
};

/* --- where to --------------------------------------------------------------------------------- */

/* Makes the repository unless it is there, and holds it. */
static err_t ensure(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work, str name,
		    struct quota_charge *charge)
{
	const struct project project = { .id = work->entry->project_id,
					 .tenant_id = ctx->tenant_id };
	struct repository repository;
	err_t err =
		db_repository_ensure(ctx, tx, &project, name, &charge->more[QUOTA_REPOSITORIES]);
	if (err == ERR_ABSENT) /* the project went just now */
		return fail(ctx, ERR_TRASH_FIRST, "the project is deleted");
	TRY(err);
	TRY(db_repository_find(ctx, tx, ctx->tenant_id, name, &repository));
	work->repository_id = repository.id;
	work->done.repository = repository.name;
	return db_repository_hold(ctx, tx, repository.id);
}

/* The one that it was in, by whatever name, as long as it is in the project. */
static err_t find_own(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work)
{
	const struct trash_entry *entry = work->entry;
	int64_t project_id;
	TRY(db_repository_name(ctx, tx, ctx->tenant_id, entry->repository_id,
			       &work->done.repository, &project_id));
	if (project_id != entry->project_id)
		return ERR_ABSENT;
	work->repository_id = entry->repository_id;
	return db_repository_hold(ctx, tx, entry->repository_id);
}

static err_t name_of(struct ctx *ctx, const struct restore_work *work, str *ret)
{
	str path = work->wanted->as.len ? work->wanted->as : work->entry->repository;
	*ret = repository_name(ctx, work->entry->project, path);
	if (!reference_is_repository(*ret))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "as: a repository's name is words of lower-case letters and digits");
	return OK;
}

static err_t find_place(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work,
			struct quota_charge *charge)
{
	str name;
	err_t err = work->wanted->as.len && work->entry->kind == TRASH_ARTIFACT
			    ? ERR_ABSENT
			    : find_own(ctx, tx, work);
	if (err != ERR_ABSENT)
		return err;
	TRY(name_of(ctx, work, &name));
	return ensure(ctx, tx, work, name, charge);
}

/* --- kinds ------------------------------------------------------------------------------------ */

/* Tags that lead elsewhere: taken back, or named. */
static err_t settle_tags(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work,
			 const struct trash_put *put, struct listing *listing)
{
	struct trash_tag *taken;
	size_t count;
	int64_t gained = 0;
	TRY(db_trash_taken(ctx, tx, put, TRASH_LEFT_MAX, &taken, &count));
	if (!work->wanted->force) {
		work->done.left = taken;
		work->done.left_count = count;
		return OK;
	}
	for (size_t i = 0; i < count; i++)
		TRY(listing_put_tag(ctx, tx, listing, taken[i].name, taken[i].manifest_id,
				    &gained));
	work->moved = taken;
	work->moved_count = count;
	work->done.tags += gained;
	return OK;
}

static err_t record_tags(struct ctx *ctx, struct sql_tx *tx, const struct restore_work *work,
			 const struct trash_put *put)
{
	str type = ctx->actor.type.len ? ctx->actor.type : STR("system");
	if (!work->registry->options.tag_history_ms)
		return OK;
	return db_trash_record_tags(ctx, tx, put, type, ctx->actor.name);
}

static err_t put_artifacts(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work,
			   const struct quota_charge *charge)
{
	struct listing listing =
		LISTING(work->registry, work->repository_id, &work->rules, "restore");
	struct trash_put put = { .id = work->entry->id, .repository_id = work->repository_id };
	TRY(record_tags(ctx, tx, work, &put));
	TRY(db_trash_put(ctx, tx, &put));
	listing.charge.more[QUOTA_REPOSITORIES] = charge->more[QUOTA_REPOSITORIES];
	listing.charge.more[QUOTA_STORAGE] = put.bytes;
	listing.charge.more[QUOTA_ARTIFACTS] = put.artifacts;
	listing.charge.more[QUOTA_TAGS] = put.tags;
	work->done.artifacts = put.artifacts;
	work->done.tags = put.tags;
	TRY(settle_tags(ctx, tx, work, &put, &listing));
	TRY(db_trash_settle(ctx, tx, &put));
	listing.listed += put.listed;
	listing.relisted = true;
	return listing_finish(ctx, tx, &listing);
}

static err_t restore_artifact(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work)
{
	struct quota_charge charge = { 0 };
	TRY(find_place(ctx, tx, work, &charge));
	return put_artifacts(ctx, tx, work, &charge);
}

static err_t restore_repository(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work)
{
	struct quota_charge charge = { 0 };
	str name;
	TRY(name_of(ctx, work, &name));
	TRY(ensure(ctx, tx, work, name, &charge));
	if (!charge.more[QUOTA_REPOSITORIES])
		return fail(ctx, ERR_TRASH_TAKEN, "there is a repository " STR_FMT " again",
			    STR_ARG(name));
	const struct trash_put put = { .id = work->entry->id,
				       .repository_id = work->repository_id };
	TRY(put_artifacts(ctx, tx, work, &charge));
	return db_trash_put_repository(ctx, tx, &put);
}

/* Where it leads now: to nothing, to the same, or elsewhere. */
static err_t check_tag(struct ctx *ctx, struct sql_tx *tx, const struct restore_work *work,
		       str name, digest d)
{
	digest now;
	err_t err = db_tag_find_locked(ctx, tx, work->repository_id, name, &now);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (!digest_equal(now, d) && !work->wanted->force)
		return fail(ctx, ERR_TRASH_TAKEN, "tag " STR_FMT " leads to another artifact now",
			    STR_ARG(name));
	return OK;
}

static err_t put_tag(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work, str name,
		     int64_t manifest_id)
{
	struct listing listing =
		LISTING(work->registry, work->repository_id, &work->rules, "restore");
	int64_t gained = 0, more = 0;
	TRY(listing_put_tag(ctx, tx, &listing, name, manifest_id, &gained));
	work->done.tags = gained;
	work->moved = ARENA_ARRAY(ctx->arena, struct trash_tag, 1);
	work->moved[0] = (struct trash_tag){ name, manifest_id };
	work->moved_count = 1;
	if (gained) {
		TRY(db_artifact_count_tags(ctx, tx, manifest_id, gained));
		TRY(db_artifact_list(ctx, tx, manifest_id, &more));
	}
	listing.listed += more;
	listing.relisted |= more != 0;
	listing.touched = true;
	return listing_finish(ctx, tx, &listing);
}

static err_t restore_tag(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work)
{
	const struct trash_entry *entry = work->entry;
	str name = work->wanted->as.len ? work->wanted->as : entry->name;
	int64_t manifest_id = 0;
	digest d;
	if (!reference_is_tag(name))
		return fail(ctx, ERR_REQUEST_INVALID, "as: no tag can have this name");
	if (!digest_parse(entry->digest, &d))
		return fail(ctx, ERR_CORRUPT, "entry of the trash has a malformed digest");
	err_t err = find_own(ctx, tx, work);
	if (err == OK)
		err = db_manifest_lock(ctx, tx, work->repository_id, d, &manifest_id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_TRASH_FIRST, "the artifact " STR_FMT " is not there any more",
			    STR_ARG(entry->digest));
	TRY(err);
	TRY(check_tag(ctx, tx, work, name, d));
	return put_tag(ctx, tx, work, name, manifest_id);
}

static err_t restore_project(struct ctx *ctx, struct sql_tx *tx, struct restore_work *work)
{
	const struct trash_entry *entry = work->entry;
	str name = work->wanted->as.len ? work->wanted->as : entry->name;
	err_t err = db_trash_put_project(ctx, tx, entry, ctx->tenant_id, name);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_TRASH_TAKEN, "there is a project " STR_FMT " again",
			    STR_ARG(name));
	TRY(err);
	TRY(db_alias_refuse(ctx, tx, ALIAS_OF_PROJECT, ctx->tenant_id, name));
	TRY(db_member_raise_epochs(ctx, tx, HOLDER_PROJECT, entry->project_id, &work->done.accounts,
				   &work->done.account_count));
	work->done.repository = name;
	const struct quota_charge charge = { .project_id = entry->project_id,
					     .more = { [QUOTA_PROJECTS] = 1 } };
	return quota_charge(ctx, tx, work->registry, &charge);
}

/* --- all of them ------------------------------------------------------------------------------ */

static err_t restore_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	static err_t (*const kinds[TRASH_KIND_COUNT])(struct ctx * ctx, struct sql_tx * tx,
						      struct restore_work * work) = {
		[TRASH_TAG] = restore_tag,
		[TRASH_ARTIFACT] = restore_artifact,
		[TRASH_REPOSITORY] = restore_repository,
		[TRASH_PROJECT] = restore_project,
	};
	struct restore_work *work = arg;
	const struct trash_restore *wanted = work->wanted;
	const struct trash_place place = { ctx->tenant_id, wanted->project_id, wanted->id };
	work->done = (struct trash_restored){ 0 };
	work->moved_count = 0;
	work->entry = &work->done.entry;
	TRY(db_trash_lock(ctx, tx, &place, work->entry));
	if (work->entry->project_deleted && work->entry->kind != TRASH_PROJECT)
		return fail(ctx, ERR_TRASH_FIRST, "the project is deleted");
	if (work->entry->kind <= TRASH_ANY || work->entry->kind >= TRASH_KIND_COUNT)
		return fail(ctx, ERR_CORRUPT, "entry of the trash is of kind %d",
			    work->entry->kind);
	err_t err = kinds[work->entry->kind](ctx, tx, work);
	if (err == ERR_ABSENT) /* what it was in goes at this moment */
		return fail(ctx, ERR_BUSY, "somebody deletes the repository");
	TRY(err);
	return db_trash_forget(ctx, tx, wanted->id);
}

/* What caches know of: tags that led elsewhere, and the project's name. */
static void forget(struct ctx *ctx, struct registry *registry, const struct restore_work *work)
{
	const struct trash_restored *done = &work->done;
	for (size_t i = 0; i < work->moved_count; i++) {
		struct cache_key key =
			key_in_repository('t', work->repository_id, work->moved[i].name);
		cache_drop(registry->cache, key_str(&key));
	}
	if (done->entry.kind == TRASH_PROJECT)
		project_forget(ctx, registry, done->entry.project_id, done->repository);
}

err_t trash_restore(struct ctx *ctx, struct registry *registry, const struct trash_restore *restore,
		    struct trash_restored *ret)
{
	struct restore_work work = { .registry = registry, .wanted = restore };
	struct trash_entry entry;
	TRY(trash_get(ctx, registry, restore->project_id, restore->id, &entry));
	TRY(immutability_find_by_id(ctx, registry, entry.repository_id, &work.rules));
	err_t err = db_run(ctx, registry->db, SQL_WRITE, restore_body, &work);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND,
			    "there is nothing with the number %lld in the trash",
			    (long long)restore->id);
	TRY(err);
	forget(ctx, registry, &work);
	*ret = work.done;
	return OK;
}
