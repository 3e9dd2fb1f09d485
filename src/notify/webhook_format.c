/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_format.c - see webhook_format.h. */
#include "webhook_format.h"
#include "base/clock.h"
#include "codec/json.h"

#include "base/banned.h"

#define US_PER_S INT64_C(1000000)

struct webhook_source webhook_source_of(const struct webhook_policy *policy,
					const struct webhook_delivery *delivery)
{
	return (struct webhook_source){
		.payload = delivery->payload,
		.extra = delivery->extra,
		.event = (enum webhook_event)delivery->event,
		.policy_id = delivery->policy_id,
		.project_id = policy->row.project_id,
	};
}

struct opened {
	struct json_document payload, extra;
	str operator_name, event_data;
	int64_t occur_at;
};

static void close_opened(struct opened *opened)
{
	json_done(&opened->payload);
	json_done(&opened->extra);
}

static err_t open_source(struct ctx *ctx, const struct webhook_source *source, struct opened *ret)
{
	struct json_problem problem;
	if (!json_parse(source->payload, JSON_LIMITS_SMALL, &ret->payload, &problem) ||
	    !json_parse(source->extra, JSON_LIMITS_SMALL, &ret->extra, &problem))
		return fail(ctx, ERR_CORRUPT, "a webhook's payload: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	const struct json_value *data = json_member(ret->payload.root, "event_data");
	if (!json_value_is_object(data))
		return fail(ctx, ERR_CORRUPT, "a webhook's payload has no event_data");
	size_t size = json_value_print(data, NULL, 0);
	char *text = arena_try(ctx->arena, size + 1);
	if (!text)
		return fail(ctx, ERR_LIMIT, "a webhook's payload does not fit into memory");
	(void)json_value_print(data, text, size + 1);
	ret->event_data = (str){ text, size };
	(void)json_get_str(ret->payload.root, "operator", &ret->operator_name);
	(void)json_get_i64(ret->payload.root, "occur_at", &ret->occur_at);
	return OK;
}

static str member(const struct json_value *object, const char *key)
{
	str value = STR_NONE;
	(void)json_get_str(object, key, &value);
	return value;
}

static const struct json_value *resources_of(const struct opened *opened)
{
	const struct json_value *data = json_member(opened->payload.root, "event_data");
	return json_member(data, "resources");
}

struct webhook_origin webhook_origin_of(struct ctx *ctx, const struct webhook_delivery *delivery)
{
	CLEANUP(json_done) struct json_document extra = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct webhook_origin origin = { 0 };
	if (!json_parse(delivery->extra, JSON_LIMITS_SMALL, &extra, &problem))
		return origin;
	origin.request_id = arena_copy(ctx->arena, member(extra.root, "request_id"));
	origin.has_trace = traceparent_parse(member(extra.root, "traceparent"), &origin.trace);
	origin.trace.state = arena_copy(ctx->arena, member(extra.root, "tracestate"));
	return origin;
}

/* --- Harbor's two ------------------------------------------------------------------------------
 */

static err_t write_default(struct ctx *ctx, const struct webhook_source *source, struct buf *b)
{
	buf_add(b, source->payload);
	return OK;
}

static str time_text(struct ctx *ctx, int64_t at_s)
{
	char text[CLOCK_RFC3339_MAX];
	str whole = clock_rfc3339(at_s * US_PER_S, text), seconds = whole, rest;
	(void)str_cut(whole, '.', &seconds, &rest); /* Harbor's has no fractions */
	return arena_printf(ctx->arena, STR_FMT "Z", STR_ARG(seconds));
}

/* Harbor's; a policy that is no project's has none there. */
static str source_path(struct ctx *ctx, const struct webhook_source *source)
{
	if (!source->project_id)
		return arena_printf(ctx->arena, "/webhook/policies/%lld",
				    (long long)source->policy_id);
	return arena_printf(ctx->arena, "/projects/%lld/webhook/policies/%lld",
			    (long long)source->project_id, (long long)source->policy_id);
}

static err_t write_cloudevent(struct ctx *ctx, const struct webhook_source *source, struct buf *b)
{
	CLEANUP(close_opened) struct opened opened = { 0 };
	TRY(open_source(ctx, source, &opened));
	struct json_writer w = JSON_WRITER(b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "specversion", STR("1.0"));
	json_write_str(&w, "requestid", member(opened.extra.root, "request_id"));
	json_write_str(&w, "id", member(opened.extra.root, "id"));
	json_write_str(&w, "source", source_path(ctx, source));
	json_write_str(&w, "type", webhook_event_info(source->event)->cloud);
	json_write_str(&w, "datacontenttype", STR("application/json"));
	json_write_str(&w, "time", time_text(ctx, opened.occur_at));
	json_write_raw(&w, "data", opened.event_data);
	json_write_str(&w, "operator", opened.operator_name);
	json_write_object_end(&w);
	return OK;
}

/* --- indented ----------------------------------------------------------------------------------
 */

static void new_line(struct buf *b, unsigned depth)
{
	buf_add_byte(b, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_add_byte(b, '\t');
}

/* Well-formed compact JSON as Go's MarshalIndent prints it with tabs. */
static void indent(struct buf *b, str json)
{
	unsigned depth = 0;
	bool text = false;
	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];
		bool closes = !text && (c == '}' || c == ']');
		bool opens = !text && (c == '{' || c == '[');
		if (closes) {
			depth--;
			if (json.ptr[i - 1] != '{' && json.ptr[i - 1] != '[')
				new_line(b, depth);
		}
		buf_add_byte(b, c);
		if (text && c == '\\')
			buf_add_byte(b, json.ptr[++i]);
		else if (c == '"')
			text = !text;
		else if (!text && c == ':')
			buf_add_byte(b, ' ');
		depth += opens;
		bool empty = opens && (json.ptr[i + 1] == '}' || json.ptr[i + 1] == ']');
		if ((opens && !empty) || (!text && c == ','))
			new_line(b, depth);
	}
}

static str indented(struct ctx *ctx, str json)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(WEBHOOK_BODY_MAX);
	indent(&b, json);
	return arena_copy(ctx->arena, buf_str(&b));
}

/* --- where people read -------------------------------------------------------------------------
 */

static void write_section(struct json_writer *w, str text)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "type", STR("section"));
	json_write_object_begin(w, "text");
	json_write_str(w, "type", STR("mrkdwn"));
	json_write_str(w, "text", text);
	json_write_object_end(w);
	json_write_object_end(w);
}

static str line(struct ctx *ctx, const char *what, str value)
{
	return arena_printf(ctx->arena, "*%s:* " STR_FMT, what, STR_ARG(value));
}

static err_t write_slack(struct ctx *ctx, const struct webhook_source *source, struct buf *b)
{
	CLEANUP(close_opened) struct opened opened = { 0 };
	TRY(open_source(ctx, source, &opened));
	struct json_writer w = JSON_WRITER(b);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "blocks");
	write_section(&w, STR("*Harbor webhook events*"));
	write_section(&w, line(ctx, "event_type", webhook_event_info(source->event)->name));
	write_section(&w, arena_printf(ctx->arena,
				       "*occur_at:* <!date^%lld^{date} at {time}|February 18th, "
				       "2014 at 6:39 AM PST>",
				       (long long)opened.occur_at));
	write_section(&w, line(ctx, "operator", opened.operator_name));
	write_section(&w, STR("*event_data:*"));
	write_section(&w, arena_printf(ctx->arena, "```" STR_FMT "```",
				       STR_ARG(indented(ctx, opened.event_data))));
	json_write_array_end(&w);
	json_write_object_end(&w);
	return OK;
}

/* Mattermost has no blocks: its text is Markdown. */
static err_t write_mattermost(struct ctx *ctx, const struct webhook_source *source, struct buf *b)
{
	CLEANUP(close_opened) struct opened opened = { 0 };
	TRY(open_source(ctx, source, &opened));
	struct json_writer w = JSON_WRITER(b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "text",
		       arena_printf(ctx->arena,
				    "**" STR_FMT "** by " STR_FMT "\n```\n" STR_FMT "\n```",
				    STR_ARG(webhook_event_info(source->event)->name),
				    STR_ARG(opened.operator_name),
				    STR_ARG(indented(ctx, opened.event_data))));
	json_write_object_end(&w);
	return OK;
}

static void write_fact(struct json_writer *w, const char *title, str value)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "title", str_from(title));
	json_write_str(w, "value", value);
	json_write_object_end(w);
}

static void write_card_body(struct ctx *ctx, struct json_writer *w, const struct opened *opened,
			    str title)
{
	const struct json_value *data = json_member(opened->payload.root, "event_data");
	json_write_array_begin(w, "body");
	json_write_object_begin(w, NULL);
	json_write_str(w, "type", STR("TextBlock"));
	json_write_str(w, "size", STR("Medium"));
	json_write_str(w, "weight", STR("Bolder"));
	json_write_str(w, "text", title);
	json_write_object_end(w);
	json_write_object_begin(w, NULL);
	json_write_str(w, "type", STR("FactSet"));
	json_write_array_begin(w, "facts");
	const struct json_value *resources = resources_of(opened);
	write_fact(w, "Repository", member(json_member(data, "repository"), "repo_full_name"));
	for (size_t i = 0; i < MAX(json_count(resources), (size_t)1); i++)
		write_fact(w, "Artifact", member(json_element(resources, i), "resource_url"));
	write_fact(w, "By", opened->operator_name);
	write_fact(w, "At", time_text(ctx, opened->occur_at));
	json_write_array_end(w);
	json_write_object_end(w);
	json_write_array_end(w);
}

/* An Adaptive Card, as workflows of Teams take them. */
static err_t write_teams(struct ctx *ctx, const struct webhook_source *source, struct buf *b)
{
	CLEANUP(close_opened) struct opened opened = { 0 };
	TRY(open_source(ctx, source, &opened));
	struct json_writer w = JSON_WRITER(b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "type", STR("message"));
	json_write_array_begin(&w, "attachments");
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "contentType", STR("application/vnd.microsoft.card.adaptive"));
	json_write_object_begin(&w, "content");
	json_write_str(&w, "$schema", STR("http://adaptivecards.io/schemas/adaptive-card.json"));
	json_write_str(&w, "type", STR("AdaptiveCard"));
	json_write_str(&w, "version", STR("1.4"));
	write_card_body(ctx, &w, &opened, webhook_event_info(source->event)->name);
	json_write_object_end(&w);
	json_write_object_end(&w);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return OK;
}

/* --- distribution's notifications --------------------------------------------------------------
 */

static str action_of(enum webhook_event event)
{
	switch (event) {
	case WEBHOOK_EVENT_PUSH:
		return STR("push");
	case WEBHOOK_EVENT_PULL:
		return STR("pull");
	case WEBHOOK_EVENT_DELETE:
		return STR("delete");
	default:
		return webhook_event_info(event)->cloud;
	}
}

static void write_envelope_target(struct json_writer *w, const struct opened *opened, size_t at)
{
	const struct json_value *data = json_member(opened->payload.root, "event_data");
	const struct json_value *resource = json_element(resources_of(opened), at);
	const struct json_value *types = json_member(opened->extra.root, "media_types");
	str media_type = json_value_str(json_element(types, at)), tag = member(resource, "tag");
	json_write_object_begin(w, "target");
	if (media_type.len)
		json_write_str(w, "mediaType", media_type);
	json_write_str(w, "digest", member(resource, "digest"));
	json_write_str(w, "repository", member(json_member(data, "repository"), "repo_full_name"));
	if (!str_has_byte(tag, ':'))
		json_write_str(w, "tag", tag);
	json_write_object_end(w);
}

/* "4b2f89a6-548d-4c12-9993-a1f5790b97d2", and with "-1", "-2", … for the next ones. */
static str envelope_id(struct ctx *ctx, const struct opened *opened, size_t at)
{
	str id = member(opened->extra.root, "id");
	return at ? arena_printf(ctx->arena, STR_FMT "-%zu", STR_ARG(id), at) : id;
}

static void write_envelope_event(struct ctx *ctx, struct json_writer *w,
				 const struct opened *opened, str action, size_t at)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "id", envelope_id(ctx, opened, at));
	json_write_str(w, "timestamp", time_text(ctx, opened->occur_at));
	json_write_str(w, "action", action);
	write_envelope_target(w, opened, at);
	json_write_object_begin(w, "request");
	json_write_str(w, "id", member(opened->extra.root, "request_id"));
	json_write_str(w, "host", member(opened->extra.root, "host"));
	json_write_object_end(w);
	json_write_object_begin(w, "actor");
	json_write_str(w, "name", opened->operator_name);
	json_write_object_end(w);
	json_write_object_begin(w, "source");
	json_write_str(w, "addr", member(opened->extra.root, "host"));
	json_write_object_end(w);
	json_write_object_end(w);
}

/* An event for each resource; one where there is none. */
static err_t write_envelope(struct ctx *ctx, const struct webhook_source *source, struct buf *b)
{
	CLEANUP(close_opened) struct opened opened = { 0 };
	TRY(open_source(ctx, source, &opened));
	struct json_writer w = JSON_WRITER(b);
	size_t count = MAX(json_count(resources_of(&opened)), (size_t)1);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "events");
	for (size_t i = 0; i < count; i++)
		write_envelope_event(ctx, &w, &opened, action_of(source->event), i);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return OK;
}

/* --- e-mail ------------------------------------------------------------------------------------
 */

err_t webhook_subject(struct ctx *ctx, const struct webhook_source *source, str *ret)
{
	CLEANUP(close_opened) struct opened opened = { 0 };
	TRY(open_source(ctx, source, &opened));
	const struct json_value *data = json_member(opened.payload.root, "event_data");
	const struct json_value *resources = resources_of(&opened);
	str repository = member(json_member(data, "repository"), "repo_full_name");
	str tag = member(json_element(resources, 0), "tag");
	bool is_tag = tag.len && !str_has_byte(tag, ':');
	str more = json_count(resources) > 1
			   ? arena_printf(ctx->arena, " and %zu more", json_count(resources) - 1)
			   : STR_NONE;
	*ret = arena_printf(ctx->arena, STR_FMT "%s" STR_FMT "%s" STR_FMT STR_FMT,
			    STR_ARG(webhook_event_info(source->event)->name),
			    repository.len ? " " : "", STR_ARG(repository), is_tag ? ":" : "",
			    STR_ARG(is_tag ? tag : STR_NONE), STR_ARG(more));
	return OK;
}

static void text_line(struct buf *b, const char *what, str value)
{
	if (value.len)
		buf_printf(b, "%-12s" STR_FMT "\n", what, STR_ARG(value));
}

/* What else there is to say of an event, as far as it is text. */
static void text_details(struct ctx *ctx, struct buf *b, const struct json_value *details)
{
	str key;
	const struct json_value *value;
	if (!json_value_is_object(details))
		return;
	for (void *at = NULL; json_next_member(details, &at, &key, &value);)
		text_line(b, arena_printf(ctx->arena, STR_FMT ": ", STR_ARG(key)).ptr,
			  json_value_str(value));
}

static void text_retention(struct ctx *ctx, struct buf *b, const struct json_value *retention)
{
	int64_t total, retained;
	if (json_get_i64(retention, "total", &total) == JSON_FOUND &&
	    json_get_i64(retention, "retained", &retained) == JSON_FOUND)
		text_line(b, "Retained:",
			  arena_printf(ctx->arena, "%lld of %lld", (long long)retained,
				       (long long)total));
}

static err_t write_mail_text(struct ctx *ctx, const struct webhook_source *source, struct buf *b)
{
	CLEANUP(close_opened) struct opened opened = { 0 };
	TRY(open_source(ctx, source, &opened));
	const struct json_value *data = json_member(opened.payload.root, "event_data");
	const struct json_value *resources = resources_of(&opened);
	text_line(b, "Event:", webhook_event_info(source->event)->name);
	text_line(b, "Repository:", member(json_member(data, "repository"), "repo_full_name"));
	for (size_t i = 0; i < json_count(resources); i++) {
		text_line(b, "Artifact:", member(json_element(resources, i), "resource_url"));
		text_line(b, "Digest:", member(json_element(resources, i), "digest"));
	}
	text_line(b, "By:", opened.operator_name);
	text_line(b, "At:", time_text(ctx, opened.occur_at));
	text_retention(ctx, b, json_member(data, "retention"));
	text_details(ctx, b, json_member(data, "custom_attributes"));
	return OK;
}

/* --- tables ------------------------------------------------------------------------------------
 */

#define JSON_TYPE  STR_INIT("application/json")
#define CLOUD_TYPE STR_INIT("application/cloudevents+json")
#define TEXT_TYPE  STR_INIT("text/plain")
#define DIST_TYPE  STR_INIT("application/vnd.docker.distribution.events.v2+json")

static const struct webhook_kind_info kinds[WEBHOOK_KIND_COUNT] = {
	[WEBHOOK_HTTP] = { STR_INIT("http"),
			   { { STR_INIT("Default"), JSON_TYPE, write_default },
			     { STR_INIT("CloudEvents"), CLOUD_TYPE, write_cloudevent } },
			   2 },
	[WEBHOOK_SLACK] = { STR_INIT("slack"),
			    { { STR_INIT("Default"), JSON_TYPE, write_slack } },
			    1 },
	[WEBHOOK_MATTERMOST] = { STR_INIT("mattermost"),
				 { { STR_INIT("Default"), JSON_TYPE, write_mattermost } },
				 1 },
	[WEBHOOK_TEAMS] = { STR_INIT("teams"),
			    { { STR_INIT("Default"), JSON_TYPE, write_teams } },
			    1 },
	[WEBHOOK_DISTRIBUTION] = { STR_INIT("distribution"),
				   { { STR_INIT("Default"), DIST_TYPE, write_envelope } },
				   1 },
	[WEBHOOK_EMAIL] = { STR_INIT("email"),
			    { { STR_INIT("Default"), TEXT_TYPE, write_mail_text } },
			    1 },
};

const struct webhook_kind_info *webhook_kind_info(enum webhook_kind kind)
{
	return &kinds[kind];
}

bool webhook_kind_find(str name, enum webhook_kind *ret)
{
	for (unsigned i = 0; i < WEBHOOK_KIND_COUNT; i++)
		if (str_eq(name, kinds[i].name)) {
			*ret = (enum webhook_kind)i;
			return true;
		}
	return false;
}

const struct webhook_format *webhook_format_find(enum webhook_kind kind, str name)
{
	const struct webhook_kind_info *info = &kinds[kind];
	for (size_t i = 0; i < info->format_count; i++)
		if (!name.len || str_eq(name, info->formats[i].name))
			return &info->formats[i];
	return NULL;
}
