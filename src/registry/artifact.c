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

/* Tags like a text are looked for from the tags on when fewer artifacts than one in so many have
 * one. */
#define RARE 16

/* What was asked for but for the page, in a text that is another for another list. */
static str name_of_list(struct ctx *ctx, const struct artifact_query *query)
{
	return arena_printf(ctx->arena,
			    "%d%d%d%d%d %zu:" STR_FMT " %zu:" STR_FMT " %zu:" STR_FMT
			    " %lld %lld " STR_FMT,
			    query->order, query->ascending, query->all, query->latest,
			    query->tagged, query->type.len, STR_ARG(query->type),
			    query->media_type.len, STR_ARG(query->media_type), query->tag_like.len,
			    STR_ARG(query->tag_like), (long long)query->pushed_from_us,
			    (long long)query->pushed_until_us, STR_ARG(query->label_ids));
}

/* Its length changes with `list_version`, its order perhaps with pulls: both numbers only grow. */
static struct list_state state_of(struct ctx *ctx, const struct repository_row *row,
				  const struct artifact_query *query)
{
	bool by_pull = query->order == ARTIFACT_BY_PULL;
	return (struct list_state){
		.kind = 'a',
		.id = row->id,
		.name = name_of_list(ctx, query),
		.version = { row->list_version, by_pull ? row->pull_count + row->pulled_at_us : 0 },
	};
}

/* From the nearest place that is known, and remembers where the page is. */
static err_t page_of_repository(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
				const struct artifact_query *query, const struct list_state *list,
				struct artifact_page *page)
{
	struct artifact_query rest = *query;
	struct artifact_place from = artifact_beginning(query);
	struct anchor near = { 0, from.value, from.id };
	bool led = artifact_query_is_led(query);
	anchor_find(registry, list, led, query->offset, &near);
	rest.offset -= near.offset;
	from = (struct artifact_place){ near.value, near.id };
	TRY(db_artifact_page(ctx, tx, &rest, from, &page->items, &page->count));
	if (!page->count)
		return OK;
	struct artifact_place first = artifact_place_of(query, &page->items[0]),
			      last = artifact_place_of(query, &page->items[page->count - 1]);
	const struct anchor ends[2] = {
		{ query->offset, first.value, first.id },
		{ query->offset + (int64_t)page->count - 1, last.value, last.id },
	};
	anchor_remember_page(registry, list, page->total, led, near.offset, ends);
	return OK;
}

/* Counters know how long the plain list is. */
static err_t count_in_repository(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
				 const struct artifact_query *query, const struct list_state *list,
				 int64_t listed, int64_t *ret)
{
	*ret = listed;
	if (artifact_query_is_plain(query) || anchor_total(registry, list, ret))
		return OK;
	TRY(db_artifact_count(ctx, tx, query, ret));
	anchor_remember_total(registry, list, *ret);
	return OK;
}

static err_t list_of_repository(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
				const struct artifact_query *asked, struct artifact_page *page)
{
	struct artifact_query query = *asked;
	struct repository_row row;
	if (query.tagged == TAGGED_LIKE)
		query.tagged = TAGGED_RARELY_LIKE;
	err_t err = db_repository_get(ctx, tx, query.of_id, &row);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "repository was deleted meanwhile");
	TRY(err);
	const struct list_state list = state_of(ctx, &row, &query);
	TRY(count_in_repository(ctx, registry, tx, &query, &list, row.artifact_count,
				&page->total));
	if (query.offset >= page->total)
		return OK;
	if (query.tagged == TAGGED_RARELY_LIKE && page->total > row.artifact_count / RARE)
		query.tagged = TAGGED_LIKE;
	return page_of_repository(ctx, registry, tx, &query, &list, page);
}

/* Of a project, whose state no single number tells; and of one artifact that is named. */
static err_t list_anew(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
		       struct artifact_page *page)
{
	if (artifact_query_is_plain(query))
		TRY(db_repository_artifacts(ctx, tx, query->of_id, &page->total));
	else
		TRY(db_artifact_count(ctx, tx, query, &page->total));
	if (query->offset >= page->total)
		return OK;
	return db_artifact_page(ctx, tx, query, artifact_beginning(query), &page->items,
				&page->count);
}

err_t artifact_list(struct ctx *ctx, struct registry *registry, const struct artifact_query *query,
		    struct artifact_page *ret)
{
	struct artifact_page page = { 0 };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	if (query->of_project || query->id)
		TRY(list_anew(ctx, &tx, query, &page));
	else
		TRY(list_of_repository(ctx, registry, &tx, query, &page));
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
