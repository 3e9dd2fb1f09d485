/* SPDX-License-Identifier: Apache-2.0 */
/* Retention: what each template, selector and predicate names, who decides, and what is wrong with
 * policies that are none. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "model/retention.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define NOW_US (1000 * DAY_US)

static struct arena arena;

static void set_up(void)
{
	arena_init(&arena, MIB(64));
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(retention, .init = set_up, .fini = tear_down);

static struct retention_policy *read_policy(const char *json)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem at;
	struct retention_problem problem;
	struct retention_policy *policy = ARENA_NEW(&arena, struct retention_policy);
	cr_assert(json_parse(str_from(json), JSON_LIMITS_SMALL, &doc, &at), "%s: %s", json,
		  at.text);
	cr_assert(retention_read(&arena, doc.root, policy, &problem), "%s: " STR_FMT, json,
		  STR_ARG(problem.text));
	return policy;
}

/* Candidates from words: "name,name@pushed/pulled", in days ago; "-" has no tag; `+` in front: it
 * is signed; `!`: it runs; `^`: it is immutable; `label=` … */
static size_t make(const char *text, struct retention_candidate *list)
{
	str rest = str_from(text), word;
	size_t count = 0;
	while (str_next(&rest, ' ', &word)) {
		str names, times, pushed, pulled;
		uint64_t days;
		struct retention_candidate *c = &list[count];
		*c = (struct retention_candidate){ .id = (int64_t)++count };
		str *tags = ARENA_ARRAY(&arena, str, 8);
		cr_assert(str_cut(word, '@', &names, &times));
		for (; names.len && strchr("+!^", names.ptr[0]); names = str_skip(names, 1)) {
			c->is_signed = c->is_signed || names.ptr[0] == '+';
			if (names.ptr[0] == '!')
				c->protection = PROTECTED_RUNNING;
			if (names.ptr[0] == '^')
				c->protection = PROTECTED_IMMUTABLE;
		}
		str *label = ARENA_NEW(&arena, str);
		if (str_cut(names, '=', label, &names)) {
			c->labels = label;
			c->label_count = 1;
		}
		for (str tag; !str_eq(names, STR("-")) && str_next(&names, ',', &tag);)
			tags[c->tag_count++] = tag;
		c->tags = tags;
		if (str_cut(times, '/', &pushed, &pulled)) {
			cr_assert(str_to_u64(pulled, 900, &days));
			c->pulled_at_us = NOW_US - (int64_t)days * DAY_US;
			times = pushed;
		}
		cr_assert(str_to_u64(times, 900, &days));
		c->pushed_at_us = NOW_US - (int64_t)days * DAY_US;
	}
	return count;
}

/* What stays, as "1 3", of repository "app". */
static const char *kept(const struct retention_policy *policy, const char *candidates)
{
	static char text[256];
	struct retention_candidate list[32];
	struct retention_chosen chosen;
	size_t count = make(candidates, list);
	text[0] = '\0';
	if (!retention_choose(policy, STR("app"), &chosen))
		return "untouched";
	cr_assert(retention_decide(&arena, &chosen, NOW_US, list, count));
	for (size_t i = 0; i < count; i++)
		if (list[i].stays)
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s%zu",
				 *text ? " " : "", i + 1);
	return text;
}

#define RULE(template, params, more)                                                               \
	"{\"action\":\"retain\",\"template\":\"" template "\",\"params\":{" params "}" more "}"
#define TAGS(decoration, pattern, extras)                                                          \
	",\"tag_selectors\":[{\"kind\":\"doublestar\",\"decoration\":\"" decoration                \
	"\",\"pattern\":\"" pattern "\",\"extras\":\"" extras "\"}]"
#define REPOSITORIES(decoration, pattern)                                                          \
	",\"scope_selectors\":{\"repository\":[{\"decoration\":\"" decoration                      \
	"\",\"pattern\":\"" pattern "\"}]}"
#define POLICY(rules) "{\"algorithm\":\"or\",\"rules\":[" rules "]}"
#define DELETE_(template, params, more)                                                            \
	"{\"action\":\"delete\",\"template\":\"" template "\",\"params\":{" params "}" more "}"
#define UNTAGGED     "{\\\"untagged\\\":true}"
#define NOT_UNTAGGED "{\\\"untagged\\\":false}"

static const struct {
	const char *policy, *candidates, *kept;
} decisions[] = {
	/* Templates. */
	{ POLICY(RULE("always", "", "")), "a@1 b@900 -@5", "1 2 3" },
	{ POLICY(RULE("latestPushedK", "\"latestPushedK\":2", "")), "a@3 b@1 c@2 d@9", "2 3" },
	{ POLICY(RULE("latestPushedK", "\"latestPushedK\":0", "")), "a@3", "" },
	{ POLICY(RULE("latestPushedK", "", "")), "a@1 b@2 c@3 d@4 e@5 f@6 g@7 h@8 i@9 j@10 k@11",
	  "1 2 3 4 5 6 7 8 9 10" },
	{ POLICY(RULE("latestPushedK", "\"latestPushedK\":9", "")), "a@3 b@1", "1 2" },
	{ POLICY(RULE("latestPulledN", "\"latestPulledN\":1", "")), "a@1/9 b@2/3 c@1", "2" },
	/* Of the same time the one that was made later. */
	{ POLICY(RULE("latestPushedK", "\"latestPushedK\":1", "")), "a@1 b@1 c@1", "3" },
	{ POLICY(RULE("nDaysSinceLastPush", "\"nDaysSinceLastPush\":7", "")), "a@6 b@7 c@8",
	  "1 2" },
	{ POLICY(RULE("nDaysSinceLastPush", "", "")), "a@30 b@31", "1" },
	{ POLICY(RULE("nDaysSinceLastPull", "\"nDaysSinceLastPull\":7", "")), "a@900/2 b@1 c@1/8",
	  "1" },
	/* Rules are a union. */
	{ POLICY(RULE("latestPushedK", "\"latestPushedK\":1",
		      "") "," RULE("latestPulledN", "\"latestPulledN\":1", "")),
	  "a@1 b@5/1 c@9", "1 2" },
	/* Selectors of tags; an artifact stays when one of its tags does. */
	{ POLICY(RULE("always", "", TAGS("matches", "v*", ""))), "v1@1 dev@1 dev,v2@1", "1 3" },
	{ POLICY(RULE("always", "", TAGS("matches", "{v*,rel-?}", ""))),
	  "v1@1 rel-1@1 rel-12@1 main@1", "1 2" },
	{ POLICY(RULE("always", "", TAGS("matches", "", ""))), "v1@1 -@1", "1 2" },
	{ POLICY(RULE("always", "", TAGS("matches", "**", NOT_UNTAGGED))), "v1@1 -@1", "1" },
	{ POLICY(RULE("always", "", TAGS("matches", "**", "{}"))), "v1@1 -@1", "1" },
	{ POLICY(RULE("always", "", TAGS("matches", "**", "nonsense"))), "v1@1 -@1", "1 2" },
	{ POLICY(RULE("always", "", TAGS("excludes", "dev*", ""))), "dev1@1 v1@1 dev2,v2@1 -@1",
	  "2 3 4" },
	{ POLICY(RULE("always", "", TAGS("excludes", "dev*", UNTAGGED))), "v1@1 -@1", "1" },
	{ POLICY(RULE("always", "", TAGS("excludes", "{dev,test}-**", ""))),
	  "dev-1@1 test-1@1 prod-1@1", "3" },
	/* What a selector leaves out does not count among the latest. */
	{ POLICY(RULE("latestPushedK", "\"latestPushedK\":1", TAGS("matches", "v*", ""))),
	  "main@1 v1@2 v2@3", "2" },
	/* Selectors are all wanted. */
	{ "{\"rules\":[{\"template\":\"always\",\"tag_selectors\":[{\"decoration\":"
	  "\"matches\",\"pattern\":\"v*\"},{\"decoration\":\"excludes\",\"pattern\":"
	  "\"*-rc*\"}]}]}",
	  "v1@1 v2-rc1@1 main@1", "1" },
	/* Repositories. */
	{ POLICY(RULE("always", "", REPOSITORIES("repoMatches", "other/**"))), "a@1", "untouched" },
	{ POLICY(RULE("always", "", REPOSITORIES("repoMatches", "a*"))), "a@1", "1" },
	{ POLICY(RULE("always", "", REPOSITORIES("repoExcludes", "a*"))), "a@1", "untouched" },
	{ POLICY(RULE(
		  "latestPushedK", "\"latestPushedK\":1",
		  REPOSITORIES("repoMatches", "**")) "," RULE("always", "",
							      REPOSITORIES("repoExcludes", "app"))),
	  "a@1 b@2", "1" },
	/* Nothing to do. */
	{ POLICY(""), "a@1", "untouched" },
	{ "{\"rules\":[{\"disabled\":true,\"template\":\"always\"}]}", "a@1", "untouched" },
	/* Signatures and labels. */
	{ POLICY(RULE("always", "", ",\"signed\":true")), "+a@1 b@1", "1" },
	{ POLICY(RULE("always", "", ",\"signed\":false")), "+a@1 b@1", "2" },
	{ POLICY(RULE("always", "", ",\"label\":\"keep\"")), "keep=a@1 other=b@1 c@1", "1" },
	/* Who deletes: the first rule that names it decides. */
	{ POLICY(DELETE_("always", "", TAGS("matches", "dev*", NOT_UNTAGGED))), "dev1@1 v1@1 -@1",
	  "2 3" },
	{ POLICY(DELETE_("always", "", TAGS("matches", "dev*", NOT_UNTAGGED)) "," RULE("always", "",
										       "")),
	  "dev1@1 v1@1 -@1", "2 3" },
	{ POLICY(RULE("always", "", "") "," DELETE_("always", "",
						    TAGS("matches", "dev*", NOT_UNTAGGED))),
	  "dev1@1 v1@1", "1 2" },
	{ POLICY(RULE("nDaysSinceLastPush", "\"nDaysSinceLastPush\":7",
		      TAGS("matches", "dev*",
			   NOT_UNTAGGED)) "," DELETE_("always", "",
						      TAGS("matches", "dev*",
							   NOT_UNTAGGED)) "," RULE("always", "",
										   "")),
	  "dev1@1 dev2@9 v1@99", "1 3" },
	/* What is protected stays, and is one of the latest. */
	{ POLICY(RULE("latestPushedK", "\"latestPushedK\":1", "")), "!a@9 b@1 ^c@5 d@6", "1 2 3" },
	{ POLICY(RULE("latestPushedK", "\"latestPushedK\":1", "")), "!a@1 b@2", "1" },
};

Test(retention, what_stays)
{
	for (size_t i = 0; i < COUNT_OF(decisions); i++)
		cr_expect_str_eq(kept(read_policy(decisions[i].policy), decisions[i].candidates),
				 decisions[i].kept, "%zu: %s %s", i, decisions[i].policy,
				 decisions[i].candidates);
}

Test(retention, the_reason_names_the_rule_that_decided)
{
	struct retention_candidate list[8];
	struct retention_chosen chosen;
	struct retention_policy *policy = read_policy(
		POLICY(DELETE_("always", "", TAGS("matches", "x*", NOT_UNTAGGED)) "," RULE(
			"latestPushedK", "\"latestPushedK\":1", "")));
	size_t count = make("x1@1 v1@1 !v0@9 ^v0@8 v00@7", list);
	static const char *const reasons[] = {
		"rule 1 (always) deletes it",
		"no rule retains it",
		"a cluster reports that it runs",
		"a tag of it is immutable",
		"no rule retains it",
	};
	cr_assert(retention_choose(policy, STR("app"), &chosen));
	cr_assert(retention_decide(&arena, &chosen, NOW_US, list, count));
	/* x1 and v1 are of the same time, and v1 was made later. */
	cr_expect_str_eq(retention_reason_text(&arena, policy, &list[1]).ptr,
			 "rule 2 (latestPushedK 1) retains it");
	for (size_t i = 0; i < count; i++)
		if (i != 1)
			cr_expect_str_eq(retention_reason_text(&arena, policy, &list[i]).ptr,
					 reasons[i], "%zu", i);
	policy = read_policy(POLICY(DELETE_("nDaysSinceLastPush", "", "")));
	cr_assert(retention_choose(policy, STR("app"), &chosen));
	count = make("a@40", list);
	cr_assert(retention_decide(&arena, &chosen, NOW_US, list, count));
	cr_expect_str_eq(retention_reason_text(&arena, policy, &list[0]).ptr, "no rule deletes it");
}

Test(retention, a_hundred_thousand_are_decided_and_too_many_are_refused)
{
	enum { MANY = 100000 };
	struct retention_candidate *list = calloc(MANY, sizeof *list);
	struct retention_chosen chosen;
	struct retention_policy *policy = read_policy(
		POLICY(RULE("latestPushedK", "\"latestPushedK\":1000", TAGS("matches", "v*", ""))));
	size_t stay = 0;
	static const str tag = STR_INIT("v1");
	cr_assert(list != NULL);
	for (size_t i = 0; i < MANY; i++)
		list[i] = (struct retention_candidate){
			.id = (int64_t)i, .tags = &tag, .tag_count = 1, .pushed_at_us = NOW_US
		};
	cr_assert(retention_choose(policy, STR("app"), &chosen));
	cr_assert(retention_decide(&arena, &chosen, NOW_US, list, MANY));
	for (size_t i = 0; i < MANY; i++)
		stay += list[i].stays;
	cr_expect_eq(stay, 1000);
	cr_expect(list[MANY - 1].stays && !list[0].stays);
	struct arena small;
	arena_init(&small, KIB(64));
	cr_expect(!retention_decide(&small, &chosen, NOW_US, list, MANY));
	arena_done(&small);
	free(list);
}

Test(retention, what_is_wrong_is_said_with_its_place)
{
	static const struct {
		const char *policy, *said;
		bool conflict;
	} cases[] = {
		{ "{\"algorithm\":\"and\"}", "algorithm: only or is known", false },
		{ "{\"mode\":\"blobs\"}", "mode: one of artifacts and tags is wanted", false },
		{ "{\"rules\":{}}", "rules is not an array", false },
		{ "{\"rules\":[1]}", "rules[0]: not a JSON object", false },
		{ POLICY("{\"action\":\"keep\"}"),
		  "rules[0].action: one of retain and delete is wanted", false },
		{ POLICY("{\"template\":\"newest\"}"),
		  "rules[0].template: one of latestPushedK, latestPulledN, nDaysSinceLastPush, "
		  "nDaysSinceLastPull and always is wanted",
		  false },
		{ POLICY(RULE("latestPushedK", "\"latestPushedK\":\"x\"", "")),
		  "rules[0].params.latestPushedK: a whole number is wanted", false },
		{ POLICY(RULE("latestPushedK", "\"latestPushedK\":-1", "")),
		  "rules[0].params.latestPushedK: 0 to 32766", false },
		{ POLICY(RULE("latestPushedK", "\"latestPushedK\":32767", "")),
		  "rules[0].params.latestPushedK: 0 to 32766", false },
		{ POLICY(RULE("nDaysSinceLastPull", "\"nDaysSinceLastPull\":106752", "")),
		  "rules[0].params.nDaysSinceLastPull: 0 to 106751 days", false },
		{ POLICY(RULE("always", "", "") "," RULE("always", "", TAGS("matches", "[a", ""))),
		  "rules[1].tag_selectors[0].pattern: ", false },
		{ POLICY(RULE("always", "", TAGS("likes", "a", ""))),
		  "rules[0].tag_selectors[0].decoration: one of matches and excludes is wanted",
		  false },
		{ POLICY(RULE("always", "", REPOSITORIES("matches", "a"))),
		  "rules[0].scope_selectors.repository[0].decoration: one of repoMatches and "
		  "repoExcludes is wanted",
		  false },
		{ POLICY(RULE("always", "", ",\"scope_selectors\":{\"project\":[]}")),
		  "rules[0].scope_selectors: only repository is known", false },
		{ POLICY(RULE("always", "", ",\"scope_selectors\":{\"repository\":1}")),
		  "rules[0].scope_selectors.repository: not an array", false },
		{ POLICY(RULE("always", "",
			      ",\"tag_selectors\":[{\"kind\":\"regexp\",\"decoration\":"
			      "\"matches\"}]")),
		  "rules[0].tag_selectors[0].kind: only doublestar is known", false },
		{ POLICY(RULE("always", "", ",\"tag_selectors\":[1,2,3,4,5,6,7,8,9]")),
		  "rules[0].tag_selectors: at most 8 selectors", false },
		{ POLICY(RULE("always", "", ",\"signed\":\"yes\"")),
		  "rules[0]: signed is not a boolean", false },
		{ POLICY(RULE("always", "", "") "," RULE("always", "", "")),
		  "rules[1]: the same as rules[0]", true },
		{ POLICY("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}"),
		  "rules: at most 15 rules", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
		struct json_problem at;
		struct retention_problem problem = { 0 };
		struct retention_policy *policy = ARENA_NEW(&arena, struct retention_policy);
		cr_assert(json_parse(str_from(cases[i].policy), JSON_LIMITS_SMALL, &doc, &at));
		cr_expect(!retention_read(&arena, doc.root, policy, &problem), "%s",
			  cases[i].policy);
		cr_expect(str_has_prefix(problem.text, str_from(cases[i].said)), "%s: " STR_FMT,
			  cases[i].said, STR_ARG(problem.text));
		cr_expect_eq(problem.conflict, cases[i].conflict, "%s", cases[i].policy);
	}
}

Test(retention, what_is_written_reads_as_the_same)
{
	static const char *const policies[] = {
		POLICY(""),
		POLICY(RULE("always", "", TAGS("excludes", "a\\\\b{c,d}", UNTAGGED))),
		"{\"mode\":\"tags\",\"rules\":[" DELETE_(
			"nDaysSinceLastPull", "\"nDaysSinceLastPull\":3",
			",\"signed\":false,\"label\":\"l\"" REPOSITORIES("repoExcludes",
									 "x/**")) "]}",
	};
	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		str texts[2];
		const char *from = policies[i];
		for (int round = 0; round < 2; round++) {
			CLEANUP(buf_done) struct buf text = BUF_INIT(RETENTION_JSON_MAX);
			struct json_writer w = JSON_WRITER(&text);
			json_write_object_begin(&w, NULL);
			retention_write(&w, read_policy(from));
			json_write_object_end(&w);
			cr_assert(!buf_overrun(&text));
			texts[round] = arena_copy(&arena, buf_str(&text));
			from = texts[round].ptr;
		}
		cr_expect(str_eq(texts[0], texts[1]), "%s", texts[0].ptr);
	}
}
