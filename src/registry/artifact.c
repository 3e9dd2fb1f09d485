/* SPDX-License-Identifier: Apache-2.0 */
/* artifact.c - see artifact.h. */
#include "registry/artifact.h"
#include "anchors.h"
#include "base/buf.h"
#include "db/db.h"
#include "db/manifest.h"
#include "db/tag.h"
#include "internal.h"
#include "registry/label.h"
#include "registry/repository.h"

#include "base/banned.h"

#define CHILDREN_SHOWN 10000
#define IDS_MAX	       KIB(4)

/* --- repositories ------------------------------------------------------------------------------
 */

err_t repository_get(struct ctx *ctx, struct registry *registry, str name,
		     struct repository_row *ret)
{
	int64_t id;
	TRY(repository_find(ctx, registry, name, &id));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = db_repository_get(ctx, &tx, id, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "no repository " STR_FMT, STR_ARG(name));
	return err;
}

err_t repository_list(struct ctx *ctx, struct registry *registry,
		      const struct repository_search *search, struct repository_page *ret)
{
	struct repository_page page;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_repository_list_count(ctx, &tx, search, &page.total));
	TRY(db_repository_list(ctx, &tx, search, &page.items, &page.count));
	*ret = page;
	return OK;
}

struct describe_work {
	int64_t id;
	str description;
};

static err_t describe(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct describe_work *work = arg;
	return db_repository_describe(ctx, tx, work->id, work->description);
}

err_t repository_describe(struct ctx *ctx, struct registry *registry, str name, str description)
{
	struct describe_work work = { .description = description };
	TRY(repository_find(ctx, registry, name, &work.id));
	err_t err = db_run(ctx, registry->db, SQL_WRITE, describe, &work);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "repository was deleted meanwhile");
	return err;
}

/* --- artifacts ---------------------------------------------------------------------------------
 */

static err_t find(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
		  const struct reference *reference, struct artifact *ret)
{
	digest d = reference->digest;
	int64_t id;
	if (reference->tag.len)
		TRY(db_tag_find(ctx, tx, repository_id, reference->tag, &d));
	TRY(db_manifest_find_id(ctx, tx, repository_id, d, &id));
	return db_artifact_get(ctx, tx, id, ret);
}

err_t artifact_get(struct ctx *ctx, struct registry *registry, str repository,
		   const struct reference *reference, struct artifact *ret)
{
	int64_t repository_id;
	TRY(repository_find(ctx, registry, repository, &repository_id));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = find(ctx, &tx, repository_id, reference, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "no such artifact in " STR_FMT,
			    STR_ARG(repository));
	return err;
}

/* Counters know how long the plain list is. `*ret_version` is set for the list of a repository. */
static err_t count(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
		   int64_t *ret, struct list_version *ret_version)
{
	struct repository_row row;
	if (!artifact_query_is_plain(query))
		return db_artifact_count(ctx, tx, query, ret);
	if (query->of_project)
		return db_repository_artifacts(ctx, tx, query->of_id, ret);
	TRY(db_repository_get(ctx, tx, query->of_id, &row));
	*ret = row.artifact_count;
	*ret_version = (struct list_version){ row.id, row.artifact_count, row.updated_at_us };
	return OK;
}

/* A page that begins deeper than this is looked for from the nearest anchor. */
#define SHALLOW 200

static bool is_deep(const struct artifact_query *query)
{
	return artifact_query_is_plain(query) && query->order == ARTIFACT_BY_PUSH &&
	       !query->of_project && query->offset > SHALLOW;
}

/* The same page, counted from the newest on; its rows come the other way round. */
static void from_newest(struct artifact_query *query, int64_t total)
{
	int64_t rest = total - query->offset; /* of the list, from the page on */
	query->ascending = false;
	query->max = query->max < rest ? query->max : rest;
	query->offset = rest - query->max;
}

static void reverse(struct artifact *items, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct artifact other = items[i];
		items[i] = items[count - 1 - i];
		items[count - 1 - i] = other;
	}
}

static err_t deep_page(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
		       struct artifact_query query, const struct list_version *version,
		       struct artifact_page *page)
{
	struct anchor near = { 0, INT64_MAX, INT64_MAX };
	bool reversed = query.ascending;
	if (query.offset >= page->total)
		return OK;
	if (reversed)
		from_newest(&query, page->total);
	int64_t offset = query.offset;
	bool known = anchor_find(registry, version, offset, &near);
	query.offset -= near.offset;
	const struct artifact_place from = { near.pushed_at_us, near.id };
	TRY(db_artifact_page_from(ctx, tx, &query, &from, &page->items, &page->count));
	if (page->count && (!known || query.offset > SHALLOW))
		anchor_remember(
			registry, version,
			&(struct anchor){ offset, page->items[0].pushed_at_us, page->items[0].id });
	if (reversed)
		reverse(page->items, page->count);
	return OK;
}

err_t artifact_list(struct ctx *ctx, struct registry *registry, const struct artifact_query *query,
		    struct artifact_page *ret)
{
	struct artifact_page page = { 0 };
	struct list_version version;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = count(ctx, &tx, query, &page.total, &version);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "repository was deleted meanwhile");
	TRY(err);
	if (is_deep(query))
		TRY(deep_page(ctx, registry, &tx, *query, &version, &page));
	else
		TRY(db_artifact_page(ctx, &tx, query, &page.items, &page.count));
	*ret = page;
	return OK;
}

/* The ids of the artifacts that `wants`, as "1,2,3". */
static str list_ids(struct ctx *ctx, const struct artifact *artifacts, size_t count,
		    bool (*wants)(const struct artifact *, size_t), size_t max)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(IDS_MAX);
	for (size_t i = 0; i < count; i++)
		if (wants(&artifacts[i], max))
			buf_printf(&b, "%s%lld", b.len ? "," : "", (long long)artifacts[i].id);
	return buf_overrun(&b) ? STR_NONE : arena_copy(ctx->arena, buf_str(&b));
}

static bool has_some_tags(const struct artifact *artifact, size_t max)
{
	return artifact->tag_count > 0 && artifact->tag_count <= (int64_t)max;
}

static bool has_many_tags(const struct artifact *artifact, size_t max)
{
	return artifact->tag_count > (int64_t)max;
}

static bool has_children(const struct artifact *artifact, size_t max)
{
	return artifact->children_json.len > 2;
}

static bool always(const struct artifact *artifact, size_t max)
{
	return true;
}

static err_t add_tags(struct ctx *ctx, struct artifact_belongings *into, struct artifact_tag *tags,
		      size_t count)
{
	size_t total = into->tag_count + count;
	struct artifact_tag *all = arena_try(ctx->arena, (total + 1) * sizeof *all);
	if (!all)
		return fail(ctx, ERR_LIMIT, "more tags than fit into memory");
	for (size_t i = 0; i < into->tag_count; i++)
		all[i] = into->tags[i];
	for (size_t i = 0; i < count; i++)
		all[into->tag_count + i] = tags[i];
	into->tags = all;
	into->tag_count = total;
	return OK;
}

/* All tags of those with few in one query; the first of those with many, one by one. */
static err_t read_tags(struct ctx *ctx, struct sql_tx *tx, const struct artifact *artifacts,
		       size_t count, size_t max, struct artifact_belongings *ret)
{
	str ids = list_ids(ctx, artifacts, count, has_some_tags, max);
	if (ids.len)
		TRY(db_artifact_tags(ctx, tx, ids, count * max, &ret->tags, &ret->tag_count));
	for (size_t i = 0; i < count; i++) {
		struct artifact_tag *tags;
		size_t found;
		if (!has_many_tags(&artifacts[i], max))
			continue;
		TRY(db_artifact_tag_page(ctx, tx, artifacts[i].id, STR_NONE,
					 (struct page){ (int64_t)max, 0 }, &tags, &found));
		TRY(add_tags(ctx, ret, tags, found));
	}
	return OK;
}

err_t artifact_belongings(struct ctx *ctx, struct registry *registry,
			  const struct artifact *artifacts, size_t count, size_t tags_max,
			  bool with_labels, struct artifact_belongings *ret)
{
	struct artifact_belongings found = { 0 };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	if (tags_max)
		TRY(read_tags(ctx, &tx, artifacts, count, tags_max, &found));
	str ids = list_ids(ctx, artifacts, count, has_children, 0);
	if (ids.len)
		TRY(db_artifact_children(ctx, &tx, ids, CHILDREN_SHOWN, &found.children,
					 &found.child_count));
	ids = list_ids(ctx, artifacts, count, always, 0);
	if (with_labels && ids.len)
		TRY(db_label_on_artifacts(ctx, &tx, ids, count * LABELS_WORN_MAX, &found.labels,
					  &found.label_count));
	*ret = found;
	return OK;
}

err_t artifact_tags(struct ctx *ctx, struct registry *registry, int64_t id, str like,
		    struct page page, struct artifact_tag_page *ret)
{
	struct artifact_tag_page found;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_artifact_tag_count(ctx, &tx, id, like, &found.total));
	TRY(db_artifact_tag_page(ctx, &tx, id, like, page, &found.items, &found.count));
	*ret = found;
	return OK;
}

err_t artifact_accessories(struct ctx *ctx, struct registry *registry,
			   const struct artifact *subject, str type, struct page page,
			   struct artifact_page *ret)
{
	struct artifact_page found;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_artifact_accessory_count(ctx, &tx, subject, type, &found.total));
	TRY(db_artifact_accessories(ctx, &tx, subject, type, page, &found.items, &found.count));
	*ret = found;
	return OK;
}
