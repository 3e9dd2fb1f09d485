/* SPDX-License-Identifier: Apache-2.0 */
/* access.c - see access.h. permission.h holds the policy; the code only reads it. */
#include "model/access.h"

#include "base/error.h"
#include "base/glob.h"
#include "codec/scope.h"

#include "base/banned.h"

#define ALLOW(why) ((struct decision){ .allowed = true, .reason = why })
#define DENY(why)  ((struct decision){ .reason = why })

/* Harbor's letters and names, strongest first. */
static const struct {
	enum project_role role;
	char letter;
	const char *name;
} roles[] = {
	{ PROJECT_ADMIN, 'A', "projectAdmin" },		{ PROJECT_MAINTAINER, 'M', "maintainer" },
	{ PROJECT_DEVELOPER, 'D', "developer" },	{ PROJECT_GUEST, 'G', "guest" },
	{ PROJECT_LIMITED_GUEST, 'L', "limitedGuest" },
};

enum project_role project_role_highest(unsigned held)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if (held & PROJECT_ROLE_BIT(roles[i].role))
			return roles[i].role;
	return 0;
}

const char *project_role_name(enum project_role role)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if (roles[i].role == role)
			return roles[i].name;
	return "none";
}

bool project_role_is_known(int64_t id)
{
	return id >= PROJECT_ADMIN && id <= PROJECT_LIMITED_GUEST;
}

struct action_set project_role_actions(enum project_role role)
{
	struct action_set set = { 0 };
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		for (enum action action = 0; roles[i].role == role && action < ACTION_COUNT;
		     action++)
			if (permission_get(action)->place == PLACE_PROJECT &&
			    permission_held_by(action, roles[i].letter))
				action_set_add(&set, action);
	return set;
}

/* --- tokens --------------------------------------------------------------------------------- */

static const struct {
	enum action action;
	const char *type;
	unsigned scope;
} token_actions[] = {
	{ ACTION_REPOSITORY_PULL, "repository", SCOPE_PULL },
	{ ACTION_REPOSITORY_PUSH, "repository", SCOPE_PUSH },
	{ ACTION_REPOSITORY_DELETE, "repository", SCOPE_DELETE },
	{ ACTION_CATALOG_LIST, "registry", SCOPE_ALL },
};

unsigned action_scope_bit(enum action action)
{
	for (size_t i = 0; i < COUNT_OF(token_actions); i++)
		if (token_actions[i].action == action)
			return token_actions[i].scope;
	return 0;
}

str access_name_inside(str repository)
{
	str project, rest = STR_NONE;
	(void)str_cut(repository, '/', &project, &rest);
	return rest;
}

/* An administrator may do it wherever the name leads, and to what he is about to make. */
static bool is_still_meant(const struct identity *who, const struct grant *grant,
			   const struct resource *what)
{
	if (who->flags & IDENTITY_ADMIN)
		return true;
	return grant->project_id == what->project_id &&
	       (!grant->inside.len || str_eq(grant->inside, access_name_inside(what->repository)));
}

static const struct grant *find_grant(const struct identity *who, str type, str name,
				      unsigned scope)
{
	for (size_t i = 0; i < who->grant_count; i++) {
		const struct grant *grant = &who->grants[i];
		if ((grant->actions & scope) && str_eq(grant->type, type) &&
		    str_eq(grant->name, name))
			return grant;
	}
	return NULL;
}

/* NULL as well when no token can grant it. */
static const struct grant *find_repository_grant(const struct identity *who, enum action action,
						 str repository)
{
	return find_grant(who, STR("repository"), repository, action_scope_bit(action));
}

bool access_named_by_token(const struct identity *who, enum action action, str repository)
{
	return who->by_token && find_repository_grant(who, action, repository);
}

bool access_granted_by_token(const struct identity *who, enum action action,
			     const struct resource *what)
{
	if (!who->by_token)
		return false;
	if (action == ACTION_REGISTRY_PING)
		return true; /* the token itself is the answer to the ping's challenge */
	if (action == ACTION_CATALOG_LIST)
		return find_grant(who, STR("registry"), STR("catalog"), action_scope_bit(action));
	if (!action_scope_bit(action) || !what->repository_asked.len)
		return false;
	const struct grant *grant = find_repository_grant(who, action, what->repository_asked);
	return grant && is_still_meant(who, grant, what);
}

bool access_needs_project(const struct identity *who, enum action action)
{
	return permission_get(action)->place == PLACE_PROJECT &&
	       !(who->flags & IDENTITY_ADMIN && !who->by_token);
}

unsigned access_external_roles(const struct identity *who, str project)
{
	unsigned held = 0;
	for (size_t i = 0; i < who->external_role_count; i++)
		if (glob_match(who->external_roles[i].project_glob, project))
			held |= PROJECT_ROLE_BIT(who->external_roles[i].role);
	return held;
}

/* --- what is open to whom -------------------------------------------------------------------- */

static bool fits(str glob, str repository)
{
	str inside = access_name_inside(repository);
	return !glob.len || (inside.len && glob_match(glob, inside));
}

static struct decision decide_public(const struct identity *who, enum action action,
				     const struct resource *what)
{
	bool stranger = who->subject == SUBJECT_ANONYMOUS || who->by_token;
	const struct permission *permission = permission_get(action);
	if (!permission_held_by(action, 'P') ||
	    (permission->place == PLACE_PROJECT && !what->project_public))
		return DENY(who->subject == SUBJECT_ANONYMOUS ? "not authenticated"
							      : "no role allows it");
	if (stranger && what->anonymous_off)
		return DENY("strangers are not let in");
	if (stranger && action == ACTION_REPOSITORY_PULL && !what->anonymous_pull)
		return DENY("anonymous pull is off");
	return ALLOW(permission->place == PLACE_PROJECT ? "public project" : "open to anybody");
}

static bool held_by_role(unsigned held, enum action action)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if ((held & PROJECT_ROLE_BIT(roles[i].role)) &&
		    permission_held_by(action, roles[i].letter))
			return true;
	return false;
}

static struct decision decide_user(const struct identity *who, enum action action,
				   const struct resource *what)
{
	if (permission_held_by(action, 'U'))
		return ALLOW("open to users");
	if (what->project_creation_open && permission_held_by(action, 'C'))
		return ALLOW("everybody may create projects");
	if (what->is_self && permission_held_by(action, 'S'))
		return ALLOW("own account");
	if (permission_get(action)->place == PLACE_PROJECT && what->project_id) {
		if (held_by_role(what->roles, action))
			return ALLOW("project role");
		for (size_t i = 0; i < what->custom_count; i++)
			if (action_set_has(&what->custom[i].actions, action) &&
			    fits(what->custom[i].repository_glob, what->repository))
				return (struct decision){
					.allowed = true,
					.by_name = what->custom[i].repository_glob.len != 0,
					.reason = "custom role",
				};
	}
	return decide_public(who, action, what);
}

static bool robot_grant_has(const struct robot_grant *grant, enum action action)
{
	if (action_set_has(&grant->actions, action))
		return true;
	return action == ACTION_REPOSITORY_PULL && grant->push_is_pull &&
	       action_set_has(&grant->actions, ACTION_REPOSITORY_PUSH);
}

/* Whether a grant is about this place: the system, or the project. */
static bool robot_grant_is_here(const struct robot_grant *grant, enum permission_place place,
				const struct resource *what)
{
	if (grant->place != place || place == PLACE_SYSTEM)
		return grant->place == place;
	return what->project_id &&
	       (grant->project_id == PROJECT_ALL || grant->project_id == what->project_id);
}

static struct decision decide_robot(const struct identity *who, enum action action,
				    const struct resource *what)
{
	if (action == ACTION_REGISTRY_PING || action == ACTION_LOGIN)
		return ALLOW("open to robots");
	enum permission_place place = permission_get(action)->place;
	bool allowed = false, by_name = false;
	for (size_t i = 0; i < who->robot_grant_count; i++) {
		const struct robot_grant *grant = &who->robot_grants[i];
		if (!robot_grant_is_here(grant, place, what))
			continue;
		if (place == PLACE_PROJECT) {
			by_name |= grant->repository_glob.len != 0;
			if (!fits(grant->repository_glob, what->repository))
				continue;
		}
		if (action_set_has(&grant->denied, action))
			return DENY("denied to the robot");
		allowed |= robot_grant_has(grant, action);
	}
	if (allowed)
		return (struct decision){
			.allowed = true,
			.by_name = by_name,
			.reason = place == PLACE_SYSTEM ? "robot's permission in the system"
							: "robot's permission",
		};
	return decide_public(who, action, what);
}

/* What administrators and auditors hold without anybody having given it to them in the project. */
static bool held_everywhere(const struct identity *who, enum action action,
			    const struct resource *what, const char **ret_why)
{
	bool in_project = permission_get(action)->place == PLACE_PROJECT;
	if (who->flags & IDENTITY_ADMIN) {
		*ret_why = "system administrator";
		return true;
	}
	*ret_why = "auditor";
	if ((who->flags & IDENTITY_AUDITOR) &&
	    (permission_held_by(action, 'O') || permission_held_by(action, 'U')))
		return true;
	*ret_why = "tenant administrator";
	return (who->flags & IDENTITY_TENANT_ADMIN) &&
	       (in_project ? what->project_id != 0 : permission_held_by(action, 'T'));
}

static bool is_stranger_here(const struct identity *who, const struct resource *what)
{
	return what->tenant_id && who->tenant_id != what->tenant_id &&
	       !(who->flags & (IDENTITY_ADMIN | IDENTITY_AUDITOR));
}

struct decision access_decide(const struct identity *who, enum action action,
			      const struct resource *what)
{
	static const struct resource nothing = { 0 };
	static const struct identity anonymous = { .subject = SUBJECT_ANONYMOUS };
	what = what ? what : &nothing;
	if (action == ACTION_NONE)
		return ALLOW("open to anybody");
	if (action == ACTION_METRICS_READ && what->is_near)
		return ALLOW("open to this network");
	if (access_granted_by_token(who, action, what))
		return ALLOW("granted by token");
	if (action == ACTION_PROJECT_AUTO_CREATE && !what->project_auto_create)
		return DENY("pushes do not make projects");
	if (who->by_token && action != ACTION_PROJECT_AUTO_CREATE) {
		struct decision decision = decide_public(&anonymous, action, what);
		return decision.allowed ? decision : DENY("not granted by token");
	}
	const char *why;
	if (who->subject != SUBJECT_ANONYMOUS && is_stranger_here(who, what)) {
		struct decision decision = decide_public(&anonymous, action, what);
		return decision.allowed ? decision : DENY("another tenant's");
	}
	if (held_everywhere(who, action, what, &why))
		return ALLOW(why);
	if (who->subject == SUBJECT_USER)
		return decide_user(who, action, what);
	if (who->subject == SUBJECT_ROBOT)
		return decide_robot(who, action, what);
	return decide_public(who, action, what);
}

/* --- handing on ------------------------------------------------------------------------------- */

/* A grant for all projects and repositories, and none that denies it anywhere. */
static bool robot_holds_everywhere(const struct identity *who, enum action action)
{
	bool held = false;
	for (size_t i = 0; i < who->robot_grant_count; i++) {
		const struct robot_grant *grant = &who->robot_grants[i];
		if (grant->place != PLACE_PROJECT)
			continue;
		if (action_set_has(&grant->denied, action))
			return false;
		held |= grant->project_id == PROJECT_ALL && !grant->repository_glob.len &&
			robot_grant_has(grant, action);
	}
	return held;
}

bool access_may_give(const struct identity *who, enum action action, const struct resource *what,
		     bool everywhere)
{
	struct resource own = *what;
	own.project_public = false;
	own.is_self = false;
	own.project_creation_open = false;
	if (who->by_token)
		return false;
	if (!everywhere)
		return access_decide(who, action, &own).allowed;
	if (who->flags & (IDENTITY_ADMIN | IDENTITY_TENANT_ADMIN))
		return true;
	return who->subject == SUBJECT_ROBOT && robot_holds_everywhere(who, action);
}

/* --- the matrix ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum subject subject;
	unsigned flags;
	unsigned roles;
} matrix[MATRIX_COUNT] = {
	[MATRIX_ANONYMOUS] = { "anonymous", SUBJECT_ANONYMOUS, 0, 0 },
	[MATRIX_USER] = { "user", SUBJECT_USER, 0, 0 },
	[MATRIX_LIMITED_GUEST] = { "limitedGuest", SUBJECT_USER, 0,
				   PROJECT_ROLE_BIT(PROJECT_LIMITED_GUEST) },
	[MATRIX_GUEST] = { "guest", SUBJECT_USER, 0, PROJECT_ROLE_BIT(PROJECT_GUEST) },
	[MATRIX_DEVELOPER] = { "developer", SUBJECT_USER, 0, PROJECT_ROLE_BIT(PROJECT_DEVELOPER) },
	[MATRIX_MAINTAINER] = { "maintainer", SUBJECT_USER, 0,
				PROJECT_ROLE_BIT(PROJECT_MAINTAINER) },
	[MATRIX_PROJECT_ADMIN] = { "projectAdmin", SUBJECT_USER, 0,
				   PROJECT_ROLE_BIT(PROJECT_ADMIN) },
	[MATRIX_ROBOT] = { "robot", SUBJECT_ROBOT, 0, 0 },
	[MATRIX_SYSTEM_ROBOT] = { "systemRobot", SUBJECT_ROBOT, 0, 0 },
	[MATRIX_AUDITOR] = { "auditor", SUBJECT_USER, IDENTITY_AUDITOR, 0 },
	[MATRIX_TENANT_ADMIN] = { "tenantAdmin", SUBJECT_USER, IDENTITY_TENANT_ADMIN, 0 },
	[MATRIX_ADMIN] = { "admin", SUBJECT_USER, IDENTITY_ADMIN, 0 },
};

const char *matrix_role_name(enum matrix_role role)
{
	CHECK((unsigned)role < MATRIX_COUNT);
	return matrix[role].name;
}

/* All that a robot can be given: in the project, in all of them, in the system. */
static size_t matrix_grants(enum matrix_role role, struct robot_grant grants[2])
{
	grants[0] = (struct robot_grant){ .place = PLACE_PROJECT, .project_id = 1 };
	grants[1] = (struct robot_grant){ .place = PLACE_SYSTEM };
	for (enum action action = 0; action < ACTION_COUNT; action++) {
		if (permission_held_by(action, 'r'))
			action_set_add(&grants[0].actions, action);
		if (permission_held_by(action, 's'))
			action_set_add(&grants[1].actions, action);
	}
	if (role == MATRIX_SYSTEM_ROBOT)
		grants[0].project_id = PROJECT_ALL;
	return role == MATRIX_ROBOT ? 1 : role == MATRIX_SYSTEM_ROBOT ? 2 : 0;
}

bool access_matrix(enum matrix_role role, enum action action, bool project_public)
{
	CHECK((unsigned)role < MATRIX_COUNT);
	struct robot_grant grants[2];
	struct identity who = { .subject = matrix[role].subject,
				.robot_grant_count = matrix_grants(role, grants),
				.robot_grants = grants,
				.id = 1,
				.tenant_id = TENANT_DEFAULT,
				.flags = matrix[role].flags };
	struct resource what = { .tenant_id = TENANT_DEFAULT,
				 .project_id = 1,
				 .project_public = project_public,
				 .repository = STR("project/repository"),
				 .roles = matrix[role].roles,
				 .anonymous_pull = true };
	return access_decide(&who, action, &what).allowed;
}
