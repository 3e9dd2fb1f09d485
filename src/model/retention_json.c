/* SPDX-License-Identifier: Apache-2.0 */
/* retention_json.c - see retention.h: policies from and to Harbor's JSON. */
#include "base/glob.h"
#include "codec/json_shape.h"
#include "model/retention.h"

#include "base/banned.h"

#define WORD_MAX   32
#define EXTRAS_MAX 256
#define DOUBLESTAR "doublestar"

/* Where it is being read: for what is said when something is wrong. */
struct reading {
	struct arena *arena;
	struct retention_problem *problem;
	str place; /* empty: at the top */
};

static bool wrong(struct reading *r, const char *member, const char *what)
{
	r->problem->conflict = false;
	r->problem->text = r->place.len ? arena_printf(r->arena, STR_FMT ".%s: %s",
						       STR_ARG(r->place), member, what)
					: arena_printf(r->arena, "%s: %s", member, what);
	return false;
}

static bool read_shape(struct reading *r, const struct json_value *object,
		       const struct json_field *fields, size_t count, void *into)
{
	struct json_problem problem;
	if (json_shape_read(object, fields, count, into, &problem))
		return true;
	r->problem->conflict = false;
	r->problem->text = r->place.len ? arena_printf(r->arena, STR_FMT ": %s", STR_ARG(r->place),
						       problem.text)
					: arena_copy(r->arena, str_from(problem.text));
	return false;
}

/* --- selectors -------------------------------------------------------------------------------- */

struct sort_of_selectors {
	const char *matches, *excludes;
	const char *said; /* when it is neither */
};
static const struct sort_of_selectors tag_sort = { "matches", "excludes",
						   "one of matches and excludes is wanted" };
static const struct sort_of_selectors repository_sort = {
	"repoMatches", "repoExcludes", "one of repoMatches and repoExcludes is wanted"
};

/* Harbor packs {"untagged": bool} into a text; what is none counts as not said, as there. */
static void read_extras(str extras, bool *untagged)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	bool said = false;
	if (!extras.len || !json_parse(extras, JSON_LIMITS_SMALL, &doc, &problem) ||
	    !json_value_is_object(doc.root))
		return;
	if (json_get_bool(doc.root, "untagged", &said) != JSON_WRONG)
		*untagged = said;
}

static bool read_selector(struct reading *r, const struct json_value *v,
			  const struct sort_of_selectors *sort, struct retention_selector *ret)
{
	struct body {
		str kind, decoration, pattern, extras;
	} body = { .kind = STR(DOUBLESTAR) };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct body, "kind", kind, WORD_MAX),
		JSON_FIELD_STR(struct body, "decoration", decoration, WORD_MAX),
		JSON_FIELD_STR(struct body, "pattern", pattern, GLOB_BYTES_MAX),
		JSON_FIELD_STR(struct body, "extras", extras, EXTRAS_MAX),
	};
	const char *why;
	if (!read_shape(r, v, fields, COUNT_OF(fields), &body))
		return false;
	if (!str_eq(body.kind, STR(DOUBLESTAR)))
		return wrong(r, "kind", "only doublestar is known");
	ret->excludes = str_eq(body.decoration, str_from(sort->excludes));
	if (!ret->excludes && !str_eq(body.decoration, str_from(sort->matches)))
		return wrong(r, "decoration", sort->said);
	if (body.pattern.len && !glob_check(body.pattern, &why))
		return wrong(r, "pattern", why);
	ret->pattern = arena_copy(r->arena, body.pattern);
	ret->untagged = !ret->excludes;
	read_extras(body.extras, &ret->untagged);
	return true;
}

static bool read_selectors(struct reading *r, const struct json_value *array,
			   const struct sort_of_selectors *sort, struct retention_selectors *ret)
{
	const char *member = sort == &tag_sort ? "tag_selectors" : "scope_selectors.repository";
	str place = r->place;
	ret->count = json_count(array);
	if (ret->count > RETENTION_SELECTORS_MAX)
		return wrong(r, member, "at most 8 selectors");
	for (size_t i = 0; i < ret->count; i++) {
		r->place = arena_printf(r->arena, STR_FMT ".%s[%zu]", STR_ARG(place), member, i);
		if (!read_selector(r, json_element(array, i), sort, &ret->list[i]))
			return false;
	}
	r->place = place;
	return true;
}

static bool read_scopes(struct reading *r, const struct json_value *scopes,
			struct retention_selectors *ret)
{
	const struct json_value *array = NULL, *value;
	str key;
	for (void *at = NULL; json_next_member(scopes, &at, &key, &value);)
		if (!str_eq(key, STR("repository")))
			return wrong(r, "scope_selectors", "only repository is known");
	if (scopes && json_get_array(scopes, "repository", &array) == JSON_WRONG)
		return wrong(r, "scope_selectors.repository", "not an array");
	return !array || read_selectors(r, array, &repository_sort, ret);
}

/* --- rules ------------------------------------------------------------------------------------ */

struct rule_body {
	bool disabled, is_signed, has_signed;
	str action, template, label;
	const struct json_value *params, *tags, *scopes;
};

static bool read_number(struct reading *r, const struct json_value *params,
			struct retention_rule *rule)
{
	const struct retention_template_info *info = &retention_templates[rule->template];
	bool days = str_eq(str_from(info->unit), STR("DAYS"));
	const char *member = arena_printf(r->arena, "params.%s", info->name).ptr;
	rule->number = info->otherwise;
	if (!*info->unit)
		return true;
	if (params && json_get_i64(params, info->name, &rule->number) == JSON_WRONG)
		return wrong(r, member, "a whole number is wanted");
	if (rule->number < 0 || rule->number > (days ? RETENTION_DAYS_MAX : RETENTION_COUNT_MAX))
		return wrong(r, member, days ? "0 to 106751 days" : "0 to 32766");
	return true;
}

static bool read_words(struct reading *r, const struct rule_body *body, struct retention_rule *rule)
{
	rule->deletes = str_eq(body->action, STR("delete"));
	if (!rule->deletes && !str_eq(body->action, STR("retain")))
		return wrong(r, "action", "one of retain and delete is wanted");
	while (rule->template <RETENTION_TEMPLATE_COUNT &&
			       !str_eq(body->template,
				       str_from(retention_templates[rule->template].name)))
		rule->template ++;
	if (rule->template == RETENTION_TEMPLATE_COUNT)
		return wrong(r, "template",
			     "one of latestPushedK, latestPulledN, nDaysSinceLastPush, "
			     "nDaysSinceLastPull and always is wanted");
	rule->disabled = body->disabled;
	rule->label = arena_copy(r->arena, body->label);
	if (body->has_signed)
		rule->signature = body->is_signed ? SIGNED_ONLY : UNSIGNED_ONLY;
	return true;
}

static bool read_rule(struct reading *r, const struct json_value *v, struct retention_rule *rule)
{
	static const struct json_field fields[] = {
		JSON_FIELD_BOOL(struct rule_body, "disabled", disabled),
		JSON_FIELD_STR(struct rule_body, "action", action, WORD_MAX),
		JSON_FIELD_STR(struct rule_body, "template", template, WORD_MAX),
		JSON_FIELD_STR(struct rule_body, "label", label, RETENTION_LABEL_MAX),
		JSON_FIELD_BOOL(struct rule_body, "signed", is_signed),
		JSON_FIELD_HAS(struct rule_body, "signed", has_signed),
		JSON_FIELD_OBJECT(struct rule_body, "params", params),
		JSON_FIELD_ARRAY(struct rule_body, "tag_selectors", tags),
		JSON_FIELD_OBJECT(struct rule_body, "scope_selectors", scopes),
	};
	struct rule_body body = { .action = STR("retain") };
	*rule = (struct retention_rule){ 0 };
	return read_shape(r, v, fields, COUNT_OF(fields), &body) && read_words(r, &body, rule) &&
	       read_number(r, body.params, rule) &&
	       (!body.tags || read_selectors(r, body.tags, &tag_sort, &rule->tags)) &&
	       read_scopes(r, body.scopes, &rule->repositories);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_selectors(struct json_writer *w, const char *key,
			    const struct sort_of_selectors *sort,
			    const struct retention_selectors *selectors)
{
	json_write_array_begin(w, key);
	for (size_t i = 0; i < selectors->count; i++) {
		const struct retention_selector *selector = &selectors->list[i];
		json_write_object_begin(w, NULL);
		json_write_str(w, "kind", STR(DOUBLESTAR));
		json_write_str(w, "decoration",
			       str_from(selector->excludes ? sort->excludes : sort->matches));
		json_write_str(w, "pattern", selector->pattern);
		if (sort == &tag_sort)
			json_write_str(w, "extras",
				       selector->untagged ? STR("{\"untagged\":true}")
							  : STR("{\"untagged\":false}"));
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_template(struct json_writer *w, const struct retention_rule *rule,
			   bool even_no_params)
{
	const struct retention_template_info *info = &retention_templates[rule->template];
	json_write_str(w, "template", str_from(info->name));
	if (!*info->unit && !even_no_params)
		return;
	json_write_object_begin(w, "params");
	if (*info->unit)
		json_write_i64(w, info->name, rule->number);
	json_write_object_end(w);
}

static void write_choice(struct json_writer *w, const struct retention_rule *rule)
{
	write_selectors(w, "tag_selectors", &tag_sort, &rule->tags);
	json_write_object_begin(w, "scope_selectors");
	write_selectors(w, "repository", &repository_sort, &rule->repositories);
	json_write_object_end(w);
}

/* Without an id, so that rules can be compared. */
static void write_rule_members(struct json_writer *w, const struct retention_rule *rule)
{
	json_write_bool(w, "disabled", rule->disabled);
	json_write_str(w, "action", rule->deletes ? STR("delete") : STR("retain"));
	write_template(w, rule, true);
	if (rule->label.len)
		json_write_str(w, "label", rule->label);
	if (rule->signature != SIGNED_OR_NOT)
		json_write_bool(w, "signed", rule->signature == SIGNED_ONLY);
	write_choice(w, rule);
}

void retention_write(struct json_writer *w, const struct retention_policy *policy)
{
	json_write_str(w, "algorithm", STR("or"));
	if (policy->of_tags)
		json_write_str(w, "mode", STR("tags"));
	json_write_array_begin(w, "rules");
	for (size_t i = 0; i < policy->rule_count; i++) {
		json_write_object_begin(w, NULL);
		json_write_i64(w, "id", (int64_t)i);
		json_write_i64(w, "priority", 0);
		write_rule_members(w, &policy->rules[i]);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

void retention_write_told(struct json_writer *w, const struct retention_policy *policy)
{
	json_write_array_begin(w, NULL);
	for (size_t i = 0; i < policy->rule_count; i++) {
		json_write_object_begin(w, NULL);
		write_template(w, &policy->rules[i], false);
		write_choice(w, &policy->rules[i]);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

/* --- all of it -------------------------------------------------------------------------------- */

static str rule_as_text(struct arena *arena, const struct retention_rule *rule)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(RETENTION_JSON_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	write_rule_members(&w, rule);
	json_write_object_end(&w);
	return arena_copy(arena, buf_str(&text));
}

static bool check_same(struct reading *r, const struct retention_policy *policy)
{
	str texts[RETENTION_RULES_MAX];
	for (size_t i = 0; i < policy->rule_count; i++) {
		texts[i] = rule_as_text(r->arena, &policy->rules[i]);
		for (size_t other = 0; other < i; other++) {
			if (!str_eq(texts[i], texts[other]))
				continue;
			r->problem->conflict = true;
			r->problem->text = arena_printf(
				r->arena, "rules[%zu]: the same as rules[%zu]", i, other);
			return false;
		}
	}
	return true;
}

static bool check_size(struct reading *r, const struct retention_policy *policy)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(RETENTION_JSON_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	retention_write(&w, policy);
	json_write_object_end(&w);
	return !buf_overrun(&text) || wrong(r, "rules", "too long");
}

static bool read_rules(struct reading *r, const struct json_value *rules,
		       struct retention_policy *ret)
{
	ret->rule_count = json_count(rules);
	if (ret->rule_count > RETENTION_RULES_MAX)
		return wrong(r, "rules", "at most 15 rules");
	for (size_t i = 0; i < ret->rule_count; i++) {
		r->place = arena_printf(r->arena, "rules[%zu]", i);
		if (!read_rule(r, json_element(rules, i), &ret->rules[i]))
			return false;
	}
	r->place = STR_NONE;
	return check_size(r, ret) && check_same(r, ret);
}

bool retention_read(struct arena *arena, const struct json_value *object,
		    struct retention_policy *ret, struct retention_problem *ret_problem)
{
	struct body {
		str algorithm, mode;
		const struct json_value *rules;
	} body = { .algorithm = STR("or"), .mode = STR("artifacts") };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct body, "algorithm", algorithm, WORD_MAX),
		JSON_FIELD_STR(struct body, "mode", mode, WORD_MAX),
		JSON_FIELD_ARRAY(struct body, "rules", rules),
	};
	struct reading r = { .arena = arena, .problem = ret_problem };
	struct retention_policy *policy = ARENA_NEW(arena, struct retention_policy);
	if (!read_shape(&r, object, fields, COUNT_OF(fields), &body))
		return false;
	if (body.algorithm.len && !str_eq(body.algorithm, STR("or")))
		return wrong(&r, "algorithm", "only or is known");
	policy->of_tags = str_eq(body.mode, STR("tags"));
	if (!policy->of_tags && !str_eq(body.mode, STR("artifacts")))
		return wrong(&r, "mode", "one of artifacts and tags is wanted");
	if (body.rules && !read_rules(&r, body.rules, policy))
		return false;
	*ret = *policy;
	return true;
}
