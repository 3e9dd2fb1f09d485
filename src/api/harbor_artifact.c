/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_artifact.c - artifacts, in the words of Harbor's REST API v2.0. */
#include "api/artifact_json.h"
#include "api/audit.h"
#include "api/handlers.h"
#include "registry/copy.h"
#include "registry/delete.h"
#include "registry/immutable.h"
#include "registry/label.h"
#include "registry/repository.h"
#include "registry/tag.h"

#include "base/banned.h"

#define LABELS_MAX 16

/* --- lists -------------------------------------------------------------------------------------
 */

static err_t add_label(struct ctx *ctx, struct buf *ids, str text, int64_t *ret_id)
{
	uint64_t id;
	if (!str_to_u64(text, INT64_MAX, &id))
		return fail(ctx, ERR_REQUEST_INVALID, "a label in q is no id");
	buf_printf(ids, "%llu,", (unsigned long long)id);
	*ret_id = (int64_t)id;
	return OK;
}

/* labels=(1 2): all of them; labels=1: that one. */
static err_t read_labels(struct ctx *ctx, const struct list *list, struct artifact_query *query)
{
	const struct harbor_filter *filter = harbor_filter_find(&list->query, STR("labels"));
	CLEANUP(buf_done) struct buf ids = BUF_INIT(KIB(1));
	if (!filter)
		return OK;
	if (filter->kind != FILTER_AND && filter->kind != FILTER_EXACT)
		return fail(ctx, ERR_REQUEST_INVALID, "labels wants (1 2)");
	size_t count = filter->kind == FILTER_AND ? filter->value_count : 1;
	if (count > LABELS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "more than %d labels", LABELS_MAX);
	buf_add_byte(&ids, ',');
	for (size_t i = 0; i < count; i++)
		TRY(add_label(ctx, &ids,
			      filter->kind == FILTER_AND ? filter->values[i] : filter->value,
			      &query->label_id));
	query->label_count = (int64_t)count;
	query->label_ids = arena_copy(ctx->arena, buf_str(&ids));
	return OK;
}

static void read_tags(struct ctx *ctx, const struct list *list, struct artifact_query *query)
{
	str tags = list_text(list, "tags");
	if (list_is_fuzzy(list, "tags")) {
		query->tagged = TAGGED_LIKE;
		query->tag_like = like_pattern(ctx->arena, tags);
	} else if (str_eq(tags, STR("nil"))) {
		query->tagged = TAGGED_NOT;
	} else if (str_eq(tags, STR("*"))) {
		query->tagged = TAGGED_SOMEHOW;
	}
}

/* `tags=v1` and `digest=sha256:…` name one artifact, of this repository. */
static err_t read_exact(struct ctx *ctx, struct request *rq, const struct list *list,
			struct artifact_query *query, bool *ret_nothing)
{
	str tag = query->tagged == TAGGED_WHATEVER ? list_text(list, "tags") : STR_NONE;
	str text = tag.len ? tag : list_text(list, "digest");
	struct reference reference;
	struct artifact artifact;
	*ret_nothing = false;
	if (!text.len || !rq->repository.len)
		return OK;
	enum reference_kind kind = reference_parse(text, &reference);
	*ret_nothing = kind != (tag.len ? REFERENCE_TAG : REFERENCE_DIGEST);
	if (*ret_nothing)
		return OK;
	err_t err =
		artifact_get(ctx, rq->api->options.registry, rq->repository, &reference, &artifact);
	*ret_nothing = err == ERR_MANIFEST_UNKNOWN;
	if (*ret_nothing)
		ctx_forgive(ctx);
	else
		TRY(err);
	query->id = *ret_nothing ? 0 : artifact.id;
	return OK;
}

static err_t read_query(struct ctx *ctx, struct request *rq, const struct list *list,
			struct artifact_query *query, bool *ret_nothing)
{
	static const char *const columns[ARTIFACT_ORDER_COUNT] = {
		[ARTIFACT_BY_PUSH] = "push_time",
		[ARTIFACT_BY_PULL] = "pull_time",
		[ARTIFACT_BY_SIZE] = "size",
	};
	bool descending = true;
	query->order = (enum artifact_order)list_sort(list, columns, ARTIFACT_ORDER_COUNT,
						      ARTIFACT_BY_PUSH, &descending);
	query->ascending = !descending;
	query->max = list->page_size;
	query->offset = list->offset;
	query->type = list_text(list, "type");
	query->media_type = list_text(list, "media_type");
	query->all = list_text(list, "base").len > 0;
	TRY(list_times(ctx, list, "push_time", &query->pushed_from_us, &query->pushed_until_us));
	TRY(read_labels(ctx, list, query));
	read_tags(ctx, list, query);
	return read_exact(ctx, rq, list, query, ret_nothing);
}

static err_t answer_list(struct ctx *ctx, struct request *rq, struct artifact_query *query)
{
	struct list list;
	struct artifact_shown shown;
	struct artifact_page page = { 0 };
	bool nothing;
	TRY(list_begin(ctx, rq, &list));
	TRY(artifact_shown_read(ctx, rq, &shown));
	TRY(read_query(ctx, rq, &list, query, &nothing));
	if (!nothing)
		TRY(artifact_list(ctx, rq->api->options.registry, query, &page));

	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	TRY(artifact_json_write(ctx, rq, &w, &page, &shown));
	json_write_array_end(&w);
	return list_answer(rq, &list, page.total, &body);
}

err_t harbor_artifact_list(struct ctx *ctx, struct request *rq)
{
	struct artifact_query query = { 0 };
	TRY(repository_find(ctx, rq->api->options.registry, rq->repository, &query.of_id));
	return answer_list(ctx, rq, &query);
}

err_t harbor_artifact_list_of_project(struct ctx *ctx, struct request *rq)
{
	struct artifact_query query = { .of_project = true, .of_id = rq->project_found.id };
	TRY(query_bool(ctx, rq, STR("latest_in_repository"), false, &query.latest));
	return answer_list(ctx, rq, &query);
}

err_t harbor_artifact_get(struct ctx *ctx, struct request *rq)
{
	struct artifact artifact;
	struct artifact_shown shown;
	TRY(artifact_shown_read(ctx, rq, &shown));
	TRY(artifact_of_path(ctx, rq, &artifact));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	TRY(artifact_json_write_one(ctx, rq, &w, &artifact, &shown));
	return answer_object(ctx, rq, &body);
}

/* --- away --------------------------------------------------------------------------------------
 */

static err_t check_deletes(struct ctx *ctx, const struct request *rq)
{
	return rq->api->options.deletes ? OK
					: fail(ctx, ERR_UNSUPPORTED, "deletes are switched off");
}

static str with_digest(struct ctx *ctx, str repository, str digest_text)
{
	return arena_printf(ctx->arena, STR_FMT "@" STR_FMT, STR_ARG(repository),
			    STR_ARG(digest_text));
}

static str with_tag(struct ctx *ctx, str repository, str tag)
{
	return arena_printf(ctx->arena, STR_FMT ":" STR_FMT, STR_ARG(repository), STR_ARG(tag));
}

static err_t digest_of(struct ctx *ctx, const struct artifact *artifact, digest *ret)
{
	if (!digest_parse(artifact->digest_text, ret))
		return fail(ctx, ERR_CORRUPT, "manifest row has a malformed digest");
	return OK;
}

err_t harbor_artifact_delete(struct ctx *ctx, struct request *rq)
{
	struct artifact artifact;
	digest d;
	TRY(check_deletes(ctx, rq));
	TRY(artifact_of_path(ctx, rq, &artifact));
	TRY(digest_of(ctx, &artifact, &d));
	struct audit_event *event = audit_change(rq, AUDIT_DELETE_ARTIFACT);
	event->digest = artifact.digest_text;
	event->resource = with_digest(ctx, rq->repository, artifact.digest_text);
	TRY(manifest_delete(ctx, rq->api->options.registry, rq->repository, d, false));
	return answer_empty(rq, 200);
}

/* --- in ----------------------------------------------------------------------------------------
 */

/* "project/repository:tag" or "project/repository@digest" */
static err_t read_source(struct ctx *ctx, str from, struct artifact_copy *copy)
{
	str reference;
	enum reference_kind kind = REFERENCE_INVALID_TAG;
	if (str_cut(from, '@', &copy->source, &reference) ||
	    str_cut_last(from, ':', &copy->source, &reference))
		kind = reference_parse(reference, &copy->reference);
	bool well_formed = kind == REFERENCE_TAG || kind == REFERENCE_DIGEST;
	if (!well_formed || !reference_is_repository(copy->source) ||
	    !str_has_byte(copy->source, '/'))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "from is not repository:tag or repository@digest");
	return OK;
}

/* Who may push here must not take from where he may not pull. */
static err_t may_copy_from(struct ctx *ctx, struct request *rq, str source)
{
	struct decision decision;
	TRY(request_may(ctx, rq, ACTION_REPOSITORY_PULL, source, &decision));
	if (!decision.allowed)
		return request_refuse(ctx, rq, &decision);
	TRY(request_may(ctx, rq, ACTION_ARTIFACT_READ, source, &decision));
	return decision.allowed ? OK : request_refuse(ctx, rq, &decision);
}

err_t harbor_artifact_copy(struct ctx *ctx, struct request *rq)
{
	struct artifact_copy copy = { .target = rq->repository };
	str from = request_query(rq, STR("from"));
	str before, reference;
	TRY(read_source(ctx, from, &copy));
	TRY(may_copy_from(ctx, rq, copy.source));
	if (!str_cut(from, '@', &before, &reference))
		(void)str_cut_last(from, ':', &before, &reference);
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_ARTIFACT);
	event->resource = copy.reference.tag.len ? with_tag(ctx, rq->repository, reference)
						 : with_digest(ctx, rq->repository, reference);
	event->after = arena_printf(ctx->arena, "{\"from\":\"" STR_FMT "\"}", STR_ARG(from));
	TRY(artifact_copy(ctx, rq->api->options.registry, &copy));
	return answer_created_name(rq, reference);
}

struct tag_body {
	str name;
};

err_t harbor_tag_create(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct tag_body, "name", name, KIB(1)),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct tag_body given = { .name = STR_NONE };
	struct artifact artifact;
	digest d;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &given));
	if (!reference_is_tag(given.name))
		return fail(ctx, ERR_REQUEST_INVALID, "name of the tag does not fit the grammar");
	TRY(artifact_of_path(ctx, rq, &artifact));
	TRY(digest_of(ctx, &artifact, &d));
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_TAG);
	event->digest = artifact.digest_text;
	event->resource = arena_copy(ctx->arena, with_tag(ctx, rq->repository, given.name));
	err_t err = tag_create(ctx, rq->api->options.registry, rq->repository, d, given.name);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_EXISTS, "the repository has such a tag");
	TRY(err);
	return answer_created_name(rq, given.name);
}

err_t harbor_tag_delete(struct ctx *ctx, struct request *rq)
{
	struct artifact artifact;
	TRY(check_deletes(ctx, rq));
	if (!reference_is_tag(rq->tag))
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "no tag can have this name");
	TRY(artifact_of_path(ctx, rq, &artifact));
	struct audit_event *event = audit_change(rq, AUDIT_DELETE_TAG);
	event->digest = artifact.digest_text;
	event->resource = with_tag(ctx, rq->repository, rq->tag);
	TRY(tag_delete(ctx, rq->api->options.registry, rq->repository, rq->tag, artifact.id));
	return answer_empty(rq, 200);
}

/* --- labels ------------------------------------------------------------------------------------
 */

struct label_reference {
	int64_t id;
};

static void record_labels(struct request *rq, const struct artifact *artifact, int64_t label_id,
			  bool worn)
{
	struct ctx *ctx = rq->x->ctx;
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_ARTIFACT);
	str change = arena_printf(ctx->arena, "{\"label_id\":%lld}", (long long)label_id);
	event->digest = artifact->digest_text;
	event->resource = with_digest(ctx, rq->repository, artifact->digest_text);
	*(worn ? &event->after : &event->before) = change;
}

/* A label of another project is as unknown here as one that is not there. */
static err_t check_label(struct ctx *ctx, struct request *rq, int64_t id)
{
	struct label label;
	TRY(label_get(ctx, rq->api->options.registry, id, &label));
	if (label.project_id && label.project_id != rq->project_found.id)
		return fail(ctx, ERR_NOT_FOUND, "label is another project's");
	return OK;
}

err_t harbor_artifact_label_add(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct label_reference, "id", id),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct label_reference given = { 0 };
	struct artifact artifact;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &given));
	TRY(check_label(ctx, rq, given.id));
	TRY(artifact_of_path(ctx, rq, &artifact));
	record_labels(rq, &artifact, given.id, true);
	TRY(label_put_on(ctx, rq->api->options.registry, artifact.id, given.id));
	return answer_empty(rq, 200);
}

err_t harbor_artifact_label_remove(struct ctx *ctx, struct request *rq)
{
	struct artifact artifact;
	TRY(artifact_of_path(ctx, rq, &artifact));
	record_labels(rq, &artifact, rq->id, false);
	TRY(label_take_off(ctx, rq->api->options.registry, artifact.id, rq->id));
	return answer_empty(rq, 200);
}

/* --- what belongs to one -----------------------------------------------------------------------
 */

err_t harbor_accessory_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct artifact subject;
	struct artifact_page page;
	TRY(list_begin(ctx, rq, &list));
	TRY(artifact_of_path(ctx, rq, &subject));
	TRY(artifact_accessories(ctx, rq->api->options.registry, &subject, list_text(&list, "type"),
				 (struct page){ list.page_size, list.offset }, &page));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < page.count; i++)
		artifact_json_write_accessory(ctx->arena, &w, &page.items[i], &subject);
	json_write_array_end(&w);
	return list_answer(rq, &list, page.total, &body);
}

err_t harbor_tag_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct artifact artifact;
	struct artifact_tag_page page;
	struct immutability rules;
	bool shown;
	TRY(list_begin(ctx, rq, &list));
	TRY(query_bool(ctx, rq, STR("with_immutable_status"), false, &shown));
	if (shown)
		TRY(immutability_find(ctx, rq->api->options.registry, rq->repository, &rules));
	TRY(artifact_of_path(ctx, rq, &artifact));
	str name = list_text(&list, "name");
	str like = list_is_fuzzy(&list, "name") ? like_pattern(ctx->arena, name)
						: like_exactly(ctx->arena, name);
	TRY(artifact_tags(ctx, rq->api->options.registry, artifact.id, like,
			  (struct page){ list.page_size, list.offset }, &page));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < page.count; i++)
		artifact_json_write_tag(&w, &page.items[i], shown ? &rules : NULL);
	json_write_array_end(&w);
	return list_answer(rq, &list, page.total, &body);
}
