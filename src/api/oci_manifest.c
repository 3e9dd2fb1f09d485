/* SPDX-License-Identifier: Apache-2.0 */
/* oci_manifest.c - manifests out, in, and away. */
#include "api/audit.h"
#include "api/handlers.h"
#include "codec/etag.h"
#include "codec/media_type.h"
#include "codec/url.h"
#include "notify/audit.h"
#include "registry/delete.h"
#include "registry/event.h"
#include "registry/manifest_push.h"
#include "registry/pull.h"

#include "base/banned.h"

/* "library/app:v1" or "library/app@sha256:…" */
static str artifact_name(struct ctx *ctx, struct request *rq)
{
	return arena_printf(ctx->arena, STR_FMT "%s" STR_FMT, STR_ARG(rq->repository),
			    str_has_byte(rq->reference, ':') ? "@" : ":", STR_ARG(rq->reference));
}

static void note_pull(struct ctx *ctx, struct request *rq, const struct manifest_view *view,
		      str tag)
{
	if (rq->x->head->method != HTTP_GET)
		return;
	manifest_pulled(rq->api->options.registry, view, tag);
	struct audit_event *event = audit_about(rq, AUDIT_PULL_ARTIFACT);
	if (!event)
		return;
	event->resource = artifact_name(ctx, rq);
	event->digest = arena_copy(ctx->arena, str_from(digest_format(view->digest).text));
	audit_note(rq->api->options.audit, event);
}

/* After its bytes were found: what nobody wants to know costs a look-up in memory. */
static void tell_pull(struct ctx *ctx, struct request *rq, const struct manifest_view *view,
		      str tag)
{
	struct event_plan plan;
	if (rq->x->head->method != HTTP_GET)
		return;
	if (event_plan_in(ctx, rq->api->options.registry, WEBHOOK_EVENT_PULL, rq->place.project_id,
			  &plan) != OK) {
		ctx_forgive(ctx); /* the database is away, and the pull goes on without it */
		return;
	}
	if (!plan.wanted)
		return;
	const struct webhook_resource pulled = {
		.digest = arena_copy(ctx->arena, str_from(digest_format(view->digest).text)),
		.tag = tag,
		.media_type = arena_copy(ctx->arena, view->media_type),
	};
	const struct event event = {
		.repository = rq->repository,
		.repository_id = view->repository_id,
		.resources = &pulled,
		.resource_count = 1,
	};
	event_send(ctx, &plan, &event);
}

err_t oci_manifest_get(struct ctx *ctx, struct request *rq)
{
	struct reference reference;
	enum reference_kind kind = reference_parse(rq->reference, &reference);
	if (kind == REFERENCE_INVALID_DIGEST)
		return fail(ctx, ERR_DIGEST_INVALID, "digest does not parse");
	if (kind == REFERENCE_INVALID_TAG) /* such a tag cannot exist; suites want 404 */
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "no tag can have this name");

	CLEANUP(manifest_view_done) struct manifest_view view = MANIFEST_VIEW_INIT;
	TRY(manifest_get(ctx, rq->api->options.registry, rq->repository, &reference, &view));

	struct digest_text text = digest_format(view.digest);
	str etag = arena_printf(ctx->arena, "\"%s\"", text.text);
	exchange_header(rq->x, STR("Docker-Content-Digest"), str_from(text.text));
	exchange_header(rq->x, STR("ETag"), etag);
	str if_none_match = request_header(rq, STR("If-None-Match"));
	if (if_none_match.len && etag_matches(if_none_match, etag))
		return answer_empty(rq, 304);
	note_pull(ctx, rq, &view, reference.tag);
	tell_pull(ctx, rq, &view, reference.tag);
	exchange_header(rq->x, STR("Content-Type"), view.media_type);
	return exchange_answer(rq->x, 200, view.bytes);
}

/* The values of ?tag=, all valid, into the arena. */
static err_t more_tags(struct ctx *ctx, struct request *rq, str **ret, size_t *ret_count)
{
	str *tags = ARENA_ARRAY(ctx->arena, str, MANIFEST_TAGS_MAX);
	size_t count = 0;
	str rest = rq->x->head->query;
	for (str tag; url_query_next(ctx->arena, &rest, STR("tag"), &tag);) {
		if (count == MANIFEST_TAGS_MAX)
			return fail(ctx, ERR_TAG_TOO_MANY, "more than %d tags", MANIFEST_TAGS_MAX);
		if (!reference_is_tag(tag))
			return fail(ctx, ERR_TAG_INVALID, "tag parameter does not fit the grammar");
		tags[count++] = tag;
	}
	*ret = tags;
	*ret_count = count;
	return OK;
}

static err_t read_body(struct ctx *ctx, struct request *rq, str *ret)
{
	size_t max = registry_options(rq->api->options.registry)->manifest_bytes_max;
	err_t err = exchange_read_all(rq->x, max, ret);
	if (err == ERR_REQUEST_TOO_LARGE) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_MANIFEST_TOO_LARGE, "more than %zu bytes", max);
	}
	return err;
}

err_t oci_manifest_put(struct ctx *ctx, struct request *rq)
{
	struct manifest_push push = {
		.repository = rq->repository,
		.maker = request_project_maker(rq),
		.content_type = media_type_cut(request_header(rq, STR("Content-Type"))),
		.if_match = request_header(rq, STR("If-Match")),
		.if_none_match = request_header(rq, STR("If-None-Match")),
	};
	switch (reference_parse(rq->reference, &push.reference)) {
	case REFERENCE_INVALID_DIGEST:
		return fail(ctx, ERR_DIGEST_INVALID, "digest does not parse");
	case REFERENCE_INVALID_TAG:
		return fail(ctx, ERR_TAG_INVALID, "tag does not fit the grammar");
	case REFERENCE_TAG:
	case REFERENCE_DIGEST:
		break;
	}
	str *tags;
	TRY(more_tags(ctx, rq, &tags, &push.tag_count));
	push.tags = tags;
	TRY(read_body(ctx, rq, &push.bytes));

	struct audit_event *event = audit_change(rq, AUDIT_CREATE_ARTIFACT);
	event->resource = artifact_name(ctx, rq);
	push.ret_digest = &event->digest;
	struct manifest_pushed pushed;
	TRY(manifest_push(ctx, rq->api->options.registry, &push, &pushed));

	answer_location(rq, "manifests/" STR_FMT, STR_ARG(rq->reference));
	answer_digest(rq, pushed.digest);
	if (pushed.has_subject)
		exchange_header(rq->x, STR("OCI-Subject"), pushed.subject_text);
	for (size_t i = 0; i < push.tag_count; i++)
		exchange_header(rq->x, STR("OCI-Tag"), tags[i]);
	return answer_empty(rq, 201);
}

err_t oci_manifest_delete(struct ctx *ctx, struct request *rq)
{
	if (!rq->api->options.deletes)
		return fail(ctx, ERR_UNSUPPORTED, "deletes are switched off");
	struct registry *registry = rq->api->options.registry;
	struct audit_event *event;
	struct reference reference;
	switch (reference_parse(rq->reference, &reference)) {
	case REFERENCE_INVALID_DIGEST:
		return fail(ctx, ERR_DIGEST_INVALID, "digest does not parse");
	case REFERENCE_INVALID_TAG:
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "no tag can have this name");
	case REFERENCE_TAG:
		audit_change(rq, AUDIT_DELETE_TAG)->resource = artifact_name(ctx, rq);
		TRY(tag_delete(ctx, registry, rq->repository, reference.tag, 0));
		break;
	case REFERENCE_DIGEST:
		event = audit_change(rq, AUDIT_DELETE_ARTIFACT);
		event->resource = artifact_name(ctx, rq);
		event->digest = rq->reference;
		TRY(manifest_delete(ctx, registry, rq->repository, reference.digest, true));
		break;
	}
	return answer_empty(rq, 202);
}
