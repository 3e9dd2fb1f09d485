/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permission.h - every permission a route can ask for, and which roles, robots and visitors have
 * it.
 *
 * A permission is a resource and an action, spelt as Harbor spells them, at one of two places:
 * inside a project, or in the system. permission_table.h is the whole policy; access.h decides by
 * it.
 */
#pragma once

#include "base/str.h"
#include "model/permission_table.h"

enum action {
#define PERMISSION_ENUM(name, place, resource, action, holders) ACTION_##name,
	PERMISSION_TABLE(PERMISSION_ENUM)
#undef PERMISSION_ENUM
		ACTION_COUNT
};

enum permission_place { PLACE_ANYWHERE, PLACE_PROJECT, PLACE_SYSTEM };

/* What is said about one permission, for the decision and for who lists them. */
struct permission {
	const char *name; /* "repository:pull" */
	enum permission_place place;
	const char *resource; /* "repository" */
	const char *action;   /* "pull" */
	const char *holders;  /* letters, see permission_table.h */
};

const struct permission *permission_get(enum action action);
const char *action_name(enum action action); /* "repository:pull", for log, matrix and explain */
bool permission_held_by(enum action action, char letter);

/* The permission of a resource and an action at a place; ACTION_COUNT when there is none. */
enum action permission_find(enum permission_place place, str resource, str action);

/* A set of permissions: a custom role's, a robot's. */
struct action_set {
	uint64_t bits[4];
};
_Static_assert(ACTION_COUNT <= 256, "a set of permissions has 256 places");

static inline bool action_set_has(const struct action_set *set, enum action action)
{
	return (set->bits[action / 64] >> (action % 64)) & 1;
}

static inline void action_set_add(struct action_set *set, enum action action)
{
	set->bits[action / 64] |= UINT64_C(1) << (action % 64);
}

/* True when everything in `inner` is in `outer`: a robot may give away only what it has. */
bool action_set_within(const struct action_set *inner, const struct action_set *outer);
