/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_project.c - projects, in the words of Harbor's REST API v2.0: enough to make one, see it,
 * and say whether it is public.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "base/clock.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "registry/project.h"

#include "base/banned.h"

#define PROJECT_BODY_MAX MIB(1)
#define PAGE_DEFAULT	 10
#define PAGE_MAX	 100

err_t harbor_ping(struct ctx *ctx, struct request *rq)
{
	exchange_header(rq->x, STR("Content-Type"), STR("text/plain; charset=utf-8"));
	return exchange_answer(rq->x, 200, STR("Pong"));
}

static void write_project(struct json_writer *w, const struct project *project)
{
	char created[CLOCK_RFC3339_MAX], updated[CLOCK_RFC3339_MAX];
	json_write_object_begin(w, NULL);
	json_write_i64(w, "project_id", project->id);
	json_write_str(w, "name", project->name);
	json_write_str(w, "creation_time", clock_rfc3339(project->created_at_us, created));
	json_write_str(w, "update_time", clock_rfc3339(project->updated_at_us, updated));
	json_write_object_begin(w, "metadata");
	json_write_str(w, "public", project->is_public ? STR("true") : STR("false"));
	json_write_object_end(w);
	json_write_object_end(w);
}

static err_t unknown_project(struct ctx *ctx, err_t err)
{
	return err == ERR_ABSENT ? fail(ctx, ERR_NAME_UNKNOWN, "no such project") : err;
}

err_t harbor_project_get(struct ctx *ctx, struct request *rq)
{
	struct project project;
	err_t err = project_get(ctx, rq->api->options.registry, rq->project, &project);
	TRY(unknown_project(ctx, err));
	CLEANUP(buf_done) struct buf body = BUF_INIT(PROJECT_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_project(&w, &project);
	return answer_json(rq, 200, buf_str(&body));
}

/* Keyset pages over `page` and `page_size` as Harbor's clients send them: pages are walked, not
 * skipped to. */
err_t harbor_project_list(struct ctx *ctx, struct request *rq)
{
	uint64_t page = 1, size = PAGE_DEFAULT;
	if ((request_has_query(rq, STR("page")) &&
	     !str_to_u64(request_query(rq, STR("page")), 10000, &page)) ||
	    (request_has_query(rq, STR("page_size")) &&
	     !str_to_u64(request_query(rq, STR("page_size")), PAGE_MAX, &size)) ||
	    page == 0 || size == 0)
		return fail(ctx, ERR_PAGE_INVALID, "page or page_size out of range");

	struct project *projects = NULL;
	size_t count = 0;
	str last = STR_NONE;
	struct decision all_decision;
	TRY(request_may(ctx, rq, ACTION_PROJECT_LIST_ALL, STR_NONE, &all_decision));
	bool all = all_decision.allowed;
	for (uint64_t at = 1; at <= page; at++) {
		TRY(project_page(ctx, rq->api->options.registry, last, all, size, &projects,
				 &count));
		if (count == 0)
			break;
		last = projects[count - 1].name;
	}
	CLEANUP(buf_done) struct buf body = BUF_INIT(PROJECT_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_project(&w, &projects[i]);
	json_write_array_end(&w);
	return answer_json(rq, 200, buf_str(&body));
}

struct project_request {
	str name;
	bool has_public;
	bool is_public;
};

static err_t read_request(struct ctx *ctx, struct request *rq, struct json_document *doc,
			  struct project_request *ret)
{
	TRY(body_read(ctx, rq, doc));
	struct project_request request = { 0 };
	const struct json_value *metadata = NULL;
	str public_text = STR_NONE;
	if (json_get_str(doc->root, "project_name", &request.name) == JSON_WRONG ||
	    json_get_object(doc->root, "metadata", &metadata) == JSON_WRONG ||
	    json_get_str(metadata, "public", &public_text) == JSON_WRONG)
		return fail(ctx, ERR_REQUEST_INVALID, "a field has the wrong type");
	enum json_got flat = json_get_bool(doc->root, "public", &request.is_public);
	request.has_public = flat == JSON_FOUND || public_text.len;
	if (public_text.len)
		request.is_public = str_eq(public_text, STR("true"));
	*ret = request;
	return OK;
}

/* For the audit trail. */
static str public_text(bool is_public)
{
	return is_public ? STR("{\"public\":true}") : STR("{\"public\":false}");
}

err_t harbor_project_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct project_request request;
	TRY(read_request(ctx, rq, &doc, &request));
	if (!reference_is_project(request.name))
		return fail(ctx, ERR_NAME_INVALID, "project name does not fit the grammar");
	struct registry *registry = rq->api->options.registry;
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_PROJECT);
	event->project = event->resource = request.name;
	event->after = public_text(request.is_public);
	err_t err = project_create(ctx, registry, request.name, request.is_public);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_EXISTS, "project exists");
	TRY(err);

	struct project project;
	TRY(project_get(ctx, registry, request.name, &project));
	exchange_header_printf(rq->x, STR("Location"), "/api/v2.0/projects/%lld",
			       (long long)project.id);
	return answer_empty(rq, 201);
}

err_t harbor_project_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct project_request request;
	TRY(read_request(ctx, rq, &doc, &request));
	if (request.has_public) {
		struct audit_event *event = audit_change(rq, AUDIT_UPDATE_PROJECT);
		event->resource = rq->project;
		event->before = public_text(rq->project_found.is_public);
		event->after = public_text(request.is_public);
		err_t err = project_set_public(ctx, rq->api->options.registry, rq->project,
					       request.is_public);
		TRY(unknown_project(ctx, err));
	}
	return answer_empty(rq, 200);
}
