/* SPDX-License-Identifier: Apache-2.0 */
/* repository.h - repositories, found by their full name, which is one in its tenant. */
#pragma once

#include "db/manifest.h"
#include "db/project.h"

struct repository {
	int64_t id;
	int64_t project_id;
	str name; /* its own, also when it was found by an alias */
};

/* By its name or one that it had, in a project by its name or one that it had. */
err_t db_repository_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
			 struct repository *ret);

/* A manifest that is wanted of a repository when that is found. */
struct repository_wish {
	str tag; /* of this tag; empty: with the digest */
	digest digest;
	bool found;
	struct manifest_row row; /* if it was */
};
/* One statement for what is called so, and one more for what was. */
err_t db_repository_find_wanting(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
				 struct repository_wish *wish, struct repository *ret);

err_t db_repository_name(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			 str *ret_name, int64_t *ret_project_id);

/* What a project is called, and that it goes on to be there, until the transaction ends.
 * ERR_ABSENT, unrecorded. */
err_t db_repository_hold_project(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
				 str *ret_name);

/* Makes the repository, in its project's tenant and under the name that this has, unless it is
 * there; `*ret_made` is 1 or 0. `name` is the whole; what its project is called there does not
 * matter. ERR_NAME_IS_ALIAS: another's alias has come in between; ERR_ABSENT, unrecorded: the
 * project is gone. */
err_t db_repository_ensure(struct ctx *ctx, struct sql_tx *tx, const struct project *project,
			   str name, int64_t *ret_made);

/* Names of repositories with a manifest. */
struct repository_query {
	int64_t tenant_id;
	str last; /* after this one */
	bool all; /* otherwise only those of public projects */
	size_t max;
};
err_t db_repository_page(struct ctx *ctx, struct sql_tx *tx, const struct repository_query *query,
			 str **ret, size_t *ret_count);

/* --- for people ---------------------------------------------------------------------------------
 */

struct repository_row {
	int64_t id;
	int64_t project_id;
	str name; /* with the project's */
	str description;
	int64_t artifact_count;
	int64_t pull_count;
	int64_t created_at_us, updated_at_us;
	str project;
	bool is_public;
	int64_t pulled_at_us; /* 0: never */
	int64_t list_version; /* grows with what lists of its artifacts may show, but for pulls */
};

enum repository_order {
	REPOSITORY_BY_NAME,
	REPOSITORY_BY_CREATION,
	REPOSITORY_BY_UPDATE,
	REPOSITORY_BY_PULLS,
	REPOSITORY_BY_ARTIFACTS,
	REPOSITORY_ORDER_COUNT,
};

struct repository_search {
	int64_t project_id;		   /* 0: of all projects that are seen */
	const struct project_sight *sight; /* then: who looks */
	str name_like;			   /* for LIKE; empty: any */
	str name;			   /* empty: any; asked for alone */
	str blob;			   /* digest text of a blob it holds; empty: any */
	enum repository_order order;
	bool descending;
	int64_t max, offset;
};

err_t db_repository_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct repository_row *ret);

/* True for all of a project or of a tenant by name or creation, or by name those with a part of it:
 * of them a page may begin at any row. `*ret_led`: every row on the way is one that is wanted. */
bool repository_search_has_places(const struct repository_search *search, bool *ret_led);
/* True when it wants only some of them, by name or by blob. */
bool repository_search_is_narrowed(const struct repository_search *search);
/* The offset counts from the row of repository `from_id`, that included; 0: from the beginning, as
 * always for a search without places. */
err_t db_repository_list(struct ctx *ctx, struct sql_tx *tx, const struct repository_search *search,
			 int64_t from_id, struct repository_row **ret, size_t *ret_count);

/* All of a project or a tenant, as if nothing narrowed the search; and a number that is another
 * whenever these are others, or called otherwise. */
err_t db_repository_total(struct ctx *ctx, struct sql_tx *tx,
			  const struct repository_search *search, int64_t *ret,
			  int64_t *ret_version);
/* How many fit. */
err_t db_repository_list_count(struct ctx *ctx, struct sql_tx *tx,
			       const struct repository_search *search, int64_t *ret);
/* How many artifacts the repositories of a project list. */
err_t db_repository_artifacts(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t *ret);

err_t db_repository_describe(struct ctx *ctx, struct sql_tx *tx, int64_t id, str description);
/* So many artifacts more are listed now, or others. */
err_t db_repository_count(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t change,
			  int64_t now_us);
/* The same are listed, but something about them changed by which lists choose. */
err_t db_repository_relist(struct ctx *ctx, struct sql_tx *tx, int64_t id);

err_t db_repository_uploads(struct ctx *ctx, struct sql_tx *tx, int64_t id, size_t max, str **ret,
			    size_t *ret_count);
/* Nobody adds to it before the transaction ends: for who deletes it. ERR_ABSENT. */
err_t db_repository_lock(struct ctx *ctx, struct sql_tx *tx, int64_t id);
/* Nobody deletes it before this transaction ends: for who locks what is in it, so that all take the
 * repository first. ERR_ABSENT. */
err_t db_repository_hold(struct ctx *ctx, struct sql_tx *tx, int64_t id);

/* What was in one that was deleted. */
struct repository_gone {
	int64_t project_id;
	str name;      /* that it had last */
	int64_t bytes; /* less in the project now */
	int64_t tags, manifests;
};
/* With all it holds; ERR_ABSENT when it is gone or somebody uploads to it. */
err_t db_repository_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			   struct repository_gone *ret);
/* The same unless there is a manifest: ERR_EXISTS, unrecorded. */
err_t db_repository_delete_empty(struct ctx *ctx, struct sql_tx *tx, int64_t id,
				 struct repository_gone *ret);
