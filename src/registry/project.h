/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project.h - projects: found by name or id from memory, and made, listed, changed and deleted.
 *
 * All of it in ctx's tenant. Errors: ERR_ABSENT (unrecorded) when there is no such project,
 * ERR_EXISTS when the name is taken.
 */
#pragma once

#include "db/project.h"
#include "model/project_setting.h"
#include "registry/cve_allowlist.h"
#include "registry/registry.h"

struct project_info {
	int64_t id;
	bool is_public;
	str name; /* its own; in the arena, or the name asked for */
};

/* From memory, once asked for; by its name, or by one that it had (rename.h). */
err_t project_find(struct ctx *ctx, struct registry *registry, str name, struct project_info *ret);
/* The same by id. */
err_t project_find_id(struct ctx *ctx, struct registry *registry, int64_t id,
		      struct project_info *ret);

/* --- everything about one -----------------------------------------------------------------------
 */

struct project_view {
	struct project row;
	const struct project_metadata *settings; /* without `public`, which is in the row */
	size_t setting_count;
	int64_t repository_count; /* those that hold something */
};
err_t project_get(struct ctx *ctx, struct registry *registry, int64_t id, struct project_view *ret);

/* Takes sight, filters, order and page from `query`. Repositories are counted when `counted`. */
err_t project_list(struct ctx *ctx, struct registry *registry, const struct project_query *query,
		   bool counted, struct project_view **ret, size_t *ret_count, int64_t *ret_total);

/*
 * The ids of the projects whose names fit one of the patterns (base/glob.h), as a JSON array: for
 * `more_ids` of a sight. Costs what begins like the patterns; at most PROJECT_MATCHES_MAX count.
 */
#define PROJECT_MATCHES_MAX 10000
err_t project_matches(struct ctx *ctx, struct registry *registry, const str *globs, size_t count,
		      str *ret_json);

/* --- changing -----------------------------------------------------------------------------------
 */

struct setting_value {
	enum project_setting setting;
	str value; /* as project_setting_read() gives it */
};

struct project_new {
	str name;
	bool is_public;
	int64_t owner_id; /* becomes the project's administrator; 0: nobody does */
	str owner_name;
	int64_t storage_limit_bytes;	      /* QUOTA_UNLIMITED */
	const struct setting_value *settings; /* `public` among them is ignored */
	size_t setting_count;
	const struct cve_allowlist *allowlist; /* NULL: none; its project_id is filled in */
};
err_t project_create(struct ctx *ctx, struct registry *registry, const struct project_new *from,
		     int64_t *ret_id);

struct project_change {
	int64_t id;
	str name;			      /* it has, for the caches */
	const struct setting_value *settings; /* those that are set; others stay */
	size_t setting_count;
	const struct cve_allowlist *allowlist; /* NULL: stays */
};
err_t project_change(struct ctx *ctx, struct registry *registry,
		     const struct project_change *change);

/* Takes a setting away; `public` without a value is private. ERR_ABSENT when it is not set. */
err_t project_unset(struct ctx *ctx, struct registry *registry, int64_t id, str name,
		    enum project_setting setting);

/*
 * Deletes a project in which there is nothing; ERR_PRECONDITION_FAILED when there is. Uploads that
 * never became a manifest are ended. Members, robots, settings and the allowlist go with it:
 * `*ret` says whose proofs (auth/state.h) are to be forgotten.
 */
struct project_gone {
	int64_t *accounts, *robots;
	size_t account_count, robot_count;
};
err_t project_delete(struct ctx *ctx, struct registry *registry, int64_t id, str name,
		     struct project_gone *ret);
