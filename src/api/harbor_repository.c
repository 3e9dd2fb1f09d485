/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_repository.c - repositories, in the words of Harbor's REST API v2.0. */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "api/sight.h"
#include "registry/artifact.h"
#include "registry/delete.h"

#include "base/banned.h"

#define DESCRIPTION_MAX KIB(64)

static void write_repository(struct json_writer *w, const struct repository_row *row)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_i64(w, "project_id", row->project_id);
	json_write_str(w, "name", row->name);
	json_write_str(w, "description", row->description);
	json_write_i64(w, "artifact_count", row->artifact_count);
	json_write_i64(w, "pull_count", row->pull_count);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "update_time", row->updated_at_us);
	json_write_object_end(w);
}

/* `q` has the whole name or a part of it; a project's list may say "rest" for "project/rest". */
static void read_filters(struct ctx *ctx, const struct list *list, str project,
			 struct repository_search *search)
{
	str name = list_text(list, "name");
	if (list_is_fuzzy(list, "name"))
		search->name_like = like_pattern(ctx->arena, name);
	else if (name.len && project.len && !str_has_prefix(name, project))
		search->name = arena_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(project),
					    STR_ARG(name));
	else
		search->name = name;
	search->blob = list_text(list, "blob_digest");
	if (search->blob.len && search->name.len) {
		search->name_like = like_exactly(ctx->arena, search->name);
		search->name = STR_NONE;
	}
}

static err_t answer_list(struct ctx *ctx, struct request *rq, struct repository_search *search)
{
	static const char *const columns[REPOSITORY_ORDER_COUNT] = {
		[REPOSITORY_BY_NAME] = "name",
		[REPOSITORY_BY_CREATION] = "creation_time",
		[REPOSITORY_BY_UPDATE] = "update_time",
		[REPOSITORY_BY_PULLS] = "pull_count",
		[REPOSITORY_BY_ARTIFACTS] = "artifact_count",
	};
	struct list list;
	struct repository_page page;
	TRY(list_begin(ctx, rq, &list));
	read_filters(ctx, &list, rq->project, search);
	search->order = (enum repository_order)list_sort(&list, columns, REPOSITORY_ORDER_COUNT,
							 REPOSITORY_BY_NAME, &search->descending);
	search->max = list.page_size;
	search->offset = list.offset;
	TRY(repository_list(ctx, rq->api->options.registry, search, &page));

	CLEANUP(buf_done)
	struct buf body = BUF_INIT(HARBOR_PAGE_SIZE_MAX * (DESCRIPTION_MAX + KIB(2)));
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < page.count; i++)
		write_repository(&w, &page.items[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, page.total, &body);
}

err_t harbor_repository_list_all(struct ctx *ctx, struct request *rq)
{
	struct project_sight sight;
	struct repository_search search = { .sight = &sight };
	TRY(request_sight(ctx, rq, &sight));
	return answer_list(ctx, rq, &search);
}

err_t harbor_repository_list(struct ctx *ctx, struct request *rq)
{
	struct repository_search search = { .project_id = rq->project_found.id };
	return answer_list(ctx, rq, &search);
}

err_t harbor_repository_get(struct ctx *ctx, struct request *rq)
{
	struct repository_row row;
	TRY(repository_get(ctx, rq->api->options.registry, rq->repository, &row));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_repository(&w, &row);
	return answer_object(ctx, rq, &body);
}

static str description_json(struct ctx *ctx, str description)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(8 * DESCRIPTION_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "description", description);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&text));
}

struct repository_body {
	str description;
	bool has_description;
};

err_t harbor_repository_update(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct repository_body, "description", description, DESCRIPTION_MAX),
		JSON_FIELD_HAS(struct repository_body, "description", has_description),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct repository_body given = { 0 };
	struct registry *registry = rq->api->options.registry;
	struct repository_row before;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &given));
	TRY(repository_get(ctx, registry, rq->repository, &before));
	if (!given.has_description)
		return answer_empty(rq, 200);

	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_REPOSITORY);
	event->before = description_json(ctx, before.description);
	event->after = description_json(ctx, given.description);
	TRY(repository_describe(ctx, registry, rq->repository, given.description));
	return answer_empty(rq, 200);
}

err_t harbor_repository_delete(struct ctx *ctx, struct request *rq)
{
	if (!rq->api->options.deletes)
		return fail(ctx, ERR_UNSUPPORTED, "deletes are switched off");
	audit_change(rq, AUDIT_DELETE_REPOSITORY);
	TRY(repository_delete(ctx, rq->api->options.registry, rq->repository));
	return answer_empty(rq, 200);
}
