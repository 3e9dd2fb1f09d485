/* SPDX-License-Identifier: Apache-2.0 */
/* Every role, every action, every kind of project: the whole policy written out a second time. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/access.h"

/* One letter per case: '+' allowed, '-' denied. */
struct row {
	const char *name;
	const char *anonymous; /* private, public, public with anonymous pull off */
	const char *user;      /* the same */
	const char *admin;
};

static const struct row matrix[ACTION_COUNT] = {
	[ACTION_NONE] = { "none", "+++", "+++", "+++" },
	[ACTION_REGISTRY_PING] = { "registry_ping", "---", "+++", "+++" },
	[ACTION_CATALOG_LIST] = { "catalog_list", "---", "---", "+++" },
	[ACTION_REPOSITORY_PULL] = { "repository_pull", "-+-", "-++", "+++" },
	[ACTION_REPOSITORY_PUSH] = { "repository_push", "---", "---", "+++" },
	[ACTION_REPOSITORY_DELETE] = { "repository_delete", "---", "---", "+++" },
	[ACTION_PROJECT_CREATE] = { "project_create", "---", "---", "+++" },
	[ACTION_PROJECT_READ] = { "project_read", "-++", "+++", "+++" },
	[ACTION_PROJECT_LIST] = { "project_list", "-++", "+++", "+++" },
	[ACTION_PROJECT_UPDATE] = { "project_update", "---", "---", "+++" },
};

static const struct resource cases[] = {
	{ STR_INIT("p/app"), false, true },
	{ STR_INIT("p/app"), true, true },
	{ STR_INIT("p/app"), true, false },
};

static const char *expected(enum role role, enum action action)
{
	const struct row *row = &matrix[action];
	return role == ROLE_ADMIN ? row->admin : role == ROLE_USER ? row->user : row->anonymous;
}

static void assert_decision(const struct identity *who, enum action action, size_t at, bool want)
{
	struct decision d = access_decide(who, action, &cases[at]);
	cr_assert_eq(d.allowed, want, "%s %s case %zu", role_name(who->role), action_name(action),
		     at);
	cr_assert(d.reason && d.reason[0]);
}

Test(access, role_by_action_by_project)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		for (int action = 0; action < ACTION_COUNT; action++)
			for (size_t at = 0; at < COUNT_OF(cases); at++) {
				struct identity who = { .role = (enum role)role };
				cr_assert_not_null(matrix[action].name, "row of %d", action);
				assert_decision(&who, action, at,
						expected(role, action)[at] == '+');
			}
}

static bool token_allows(enum action granted, enum action action, size_t at)
{
	if (action == ACTION_REGISTRY_PING || expected(ROLE_ANONYMOUS, action)[at] == '+')
		return true;
	return granted == action && action_word(action)[0];
}

/* Whatever the account is, its token allows what it grants, and what anonymous may. */
Test(access, a_token_narrows_every_role)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		for (int granted = 0; granted < ACTION_COUNT; granted++)
			for (int action = 0; action < ACTION_COUNT; action++)
				for (size_t at = 0; at < COUNT_OF(cases); at++) {
					bool catalog = granted == ACTION_CATALOG_LIST;
					struct grant grant = {
						catalog ? STR("registry") : STR("repository"),
						catalog ? STR("catalog") : STR("p/app"),
						ACTION_BIT(granted)
					};
					struct identity who = { role, STR("x"), true, &grant, 1 };
					assert_decision(&who, action, at,
							token_allows(granted, action, at));
				}
}

Test(access, a_grant_counts_for_its_own_resource_only)
{
	unsigned all = action_bits(STR("repository"), STR("*"));
	struct grant grants[] = {
		{ STR("repository"), STR("p/other"), all },
		{ STR("repository"), STR("p/ap"), all },
		{ STR("repository"), STR("p/app/x"), all },
		{ STR("repository"), STR(""), all },
		{ STR("registry"), STR("p/app"), ~0u },
		{ STR("repository"), STR("catalog"), ~0u },
		{ STR("registry"), STR("other"), ~0u },
	};
	struct identity who = { ROLE_ADMIN, STR("admin"), true, grants, COUNT_OF(grants) };
	assert_decision(&who, ACTION_REPOSITORY_PULL, 0, false);
	assert_decision(&who, ACTION_REPOSITORY_PUSH, 1, false);
	assert_decision(&who, ACTION_CATALOG_LIST, 0, false);
	cr_assert_not(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, STR_NONE));
	cr_assert(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, STR("p/other")));
}

Test(access, without_a_token_nothing_is_granted_by_token)
{
	struct grant grant = { STR("repository"), STR("p/app"), ~0u };
	struct identity who = { ROLE_ADMIN, STR("admin"), false, &grant, 1 };
	for (int action = 0; action < ACTION_COUNT; action++)
		cr_assert_not(access_granted_by_token(&who, action, STR("p/app")));
}

Test(access, no_resource_is_no_public_project)
{
	struct identity anonymous = { 0 }, admin = { .role = ROLE_ADMIN };
	cr_assert_not(access_decide(&anonymous, ACTION_PROJECT_LIST, NULL).allowed);
	cr_assert(access_decide(&anonymous, ACTION_NONE, NULL).allowed);
	cr_assert(access_decide(&admin, ACTION_CATALOG_LIST, NULL).allowed);
}

Test(access, words_become_bits)
{
	const unsigned pull = ACTION_BIT(ACTION_REPOSITORY_PULL);
	const unsigned push = ACTION_BIT(ACTION_REPOSITORY_PUSH);
	const unsigned delete = ACTION_BIT(ACTION_REPOSITORY_DELETE);
	cr_assert_eq(action_bits(STR("repository"), STR("pull")), pull);
	cr_assert_eq(action_bits(STR("repository"), STR("push,pull")), pull | push);
	cr_assert_eq(action_bits(STR("repository"), STR("*")), pull | push | delete);
	cr_assert_eq(action_bits(STR("repository"), STR("pull,fly,,PUSH, delete")), pull);
	cr_assert_eq(action_bits(STR("repository"), STR("")), 0);
	cr_assert_eq(action_bits(STR("registry"), STR("*")), ACTION_BIT(ACTION_CATALOG_LIST));
	cr_assert_eq(action_bits(STR("registry"), STR("pull")), 0);
	cr_assert_eq(action_bits(STR("repository(plugin)"), STR("pull")), 0);
	cr_assert_eq(action_bits(STR(""), STR("*")), 0);
}

Test(access, names_are_the_actions_in_lower_case)
{
	for (int action = 0; action < ACTION_COUNT; action++)
		cr_assert_str_eq(action_name(action), matrix[action].name);
	cr_assert_str_eq(action_word(ACTION_REPOSITORY_DELETE), "delete");
	cr_assert_str_eq(role_name(ROLE_ANONYMOUS), "anonymous");
}
