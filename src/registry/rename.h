/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename.h - projects and repositories get another name, and may keep the old one as an alias.
 *
 * An alias leads to what had the name, however often that is renamed. It gives way to nobody: until
 * it is deleted nothing else can have the name, nor is anything made under it. What gets a name
 * back that is an alias of its own loses that alias. Uploads, tokens and memberships go by the id
 * and so go on.
 *
 * A project takes with it its repositories' names, their aliases, and its robots' names: a robot
 * logs in by an alias of its project too.
 *
 * Errors: ERR_NAME_UNKNOWN or ERR_ABSENT (unrecorded) when it is gone, ERR_EXISTS when something
 * has the name (it itself too), ERR_NAME_IS_ALIAS, ERR_REQUEST_INVALID when the name or one that
 * follows from it would be too long, or there are RENAME_ALIASES_MAX already.
 */
#pragma once

#include "db/alias.h"
#include "registry/registry.h"

#define RENAME_ALIASES_MAX 100

struct rename {
	struct named what;
	int64_t project_id; /* its, or the repository's */
	str name;	    /* of a repository: behind its project's */
	bool keep_alias;
	size_t robot_name_max; /* of a project's robots, "project+name" */
};

struct renamed {
	str before, after; /* whole names */
	int64_t *robots;   /* whose names changed: what is remembered of them is to be forgotten */
	size_t robot_count;
};
err_t registry_rename(struct ctx *ctx, struct registry *registry, const struct rename *rename,
		      struct renamed *ret);

/* --- aliases ------------------------------------------------------------------------------------
 */

struct alias_page {
	struct alias_row *items;
	size_t count;
	int64_t total;
};
err_t alias_list(struct ctx *ctx, struct registry *registry, const struct named *what,
		 int64_t limit, int64_t offset, struct alias_page *ret);

/* ERR_ABSENT, unrecorded, when it has no such alias. */
err_t alias_delete(struct ctx *ctx, struct registry *registry, const struct named *what, str name);
