/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h - who may do what: the one decision function and its table. Pure: no I/O, no clock.
 *
 * An identity is a class (anonymous, user, administrator) and, when it came by bearer token, the
 * grants that the token carries. A token can only narrow: what it does not grant is decided as for
 * an anonymous visitor.
 */
#pragma once

#include "base/str.h"

/* X(name, word in token scopes) - every permission a route can ask for */
#define ACTION_TABLE(X)                                                                            \
	X(NONE, "")	     /* anybody, e.g. the token service, which decides by itself */        \
	X(REGISTRY_PING, "") /* GET /v2/ */                                                        \
	X(CATALOG_LIST, "*") /* registry:catalog:* */                                              \
	X(REPOSITORY_PULL, "pull")                                                                 \
	X(REPOSITORY_PUSH, "push")                                                                 \
	X(REPOSITORY_DELETE, "delete")                                                             \
	X(PROJECT_CREATE, "")                                                                      \
	X(PROJECT_READ, "")                                                                        \
	X(PROJECT_LIST, "")                                                                        \
	X(PROJECT_UPDATE, "")

enum action {
#define ACTION_ENUM(name, word) ACTION_##name,
	ACTION_TABLE(ACTION_ENUM)
#undef ACTION_ENUM
		ACTION_COUNT,
};

#define ACTION_BIT(action) (1u << (action))

enum role { ROLE_ANONYMOUS, ROLE_USER, ROLE_ADMIN, ROLE_COUNT };

/* One entry of a token: what may be done with one resource. */
struct grant {
	str type;	  /* "repository" or "registry" */
	str name;	  /* repository name, or "catalog" */
	unsigned actions; /* ACTION_BITs */
};

struct identity {
	enum role role;
	str name;      /* "" for anonymous */
	bool by_token; /* only `grants` count (plus what anonymous may do) */
	const struct grant *grants;
	size_t grant_count;
};

struct resource {
	str repository; /* set for repository actions */
	bool project_public;
	bool anonymous_pull; /* option projects.anonymous_pull */
};

struct decision {
	bool allowed;
	const char *reason; /* static text for log and explain: "granted by token", "public
			       project", … */
};

/*
 * The answer. `what` may be NULL for actions on the registry as a whole. Without a token the role
 * decides: a rule names the least role, and the least role when the project is public.
 * `anonymous_pull` narrows the latter for pulls by strangers.
 */
struct decision access_decide(const struct identity *who, enum action action,
			      const struct resource *what);

/* True when a token alone settles the question, so that no project needs to be looked up. */
bool access_granted_by_token(const struct identity *who, enum action action, str repository);

const char *action_name(enum action action); /* "repository_pull" */
const char *action_word(enum action action); /* "pull" */
const char *role_name(enum role role);
/* The ACTION_BITs of a scope's action words for a resource type; unknown words are ignored; "*" on
 * a repository means pull, push and delete. */
unsigned action_bits(str type, str words);
