/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_label.c - labels, in the words of Harbor's REST API v2.0.
 *
 * Whose they are decides who may: those of scope "g" are the tenant's, those of scope "p" a
 * project's. The routes ask for a login only; the decision is here, by request_require().
 */
#include "api/artifact_json.h"
#include "api/audit.h"
#include "api/handlers.h"
#include "registry/label.h"

#include "base/banned.h"

#define DESCRIPTION_MAX KIB(4)
#define COLOR_MAX	16

struct label_actions {
	enum action of_tenant, of_project;
};

static const struct label_actions create_actions = { ACTION_SYSTEM_LABEL_CREATE,
						     ACTION_LABEL_CREATE };
static const struct label_actions read_actions = { ACTION_SYSTEM_LABEL_READ, ACTION_LABEL_READ };
static const struct label_actions update_actions = { ACTION_SYSTEM_LABEL_UPDATE,
						     ACTION_LABEL_UPDATE };
static const struct label_actions delete_actions = { ACTION_SYSTEM_LABEL_DELETE,
						     ACTION_LABEL_DELETE };

static err_t require(struct ctx *ctx, struct request *rq, const struct label_actions *actions,
		     int64_t project_id)
{
	return request_require(ctx, rq, project_id ? actions->of_project : actions->of_tenant,
			       project_id);
}

struct label_body {
	str name, description, color, scope;
	int64_t project_id;
};

static err_t read_label(struct ctx *ctx, struct request *rq, struct json_document *doc,
			struct label_body *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct label_body, "name", name, KIB(4)),
		JSON_FIELD_STR(struct label_body, "description", description, DESCRIPTION_MAX),
		JSON_FIELD_STR(struct label_body, "color", color, COLOR_MAX),
		JSON_FIELD_STR(struct label_body, "scope", scope, 16),
		JSON_FIELD_I64(struct label_body, "project_id", project_id),
	};
	TRY(body_read(ctx, rq, doc));
	TRY(body_shape(ctx, doc->root, fields, COUNT_OF(fields), ret));
	if (!ret->name.len || ret->name.len > LABEL_NAME_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "name has from 1 to %d bytes",
			    LABEL_NAME_MAX);
	return OK;
}

/* "g" or "p" with a project, from a body or from parameters. */
static err_t check_scope(struct ctx *ctx, str scope, int64_t *project_id)
{
	if (str_eq(scope, STR("g"))) {
		*project_id = 0;
		return OK;
	}
	if (!str_eq(scope, STR("p")))
		return fail(ctx, ERR_REQUEST_INVALID, "scope is g or p");
	if (*project_id <= 0)
		return fail(ctx, ERR_REQUEST_INVALID, "a project's labels need project_id");
	return OK;
}

static str label_json(struct ctx *ctx, const struct label *label)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(64));
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "name", label->name);
	json_write_str(&w, "description", label->description);
	json_write_str(&w, "color", label->color);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&text));
}

static struct audit_event *record(struct request *rq, enum audit_type type,
				  const struct label *label)
{
	struct audit_event *event = audit_change(rq, type);
	event->project_id = label->project_id;
	event->resource = arena_copy(rq->x->ctx->arena, label->name);
	return event;
}

err_t harbor_label_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct label_body given = { .scope = STR_NONE };
	TRY(read_label(ctx, rq, &doc, &given));
	TRY(check_scope(ctx, given.scope, &given.project_id));
	TRY(require(ctx, rq, &create_actions, given.project_id));
	struct label label = {
		.project_id = given.project_id,
		.name = given.name,
		.description = given.description,
		.color = given.color,
	};
	record(rq, AUDIT_CREATE_LABEL, &label)->after = label_json(ctx, &label);
	TRY(label_create(ctx, rq->api->options.registry, &label));
	return answer_created(rq, label.id);
}

err_t harbor_label_get(struct ctx *ctx, struct request *rq)
{
	struct label label;
	TRY(label_get(ctx, rq->api->options.registry, rq->id, &label));
	TRY(require(ctx, rq, &read_actions, label.project_id));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	label_json_write(&w, &label);
	return answer_object(ctx, rq, &body);
}

err_t harbor_label_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct label_body given = { .scope = STR_NONE };
	struct label label;
	TRY(label_get(ctx, rq->api->options.registry, rq->id, &label));
	TRY(require(ctx, rq, &update_actions, label.project_id));
	TRY(read_label(ctx, rq, &doc, &given));
	struct audit_event *event = record(rq, AUDIT_UPDATE_LABEL, &label);
	event->before = label_json(ctx, &label);
	label.name = given.name;
	label.description = given.description;
	label.color = given.color;
	event->after = label_json(ctx, &label);
	TRY(label_update(ctx, rq->api->options.registry, &label));
	return answer_empty(rq, 200);
}

err_t harbor_label_delete(struct ctx *ctx, struct request *rq)
{
	struct label label;
	TRY(label_get(ctx, rq->api->options.registry, rq->id, &label));
	TRY(require(ctx, rq, &delete_actions, label.project_id));
	record(rq, AUDIT_DELETE_LABEL, &label)->before = label_json(ctx, &label);
	TRY(label_delete(ctx, rq->api->options.registry, label.id));
	return answer_empty(rq, 200);
}

static err_t read_query(struct ctx *ctx, struct request *rq, const struct list *list,
			struct label_query *query)
{
	static const char *const columns[LABEL_ORDER_COUNT] = {
		[LABEL_BY_NAME] = "name",
		[LABEL_BY_CREATION] = "creation_time",
		[LABEL_BY_UPDATE] = "update_time",
		[LABEL_BY_ID] = "id",
	};
	str part = request_query(rq, STR("name"));
	str name = list_text(list, "name");
	*query = (struct label_query){ .tenant_id = ctx->tenant_id };
	TRY(query_i64(ctx, rq, STR("project_id"), 0, &query->project_id));
	TRY(check_scope(ctx, request_query(rq, STR("scope")), &query->project_id));
	query->order = (enum label_order)list_sort(list, columns, LABEL_ORDER_COUNT, LABEL_BY_ID,
						   &query->descending);
	query->max = list->page_size;
	query->offset = list->offset;
	query->name_like = like_pattern(ctx->arena, part.len ? part : name);
	if (query->name_like.len && !part.len && !list_is_fuzzy(list, "name"))
		query->name_like =
			str_skip(str_take(query->name_like, query->name_like.len - 1), 1);
	return OK;
}

err_t harbor_label_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct label_query query;
	struct label_page page;
	TRY(list_begin(ctx, rq, &list));
	TRY(read_query(ctx, rq, &list, &query));
	if (query.project_id)
		TRY(request_require(ctx, rq, ACTION_LABEL_LIST, query.project_id));
	TRY(label_list(ctx, rq->api->options.registry, &query, &page));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < page.count; i++)
		label_json_write(&w, &page.items[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, page.total, &body);
}
