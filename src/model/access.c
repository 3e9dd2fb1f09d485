/* SPDX-License-Identifier: Apache-2.0 */
/* access.c - see access.h. The table below is the whole policy; the code only reads it. */
#include "model/access.h"

#include "base/error.h"

#include "base/banned.h"

struct rule {
	const char *name;
	const char *type;	/* resource type in token scopes, NULL when no token can grant it */
	enum role least;	/* who may at all */
	enum role least_public; /* who may when the project is public */
};

static const struct rule rules[ACTION_COUNT] = {
	[ACTION_NONE] = { "none", NULL, ROLE_ANONYMOUS, ROLE_ANONYMOUS },
	[ACTION_REGISTRY_PING] = { "registry_ping", NULL, ROLE_USER, ROLE_USER },
	[ACTION_CATALOG_LIST] = { "catalog_list", "registry", ROLE_ADMIN, ROLE_ADMIN },
	[ACTION_REPOSITORY_PULL] = { "repository_pull", "repository", ROLE_ADMIN, ROLE_ANONYMOUS },
	[ACTION_REPOSITORY_PUSH] = { "repository_push", "repository", ROLE_ADMIN, ROLE_ADMIN },
	[ACTION_REPOSITORY_DELETE] = { "repository_delete", "repository", ROLE_ADMIN, ROLE_ADMIN },
	[ACTION_PROJECT_CREATE] = { "project_create", NULL, ROLE_ADMIN, ROLE_ADMIN },
	[ACTION_PROJECT_READ] = { "project_read", NULL, ROLE_USER, ROLE_ANONYMOUS },
	[ACTION_PROJECT_LIST] = { "project_list", NULL, ROLE_USER, ROLE_ANONYMOUS },
	[ACTION_PROJECT_UPDATE] = { "project_update", NULL, ROLE_ADMIN, ROLE_ADMIN },
};

static const char *const words[ACTION_COUNT] = {
#define ACTION_WORD(name, word) [ACTION_##name] = word,
	ACTION_TABLE(ACTION_WORD)
#undef ACTION_WORD
};

static const struct rule *rule_of(enum action action)
{
	CHECK((unsigned)action < ACTION_COUNT);
	return &rules[action];
}

static bool grants(const struct identity *who, const char *type, str name, enum action action)
{
	for (size_t i = 0; i < who->grant_count; i++) {
		const struct grant *grant = &who->grants[i];
		if ((grant->actions & ACTION_BIT(action)) && str_eq(grant->type, str_from(type)) &&
		    str_eq(grant->name, name))
			return true;
	}
	return false;
}

bool access_granted_by_token(const struct identity *who, enum action action, str repository)
{
	const struct rule *rule = rule_of(action);
	if (!who->by_token)
		return false;
	if (action == ACTION_REGISTRY_PING)
		return true; /* the token itself is the answer to the ping's challenge */
	if (!rule->type)
		return false;
	str name = action == ACTION_CATALOG_LIST ? STR("catalog") : repository;
	return name.len && grants(who, rule->type, name, action);
}

static struct decision decide_by_role(enum role role, enum action action,
				      const struct resource *what)
{
	const struct rule *rule = rule_of(action);
	if (role >= rule->least)
		return (struct decision){ true, "role" };
	if (!what->project_public || role < rule->least_public)
		return (struct decision){ false, role == ROLE_ANONYMOUS ? "not authenticated"
									: "role too low" };
	if (action == ACTION_REPOSITORY_PULL && role == ROLE_ANONYMOUS && !what->anonymous_pull)
		return (struct decision){ false, "anonymous pull is off" };
	return (struct decision){ true, "public project" };
}

struct decision access_decide(const struct identity *who, enum action action,
			      const struct resource *what)
{
	static const struct resource nothing = { 0 };
	what = what ? what : &nothing;
	if (action == ACTION_NONE)
		return (struct decision){ true, "open to anybody" };
	if (!who->by_token)
		return decide_by_role(who->role, action, what);
	if (access_granted_by_token(who, action, what->repository))
		return (struct decision){ true, "granted by token" };
	struct decision decision = decide_by_role(ROLE_ANONYMOUS, action, what);
	if (!decision.allowed)
		decision.reason = "not granted by token";
	return decision;
}

const char *action_name(enum action action)
{
	return rule_of(action)->name;
}

const char *action_word(enum action action)
{
	CHECK((unsigned)action < ACTION_COUNT);
	return words[action];
}

const char *role_name(enum role role)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_ANONYMOUS] = "anonymous",
		[ROLE_USER] = "user",
		[ROLE_ADMIN] = "admin",
	};
	CHECK((unsigned)role < ROLE_COUNT);
	return names[role];
}

/* "*" is everything the type knows, whether the table spells it so or not. */
static unsigned bits_of_word(str type, str word)
{
	unsigned bits = 0;
	for (unsigned action = 0; action < ACTION_COUNT; action++)
		if (rules[action].type && str_eq(type, str_from(rules[action].type)) &&
		    (str_eq(word, STR("*")) || str_eq(word, str_from(words[action]))))
			bits |= ACTION_BIT(action);
	return bits;
}

unsigned action_bits(str type, str list)
{
	unsigned bits = 0;
	for (str word; str_next(&list, ',', &word);)
		bits |= bits_of_word(type, word);
	return bits;
}
