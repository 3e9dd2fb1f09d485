/* SPDX-License-Identifier: Apache-2.0 */
/*
 * robot.h - robots: what they may do, and the keyed hashes of their secrets.
 *
 * Names are without the configurable prefix. Every change that a proof relies on raises the epoch.
 */
#pragma once

#include "sql/sql.h"

struct robot_row {
	int64_t id;
	int64_t tenant_id;
	str name;	    /* "name", or "project+name" */
	int64_t project_id; /* 0: a robot of the system */
	str description;
	int64_t duration_days; /* -1: for ever */
	int64_t expires_at_s;  /* since 1970 UTC; 0: never */
	bool disabled;
	bool visible;
	str creator_type; /* "local", "robot" */
	int64_t creator_id;
	int64_t epoch;
	int64_t created_at_us;
	int64_t updated_at_us;
	int64_t used_at_us; /* 0: never */
};

struct robot_permission_row {
	int64_t place;	    /* enum permission_place */
	int64_t project_id; /* 0: all */
	str project;	    /* its name; only read */
	str repository_glob;
	str allowed, denied; /* "repository:pull,repository:push" */
};

struct robot_secret_row {
	int64_t id;
	int64_t robot_id;
	str hint; /* its first letters, to know it by */
	int64_t created_at_us;
	int64_t expires_at_us; /* 0: never */
	int64_t used_at_us;    /* 0: never */
	str hash;	       /* only for inserting */
};

/* Fills the id. ERR_EXISTS, unrecorded, when the tenant has one of this name. */
err_t db_robot_insert(struct ctx *ctx, struct sql_tx *tx, struct robot_row *row);
err_t db_robot_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct robot_row *ret);
/* The robots of a name, also by one their project had before, at most `max`: of one tenant or, with
 * 0, of all. By tenant: the default one's go first. */
err_t db_robot_named(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name, size_t max,
		     int64_t **ret, size_t *ret_count);
/* The robot, when one of its secrets has this hash and counts at `now_us`. */
err_t db_robot_find_secret(struct ctx *ctx, struct sql_tx *tx, int64_t id, str hash, int64_t now_us,
			   struct robot_row *ret, int64_t *ret_secret_id);

enum robot_sort { ROBOT_BY_NAME, ROBOT_BY_ID, ROBOT_BY_EXPIRY, ROBOT_SORT_COUNT };

struct robot_query {
	int64_t tenant_id;
	int64_t project_id; /* 0: the system's */
	str name_like, name;
	enum robot_sort sort;
	bool descending;
	int64_t offset, limit;
};
err_t db_robot_page(struct ctx *ctx, struct sql_tx *tx, const struct robot_query *query,
		    struct robot_row **ret, size_t *ret_count, int64_t *ret_total);

/* Description, duration, expiry and being disabled; raises the epoch. */
err_t db_robot_update(struct ctx *ctx, struct sql_tx *tx, const struct robot_row *row);
err_t db_robot_changed(struct ctx *ctx, struct sql_tx *tx, int64_t id);
/* Locks the row. */
err_t db_robot_touch(struct ctx *ctx, struct sql_tx *tx, int64_t id);
err_t db_robot_used(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t used_at_us);
err_t db_robot_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);

/* With their project. The ids, so that what is remembered of them can be dropped. */
err_t db_robot_delete_of_project(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
				 int64_t **ret, size_t *ret_count);

err_t db_robot_permission_list(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id,
			       struct robot_permission_row **ret, size_t *ret_count);
/* Replaces them. ERR_ABSENT when a project is gone. */
err_t db_robot_permission_set(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id,
			      const struct robot_permission_row *rows, size_t count);

/* Fills the id. ERR_EXISTS, unrecorded, when the robot has this one already. */
err_t db_robot_secret_insert(struct ctx *ctx, struct sql_tx *tx, struct robot_secret_row *row);
err_t db_robot_secret_get(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id, int64_t id,
			  struct robot_secret_row *ret);
/* Those that count at `now_us`. */
err_t db_robot_secret_list(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id, int64_t now_us,
			   size_t max, struct robot_secret_row **ret, size_t *ret_count);
err_t db_robot_secret_expire_others(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id,
				    int64_t but_id, int64_t at_us);
err_t db_robot_secret_delete(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id, int64_t id);
err_t db_robot_secret_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id);
err_t db_robot_secret_delete_expired(struct ctx *ctx, struct sql_tx *tx, int64_t robot_id,
				     int64_t until_us);
err_t db_robot_secret_used(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t used_at_us);
