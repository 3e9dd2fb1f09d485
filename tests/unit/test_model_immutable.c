/* SPDX-License-Identifier: Apache-2.0 */
/* Which tags may not move or go: one row for each thing that a rule may say. */
#include <criterion/criterion.h>

#include "base/arena.h"
#include "model/immutable.h"

#define HOUR_US INT64_C(3600000000)
#define HEX	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct immutable_asked asked = {
	.repository = STR_INIT("team/app"),
	.tag = STR_INIT("v1.0"),
	.identity = STR_INIT("robot$demo+ci"),
	.pushed_at_us = 10 * HOUR_US,
	.now_us = 13 * HOUR_US,
	.same_digest = true,
};

/* Each row: a rule, and whether it forbids what is asked above. */
static const struct {
	const char *what;
	struct immutable_rule rule;
	bool forbids;
} rows[] = {
	{ "empty patterns mean all", { .id = 1 }, true },
	{ "disabled", { .disabled = true }, false },
	{ "both fit", { .tags = STR_INIT("v*"), .repositories = STR_INIT("team/**") }, true },
	{ "the tag does not", { .tags = STR_INIT("w*") }, false },
	{ "the repository does not", { .repositories = STR_INIT("team") }, false },
	{ "what does not fit", { .tags = STR_INIT("w*"), .tag_excludes = true }, true },
	{ "what fits is left out", { .tags = STR_INIT("v*"), .tag_excludes = true }, false },
	{ "nothing is left of all", { .repository_excludes = true }, false },
	{ "alternatives", { .tags = STR_INIT("{v,w}*") }, true },
	{ "a star ends at a slash", { .repositories = STR_INIT("*") }, false },
	{ "malformed fits nothing", { .tags = STR_INIT("[") }, false },
	{ "excepted tag", { .except_tags = STR_INIT("*.0") }, false },
	{ "excepted repository", { .except_repositories = STR_INIT("team/*") }, false },
	{ "excepted identity", { .except_identities = STR_INIT("robot$demo+*") }, false },
	{ "another identity", { .except_identities = STR_INIT("robot$demo+cd") }, true },
	{ "old enough", { .after_h = 3 }, true },
	{ "too young", { .after_h = 4 }, false },
	{ "the same digest", { .allow_same = true }, false },
};

Test(immutable, rules)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct immutable_rule *found = immutable_decide(&rows[i].rule, 1, &asked);
		cr_expect_eq(found, rows[i].forbids ? &rows[i].rule : NULL, "%s", rows[i].what);
	}
	cr_expect_null(immutable_decide(NULL, 0, &asked));
}

Test(immutable, first_that_forbids_is_named)
{
	const struct immutable_rule rules[] = { { .id = 1, .tags = STR_INIT("w*") },
						{ .id = 2, .allow_same = true },
						{ .id = 3 } };
	cr_expect_eq(immutable_decide(rules, 3, &asked)->id, 3);
	cr_expect_eq(immutable_shown(rules, 3, &asked)->id, 2, "whatever is asked for");
}

Test(immutable, signatures)
{
	static const struct {
		str tag;
		bool is;
	} tags[] = {
		{ STR_INIT("sha256-" HEX), true },
		{ STR_INIT("sha256-" HEX ".sig"), true },
		{ STR_INIT("sha256-" HEX ".att"), true },
		{ STR_INIT("sha256-" HEX ".sbom"), true },
		{ STR_INIT("sha512-" HEX HEX), true },
		{ STR_INIT("sha512-" HEX ".sig"), false },
		{ STR_INIT("sha256-" HEX ".s"), false },
		{ STR_INIT("sha256-" HEX "0"), false },
		{ STR_INIT("sha256-X.sig"), false },
		{ STR_INIT("v1.sig"), false },
		{ STR_INIT(""), false },
	};
	for (size_t i = 0; i < COUNT_OF(tags); i++) {
		struct immutable_asked of = asked;
		const struct immutable_rule some = { .id = 1 },
					    all = { .id = 1, .signatures = true };
		of.tag = tags[i].tag;
		cr_expect_eq(immutable_is_signature(of.tag), tags[i].is, STR_FMT, STR_ARG(of.tag));
		cr_expect_eq(immutable_decide(&some, 1, &of) == NULL, tags[i].is);
		cr_expect_not_null(immutable_decide(&all, 1, &of));
	}
}

Test(immutable, check_says_what_is_wrong_and_where)
{
	struct immutable_problem problem;
	struct immutable_rule rule = { .id = 1 };
	cr_expect(immutable_rule_check(&rule, &problem));
	for (unsigned i = 0; i < IMMUTABLE_TEXTS; i++) {
		struct immutable_rule wrong = rule;
		*immutable_text(&wrong, i) = STR("{a");
		cr_expect_not(immutable_rule_check(&wrong, &problem));
		cr_expect_str_eq(problem.why, "'{' without '}', or one within another");
		cr_expect(!immutable_rule_same(&rule, &wrong));
	}
	cr_expect_str_eq(problem.member, "params.berth.except_identities");
	rule.after_h = IMMUTABLE_AFTER_MAX_H + 1;
	cr_expect_not(immutable_rule_check(&rule, &problem));
	cr_expect_str_eq(problem.member, "params.berth.after_hours");
	cr_expect(immutable_rule_same(&rule, &rule));
}
