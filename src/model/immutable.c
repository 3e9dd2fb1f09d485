/* SPDX-License-Identifier: Apache-2.0 */
/* immutable.c - see immutable.h. */
#include "model/immutable.h"
#include "base/glob.h"

#include "base/banned.h"

#define US_PER_HOUR INT64_C(3600000000)

str *immutable_text(struct immutable_rule *rule, unsigned at)
{
	str *const texts[IMMUTABLE_TEXTS] = { &rule->tags, &rule->repositories, &rule->except_tags,
					      &rule->except_repositories,
					      &rule->except_identities };
	return texts[at];
}

static bool is_hex(str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') ||
		      (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
			return false;
	return true;
}

bool immutable_is_signature(str tag)
{
	static const struct {
		str prefix;
		size_t digits;
	} algorithms[] = { { STR_INIT("sha256-"), 64 }, { STR_INIT("sha512-"), 128 } };
	static const str endings[] = { STR_INIT(""), STR_INIT(".sig"), STR_INIT(".att"),
				       STR_INIT(".sbom") };
	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		size_t len = algorithms[i].prefix.len + algorithms[i].digits;
		if (tag.len < len || !str_has_prefix(tag, algorithms[i].prefix) ||
		    !is_hex(str_skip(str_take(tag, len), algorithms[i].prefix.len)))
			continue;
		for (size_t at = 0; at < COUNT_OF(endings); at++)
			if (str_eq(str_skip(tag, len), endings[at]))
				return true;
	}
	return false;
}

static bool chooses(str pattern, bool excludes, str text)
{
	return (!pattern.len || glob_match(pattern, text)) != excludes;
}

static bool excepted(str pattern, str text)
{
	return pattern.len && glob_match(pattern, text);
}

static bool means(const struct immutable_rule *rule, const struct immutable_asked *asked)
{
	return !rule->disabled && (rule->signatures || !immutable_is_signature(asked->tag)) &&
	       chooses(rule->repositories, rule->repository_excludes, asked->repository) &&
	       chooses(rule->tags, rule->tag_excludes, asked->tag) &&
	       !excepted(rule->except_tags, asked->tag) &&
	       !excepted(rule->except_repositories, asked->repository) &&
	       asked->now_us - asked->pushed_at_us >= rule->after_h * US_PER_HOUR;
}

const struct immutable_rule *immutable_shown(const struct immutable_rule *rules, size_t count,
					     const struct immutable_asked *asked)
{
	for (size_t i = 0; i < count; i++)
		if (means(&rules[i], asked))
			return &rules[i];
	return NULL;
}

const struct immutable_rule *immutable_decide(const struct immutable_rule *rules, size_t count,
					      const struct immutable_asked *asked)
{
	for (size_t i = 0; i < count; i++)
		if (means(&rules[i], asked) && !(rules[i].allow_same && asked->same_digest) &&
		    !excepted(rules[i].except_identities, asked->identity))
			return &rules[i];
	return NULL;
}

bool immutable_rule_same(const struct immutable_rule *a, const struct immutable_rule *b)
{
	struct immutable_rule left = *a, right = *b;
	for (unsigned i = 0; i < IMMUTABLE_TEXTS; i++)
		if (!str_eq(*immutable_text(&left, i), *immutable_text(&right, i)))
			return false;
	return a->tag_excludes == b->tag_excludes &&
	       a->repository_excludes == b->repository_excludes && a->after_h == b->after_h &&
	       a->allow_same == b->allow_same && a->signatures == b->signatures;
}

bool immutable_rule_check(const struct immutable_rule *rule, struct immutable_problem *ret)
{
	static const char *const members[IMMUTABLE_TEXTS] = {
		"tag_selectors[0].pattern", "scope_selectors.repository[0].pattern",
		"params.berth.except_tags", "params.berth.except_repositories",
		"params.berth.except_identities"
	};
	struct immutable_rule copy = *rule;
	for (unsigned i = 0; i < IMMUTABLE_TEXTS; i++) {
		ret->member = members[i];
		if (!glob_check(*immutable_text(&copy, i), &ret->why))
			return false;
	}
	*ret = (struct immutable_problem){ "params.berth.after_hours", "it is from 0 to 876000" };
	return rule->after_h >= 0 && rule->after_h <= IMMUTABLE_AFTER_MAX_H;
}
