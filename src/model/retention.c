/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c - see retention.h: deciding. */
#include "model/retention.h"
#include "base/glob.h"

#include <stdlib.h>

#include "base/banned.h"

#define DAY_US (INT64_C(86400) * 1000000)

const struct retention_template_info retention_templates[RETENTION_TEMPLATE_COUNT] = {
#define RETENTION_ROW(name_, text, unit_, otherwise_, shown)                                       \
	[RETENTION_##name_] = { text, unit_, otherwise_, shown },
	RETENTION_TEMPLATES(RETENTION_ROW)
#undef RETENTION_ROW
};

/* --- which it chooses ------------------------------------------------------------------------- */

static bool fits(const struct retention_selector *selector, str text)
{
	return !selector->pattern.len || glob_match(selector->pattern, text);
}

bool retention_choose(const struct retention_policy *policy, str repository,
		      struct retention_chosen *ret)
{
	bool any = false;
	*ret = (struct retention_chosen){ .policy = policy };
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct retention_rule *rule = &policy->rules[i];
		bool is_for = !rule->disabled;
		for (size_t s = 0; s < rule->repositories.count; s++) {
			const struct retention_selector *selector = &rule->repositories.list[s];
			is_for = is_for && fits(selector, repository) != selector->excludes;
		}
		ret->has[i] = is_for;
		ret->any_retains = ret->any_retains || (is_for && !rule->deletes);
		any = any || is_for;
	}
	return any;
}

static bool selector_chooses(const struct retention_selector *selector,
			     const struct retention_candidate *candidate)
{
	if (!candidate->tag_count)
		return selector->untagged != selector->excludes;
	for (size_t i = 0; i < candidate->tag_count; i++)
		if (fits(selector, candidate->tags[i]) != selector->excludes)
			return true;
	return false;
}

static bool has_label(const struct retention_candidate *candidate, str label)
{
	for (size_t i = 0; i < candidate->label_count; i++)
		if (str_eq(candidate->labels[i], label))
			return true;
	return false;
}

static bool rule_chooses(const struct retention_rule *rule,
			 const struct retention_candidate *candidate)
{
	if (rule->signature != SIGNED_OR_NOT &&
	    candidate->is_signed != (rule->signature == SIGNED_ONLY))
		return false;
	if (rule->label.len && !has_label(candidate, rule->label))
		return false;
	for (size_t i = 0; i < rule->tags.count; i++)
		if (!selector_chooses(&rule->tags.list[i], candidate))
			return false;
	return true;
}

/* --- which it names --------------------------------------------------------------------------- */

struct ranked {
	int64_t time_us, id;
	size_t at;
};

static int later_first(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	if (a->time_us != b->time_us)
		return a->time_us > b->time_us ? -1 : 1;
	return a->id > b->id ? -1 : a->id < b->id;
}

static int64_t time_of(enum retention_template template,
		       const struct retention_candidate *candidate)
{
	bool pulls = template == RETENTION_LATEST_PULLED || template == RETENTION_DAYS_PULLED;
	return pulls ? candidate->pulled_at_us : candidate->pushed_at_us;
}

/* Unless a rule before this one did. */
static void decide_one(struct retention_candidate *candidate, const struct retention_rule *rule,
		       size_t number)
{
	if (candidate->reason != RETENTION_BY_NO_RULE)
		return;
	candidate->reason = RETENTION_BY_RULE;
	candidate->rule = number;
	candidate->stays = !rule->deletes;
}

static void apply_latest(const struct retention_rule *rule, size_t number,
			 struct retention_candidate *list, size_t count, struct ranked *room)
{
	size_t chosen = 0;
	for (size_t i = 0; i < count; i++)
		if (rule_chooses(rule, &list[i]))
			room[chosen++] =
				(struct ranked){ time_of(rule->template, &list[i]), list[i].id, i };
	qsort(room, chosen, sizeof *room, later_first);
	for (size_t i = 0; i < chosen && i < (size_t)rule->number; i++)
		decide_one(&list[room[i].at], rule, number);
}

static void apply_times(const struct retention_rule *rule, size_t number, int64_t now_us,
			struct retention_candidate *list, size_t count)
{
	int64_t since_us =
		rule->template == RETENTION_ALWAYS ? INT64_MIN : now_us - rule->number * DAY_US;
	for (size_t i = 0; i < count; i++)
		if (time_of(rule->template, &list[i]) >= since_us && rule_chooses(rule, &list[i]))
			decide_one(&list[i], rule, number);
}

static void begin(const struct retention_chosen *chosen, struct retention_candidate *candidate)
{
	candidate->stays = !chosen->any_retains;
	candidate->reason = RETENTION_BY_NO_RULE;
	candidate->rule = 0;
}

static void protect(struct retention_candidate *candidate)
{
	if (candidate->stays || candidate->protection == UNPROTECTED)
		return;
	candidate->stays = true;
	candidate->reason = candidate->protection == PROTECTED_RUNNING ? RETENTION_IS_RUNNING
								       : RETENTION_IS_IMMUTABLE;
}

bool retention_decide(struct arena *arena, const struct retention_chosen *chosen, int64_t now_us,
		      struct retention_candidate *list, size_t count)
{
	struct ranked *room = arena_try(arena, (count + 1) * sizeof *room);
	if (!room)
		return false;
	for (size_t i = 0; i < count; i++)
		begin(chosen, &list[i]);
	for (size_t at = 0; at < chosen->policy->rule_count; at++) {
		const struct retention_rule *rule = &chosen->policy->rules[at];
		if (!chosen->has[at])
			continue;
		if (rule->template == RETENTION_LATEST_PUSHED ||
		    rule->template == RETENTION_LATEST_PULLED)
			apply_latest(rule, at, list, count, room);
		else
			apply_times(rule, at, now_us, list, count);
	}
	for (size_t i = 0; i < count; i++)
		protect(&list[i]);
	return true;
}

/* --- words ------------------------------------------------------------------------------------ */

static str rule_text(struct arena *arena, const struct retention_policy *policy,
		     const struct retention_candidate *candidate)
{
	const struct retention_rule *rule = &policy->rules[candidate->rule];
	const struct retention_template_info *info = &retention_templates[rule->template];
	const char *verb = rule->deletes ? "deletes" : "retains";
	if (!*info->unit)
		return arena_printf(arena, "rule %zu (%s) %s it", candidate->rule + 1, info->name,
				    verb);
	return arena_printf(arena, "rule %zu (%s %lld) %s it", candidate->rule + 1, info->name,
			    (long long)rule->number, verb);
}

str retention_reason_text(struct arena *arena, const struct retention_policy *policy,
			  const struct retention_candidate *candidate)
{
	switch (candidate->reason) {
	case RETENTION_BY_RULE:
		return rule_text(arena, policy, candidate);
	case RETENTION_IS_RUNNING:
		return STR("a cluster reports that it runs");
	case RETENTION_IS_IMMUTABLE:
		return STR("a tag of it is immutable");
	case RETENTION_BY_NO_RULE:
		break;
	}
	return candidate->stays ? STR("no rule deletes it") : STR("no rule retains it");
}
