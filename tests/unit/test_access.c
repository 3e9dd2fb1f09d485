/* SPDX-License-Identifier: Apache-2.0 */
/* The decision: roles, robots, tokens, tenants, and what is open to anybody. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/scope.h"
#include "model/access.h"

static struct resource project(bool is_public, unsigned roles)
{
	return (struct resource){ .tenant_id = TENANT_DEFAULT,
				  .project_id = 7,
				  .project_public = is_public,
				  .repository = STR("p/app"),
				  .repository_asked = STR("p/app"),
				  .roles = roles,
				  .anonymous_pull = true };
}

static struct identity user(unsigned flags)
{
	return (struct identity){ .subject = SUBJECT_USER,
				  .id = 3,
				  .tenant_id = TENANT_DEFAULT,
				  .name = STR("joe"),
				  .flags = flags };
}

static bool may(const struct identity *who, enum action action, const struct resource *what)
{
	struct decision decision = access_decide(who, action, what);
	cr_assert(decision.reason && decision.reason[0]);
	return decision.allowed;
}

/* How many permissions each role of Harbor has inside a project. */
Test(access, each_role_has_as_many_permissions_as_harbors)
{
	static const struct {
		enum project_role role;
		size_t count;
	} harbor[] = {
		{ PROJECT_ADMIN, 75 }, { PROJECT_MAINTAINER, 53 },    { PROJECT_DEVELOPER, 36 },
		{ PROJECT_GUEST, 20 }, { PROJECT_LIMITED_GUEST, 14 },
	};
	struct identity who = user(0);
	for (size_t i = 0; i < COUNT_OF(harbor); i++) {
		struct resource what = project(false, PROJECT_ROLE_BIT(harbor[i].role));
		size_t count = 0;
		for (enum action action = 0; action < ACTION_COUNT; action++)
			count += permission_get(action)->place == PLACE_PROJECT &&
				 may(&who, action, &what);
		/* metadata:list is read in Harbor, and its two older spellings are not counted. */
		size_t ours =
			harbor[i].role == PROJECT_ADMIN || harbor[i].role == PROJECT_MAINTAINER;
		cr_assert_eq(count - ours, harbor[i].count, "%s: %zu",
			     project_role_name(harbor[i].role), count);
	}
}

Test(access, a_stronger_role_may_all_that_a_weaker_may)
{
	static const enum project_role order[] = { PROJECT_LIMITED_GUEST, PROJECT_GUEST,
						   PROJECT_DEVELOPER, PROJECT_MAINTAINER,
						   PROJECT_ADMIN };
	struct identity who = user(0);
	for (size_t i = 1; i < COUNT_OF(order); i++)
		for (enum action action = 0; action < ACTION_COUNT; action++) {
			struct resource weak = project(false, PROJECT_ROLE_BIT(order[i - 1]));
			struct resource strong = project(false, PROJECT_ROLE_BIT(order[i]));
			cr_assert(!may(&who, action, &weak) || may(&who, action, &strong), "%s",
				  action_name(action));
		}
}

Test(access, roles_add_up)
{
	struct identity who = user(0);
	struct resource both = project(false, PROJECT_ROLE_BIT(PROJECT_GUEST) |
						      PROJECT_ROLE_BIT(PROJECT_DEVELOPER));
	cr_assert(may(&who, ACTION_REPOSITORY_PUSH, &both));
	cr_assert_eq(project_role_highest(both.roles), PROJECT_DEVELOPER);
	cr_assert_eq(project_role_highest(0), 0);
}

Test(access, without_a_role_only_public_projects_open)
{
	struct identity who = user(0), nobody = { 0 };
	struct resource hidden = project(false, 0), open = project(true, 0);
	cr_assert_not(may(&who, ACTION_REPOSITORY_PULL, &hidden));
	cr_assert(may(&who, ACTION_REPOSITORY_PULL, &open));
	cr_assert(may(&nobody, ACTION_REPOSITORY_PULL, &open));
	cr_assert_not(may(&nobody, ACTION_REPOSITORY_PUSH, &open));
	cr_assert_not(may(&nobody, ACTION_MEMBER_LIST, &open));
	cr_assert(may(&nobody, ACTION_ARTIFACT_LIST, &open));
}

Test(access, strangers_can_be_kept_from_pulls_and_from_everything)
{
	struct identity nobody = { 0 }, who = user(0);
	struct resource what = project(true, 0);
	what.anonymous_pull = false;
	cr_assert_not(may(&nobody, ACTION_REPOSITORY_PULL, &what));
	cr_assert(may(&nobody, ACTION_ARTIFACT_LIST, &what));
	cr_assert(may(&who, ACTION_REPOSITORY_PULL, &what));
	what.anonymous_off = true;
	cr_assert_not(may(&nobody, ACTION_ARTIFACT_LIST, &what));
	cr_assert_not(may(&nobody, ACTION_PROJECT_LIST, &what));
	cr_assert(may(&who, ACTION_ARTIFACT_LIST, &what));
	cr_assert(may(&nobody, ACTION_NONE, &what));
}

Test(access, administrators_may_everything)
{
	struct identity admin = user(IDENTITY_ADMIN);
	struct resource what = project(false, 0), elsewhere = project(false, 0);
	what.project_auto_create = true;
	elsewhere.tenant_id = 9;
	elsewhere.project_auto_create = true;
	for (enum action action = 0; action < ACTION_COUNT; action++) {
		cr_assert(may(&admin, action, &what), "%s", action_name(action));
		cr_assert(may(&admin, action, &elsewhere), "%s", action_name(action));
	}
}

Test(access, an_auditor_reads_everything_and_changes_nothing)
{
	static const char *const reading[] = { "read", "list",	"pull",	  "list-all",
					       "ping", "login", "explain" };
	struct identity auditor = user(IDENTITY_AUDITOR);
	struct resource what = project(false, 0);
	for (enum action action = 1; action < ACTION_COUNT; action++) {
		bool reads = false;
		for (size_t i = 0; i < COUNT_OF(reading); i++)
			reads |= !strcmp(permission_get(action)->action, reading[i]);
		if (may(&auditor, action, &what))
			cr_assert(reads, "%s", action_name(action));
		else if (reads && permission_held_by(action, 'A'))
			cr_assert_fail("the auditor cannot %s", action_name(action));
	}
}

Test(access, a_tenants_administrator_ends_at_the_tenants_wall)
{
	struct identity admin = user(IDENTITY_TENANT_ADMIN);
	struct resource own = project(false, 0), other = project(false, 0);
	other.tenant_id = 2;
	cr_assert(may(&admin, ACTION_PROJECT_DELETE, &own));
	cr_assert(may(&admin, ACTION_USER_CREATE, &own));
	cr_assert_not(may(&admin, ACTION_CONFIGURATION_UPDATE, &own));
	cr_assert_not(may(&admin, ACTION_TENANT_CREATE, &own));
	for (enum action action = 1; action < ACTION_COUNT; action++)
		cr_assert_eq(may(&admin, action, &other), action == ACTION_PROJECT_LIST, "%s",
			     action_name(action));
}

Test(access, a_role_in_another_tenants_project_counts_for_nothing)
{
	struct identity who = user(0);
	struct resource what = project(false, PROJECT_ROLE_BIT(PROJECT_ADMIN));
	what.tenant_id = 2;
	cr_assert_not(may(&who, ACTION_REPOSITORY_PULL, &what));
	what.project_public = true;
	cr_assert(may(&who, ACTION_REPOSITORY_PULL, &what));
}

Test(access, an_unknown_project_gives_nobody_but_administrators_anything)
{
	struct identity joe = user(0), tenant_admin = user(IDENTITY_TENANT_ADMIN);
	struct resource none = { .repository = STR("no/app"), .anonymous_pull = true };
	cr_assert_not(may(&joe, ACTION_PROJECT_READ, &none));
	cr_assert_not(may(&tenant_admin, ACTION_PROJECT_READ, &none));
}

Test(access, custom_roles_are_permissions_on_repositories_that_fit)
{
	struct custom_grant custom = { .repository_glob = STR("team-*/**") };
	action_set_add(&custom.actions, ACTION_REPOSITORY_PUSH);
	struct identity who = user(0);
	struct resource what = project(false, 0);
	what.custom = &custom;
	what.custom_count = 1;
	cr_assert_not(may(&who, ACTION_REPOSITORY_PUSH, &what));
	what.repository = STR("p/team-a/app");
	cr_assert(may(&who, ACTION_REPOSITORY_PUSH, &what));
	cr_assert_not(may(&who, ACTION_REPOSITORY_DELETE, &what));
	what.repository = STR_NONE; /* the project itself is no repository that fits */
	cr_assert_not(may(&who, ACTION_REPOSITORY_PUSH, &what));
	custom.repository_glob = STR_NONE;
	cr_assert(may(&who, ACTION_REPOSITORY_PUSH, &what));
}

static struct identity robot(const struct robot_grant *grant)
{
	return (struct identity){ .subject = SUBJECT_ROBOT,
				  .id = 5,
				  .tenant_id = TENANT_DEFAULT,
				  .name = STR("robot$p+ci"),
				  .robot_grants = grant,
				  .robot_grant_count = 1 };
}

Test(access, a_robot_may_what_it_was_given_where_it_was_given)
{
	struct robot_grant grant = { .place = PLACE_PROJECT,
				     .project_id = 7,
				     .push_is_pull = true };
	action_set_add(&grant.actions, ACTION_REPOSITORY_PUSH);
	struct identity who = robot(&grant);
	struct resource here = project(false, 0), there = project(false, 0);
	there.project_id = 8;
	cr_assert(may(&who, ACTION_REPOSITORY_PUSH, &here));
	cr_assert(may(&who, ACTION_REPOSITORY_PULL, &here), "push implies pull in a project");
	cr_assert_not(may(&who, ACTION_REPOSITORY_DELETE, &here));
	cr_assert_not(may(&who, ACTION_REPOSITORY_PUSH, &there));
	cr_assert_not(may(&who, ACTION_PROJECT_LIST_ALL, &here));
}

Test(access, a_robot_of_the_system_reaches_all_projects_of_its_tenant_only)
{
	struct robot_grant grant = { .place = PLACE_PROJECT, .project_id = PROJECT_ALL };
	action_set_add(&grant.actions, ACTION_REPOSITORY_PUSH);
	struct identity who = robot(&grant);
	struct resource here = project(false, 0), elsewhere = project(false, 0);
	elsewhere.tenant_id = 2;
	cr_assert(may(&who, ACTION_REPOSITORY_PUSH, &here));
	cr_assert_not(may(&who, ACTION_REPOSITORY_PULL, &here), "it needs an explicit pull");
	cr_assert_not(may(&who, ACTION_REPOSITORY_PUSH, &elsewhere));
	grant.place = PLACE_SYSTEM;
	cr_assert_not(may(&who, ACTION_REPOSITORY_PUSH, &here));
	action_set_add(&grant.actions, ACTION_USER_LIST);
	cr_assert(may(&who, ACTION_USER_LIST, NULL));
}

Test(access, what_is_denied_to_a_robot_is_denied_whatever_else_allows_it)
{
	struct robot_grant grants[2] = { { .place = PLACE_PROJECT, .project_id = PROJECT_ALL },
					 { .place = PLACE_PROJECT, .project_id = 7 } };
	action_set_add(&grants[0].actions, ACTION_REPOSITORY_PULL);
	action_set_add(&grants[1].denied, ACTION_REPOSITORY_PULL);
	struct identity who = robot(grants);
	who.robot_grant_count = 2;
	struct resource here = project(true, 0), there = project(false, 0);
	there.project_id = 8;
	cr_assert_not(may(&who, ACTION_REPOSITORY_PULL, &here));
	cr_assert(may(&who, ACTION_REPOSITORY_PULL, &there));
}

Test(access, nobody_hands_on_more_than_he_holds)
{
	struct robot_grant grants[2] = { { .place = PLACE_PROJECT, .project_id = PROJECT_ALL },
					 { .place = PLACE_PROJECT, .project_id = 8 } };
	action_set_add(&grants[0].actions, ACTION_REPOSITORY_PUSH);
	struct identity who = robot(grants);
	struct resource open = project(true, 0), nowhere = { .tenant_id = TENANT_DEFAULT };
	cr_assert(access_may_give(&who, ACTION_REPOSITORY_PUSH, &open, false));
	cr_assert(access_may_give(&who, ACTION_REPOSITORY_PUSH, &nowhere, true));
	cr_assert_not(access_may_give(&who, ACTION_REPOSITORY_PULL, &open, false),
		      "being public is not holding it");
	cr_assert_not(access_may_give(&who, ACTION_REPOSITORY_PULL, &nowhere, true));
	cr_assert_not(access_may_give(&who, ACTION_USER_CREATE, &nowhere, false));

	who.robot_grant_count = 2;
	action_set_add(&grants[1].denied, ACTION_REPOSITORY_PUSH);
	cr_assert_not(access_may_give(&who, ACTION_REPOSITORY_PUSH, &nowhere, true),
		      "denied somewhere is not everywhere");
	grants[0].repository_glob = STR("a/**");
	who.robot_grant_count = 1;
	cr_assert_not(access_may_give(&who, ACTION_REPOSITORY_PUSH, &nowhere, true));

	struct identity someone = user(0), tenant = user(IDENTITY_TENANT_ADMIN),
			root = user(IDENTITY_ADMIN);
	struct resource mine = project(false, PROJECT_ROLE_BIT(PROJECT_ADMIN));
	cr_assert(access_may_give(&someone, ACTION_REPOSITORY_DELETE, &mine, false));
	cr_assert_not(access_may_give(&someone, ACTION_REPOSITORY_DELETE, &mine, true));
	cr_assert(access_may_give(&tenant, ACTION_REPOSITORY_DELETE, &nowhere, true));
	cr_assert_not(access_may_give(&tenant, ACTION_SCAN_ALL_CREATE, &nowhere, false));
	cr_assert(access_may_give(&root, ACTION_SCAN_ALL_CREATE, &nowhere, false));
	root.by_token = true;
	cr_assert_not(access_may_give(&root, ACTION_SCAN_ALL_CREATE, &nowhere, false));
}

Test(access, a_robot_never_gets_what_users_get_for_being_logged_in)
{
	struct robot_grant none = { .place = PLACE_PROJECT, .project_id = 7, .push_is_pull = true };
	struct identity who = robot(&none);
	struct resource what = { .project_creation_open = true, .is_self = true };
	cr_assert_not(may(&who, ACTION_PROJECT_CREATE, &what));
	cr_assert_not(may(&who, ACTION_USER_READ, &what));
}

static struct identity bearer(const struct grant *grant, unsigned flags)
{
	struct identity who = user(flags);
	who.by_token = true;
	who.grants = grant;
	who.grant_count = 1;
	return who;
}

Test(access, a_token_narrows_everybody)
{
	struct grant grant = { .type = STR("repository"),
			       .name = STR("p/app"),
			       .actions = SCOPE_PULL };
	struct identity who = bearer(&grant, IDENTITY_ADMIN);
	struct resource what = project(false, PROJECT_ROLE_BIT(PROJECT_ADMIN));
	for (enum action action = 1; action < ACTION_COUNT; action++)
		cr_assert_eq(may(&who, action, &what),
			     action == ACTION_REPOSITORY_PULL || action == ACTION_REGISTRY_PING ||
				     action == ACTION_PROJECT_LIST,
			     "%s", action_name(action));
}

Test(access, a_grant_counts_for_its_own_resource_only)
{
	static const struct grant others[] = {
		{ .type = STR_INIT("repository"), .name = STR_INIT("p/other"), .actions = ~0u },
		{ .type = STR_INIT("repository"), .name = STR_INIT("p/ap"), .actions = ~0u },
		{ .type = STR_INIT("repository"), .name = STR_INIT("p/app/x"), .actions = ~0u },
		{ .type = STR_INIT("repository"), .name = STR_INIT(""), .actions = ~0u },
		{ .type = STR_INIT("registry"), .name = STR_INIT("p/app"), .actions = ~0u },
		{ .type = STR_INIT("repository"), .name = STR_INIT("catalog"), .actions = ~0u },
		{ .type = STR_INIT("registry"), .name = STR_INIT("other"), .actions = ~0u },
	};
	struct resource what = project(false, 0);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct identity who = bearer(&others[i], IDENTITY_ADMIN);
		cr_assert_not(may(&who, ACTION_REPOSITORY_PULL, &what), "%zu", i);
		cr_assert_not(may(&who, ACTION_CATALOG_LIST, &what), "%zu", i);
		what.repository_asked = STR_NONE;
		cr_assert_not(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, &what));
		what.repository_asked = what.repository;
	}
}

Test(access, a_grant_counts_for_what_was_decided_about_only)
{
	struct grant grant = { .type = STR("repository"),
			       .name = STR("old/app"),
			       .actions = SCOPE_PULL,
			       .project_id = 7 };
	struct identity who = bearer(&grant, 0), admin = bearer(&grant, IDENTITY_ADMIN);
	struct resource what = { .project_id = 7,
				 .repository = STR("p/lib/app"),
				 .repository_asked = STR("old/app") };
	cr_assert(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, &what));
	what.project_id = 8;
	cr_assert_not(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, &what));
	cr_assert(access_granted_by_token(&admin, ACTION_REPOSITORY_PULL, &what));
	what.project_id = 0;
	cr_assert_not(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, &what));
	what.project_id = 7;
	grant.inside = STR("app");
	cr_assert_not(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, &what));
	grant.inside = STR("lib/app");
	cr_assert(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, &what));
	what.repository_asked = what.repository;
	cr_assert_not(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, &what));
}

Test(access, a_decision_says_whether_a_pattern_had_a_part_in_it)
{
	struct custom_grant custom = { .repository_glob = STR("app") };
	action_set_add(&custom.actions, ACTION_REPOSITORY_PULL);
	struct identity who = user(0);
	struct resource what = project(false, 0);
	what.custom = &custom;
	what.custom_count = 1;
	struct decision decision = access_decide(&who, ACTION_REPOSITORY_PULL, &what);
	cr_assert(decision.allowed);
	cr_assert(decision.by_name);
	custom.repository_glob = STR("");
	cr_assert_not(access_decide(&who, ACTION_REPOSITORY_PULL, &what).by_name);
	struct robot_grant grants[2] = { { .place = PLACE_PROJECT, .project_id = PROJECT_ALL },
					 { .place = PLACE_PROJECT,
					   .project_id = PROJECT_ALL,
					   .repository_glob = STR("other") } };
	action_set_add(&grants[0].actions, ACTION_REPOSITORY_PULL);
	action_set_add(&grants[1].denied, ACTION_REPOSITORY_PULL);
	who = robot(grants);
	cr_assert_not(access_decide(&who, ACTION_REPOSITORY_PULL, &what).by_name);
	who.robot_grant_count = 2;
	decision = access_decide(&who, ACTION_REPOSITORY_PULL, &what);
	cr_assert(decision.allowed);
	cr_assert(decision.by_name, "a denial by a pattern would come with another name");
}

Test(access, a_push_makes_its_project_for_whom_the_token_speaks)
{
	struct grant grant = { .type = STR("repository"),
			       .name = STR("new/app"),
			       .actions = SCOPE_PUSH };
	struct identity admin = bearer(&grant, IDENTITY_ADMIN), joe = bearer(&grant, 0);
	struct resource on = { .project_auto_create = true }, off = { 0 };
	cr_assert(may(&admin, ACTION_PROJECT_AUTO_CREATE, &on));
	cr_assert_not(may(&admin, ACTION_PROJECT_AUTO_CREATE, &off));
	cr_assert_not(may(&joe, ACTION_PROJECT_AUTO_CREATE, &on));
}

Test(access, own_account_and_open_project_creation)
{
	struct identity who = user(0);
	struct resource self = { .is_self = true }, open = { .project_creation_open = true };
	cr_assert(may(&who, ACTION_USER_UPDATE, &self));
	cr_assert_not(may(&who, ACTION_USER_DELETE, &self));
	cr_assert_not(may(&who, ACTION_USER_READ, NULL));
	cr_assert(may(&who, ACTION_PROJECT_CREATE, &open));
	cr_assert_not(may(&who, ACTION_PROJECT_CREATE, NULL));
}

Test(access, permissions_are_found_by_their_words)
{
	cr_assert_eq(permission_find(PLACE_PROJECT, STR("repository"), STR("pull")),
		     ACTION_REPOSITORY_PULL);
	cr_assert_eq(permission_find(PLACE_SYSTEM, STR("robot"), STR("list")),
		     ACTION_SYSTEM_ROBOT_LIST);
	cr_assert_eq(permission_find(PLACE_SYSTEM, STR("repository"), STR("pull")), ACTION_COUNT);
	for (enum action a = 1; a < ACTION_COUNT; a++) {
		const struct permission *p = permission_get(a);
		cr_assert_eq(permission_find(p->place, str_from(p->resource), str_from(p->action)),
			     a, "%s is there twice", p->name);
	}
}

Test(access, sets_within_sets)
{
	struct action_set small = { { 0 } }, large = { { 0 } };
	action_set_add(&small, ACTION_REPOSITORY_PULL);
	action_set_add(&large, ACTION_REPOSITORY_PULL);
	action_set_add(&large, ACTION_EXPLAIN);
	cr_assert(action_set_within(&small, &large));
	cr_assert_not(action_set_within(&large, &small));
	cr_assert(action_set_has(&large, ACTION_EXPLAIN));
	cr_assert_not(action_set_has(&small, ACTION_EXPLAIN));
}
