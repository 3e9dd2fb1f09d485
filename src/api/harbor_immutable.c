/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_immutable.c - rules of immutability, in the words of Harbor's REST API v2.0.
 *
 * What a rule of ours says beyond Harbor's is in `params.berth`, which Harbor's clients let pass:
 *
 *	"params": {"berth": {"after_hours": 24, "allow_same": true, "signatures": false,
 *	                     "except_tags": "*-dev", "except_repositories": "sandbox/ **",
 *	                     "except_identities": "robot$release"}}
 *
 * (without the blank). What a change does not name stays, so who knows nothing of it takes nothing
 * away.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "registry/immutable.h"

#include "base/banned.h"

#define RULE_JSON_MAX KIB(16)

static struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* One of the two things a rule chooses by. */
struct selector {
	const char *member; /* for errors */
	const char *matches, *excludes;
};
static const struct selector of_tags = { "tag_selectors", "matches", "excludes" };
static const struct selector of_repositories = { "scope_selectors.repository", "repoMatches",
						 "repoExcludes" };

struct selector_body {
	str kind, decoration, pattern;
};

static err_t read_selector(struct ctx *ctx, const struct json_value *list,
			   const struct selector *selector, bool *excludes, str *pattern)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct selector_body, "kind", kind, 64),
		JSON_FIELD_STR(struct selector_body, "decoration", decoration, 64),
		JSON_FIELD_STR(struct selector_body, "pattern", pattern, KIB(4)),
	};
	struct selector_body given = { .kind = STR_INIT("doublestar") };
	if (!list)
		return OK;
	if (json_count(list) != 1)
		return fail(ctx, ERR_REQUEST_INVALID, "%s: a rule has one, and there are %zu",
			    selector->member, json_count(list));
	TRY(body_shape(ctx, json_element(list, 0), fields, COUNT_OF(fields), &given));
	if (!str_eq(given.kind, STR("doublestar")))
		return fail(ctx, ERR_REQUEST_INVALID, "%s[0].kind: it is doublestar",
			    selector->member);
	bool excluded = str_eq(given.decoration, str_from(selector->excludes));
	if (!excluded && !str_eq(given.decoration, str_from(selector->matches)))
		return fail(ctx, ERR_REQUEST_INVALID, "%s[0].decoration: it is %s or %s",
			    selector->member, selector->matches, selector->excludes);
	*excludes = excluded;
	*pattern = arena_copy(ctx->arena, given.pattern);
	return OK;
}

static const struct json_field berth_fields[] = {
	JSON_FIELD_I64(struct immutable_rule, "after_hours", after_h),
	JSON_FIELD_BOOL(struct immutable_rule, "allow_same", allow_same),
	JSON_FIELD_BOOL(struct immutable_rule, "signatures", signatures),
	JSON_FIELD_STR(struct immutable_rule, "except_tags", except_tags, KIB(4)),
	JSON_FIELD_STR(struct immutable_rule, "except_repositories", except_repositories, KIB(4)),
	JSON_FIELD_STR(struct immutable_rule, "except_identities", except_identities, KIB(4)),
};

/* Ours alone, so a word that is spelled wrong is not one of Harbor's to come. */
static err_t check_words(struct ctx *ctx, const struct json_value *object)
{
	void *at = NULL;
	str key;
	const struct json_value *value;
	while (json_next_member(object, &at, &key, &value)) {
		bool known = false;
		for (size_t i = 0; i < COUNT_OF(berth_fields); i++)
			known |= str_eq(key, str_from(berth_fields[i].key));
		if (!known)
			return fail(ctx, ERR_REQUEST_INVALID,
				    "params.berth has no member \"" STR_FMT "\"",
				    STR_ARG(str_take(key, MIN(key.len, 64))));
	}
	return OK;
}

static err_t read_params(struct ctx *ctx, const struct json_value *params,
			 struct immutable_rule *rule)
{
	const struct json_value *ours = json_member(params, "berth");
	if (!ours)
		return OK;
	if (!json_value_is_object(ours))
		return fail(ctx, ERR_REQUEST_INVALID, "params.berth is no object");
	TRY(check_words(ctx, ours));
	TRY(body_shape(ctx, ours, berth_fields, COUNT_OF(berth_fields), rule));
	for (unsigned i = 0; i < IMMUTABLE_TEXTS; i++) {
		str *text = immutable_text(rule, i);
		*text = arena_copy(ctx->arena, *text);
	}
	return OK;
}

struct rule_body {
	str action, template;
	const struct json_value *params, *tags, *scopes;
	int64_t priority;
	bool disabled;
};

/* Over what the rule says already. */
static err_t read_rule(struct ctx *ctx, struct request *rq, struct immutable_rule *rule)
{
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct rule_body, "priority", priority),
		JSON_FIELD_BOOL(struct rule_body, "disabled", disabled),
		JSON_FIELD_STR(struct rule_body, "action", action, 64),
		JSON_FIELD_STR(struct rule_body, "template", template, 64),
		JSON_FIELD_OBJECT(struct rule_body, "params", params),
		JSON_FIELD_ARRAY(struct rule_body, "tag_selectors", tags),
		JSON_FIELD_OBJECT(struct rule_body, "scope_selectors", scopes),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct rule_body given = { .priority = rule->priority, .disabled = rule->disabled };
	const struct json_value *repositories = NULL;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &given));
	if (given.action.len && !str_eq(given.action, STR("immutable")))
		return fail(ctx, ERR_REQUEST_INVALID, "action: it is immutable");
	if (given.template.len && !str_eq(given.template, STR("immutable_template")))
		return fail(ctx, ERR_REQUEST_INVALID, "template: it is immutable_template");
	if (!rule->id && !given.tags)
		return fail(ctx, ERR_REQUEST_INVALID, "tag_selectors: a rule has one");
	if (json_get_array(given.scopes, "repository", &repositories) == JSON_WRONG)
		return fail(ctx, ERR_REQUEST_INVALID, "scope_selectors.repository is no array");
	TRY(read_selector(ctx, given.tags, &of_tags, &rule->tag_excludes, &rule->tags));
	TRY(read_selector(ctx, repositories, &of_repositories, &rule->repository_excludes,
			  &rule->repositories));
	rule->priority = given.priority;
	rule->disabled = given.disabled;
	return read_params(ctx, given.params, rule);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_selector(struct json_writer *w, const char *key, const struct selector *selector,
			   bool excludes, str pattern)
{
	json_write_array_begin(w, key);
	json_write_object_begin(w, NULL);
	json_write_str(w, "kind", STR("doublestar"));
	json_write_str(w, "decoration",
		       str_from(excludes ? selector->excludes : selector->matches));
	json_write_str(w, "pattern", pattern);
	json_write_object_end(w);
	json_write_array_end(w);
}

static void write_params(struct json_writer *w, const struct immutable_rule *rule)
{
	json_write_object_begin(w, "params");
	json_write_object_begin(w, "berth");
	json_write_i64(w, "after_hours", rule->after_h);
	json_write_bool(w, "allow_same", rule->allow_same);
	json_write_bool(w, "signatures", rule->signatures);
	json_write_str(w, "except_tags", rule->except_tags);
	json_write_str(w, "except_repositories", rule->except_repositories);
	json_write_str(w, "except_identities", rule->except_identities);
	json_write_object_end(w);
	json_write_object_end(w);
}

static void write_rule(struct json_writer *w, const struct immutable_rule *rule)
{
	json_write_object_begin(w, NULL);
	if (rule->id)
		json_write_i64(w, "id", rule->id);
	json_write_i64(w, "priority", rule->priority);
	json_write_bool(w, "disabled", rule->disabled);
	json_write_str(w, "action", STR("immutable"));
	json_write_str(w, "template", STR("immutable_template"));
	write_params(w, rule);
	write_selector(w, "tag_selectors", &of_tags, rule->tag_excludes, rule->tags);
	json_write_object_begin(w, "scope_selectors");
	write_selector(w, "repository", &of_repositories, rule->repository_excludes,
		       rule->repositories);
	json_write_object_end(w);
	json_write_object_end(w);
}

static str rule_json(struct ctx *ctx, const struct immutable_rule *rule)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(RULE_JSON_MAX);
	struct json_writer w = JSON_WRITER(&text);
	write_rule(&w, rule);
	return arena_copy(ctx->arena, buf_str(&text));
}

/* --- handlers --------------------------------------------------------------------------------- */

err_t harbor_immutable_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct immutable_rule *rules;
	size_t count;
	TRY(list_begin(ctx, rq, &list));
	TRY(immutable_rules(ctx, registry_of(rq), rq->project_found.id, &rules, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		if ((int64_t)i >= list.offset && (int64_t)i - list.offset < list.page_size)
			write_rule(&w, &rules[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, (int64_t)count, &body);
}

err_t harbor_immutable_create(struct ctx *ctx, struct request *rq)
{
	struct immutable_rule rule = { .id = 0 };
	TRY(read_rule(ctx, rq, &rule));
	audit_project(rq, AUDIT_CREATE_IMMUTABLE_TAG)->after = rule_json(ctx, &rule);
	TRY(immutable_rule_put(ctx, registry_of(rq), rq->project_found.id, &rule));
	return answer_created(rq, rule.id);
}

err_t harbor_immutable_update(struct ctx *ctx, struct request *rq)
{
	struct immutable_rule rule;
	TRY(immutable_rule_get(ctx, registry_of(rq), rq->project_found.id, rq->id, &rule));
	str before = rule_json(ctx, &rule);
	TRY(read_rule(ctx, rq, &rule));
	struct audit_event *event = audit_project(rq, AUDIT_UPDATE_IMMUTABLE_TAG);
	event->before = before;
	event->after = rule_json(ctx, &rule);
	TRY(immutable_rule_put(ctx, registry_of(rq), rq->project_found.id, &rule));
	return answer_empty(rq, 200);
}

err_t harbor_immutable_delete(struct ctx *ctx, struct request *rq)
{
	struct immutable_rule rule;
	TRY(immutable_rule_get(ctx, registry_of(rq), rq->project_found.id, rq->id, &rule));
	audit_project(rq, AUDIT_DELETE_IMMUTABLE_TAG)->before = rule_json(ctx, &rule);
	TRY(immutable_rule_delete(ctx, registry_of(rq), rq->project_found.id, rule.id));
	return answer_empty(rq, 200);
}
