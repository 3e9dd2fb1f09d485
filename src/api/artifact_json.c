/* SPDX-License-Identifier: Apache-2.0 */
/* artifact_json.c - see artifact_json.h. */
#include "api/artifact_json.h"
#include "codec/json.h"
#include "codec/url.h"
#include "registry/addition.h"
#include "registry/icon.h"
#include "registry/immutable.h"

#include "base/banned.h"

#define MEMBER_MAX KIB(1)  /* of short texts that strangers wrote */
#define JSON_MAX   KIB(64) /* of what is written as it was stored */

err_t artifact_shown_read(struct ctx *ctx, struct request *rq, struct artifact_shown *ret)
{
	struct artifact_shown shown = { 0 };
	TRY(query_bool(ctx, rq, STR("with_tag"), true, &shown.tags));
	TRY(query_bool(ctx, rq, STR("with_label"), false, &shown.labels));
	TRY(query_bool(ctx, rq, STR("with_accessory"), true, &shown.accessories));
	TRY(query_bool(ctx, rq, STR("with_immutable_status"), false, &shown.immutable));
	*ret = shown;
	return OK;
}

static err_t read_reference(struct ctx *ctx, struct request *rq, struct reference *ret)
{
	switch (reference_parse(rq->reference, ret)) {
	case REFERENCE_INVALID_TAG:
	case REFERENCE_INVALID_DIGEST:
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "no artifact can have this reference");
	case REFERENCE_TAG:
	case REFERENCE_DIGEST:
		break;
	}
	return OK;
}

err_t artifact_of_path(struct ctx *ctx, struct request *rq, struct artifact *ret)
{
	struct reference reference;
	TRY(read_reference(ctx, rq, &reference));
	return artifact_get(ctx, rq->api->options.registry, rq->repository, &reference, ret);
}

static void write_short(struct json_writer *w, const char *key, str text)
{
	if (text.len <= MEMBER_MAX)
		json_write_str(w, key, text);
}

void artifact_json_write_tag(struct json_writer *w, const struct artifact_tag *tag,
			     const struct immutability *rules)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", tag->id);
	json_write_i64(w, "repository_id", tag->repository_id);
	json_write_i64(w, "artifact_id", tag->artifact_id);
	json_write_str(w, "name", tag->name);
	json_write_time(w, "push_time", tag->pushed_at_us);
	json_write_time(w, "pull_time", tag->pulled_at_us);
	json_write_bool(w, "immutable",
			rules && immutability_shows(rules, tag->name, tag->pushed_at_us));
	json_write_object_end(w);
}

static str icon_of(struct arena *arena, const struct artifact *artifact)
{
	return artifact->icon.len ? artifact->icon : icon_of_type(arena, artifact->type);
}

void artifact_json_write_accessory(struct arena *arena, struct json_writer *w,
				   const struct artifact *accessory, const struct artifact *subject)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", accessory->id);
	json_write_i64(w, "artifact_id", accessory->id);
	json_write_i64(w, "subject_artifact_id", subject->id);
	json_write_str(w, "subject_artifact_digest", subject->digest_text);
	json_write_str(w, "subject_artifact_repo", subject->repository);
	json_write_i64(w, "size", accessory->size_bytes);
	json_write_str(w, "digest", accessory->digest_text);
	json_write_str(w, "type", accessory->accessory);
	json_write_str(w, "icon", icon_of(arena, accessory));
	json_write_time(w, "creation_time", accessory->pushed_at_us);
	json_write_object_end(w);
}

void label_json_write(struct json_writer *w, const struct label *label)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", label->id);
	json_write_str(w, "name", label->name);
	json_write_str(w, "description", label->description);
	json_write_str(w, "color", label->color);
	json_write_str(w, "scope", label->project_id ? STR("p") : STR("g"));
	json_write_i64(w, "project_id", label->project_id);
	json_write_time(w, "creation_time", label->created_at_us);
	json_write_time(w, "update_time", label->updated_at_us);
	json_write_object_end(w);
}

static void write_labels(struct json_writer *w, const struct artifact *artifact,
			 const struct artifact_belongings *belongings)
{
	json_write_array_begin(w, "labels");
	for (size_t i = 0; i < belongings->label_count; i++)
		if (belongings->labels[i].artifact_id == artifact->id)
			label_json_write(w, &belongings->labels[i]);
	json_write_array_end(w);
}

static err_t write_tags(struct ctx *ctx, struct request *rq, struct json_writer *w,
			const struct artifact *artifact, const struct artifact_shown *shown,
			const struct artifact_belongings *belongings)
{
	struct immutability rules;
	if (shown->immutable)
		TRY(immutability_find_in(ctx, rq->api->options.registry, artifact->project_id,
					 artifact->repository, &rules));
	json_write_array_begin(w, "tags");
	for (size_t i = 0; i < belongings->tag_count; i++)
		if (belongings->tags[i].artifact_id == artifact->id)
			artifact_json_write_tag(w, &belongings->tags[i],
						shown->immutable ? &rules : NULL);
	json_write_array_end(w);
	return OK;
}

static int64_t child_id(const struct artifact_belongings *belongings, int64_t parent_id,
			str digest_text)
{
	for (size_t i = 0; i < belongings->child_count; i++)
		if (belongings->children[i].parent_id == parent_id &&
		    str_eq(belongings->children[i].digest_text, digest_text))
			return belongings->children[i].id;
	return 0;
}

static void write_member(struct json_writer *w, const char *key, const struct json_value *value)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(JSON_MAX);
	size_t len = value ? json_value_print(value, NULL, 0) : 0;
	char *into = len ? buf_reserve(&text, len) : NULL;
	if (into && json_value_print(value, into, len) == len)
		json_write_raw(w, key, (str){ into, len });
}

/* What was stored of an index's children, with the ids they have now. */
static void write_references(struct json_writer *w, const struct artifact *artifact,
			     const struct artifact_belongings *belongings)
{
	static const char *const members[] = { "child_digest", "platform", "annotations", "urls" };
	static const struct json_limits limits = { 64, 65536, .nul_in_strings = true };
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!artifact->children_json.len ||
	    !json_parse(artifact->children_json, limits, &doc, &problem))
		return;
	json_write_array_begin(w, "references");
	for (size_t i = 0; i < json_count(doc.root); i++) {
		const struct json_value *child = json_element(doc.root, i);
		str digest_text = json_value_str(json_member(child, "child_digest"));
		int64_t id = child_id(belongings, artifact->id, digest_text);
		json_write_object_begin(w, NULL);
		json_write_i64(w, "parent_id", artifact->id);
		if (id)
			json_write_i64(w, "child_id", id);
		for (size_t m = 0; m < COUNT_OF(members); m++)
			write_member(w, members[m], json_member(child, members[m]));
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_bulk(struct json_writer *w, const struct artifact *artifact,
		       const struct artifact_belongings *belongings)
{
	if (artifact->extra_attrs_json.len)
		json_write_raw(w, "extra_attrs", artifact->extra_attrs_json);
	if (artifact->annotations_json.len && artifact->annotations_json.len <= JSON_MAX)
		json_write_raw(w, "annotations", artifact->annotations_json);
	write_references(w, artifact, belongings);
}

/* Room for what is left when the bulk is left out. */
static bool has_room(const struct json_writer *w, const struct artifact *artifact)
{
	size_t bulk = artifact->extra_attrs_json.len + artifact->annotations_json.len +
		      2 * artifact->children_json.len;
	return w->buf->len + bulk < HARBOR_BODY_MAX / 2;
}

/* Harbor encodes the name twice, so that a proxy in between does not take it apart. */
static void write_links(struct arena *arena, struct json_writer *w, const struct artifact *artifact)
{
	CLEANUP(buf_done) struct buf once = BUF_INIT(KIB(4));
	CLEANUP(buf_done) struct buf twice = BUF_INIT(KIB(4));
	str project, rest;
	if (!str_cut(artifact->repository, '/', &project, &rest))
		return;
	url_encode(&once, rest);
	url_encode(&twice, buf_str(&once));
	json_write_object_begin(w, "addition_links");
	for (enum addition addition = 0; addition < ADDITION_COUNT; addition++) {
		if (!addition_is_of(addition, artifact))
			continue;
		json_write_object_begin(w, addition_name(addition));
		json_write_bool(w, "absolute", false);
		json_write_str(w, "href",
			       arena_printf(arena,
					    "/api/v2.0/projects/" STR_FMT "/repositories/" STR_FMT
					    "/artifacts/" STR_FMT "/additions/%s",
					    STR_ARG(project), STR_ARG(buf_str(&twice)),
					    STR_ARG(artifact->digest_text),
					    addition_name(addition)));
		json_write_object_end(w);
	}
	json_write_object_end(w);
}

static void write_fields(struct arena *arena, struct json_writer *w,
			 const struct artifact *artifact)
{
	json_write_i64(w, "id", artifact->id);
	json_write_str(w, "type", artifact->type);
	json_write_str(w, "media_type", artifact->media_type);
	write_short(w, "manifest_media_type", artifact->manifest_media_type);
	write_short(w, "artifact_type", artifact->artifact_type);
	json_write_i64(w, "project_id", artifact->project_id);
	json_write_i64(w, "repository_id", artifact->repository_id);
	json_write_str(w, "repository_name", artifact->repository);
	json_write_str(w, "digest", artifact->digest_text);
	json_write_i64(w, "size", artifact->size_bytes);
	json_write_str(w, "icon", icon_of(arena, artifact));
	json_write_time(w, "push_time", artifact->pushed_at_us);
	json_write_time(w, "pull_time", artifact->pulled_at_us);
	write_links(arena, w, artifact);
}

static err_t write_accessories(struct ctx *ctx, struct request *rq, struct json_writer *w,
			       const struct artifact *artifact)
{
	const struct page first = { ARTIFACT_ACCESSORIES_SHOWN, 0 };
	struct artifact_page accessories;
	TRY(artifact_accessories(ctx, rq->api->options.registry, artifact, STR_NONE, first,
				 &accessories));
	if (!accessories.count)
		return OK;
	json_write_array_begin(w, "accessories");
	for (size_t i = 0; i < accessories.count; i++)
		artifact_json_write_accessory(ctx->arena, w, &accessories.items[i], artifact);
	json_write_array_end(w);
	return OK;
}

static err_t write_artifact(struct ctx *ctx, struct request *rq, struct json_writer *w,
			    const struct artifact *artifact, const struct artifact_shown *shown,
			    const struct artifact_belongings *belongings)
{
	json_write_object_begin(w, NULL);
	write_fields(ctx->arena, w, artifact);
	if (has_room(w, artifact))
		write_bulk(w, artifact, belongings);
	if (shown->tags)
		TRY(write_tags(ctx, rq, w, artifact, shown, belongings));
	if (shown->labels)
		write_labels(w, artifact, belongings);
	if (shown->accessories)
		TRY(write_accessories(ctx, rq, w, artifact));
	json_write_object_end(w);
	return OK;
}

static err_t write_some(struct ctx *ctx, struct request *rq, struct json_writer *w,
			const struct artifact_page *page, const struct artifact_shown *shown,
			size_t tags_max)
{
	struct artifact_belongings belongings;
	TRY(artifact_belongings(ctx, rq->api->options.registry, page->items, page->count,
				shown->tags ? tags_max : 0, shown->labels, &belongings));
	for (size_t i = 0; i < page->count; i++)
		TRY(write_artifact(ctx, rq, w, &page->items[i], shown, &belongings));
	return OK;
}

err_t artifact_json_write(struct ctx *ctx, struct request *rq, struct json_writer *w,
			  const struct artifact_page *page, const struct artifact_shown *shown)
{
	return write_some(ctx, rq, w, page, shown, ARTIFACT_TAGS_SHOWN);
}

err_t artifact_json_write_one(struct ctx *ctx, struct request *rq, struct json_writer *w,
			      const struct artifact *artifact, const struct artifact_shown *shown)
{
	struct artifact one = *artifact;
	const struct artifact_page page = { &one, 1, 1 };
	return write_some(ctx, rq, w, &page, shown, ARTIFACT_TAGS_MAX);
}
