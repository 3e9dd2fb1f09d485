/* SPDX-License-Identifier: Apache-2.0 */
/*
 * immutable.h - which tags may not move or go: the decision, and what a rule may say.
 *
 * A rule, as in Harbor, chooses repositories of its project and tags of theirs by one pattern each
 * (base/glob.h), either what fits or what does not. Ours says besides: from how long after its last
 * push a tag is meant, what is excepted, and whether the same digest may be pushed once more.
 *
 *	const struct immutable_rule *rule = immutable_decide(rules, count, &asked);
 *	if (rule) … not to be done, and rule->id says by which
 *
 * It is asked for a tag that is there; making a tag is never refused. Tags of signatures
 * (`sha256-….sig`, `.att`, `.sbom`, and `sha256-…` of the referrers' fallback) are meant only by a
 * rule that says so: who signs again writes them anew, whatever his image's tag.
 *
 * Who else moves or deletes tags (retention, a trash) asks by registry/immutable.h, which knows the
 * rules of each project.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

#define IMMUTABLE_RULES_MAX   15 /* of one project, as in Harbor */
#define IMMUTABLE_AFTER_MAX_H (100 * 365 * 24)

struct immutable_rule {
	int64_t id;
	int64_t priority; /* kept for Harbor's clients; all rules count alike */
	bool disabled;
	bool tag_excludes, repository_excludes; /* the rule means what does not fit the pattern */
	bool allow_same; /* a push of the digest that the tag has succeeds, and changes nothing */
	bool signatures; /* means signatures by tag, too */
	int64_t after_h; /* 0: from the first push on */
	str tags, repositories; /* patterns; empty: all. Repositories without their project */
	str except_tags, except_repositories, except_identities; /* patterns; empty: none */
};

/* The texts of a rule, for who reads, keeps or writes all of them. */
#define IMMUTABLE_TEXTS 5
str *immutable_text(struct immutable_rule *rule, unsigned at);

struct immutable_asked {
	str repository; /* below its project: "app" of "library/app" */
	str tag;
	str identity;	      /* who wants to, as the audit trail names him: "robot$ci" */
	int64_t pushed_at_us; /* when the tag was pushed last */
	int64_t now_us;
	bool same_digest; /* the tag is to be put where it is */
};

/* The first rule that forbids it, or NULL. */
const struct immutable_rule *immutable_decide(const struct immutable_rule *rules, size_t count,
					      const struct immutable_asked *asked);

/*
 * The first rule that means the tag, whoever asks and whatever for: what lists show.
 */
const struct immutable_rule *immutable_shown(const struct immutable_rule *rules, size_t count,
					     const struct immutable_asked *asked);

/* Whether two rules mean the same by the same patterns. */
bool immutable_rule_same(const struct immutable_rule *a, const struct immutable_rule *b);

/* False with what is wrong (static text), and in which member of the rule. */
struct immutable_problem {
	const char *member, *why;
};
bool immutable_rule_check(const struct immutable_rule *rule, struct immutable_problem *ret);

/* Whether a tag names a signature, an attestation or an SBOM of what its name says. */
bool immutable_is_signature(str tag);
