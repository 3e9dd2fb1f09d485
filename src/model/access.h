/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h - who may do what: the one decision function. Pure: no I/O, no clock; permission.h has
 * the table it reads.
 *
 * An identity is a subject (nobody, a user, a robot) of a tenant, with what it holds everywhere: it
 * may be a system administrator, an auditor, its tenant's administrator. What it holds in the
 * project at hand, its roles and custom grants, the caller looks up and puts beside the project
 * into `struct resource`.
 *
 * A bearer token can only narrow: what it does not grant is decided as for an anonymous visitor. It
 * grants what it names as long as the name leads to what was decided about.
 * Only whether a push that it grants may make its project is asked of the identity behind it.
 */
#pragma once

#include "base/tenant.h"
#include "model/permission.h"

enum subject { SUBJECT_ANONYMOUS, SUBJECT_USER, SUBJECT_ROBOT };

/* What a subject is everywhere in its tenant or in the system. */
#define IDENTITY_ADMIN	      1u /* system administrator */
#define IDENTITY_AUDITOR      2u /* reads everything in the system */
#define IDENTITY_TENANT_ADMIN 4u /* administrator of its tenant */

/* What a token lets its bearer do with one resource, in scope.h's bits. */
struct grant {
	str type;	  /* "repository" or "registry" */
	str name;	  /* repository name as it was asked for, or "catalog" */
	unsigned actions; /* SCOPE_PULL, SCOPE_PUSH, SCOPE_DELETE; SCOPE_ALL for the catalog */

	/* What was decided about, so that nothing else that gets the name later is meant: the
	 * project, and the repository's present name inside it where the decision depended on
	 * that (a pattern); else empty. */
	int64_t project_id;
	str inside;
};

/* What a robot holds: a set of permissions in one project, in all of its tenant's, or in the
 * system. */
#define PROJECT_ALL INT64_C(-1)
struct robot_grant {
	enum permission_place place;
	int64_t project_id; /* PROJECT_ALL: every project of the tenant; ignored in the system */
	struct action_set actions;
	struct action_set denied; /* whatever else allows it */
	bool push_is_pull;	  /* who may push may pull: robots of one project */
	str repository_glob;	  /* over names inside the project; empty: the project and all its
				     repositories */
};

/* The project's roles, by Harbor's numbers. */
enum project_role {
	PROJECT_ADMIN = 1,
	PROJECT_DEVELOPER = 2,
	PROJECT_GUEST = 3,
	PROJECT_MAINTAINER = 4,
	PROJECT_LIMITED_GUEST = 5,
};
#define PROJECT_ROLE_BIT(role) (1u << (role))

/* A role that an identity provider gives in all projects of the tenant whose names fit. */
struct external_role {
	str project_glob;
	enum project_role role;
};

struct identity {
	enum subject subject;
	int64_t id; /* of the account or robot; 0 for anonymous */
	int64_t tenant_id;
	str name;	/* "" for anonymous, "admin", "robot$project+name" */
	unsigned flags; /* IDENTITY_… */

	/* What this relies on, for auth/state.h: the epoch of the account or robot, and the
	 * personal access token, or the robot's secret, that it came by (0: none). */
	int64_t epoch;
	int64_t access_token_id;
	int64_t session_id; /* of the browser it came by; 0: none */

	/* How long that is good for: what it was proved by ends then (microseconds since 1970 UTC),
	 * and tokens issued to it live so long at most. 0: no limit of its own. */
	int64_t proof_ends_at_us;
	int64_t lifetime_s_max;

	bool by_token;		  /* only `grants` count (plus what anonymous may do) */
	int64_t grants_tenant_id; /* the tenant whose names `grants` speak of */
	const struct grant *grants;
	size_t grant_count;

	const struct robot_grant *robot_grants;
	size_t robot_grant_count;

	const struct external_role *external_roles;
	size_t external_role_count;

	/* For the audit trail only. */
	str issuer;	  /* who vouched: "local", "ldap", an issuer's URL, … */
	str on_behalf_of; /* the subject of a federated token, the person behind a robot */
};

/* A custom role somebody holds in a project: a set of permissions on the repositories that fit. */
struct custom_grant {
	struct action_set actions;
	str repository_glob; /* over names inside the project; empty: the project and all its
				repositories */
};

struct resource {
	int64_t tenant_id;  /* 0: no tenant's */
	int64_t project_id; /* 0: none, or no such project */
	bool project_public;
	str repository;	      /* full name, for what concerns one repository: its present one */
	str repository_asked; /* the name that was used, which may be an alias */
	unsigned roles;	      /* PROJECT_ROLE_BITs the asker holds in the project */
	const struct custom_grant *custom;
	size_t custom_count;
	bool is_self;		    /* the object is the asker's own account */
	bool anonymous_pull;	    /* option projects.anonymous_pull */
	bool anonymous_off;	    /* strangers may do nothing at all */
	bool project_creation_open; /* whoever is logged in may create projects */
	bool project_auto_create;   /* a push may make its project: option projects.auto_create */
	bool is_near; /* asked from a network that may read metrics: option metrics.networks */
};

struct decision {
	bool allowed;
	bool by_name;	    /* a pattern over repositories' names had a part in it */
	const char *reason; /* static text for log and explain: "granted by token", "public
			       project", … */
};

/* The PROJECT_ROLE_BITs that an identity's external roles give in a project, for `resource.roles`.
 */
unsigned access_external_roles(const struct identity *who, str project);

/* The answer. `what` may be NULL for actions on the registry as a whole. */
struct decision access_decide(const struct identity *who, enum action action,
			      const struct resource *what);

/*
 * Whether somebody may hand `action` on to a robot: he must hold it himself, and not because the
 * project happens to be public. `everywhere`: in all projects of his tenant, now and later; `what`
 * is then of no account.
 */
bool access_may_give(const struct identity *who, enum action action, const struct resource *what,
		     bool everywhere);

/* True when a token alone settles the question, so that no project needs to be looked up. */
bool access_granted_by_token(const struct identity *who, enum action action,
			     const struct resource *what);

/* True when its token names the repository for this, whatever that leads to by now: no decision,
 * but reason enough to fetch what it will probably be shown. */
bool access_named_by_token(const struct identity *who, enum action action, str repository);

/* "lib/app" of "project/lib/app": what patterns are over. */
str access_name_inside(str repository);

/* True when nothing about the project or the asker's roles in it can change a refusal or a grant.
 */
bool access_needs_project(const struct identity *who, enum action action);

/* The strongest role of a set, in the order administrator, maintainer, developer, guest, limited
 * guest; 0. */
enum project_role project_role_highest(unsigned roles);
const char *project_role_name(enum project_role role); /* "projectAdmin" */
bool project_role_is_known(int64_t id);
struct action_set project_role_actions(enum project_role role); /* all it allows in a project */

/* The SCOPE_… bit that stands for an action in tokens; 0 when no token can grant it. */
unsigned action_scope_bit(enum action action);

/*
 * The subjects of the matrix that the tests compare: everybody who differs in what he may.
 */
enum matrix_role {
	MATRIX_ANONYMOUS,
	MATRIX_USER,
	MATRIX_LIMITED_GUEST,
	MATRIX_GUEST,
	MATRIX_DEVELOPER,
	MATRIX_MAINTAINER,
	MATRIX_PROJECT_ADMIN,
	MATRIX_ROBOT,	     /* of the project, with all that it can be given */
	MATRIX_SYSTEM_ROBOT, /* the same of the system, for it and all projects */
	MATRIX_AUDITOR,
	MATRIX_TENANT_ADMIN,
	MATRIX_ADMIN,
	MATRIX_COUNT,
};
const char *matrix_role_name(enum matrix_role role);

/* Whether `role` may do `action` in (or beside) a project of its own tenant. */
bool access_matrix(enum matrix_role role, enum action action, bool project_public);
