/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alias.h - renaming projects and repositories, and the names that lead to them besides their own.
 *
 * An alias is a name that something had before. Whoever looks for a name (db_project_find(),
 * db_repository_find()) finds what has it or, when nobody has it, what it is an alias of. A name is
 * never both: who takes one writes it first and then asks db_alias_owner(), so that of two who want
 * the same one sees the other.
 *
 * A repository's aliases are whole names and begin with their project's present name, as its own
 * does.
 */
#pragma once

#include "sql/sql.h"

enum alias_of { ALIAS_OF_PROJECT, ALIAS_OF_REPOSITORY, ALIAS_OF_COUNT };

/* What has been renamed, or would be. */
struct named {
	enum alias_of of;
	int64_t tenant_id;
	int64_t id;
};

/* What it is called until the transaction ends. ERR_ABSENT, unrecorded, when the row is gone. */
err_t db_alias_hold(struct ctx *ctx, struct sql_tx *tx, const struct named *what, str *ret_name);

/* The same of all in a project. Always before the project itself: as a push does. */
err_t db_alias_hold_repositories(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);

/* Writes its row's name and no other. ERR_EXISTS when somebody has it (the transaction is over);
 * ERR_ABSENT, unrecorded, when the row is gone. */
err_t db_alias_rename(struct ctx *ctx, struct sql_tx *tx, const struct named *what, str name);

/* After a project's row: all that begins with its old name. The robots are those that have another
 * name now. */
struct project_names {
	int64_t id;
	str before, after;
};
err_t db_alias_rename_parts(struct ctx *ctx, struct sql_tx *tx, const struct project_names *names,
			    int64_t **ret_robots, size_t *ret_robot_count);

/* Tells the lists of the project's and its tenant's repositories that they are others (anchors.h);
 * after all else that renames. */
err_t db_alias_relist(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);

/* The longest names that begin with a project's, in bytes; 0: none. */
err_t db_alias_longest(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
		       int64_t *ret_repository, int64_t *ret_robot);

/* What a name is an alias of. ERR_ABSENT, unrecorded: of nothing. */
err_t db_alias_owner(struct ctx *ctx, struct sql_tx *tx, enum alias_of of, int64_t tenant_id,
		     str name, int64_t *ret_id);

/* ERR_NAME_IS_ALIAS when it is one of something. For who has just taken the name. */
err_t db_alias_refuse(struct ctx *ctx, struct sql_tx *tx, enum alias_of of, int64_t tenant_id,
		      str name);

err_t db_alias_insert(struct ctx *ctx, struct sql_tx *tx, const struct named *what, str name);
/* ERR_ABSENT, unrecorded, when it has no such alias. */
err_t db_alias_delete(struct ctx *ctx, struct sql_tx *tx, const struct named *what, str name);

struct alias_row {
	str name;
	int64_t created_at_us;
};
/* By name. */
err_t db_alias_page(struct ctx *ctx, struct sql_tx *tx, const struct named *what, int64_t limit,
		    int64_t offset, struct alias_row **ret, size_t *ret_count);
err_t db_alias_count(struct ctx *ctx, struct sql_tx *tx, const struct named *what, int64_t *ret);

/* For fsck: at most `max` names that contradict the above. */
err_t db_alias_wrong(struct ctx *ctx, struct sql_tx *tx, int64_t max, str **ret, size_t *ret_count);
