/* SPDX-License-Identifier: Apache-2.0 */
/* trash.c - see trash.h: what goes in, lists, and the end. Restoring is trash_restore.c. */
#include "registry/trash.h"
#include "db/db.h"
#include "internal.h"

#include "base/banned.h"

#define REMOVE_ROWS 2000 /* in one transaction */
#define EMPTY_TURNS 8	 /* of such, while somebody waits for it */
#define S_US	    1000000

static const str kind_texts[TRASH_KIND_COUNT] = {
	[TRASH_ANY] = STR_INIT(""),
	[TRASH_TAG] = STR_INIT("tag"),
	[TRASH_ARTIFACT] = STR_INIT("artifact"),
	[TRASH_REPOSITORY] = STR_INIT("repository"),
	[TRASH_PROJECT] = STR_INIT("project"),
};

str trash_kind_text(enum trash_kind kind)
{
	return kind < TRASH_KIND_COUNT ? kind_texts[kind] : STR_NONE;
}

enum trash_kind trash_kind_of(str text)
{
	for (enum trash_kind kind = TRASH_TAG; kind < TRASH_KIND_COUNT; kind++)
		if (str_eq(kind_texts[kind], text))
			return kind;
	return TRASH_ANY;
}

static int64_t default_window_us(const struct registry *registry)
{
	return registry->options.trash_window_ms * 1000;
}

/* --- deleting --------------------------------------------------------------------------------- */

static err_t take_all(struct ctx *ctx, struct sql_tx *tx, const struct trash_opening *opening,
		      int64_t id)
{
	if (opening->kind == TRASH_REPOSITORY)
		return db_trash_take_repository(ctx, tx, id, opening->id);
	if (opening->kind == TRASH_PROJECT)
		return db_trash_take_project(ctx, tx, id, opening->id);
	return OK;
}

err_t trash_open(struct ctx *ctx, struct sql_tx *tx, struct registry *registry,
		 const struct trash_opening *opening, struct trash *ret)
{
	struct trash_opening whole = *opening;
	*ret = (struct trash){ 0 };
	whole.window_us = default_window_us(registry);
	whole.by = ctx->actor.name;
	TRY(db_trash_open(ctx, tx, &whole, &ret->id));
	return ret->id ? take_all(ctx, tx, &whole, ret->id) : OK;
}

err_t trash_take_manifest(struct ctx *ctx, struct sql_tx *tx, struct trash *trash,
			  int64_t manifest_id)
{
	return trash->id ? db_trash_take_manifest(ctx, tx, trash->id, manifest_id) : OK;
}

err_t trash_close(struct ctx *ctx, struct sql_tx *tx, const struct trash *trash,
		  const struct quota_charge *less)
{
	const struct trash_weight weight = { -less->more[QUOTA_STORAGE],
					     -less->more[QUOTA_ARTIFACTS],
					     -less->more[QUOTA_TAGS] };
	return trash->id ? db_trash_weigh(ctx, tx, trash->id, &weight) : OK;
}

/* --- lists ------------------------------------------------------------------------------------ */

err_t trash_list(struct ctx *ctx, struct registry *registry, struct trash_list *list)
{
	struct trash_query query = list->query;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	query.tenant_id = ctx->tenant_id;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_trash_page(ctx, &tx, &query, &list->items, &list->count));
	return db_trash_count(ctx, &tx, &query, &list->total, &list->bytes);
}

static err_t unknown(struct ctx *ctx, err_t err, int64_t id)
{
	if (err != ERR_ABSENT)
		return err;
	return fail(ctx, ERR_NOT_FOUND, "there is nothing with the number %lld in the trash",
		    (long long)id);
}

err_t trash_get(struct ctx *ctx, struct registry *registry, int64_t project_id, int64_t id,
		struct trash_entry *ret)
{
	const struct trash_place place = { ctx->tenant_id, project_id, id };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return unknown(ctx, db_trash_find(ctx, &tx, &place, ret), id);
}

err_t trash_bytes(struct ctx *ctx, struct registry *registry, int64_t tenant_id, int64_t project_id,
		  int64_t *ret)
{
	const struct trash_query query = { .tenant_id = tenant_id, .project_id = project_id };
	int64_t entries;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_trash_count(ctx, &tx, &query, &entries, ret);
}

/* --- the end ---------------------------------------------------------------------------------- */

struct remove_work {
	int64_t rows, entries;
};

static err_t remove_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct remove_work *work = arg;
	return db_trash_remove(ctx, tx, REMOVE_ROWS, &work->rows, &work->entries);
}

/* Negative `turns`: until nothing is left. */
static err_t remove_turns(struct ctx *ctx, struct registry *registry, int turns,
			  int64_t *ret_entries)
{
	struct remove_work work = { .rows = 1 };
	int64_t sum = 0;
	while (work.rows && turns--) {
		TRY(ctx_check(ctx));
		TRY(db_run(ctx, registry->db, SQL_WRITE, remove_body, &work));
		sum += work.entries;
	}
	*ret_entries = sum;
	return OK;
}

err_t trash_remove(struct ctx *ctx, struct registry *registry, int64_t *ret_entries)
{
	return remove_turns(ctx, registry, -1, ret_entries);
}

void trash_tidy(struct ctx *ctx, struct registry *registry)
{
	int64_t ignored;
	if (remove_turns(ctx, registry, EMPTY_TURNS, &ignored) != OK)
		ctx_forgive(ctx);
}

static err_t end_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct trash_place *place = arg;
	struct trash_entry entry;
	TRY(db_trash_lock(ctx, tx, place, &entry));
	return db_trash_end(ctx, tx, place->id);
}

err_t trash_empty(struct ctx *ctx, struct registry *registry, int64_t project_id, int64_t id)
{
	struct trash_place place = { ctx->tenant_id, project_id, id };
	TRY(unknown(ctx, db_run(ctx, registry->db, SQL_WRITE, end_body, &place), id));
	trash_tidy(ctx, registry);
	return OK;
}

/* --- windows ---------------------------------------------------------------------------------- */

static err_t own_window(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			struct trash_window *ret)
{
	int64_t us;
	err_t err = db_trash_window(ctx, tx, ctx->tenant_id, project_id, &us);
	if (err == OK)
		*ret = (struct trash_window){ us / S_US, true };
	return err;
}

err_t trash_window(struct ctx *ctx, struct registry *registry, int64_t project_id,
		   struct trash_window *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = own_window(ctx, &tx, project_id, ret);
	if (err != ERR_ABSENT)
		return err;
	err = project_id ? own_window(ctx, &tx, 0, ret) : ERR_ABSENT;
	if (err == ERR_ABSENT)
		*ret = (struct trash_window){ default_window_us(registry) / S_US, false };
	else
		ret->own = false;
	return err == ERR_ABSENT ? OK : err;
}

struct window_work {
	int64_t project_id, seconds;
};

static err_t window_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct window_work *work = arg;
	return db_trash_set_window(ctx, tx, ctx->tenant_id, work->project_id,
				   work->seconds < 0 ? -1 : work->seconds * S_US);
}

err_t trash_set_window(struct ctx *ctx, struct registry *registry, int64_t project_id,
		       int64_t seconds)
{
	struct window_work work = { project_id, seconds };
	return db_run(ctx, registry->db, SQL_WRITE, window_body, &work);
}
