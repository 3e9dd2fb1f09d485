/* SPDX-License-Identifier: Apache-2.0 */
/* project.c - see project.h: finding and listing; project_change.c has the rest. */
#include "registry/project.h"
#include "base/glob.h"
#include "codec/json_writer.h"
#include "db/db.h"
#include "internal.h"
#include "project_internal.h"

#include <string.h>

#include "base/banned.h"

#define JSON_IDS_MAX MIB(1)

/* --- from memory ------------------------------------------------------------------------------ */

static err_t load_id(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	struct project project;
	TRY(db_project_find(ctx, tx, ctx->tenant_id, *(const str *)arg, &project));
	*(int64_t *)ret = project.id;
	return OK;
}

/* `*ret_stale`: the name was remembered for one that is gone, and is forgotten now. */
static err_t look_at(struct ctx *ctx, struct registry *registry, str name, struct project_info *ret,
		     bool *ret_stale)
{
	static const struct cached_kind kind = { load_id, sizeof(int64_t) };
	struct cache_key key = key_named(ctx, registry, 'p', name);
	int64_t id;
	*ret_stale = false;
	TRY(registry_cached(ctx, registry, &key, &kind, &name, &id));
	err_t err = project_find_id(ctx, registry, id, ret);
	*ret_stale = err == ERR_ABSENT; /* who deleted it did not know this name */
	if (*ret_stale)
		cache_drop(registry->cache, key_str(&key));
	return err;
}

err_t project_find(struct ctx *ctx, struct registry *registry, str name, struct project_info *ret)
{
	bool stale;
	err_t err = look_at(ctx, registry, name, ret, &stale);
	return stale ? look_at(ctx, registry, name, ret, &stale) : err;
}

/* What is remembered under a project's id. */
struct named_info {
	int64_t id;
	bool is_public;
	size_t name_len;
	char name[PROJECT_NAME_MAX];
};

static err_t load_named(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	struct named_info *named = ret;
	struct project project;
	TRY(db_project_find_id(ctx, tx, ctx->tenant_id, *(const int64_t *)arg, &project));
	if (project.name.len > sizeof named->name)
		return fail(ctx, ERR_INTERNAL, "project %lld has a name of %zu bytes",
			    (long long)project.id, project.name.len);
	memset(named, 0, sizeof *named);
	named->id = project.id;
	named->is_public = project.is_public;
	named->name_len = project.name.len;
	memcpy(named->name, project.name.ptr, project.name.len);
	return OK;
}

err_t project_find_id(struct ctx *ctx, struct registry *registry, int64_t id,
		      struct project_info *ret)
{
	static const struct cached_kind kind = { load_named, sizeof(struct named_info) };
	struct named_info named;
	struct cache_key key = key_numbered(ctx, registry, 'i', id);
	TRY(registry_cached(ctx, registry, &key, &kind, &id, &named));
	*ret = (struct project_info){ named.id, named.is_public,
				      arena_copy(ctx->arena, (str){ named.name, named.name_len }) };
	return OK;
}

void project_forget(struct ctx *ctx, struct registry *registry, int64_t id, str name)
{
	struct cache_key by_name = key_named(ctx, registry, 'p', name);
	struct cache_key by_id = key_numbered(ctx, registry, 'i', id);
	cache_drop(registry->cache, key_str(&by_name));
	cache_drop(registry->cache, key_str(&by_id));
}

/* --- everything about one --------------------------------------------------------------------- */

struct get_work {
	int64_t id;
	struct project_view *view;
};

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct get_work *work = arg;
	struct project_view *view = work->view;
	struct project_metadata *settings;
	TRY(db_project_find_id(ctx, tx, ctx->tenant_id, work->id, &view->row));
	TRY(db_project_repository_count(ctx, tx, work->id, &view->repository_count));
	TRY(db_project_metadata_list(ctx, tx, work->id, &settings, &view->setting_count));
	view->settings = settings;
	return OK;
}

err_t project_get(struct ctx *ctx, struct registry *registry, int64_t id, struct project_view *ret)
{
	struct project_view view = { 0 };
	struct get_work work = { id, &view };
	TRY(db_run(ctx, registry->db, SQL_READ, get_body, &work));
	*ret = view;
	return OK;
}

/* --- lists ------------------------------------------------------------------------------------ */

struct list_work {
	const struct project_query *query;
	bool counted;
	int64_t total;
	struct project_view *views;
	size_t count;
};

static str ids_json(struct ctx *ctx, const struct project *rows, size_t count)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(JSON_IDS_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		json_write_i64(&w, NULL, rows[i].id);
	json_write_array_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

/* The settings come sorted by project: each project's are a slice. */
static void hand_out(struct list_work *work, const struct project_metadata *settings, size_t count)
{
	for (size_t i = 0; count && i < work->count; i++) {
		struct project_view *view = &work->views[i];
		size_t from = 0;
		while (from < count && settings[from].project_id != view->row.id)
			from++;
		view->settings = settings + from;
		while (from + view->setting_count < count &&
		       view->settings[view->setting_count].project_id == view->row.id)
			view->setting_count++;
	}
}

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct list_work *work = arg;
	struct project *rows;
	struct project_metadata *settings;
	size_t setting_count;
	TRY(db_project_count(ctx, tx, work->query, &work->total));
	TRY(db_project_page(ctx, tx, work->query, &rows, &work->count));
	work->views = ARENA_ARRAY(ctx->arena, struct project_view, work->count);
	for (size_t i = 0; i < work->count; i++) {
		work->views[i] = (struct project_view){ .row = rows[i] };
		if (work->counted)
			TRY(db_project_repository_count(ctx, tx, rows[i].id,
							&work->views[i].repository_count));
	}
	TRY(db_project_metadata_of(ctx, tx, ids_json(ctx, rows, work->count), &settings,
				   &setting_count));
	hand_out(work, settings, setting_count);
	return OK;
}

err_t project_list(struct ctx *ctx, struct registry *registry, const struct project_query *query,
		   bool counted, struct project_view **ret, size_t *ret_count, int64_t *ret_total)
{
	struct list_work work = { .query = query, .counted = counted };
	TRY(db_run(ctx, registry->db, SQL_READ, list_body, &work));
	*ret = work.views;
	*ret_count = work.count;
	*ret_total = work.total;
	return OK;
}

/* --- names that fit --------------------------------------------------------------------------- */

struct match_work {
	const str *globs;
	size_t count;
	struct json_writer *w;
	int64_t left;
};

/* What every name that fits must begin with. */
static str literal_beginning(str glob)
{
	size_t len = 0;
	while (len < glob.len && !strchr("*?[{\\", glob.ptr[len]))
		len++;
	return str_take(glob, len);
}

static err_t match_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct match_work *work = arg;
	for (size_t g = 0; g < work->count; g++) {
		struct project_name *names;
		size_t count;
		TRY(db_project_names(ctx, tx, ctx->tenant_id, literal_beginning(work->globs[g]),
				     work->left, &names, &count));
		for (size_t i = 0; i < count; i++)
			if (glob_match(work->globs[g], names[i].name))
				json_write_i64(work->w, NULL, names[i].id);
		work->left -= (int64_t)count;
	}
	return OK;
}

err_t project_matches(struct ctx *ctx, struct registry *registry, const str *globs, size_t count,
		      str *ret_json)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	CLEANUP(buf_done) struct buf b = BUF_INIT(JSON_IDS_MAX);
	struct json_writer w = JSON_WRITER(&b);
	struct match_work work = { globs, count, &w, PROJECT_MATCHES_MAX };
	TRY(registry_read(ctx, registry, &tx));
	json_write_array_begin(&w, NULL);
	TRY(match_body(ctx, &tx, &work));
	json_write_array_end(&w);
	*ret_json = arena_copy(ctx->arena, buf_str(&b));
	return OK;
}
