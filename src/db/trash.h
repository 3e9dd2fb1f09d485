/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trash.h - what was deleted and can be restored, as rows; registry/trash.h has the story.
 *
 * An entry is opened, filled and weighed in the transaction of the deletion, before its rows go.
 * All statements work on sets, so a repository costs as many as an artifact. Times are the
 * database's.
 */
#pragma once

#include "db/quota.h"

enum trash_kind {
	TRASH_ANY,
	TRASH_TAG,
	TRASH_ARTIFACT,
	TRASH_REPOSITORY,
	TRASH_PROJECT,
	TRASH_KIND_COUNT,
};

/* --- deleting --------------------------------------------------------------------------------- */

/* On whose behalf, and for how long unless the tenant or the project says otherwise. */
struct trash_opening {
	enum trash_kind kind;
	int64_t window_us;
	str by;
	int64_t id; /* of the repository, or of the project */
	str what;   /* an artifact's digest, a tag's name */
};
/* `*ret_id` is 0 when the window is zero: then nothing was written. */
err_t db_trash_open(struct ctx *ctx, struct sql_tx *tx, const struct trash_opening *opening,
		    int64_t *ret_id);

/* A manifest, or all of a repository, with what holds its blobs. */
err_t db_trash_take_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t manifest_id);
err_t db_trash_take_repository(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			       int64_t repository_id);
/* Settings, members, limits and the allowlist. */
err_t db_trash_take_project(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t project_id);

struct trash_weight {
	int64_t bytes, artifacts, tags;
};
err_t db_trash_weigh(struct ctx *ctx, struct sql_tx *tx, int64_t id,
		     const struct trash_weight *weight);

/* --- looking ---------------------------------------------------------------------------------- */

struct trash_entry {
	int64_t id, project_id;
	enum trash_kind kind;
	str deleted_by;
	int64_t deleted_at_us, ends_at_us;
	int64_t repository_id; /* that it had */
	str repository;	       /* path in the project */
	str digest;	       /* of an artifact, or that a tag pointed to */
	str name;	       /* of a tag or a project */
	struct trash_weight weight;
	str project; /* its name now; of one that is deleted none that can be asked for */
	bool project_deleted;
};

/* With `project_id` 0: of any project of the tenant. ERR_ABSENT, unrecorded, when there is none or
 * its window is over. Locked, it is nobody else's until the transaction ends. */
struct trash_place {
	int64_t tenant_id, project_id, id;
};
err_t db_trash_find(struct ctx *ctx, struct sql_tx *tx, const struct trash_place *place,
		    struct trash_entry *ret);
err_t db_trash_lock(struct ctx *ctx, struct sql_tx *tx, const struct trash_place *place,
		    struct trash_entry *ret);

struct trash_query {
	int64_t tenant_id;
	int64_t project_id; /* 0: all of the tenant */
	enum trash_kind kind;
	str repository; /* empty: all; else a path in the project */
	int64_t limit, offset;
};
/* The newest first. */
err_t db_trash_page(struct ctx *ctx, struct sql_tx *tx, const struct trash_query *query,
		    struct trash_entry **ret, size_t *ret_count);
err_t db_trash_count(struct ctx *ctx, struct sql_tx *tx, const struct trash_query *query,
		     int64_t *ret_entries, int64_t *ret_bytes);

/* --- restoring -------------------------------------------------------------------------------- */

/* Into a repository that is held. `*bytes` grows by what is new to the project, and the rest is
 * what there is more of. Tags that lead elsewhere stay so. Counters of artifacts are settled by
 * db_trash_settle(), which says how many more are listed. */
struct trash_put {
	int64_t id, repository_id;
	int64_t bytes, artifacts, tags, listed;
};
err_t db_trash_put(struct ctx *ctx, struct sql_tx *tx, struct trash_put *put);
/* For the history of the tags that come back, by whom; before they do. */
err_t db_trash_record_tags(struct ctx *ctx, struct sql_tx *tx, const struct trash_put *put,
			   str actor_type, str actor);
err_t db_trash_settle(struct ctx *ctx, struct sql_tx *tx, struct trash_put *put);

struct trash_tag {
	str name;
	int64_t manifest_id; /* it had in the trash, which is back */
};
/* Tags of the entry that lead elsewhere. */
err_t db_trash_taken(struct ctx *ctx, struct sql_tx *tx, const struct trash_put *put, size_t max,
		     struct trash_tag **ret, size_t *ret_count);

/* Description and counts of a repository that was made for it. */
err_t db_trash_put_repository(struct ctx *ctx, struct sql_tx *tx, const struct trash_put *put);

/* A project gets `name`, its settings, members and limits. ERR_EXISTS, unrecorded. */
err_t db_trash_put_project(struct ctx *ctx, struct sql_tx *tx, const struct trash_entry *entry,
			   int64_t tenant_id, str name);

err_t db_trash_forget(struct ctx *ctx, struct sql_tx *tx, int64_t id);

/* --- the end ---------------------------------------------------------------------------------- */

/* Nobody can restore it from now on. */
err_t db_trash_end(struct ctx *ctx, struct sql_tx *tx, int64_t id);
err_t db_trash_end_all(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id);
/* Of all whose bytes are in a storage, or were before they moved to it. */
err_t db_trash_end_storage(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id);

/* Removes rows of entries whose end has come, about `max` of them. `*ret_rows` is how many;
 * `*ret_entries` are gone with their last. */
err_t db_trash_remove(struct ctx *ctx, struct sql_tx *tx, int64_t max, int64_t *ret_rows,
		      int64_t *ret_entries);

/* --- windows ---------------------------------------------------------------------------------- */

/* Of a project, or (0) of all of a tenant's that have none. ERR_ABSENT, unrecorded. */
err_t db_trash_window(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t project_id,
		      int64_t *ret_us);
/* Negative: none of its own. */
err_t db_trash_set_window(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t project_id,
			  int64_t window_us);

/* --- proof ------------------------------------------------------------------------------------ */

struct manifest_of_repository; /* db/manifest.h; its id is the entry's */
err_t db_trash_manifests(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, str last_digest,
			 size_t max, struct manifest_of_repository **ret, size_t *ret_count);
/* As db_artifact_wrong(): entries that have not the manifests that they say. */
struct artifact_wrong;
err_t db_trash_wrong(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
		     struct artifact_wrong **ret, size_t *ret_count);
