/* SPDX-License-Identifier: Apache-2.0 */
/* berth_tag.c - what happened to a tag, and one call to go back. */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "registry/tag_history.h"

#include "base/banned.h"

#define EVENTS_DEFAULT 100
#define EVENTS_MAX     1000

static err_t check_tag(struct ctx *ctx, const struct request *rq)
{
	return reference_is_tag(rq->tag)
		       ? OK
		       : fail(ctx, ERR_REQUEST_INVALID, "tag: the name does not fit the grammar");
}

static void write_event(struct json_writer *w, const struct tag_event *event)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", event->id);
	json_write_time(w, "time", event->at_us);
	json_write_str(w, "how", event->how);
	json_write_str(w, "actor_type", event->actor_type);
	json_write_str(w, "actor", event->actor);
	if (event->from_digest.len)
		json_write_str(w, "from", event->from_digest);
	if (event->to_digest.len)
		json_write_str(w, "to", event->to_digest);
	json_write_object_end(w);
}

/* Page by page: `next` goes on, until there is none. */
err_t berth_tag_history(struct ctx *ctx, struct request *rq)
{
	struct tag_event_query query = { .tag = rq->tag };
	struct tag_event *events;
	size_t count;
	int64_t max;
	TRY(check_tag(ctx, rq));
	TRY(query_i64(ctx, rq, STR("before"), INT64_MAX, &query.before));
	TRY(query_i64(ctx, rq, STR("limit"), EVENTS_DEFAULT, &max));
	query.max = MAX(MIN(max, EVENTS_MAX), 1);
	TRY(tag_history(ctx, rq->api->options.registry, rq->repository, &query, &events, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "items");
	for (size_t i = 0; i < count; i++)
		write_event(&w, &events[i]);
	json_write_array_end(&w);
	if ((int64_t)count == query.max)
		json_write_i64(&w, "next", events[count - 1].id);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

struct revert_body {
	str digest_text;
	int64_t id;
	bool has_id;
};

static err_t read_revert(struct ctx *ctx, struct request *rq, struct tag_revert *revert)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct revert_body, "digest", digest_text, 256),
		JSON_FIELD_I64(struct revert_body, "id", id),
		JSON_FIELD_HAS(struct revert_body, "id", has_id),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct revert_body given = { .id = 0 };
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &given));
	if (given.digest_text.len && given.has_id)
		return fail(ctx, ERR_REQUEST_INVALID, "either digest or id, or neither");
	if (given.digest_text.len && !digest_parse(given.digest_text, &revert->d))
		return fail(ctx, ERR_REQUEST_INVALID, "digest: it is malformed");
	if (given.has_id && given.id <= 0)
		return fail(ctx, ERR_REQUEST_INVALID, "id: it is a change's, from 1 on");
	revert->event_id = given.id;
	return OK;
}

err_t berth_tag_revert(struct ctx *ctx, struct request *rq)
{
	struct tag_revert revert = { .repository = rq->repository, .tag = rq->tag };
	struct registry *registry = rq->api->options.registry;
	digest d;
	TRY(check_tag(ctx, rq));
	TRY(read_revert(ctx, rq, &revert));
	TRY(tag_revert_find(ctx, registry, &revert, &d));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_TAG);
	event->digest = arena_copy(ctx->arena, str_from(digest_format(d).text));
	event->resource = arena_printf(ctx->arena, STR_FMT ":" STR_FMT, STR_ARG(rq->repository),
				       STR_ARG(rq->tag));
	TRY(tag_revert(ctx, registry, rq->repository, rq->tag, d));
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(1));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "digest", event->digest);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
