/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.c - see webhook.h. */
#include "model/webhook.h"
#include "base/glob.h"
#include "codec/json.h"
#include "codec/traceparent.h"

#include "base/banned.h"

#define US_PER_S     1000000
#define PATTERNS_MAX 32
#define EXTRA_MAX    KIB(12)

static const struct webhook_event_info events[] = {
#define WEBHOOK_EVENT_ROW(name, harbor, cloud)                                                     \
	[WEBHOOK_EVENT_##name] = { STR_INIT(harbor), STR_INIT(cloud) },
	WEBHOOK_EVENTS(WEBHOOK_EVENT_ROW)
#undef WEBHOOK_EVENT_ROW
};

const struct webhook_event_info *webhook_event_info(enum webhook_event event)
{
	static const struct webhook_event_info ping = { STR_INIT("PING"), STR_INIT("berth.ping") };
	return event == WEBHOOK_EVENT_PING ? &ping : &events[event];
}

bool webhook_event_find(str name, enum webhook_event *ret)
{
	for (unsigned i = 0; i < WEBHOOK_EVENT_COUNT; i++)
		if (str_eq(name, events[i].name)) {
			*ret = (enum webhook_event)i;
			return true;
		}
	return false;
}

str webhook_lane(struct arena *arena, int64_t policy_id, int64_t target)
{
	return arena_printf(arena, "%lld.%lld", (long long)policy_id, (long long)target);
}

/* --- filters ---------------------------------------------------------------------------------- */

static const char *const lists[] = { "projects", "repositories", "tags", "media_types" };

static bool list_fits(const struct json_value *filter, const char *key, str text)
{
	const struct json_value *patterns;
	if (json_get_array(filter, key, &patterns) != JSON_FOUND || !json_count(patterns))
		return true;
	for (size_t i = 0; i < json_count(patterns); i++)
		if (glob_match(json_value_str(json_element(patterns, i)), text))
			return true;
	return false;
}

static bool resource_fits(const struct json_value *filter, const struct webhook_resource *resource)
{
	return list_fits(filter, "tags", resource->tag) &&
	       list_fits(filter, "media_types", resource->media_type);
}

bool webhook_filter_choose(str filter, bool of_project, const struct webhook_about *about,
			   struct webhook_resource *ret, size_t *ret_count)
{
	static const struct webhook_resource none = { STR_NONE, STR_NONE, STR_NONE };
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str project = about->repository, name = about->repository, inside;
	size_t count = 0;
	if (filter.len && !json_parse(filter, JSON_LIMITS_SMALL, &doc, &problem))
		return false;
	if (str_cut(about->repository, '/', &project, &inside) && of_project)
		name = inside;
	if (!list_fits(doc.root, "projects", project) || !list_fits(doc.root, "repositories", name))
		return false;
	for (size_t i = 0; i < about->count; i++)
		if (resource_fits(doc.root, &about->resources[i]))
			ret[count++] = about->resources[i];
	*ret_count = count;
	return count || (!about->count && resource_fits(doc.root, &none));
}

static bool check_list(struct arena *arena, const struct json_value *filter, const char *key,
		       str *ret_wrong)
{
	const struct json_value *patterns;
	enum json_got got = json_get_array(filter, key, &patterns);
	const char *why;
	if (got == JSON_ABSENT)
		return true;
	if (got == JSON_WRONG || json_count(patterns) > PATTERNS_MAX) {
		*ret_wrong = arena_printf(arena, "filters.%s: not a list of up to %d patterns", key,
					  PATTERNS_MAX);
		return false;
	}
	for (size_t i = 0; i < json_count(patterns); i++) {
		str pattern = json_value_str(json_element(patterns, i));
		if (pattern.len && glob_check(pattern, &why))
			continue;
		*ret_wrong = arena_printf(arena, "filters.%s[%zu]: %s", key, i,
					  pattern.len ? why : "not a pattern");
		return false;
	}
	return true;
}

bool webhook_filter_check(struct arena *arena, const struct json_value *filter, str *ret_wrong)
{
	str key;
	const struct json_value *value;
	if (!json_value_is_object(filter)) {
		*ret_wrong = STR("filters: not an object");
		return false;
	}
	for (void *at = NULL; json_next_member(filter, &at, &key, &value);) {
		bool known = false;
		for (size_t i = 0; i < COUNT_OF(lists); i++)
			known = known || str_eq(key, str_from(lists[i]));
		if (known)
			continue;
		*ret_wrong = arena_printf(arena,
					  "filters." STR_FMT
					  ": none of projects, repositories, tags and media_types",
					  STR_ARG(str_take(key, 64)));
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (!check_list(arena, filter, lists[i], ret_wrong))
			return false;
	return true;
}

/* --- the event -------------------------------------------------------------------------------- */

/* "registry.example.com/app/web:v1", or "…@sha256:…". */
static void write_resource(struct json_writer *w, const struct webhook_facts *facts,
			   const struct webhook_resource *resource)
{
	CLEANUP(buf_done) struct buf url = BUF_INIT(KIB(4));
	str reference = resource->tag.len ? resource->tag : resource->digest;
	if (facts->host.len) {
		buf_add(&url, facts->host);
		buf_add_byte(&url, '/');
	}
	buf_add(&url, facts->repository);
	buf_add_byte(&url, resource->tag.len ? ':' : '@');
	buf_add(&url, reference);
	json_write_object_begin(w, NULL);
	json_write_str(w, "digest", resource->digest);
	json_write_str(w, "tag", reference);
	json_write_str(w, "resource_url", buf_str(&url));
	json_write_object_end(w);
}

static void write_resources(struct json_writer *w, const struct webhook_facts *facts)
{
	json_write_array_begin(w, "resources");
	for (size_t i = 0; i < facts->resource_count; i++)
		write_resource(w, facts, &facts->resources[i]);
	json_write_array_end(w);
}

static void write_repository(struct json_writer *w, const struct webhook_facts *facts)
{
	str project = facts->repository, rest = STR_NONE;
	(void)str_cut(facts->repository, '/', &project, &rest);
	json_write_object_begin(w, "repository");
	if (facts->repository_made_us)
		json_write_i64(w, "date_created", facts->repository_made_us / US_PER_S);
	json_write_str(w, "name", rest);
	json_write_str(w, "namespace", project);
	json_write_str(w, "repo_full_name", facts->repository);
	json_write_str(w, "repo_type", facts->is_public ? STR("public") : STR("private"));
	json_write_object_end(w);
}

void webhook_payload_write(struct json_writer *w, const struct webhook_facts *facts)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "type", webhook_event_info(facts->event)->name);
	json_write_i64(w, "occur_at", facts->at_us / US_PER_S);
	json_write_str(w, "operator", facts->operator_name);
	json_write_object_begin(w, "event_data");
	if (facts->resource_count)
		write_resources(w, facts);
	if (facts->repository.len)
		write_repository(w, facts);
	if (facts->retention.len)
		json_write_raw(w, "retention", facts->retention);
	if (facts->details.len)
		json_write_raw(w, "custom_attributes", facts->details);
	json_write_object_end(w);
	json_write_object_end(w);
}

str webhook_extra(struct ctx *ctx, str id, const struct webhook_resource *resources, size_t count)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(EXTRA_MAX);
	struct json_writer w = JSON_WRITER(&text);
	char trace[TRACEPARENT_LEN + 1];
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "id", id);
	json_write_str(&w, "request_id", ctx->request_id);
	json_write_str(&w, "host", ctx->asked_at);
	if (ctx->trace) {
		json_write_str(&w, "traceparent", traceparent_of_all(ctx->trace, trace));
		json_write_str(&w, "tracestate", ctx->trace->state);
	}
	json_write_array_begin(&w, "media_types"); /* of the resources, in their order */
	for (size_t i = 0; i < count; i++)
		json_write_str(&w, NULL, resources[i].media_type);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&text));
}
