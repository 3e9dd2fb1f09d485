/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention.h - which artifacts or tags of a repository stay, and by which rule: arithmetic without
 * I/O. What is done about it is registry/retention.h.
 *
 * A policy is a list of rules, in order. A rule is for the repositories its repository selectors
 * all choose (by the name without the project's); a repository for which no rule is stays as it is.
 * In a repository a rule chooses the candidates that all its tag selectors choose and that have its
 * label and its signature, if it names them; and of those its template names some:
 *
 *	always                         all of them
 *	latestPushedK, latestPulledN   so many, the last pushed or pulled first
 *	nDaysSinceLastPush, …Pull      those that were in the last so many days
 *
 * The first rule that names a candidate decides: "retain" keeps it, "delete" does not. A candidate
 * that no rule names goes if there is a rule that retains for this repository, and stays if all of
 * them delete. Rules that only retain, as in Harbor, are so a union, whatever their order.
 *
 * A candidate is an artifact with all its tags (as in Harbor: one tag that is chosen keeps the
 * artifact and all of them), or a tag of its own when the policy is of_tags. A protected candidate
 * stays, whatever the rules say, and counts among the latest as any other.
 *
 * Tag selectors are globs (base/glob.h). "matches" chooses what has a tag that fits, "excludes"
 * what has one that does not; what has no tag is chosen by `untagged` of the one and by its
 * absence in the other. An empty pattern fits everything.
 *
 *	struct retention_policy policy;
 *	struct retention_problem problem;
 *	if (!retention_read(arena, root, &policy, &problem))
 *		return fail(ctx, ERR_REQUEST_INVALID, STR_FMT, STR_ARG(problem.text))
 *	if (retention_choose(&policy, STR("app"), &chosen))
 *		retention_decide(arena, &chosen, now_us, candidates, count);
 */
#pragma once

#include "base/arena.h"
#include "codec/json.h"
#include "codec/json_writer.h"

#define RETENTION_RULES_MAX	15 /* as in Harbor */
#define RETENTION_SELECTORS_MAX 8  /* of one rule, of each sort */
#define RETENTION_LABEL_MAX	128
#define RETENTION_COUNT_MAX	32766 /* as in Harbor */
#define RETENTION_DAYS_MAX	106751
#define RETENTION_JSON_MAX	KIB(64) /* of all rules as they are written */

/* X(enumerator, name, unit, what there is without a number, what people read) */
#define RETENTION_TEMPLATES(X)                                                                     \
	X(LATEST_PUSHED, "latestPushedK", "COUNT", 10, "the most recently pushed # artifacts")     \
	X(LATEST_PULLED, "latestPulledN", "COUNT", 10, "the most recently pulled # artifacts")     \
	X(DAYS_PUSHED, "nDaysSinceLastPush", "DAYS", 30, "pushed within the last # days")          \
	X(DAYS_PULLED, "nDaysSinceLastPull", "DAYS", 30, "pulled within the last # days")          \
	X(ALWAYS, "always", "", 0, "always")

enum retention_template {
#define RETENTION_ENUM(name, ...) RETENTION_##name,
	RETENTION_TEMPLATES(RETENTION_ENUM)
#undef RETENTION_ENUM
		RETENTION_TEMPLATE_COUNT,
};

struct retention_template_info {
	const char *name;
	const char *unit; /* empty: it takes no number */
	int64_t otherwise;
	const char *text;
};
extern const struct retention_template_info retention_templates[RETENTION_TEMPLATE_COUNT];

struct retention_selector {
	str pattern;
	bool excludes;
	bool untagged; /* of tags only */
};

struct retention_selectors {
	struct retention_selector list[RETENTION_SELECTORS_MAX];
	size_t count;
};

enum retention_signed { SIGNED_OR_NOT, SIGNED_ONLY, UNSIGNED_ONLY };

struct retention_rule {
	bool disabled;
	bool deletes;
	enum retention_template template;
	int64_t number;
	str label; /* empty: whatever labels it has */
	enum retention_signed signature;
	struct retention_selectors tags, repositories;
};

struct retention_policy {
	bool of_tags;
	struct retention_rule rules[RETENTION_RULES_MAX];
	size_t rule_count;
};

/* --- reading and writing ---------------------------------------------------------------------- */

#define RETENTION_PROBLEM_MAX 200
struct retention_problem {
	bool conflict; /* two rules are the same */
	str text;      /* "rules[2].tag_selectors[0].pattern: …"; in the arena */
};

/*
 * From Harbor's form: {"algorithm": "or", "rules": […]}, with "mode": "tags" and, in a rule, the
 * action "delete", "label" and "signed" besides. Members it does not know are ignored, as Harbor
 * does; what it knows and cannot use is said with its place. Texts are copied to the arena.
 */
bool retention_read(struct arena *arena, const struct json_value *object,
		    struct retention_policy *ret, struct retention_problem *ret_problem);

/* The members "algorithm", "rules", and "mode" where it is not Harbor's. What is the same policy is
 * the same text. */
void retention_write(struct json_writer *w, const struct retention_policy *policy);

/* An array of the rules as Harbor tells webhooks of them: templates, numbers and selectors. */
void retention_write_told(struct json_writer *w, const struct retention_policy *policy);

/* --- deciding --------------------------------------------------------------------------------- */

enum retention_protection { UNPROTECTED, PROTECTED_RUNNING, PROTECTED_IMMUTABLE };

enum retention_reason {
	RETENTION_BY_RULE,     /* number `rule` decided */
	RETENTION_BY_NO_RULE,  /* none named it */
	RETENTION_IS_RUNNING,  /* a cluster reports it */
	RETENTION_IS_IMMUTABLE /* a rule forbids to delete its tag */
};

struct retention_candidate {
	int64_t id; /* of whatever; decides between those of the same time: the larger is later */
	const str *tags;
	size_t tag_count;
	const str *labels;
	size_t label_count;
	bool is_signed;
	enum retention_protection protection;
	int64_t pushed_at_us, pulled_at_us; /* 0: never */

	/* What was decided. */
	bool stays;
	enum retention_reason reason;
	size_t rule; /* as in the policy, from 0; with RETENTION_BY_RULE */
};

/* The rules of a policy that are for a repository. */
struct retention_chosen {
	const struct retention_policy *policy;
	bool has[RETENTION_RULES_MAX];
	bool any_retains;
};
/* False when none is. `repository` is its name without the project's. */
bool retention_choose(const struct retention_policy *policy, str repository,
		      struct retention_chosen *ret);

/* Fills what was decided of each. Costs rules × candidates, and one sort for each rule that counts;
 * 24 bytes of the arena for each candidate. False: that did not fit. */
bool retention_decide(struct arena *arena, const struct retention_chosen *chosen, int64_t now_us,
		      struct retention_candidate *list, size_t count);

/* "rule 2 (latestPushedK 10) retains it", "no rule retains it", … in the arena. */
str retention_reason_text(struct arena *arena, const struct retention_policy *policy,
			  const struct retention_candidate *candidate);
