/* SPDX-License-Identifier: Apache-2.0 */
/*
 * garbage.h - what was let go and may be garbage: a queue, and the steps by which its bytes go.
 *
 * Whoever lets go of something adds it in the same transaction, to be looked at after `window_us`.
 * Who collects takes what is due (which takes it off the queue), looks again whether anybody has
 * it, and condemns blobs that nobody has. Bytes are removed after that commit; then the row is
 * buried. What is condemned is never linked and never published again: who wants the same content
 * asks db_garbage_is_condemned() in the transaction that says so, and waits.
 *
 * All times are the database's. registry/collect.h has the whole story.
 */
#pragma once

#include "codec/digest.h"
#include "db/blob_link.h"
#include "sql/sql.h"

/* --- letting go ------------------------------------------------------------------------------- */

/* A repository has a blob that no manifest may refer to. With repository_id 0: a blob that no
 * repository may have. */
err_t db_garbage_add_link(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			  int64_t blob_id, int64_t window_us);
/* What a manifest refers to, before it goes; what a repository has, before that does. */
err_t db_garbage_add_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
			      int64_t window_us);
err_t db_garbage_add_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
				int64_t window_us);

/* --- relying on it all the same --------------------------------------------------------------- */

/* How long until a repository's blob is looked at, negative when it is late. ERR_ABSENT when nobody
 * let go of it. */
err_t db_garbage_find(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		      int64_t *ret_left_us);
/* The repository's blob is looked at then. Who asks whether it is there, and does so afterwards,
 * can rely on it until then. */
err_t db_garbage_put_off(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
			 int64_t window_us);

/* Whether bytes in the domain of a storage are about to be removed. Until the end of the
 * transaction they are not. `*ret_edition` is what is to be published, as db_blob_edition() says.
 */
err_t db_garbage_is_condemned(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, digest d,
			      bool *ret, uint32_t *ret_edition);

/* --- collecting ------------------------------------------------------------------------------- */

/* At most `max` that are due, off the queue. */
err_t db_garbage_take(struct ctx *ctx, struct sql_tx *tx, size_t max, struct blob_link **ret,
		      size_t *ret_count);

/* Those of the links that are there; with `hold` only those that nobody relies on at this moment,
 * and nobody will before the transaction ends. */
err_t db_garbage_links(struct ctx *ctx, struct sql_tx *tx, const struct blob_link *links,
		       size_t count, bool hold, struct blob_link **ret, size_t *ret_count);

/* Takes blobs out of repositories, of links that are held, unless a manifest there refers to them:
 * gives those that are gone. */
struct unlinked {
	struct blob_link link;
	str digest_text;
};
err_t db_garbage_unlink(struct ctx *ctx, struct sql_tx *tx, const struct blob_link *links,
			size_t count, struct unlinked **ret, size_t *ret_count);

/* Condemns those of the blobs that nobody has, on behalf of `by`, and gives those of which it
 * cannot be said yet. */
err_t db_garbage_condemn(struct ctx *ctx, struct sql_tx *tx, const struct blob_link *blobs,
			 size_t count, str by, struct blob_link **ret, size_t *ret_count);

struct condemned {
	int64_t id, storage_id;
	str digest_text;
	int64_t size_bytes;
	uint32_t edition;
};
err_t db_garbage_condemned(struct ctx *ctx, struct sql_tx *tx, str by, struct condemned **ret,
			   size_t *ret_count);
/* Those that others condemned longer than `age_us` ago and did not bury, at most `max`. Others may
 * be removing their bytes all the same, however late: the next edition of each has another name. */
err_t db_garbage_inherit(struct ctx *ctx, struct sql_tx *tx, str by, int64_t age_us, size_t max,
			 int64_t *ret_count);
/* The bytes of blobs, each of a storage, are gone; with a job whose report says so, and why.
 * Nothing happens to one that is somebody else's by now, or means another storage. */
struct garbage_burial {
	const struct blob_link *blobs;
	size_t count;
	int64_t job_id; /* 0: no report */
	str by, why;
};
err_t db_garbage_bury(struct ctx *ctx, struct sql_tx *tx, const struct garbage_burial *burial);

/* --- dry runs --------------------------------------------------------------------------------- */

/* A manifest would go, for this job and as long as it does not forget it. `*ret_new`: it is told
 * for the first time. */
err_t db_garbage_doom(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t manifest_id,
		      bool *ret_new);

/* What would go with it and all that is doomed already. */
struct doomed_follower {
	int64_t manifest_id, tags;
};
err_t db_garbage_doom_followers(struct ctx *ctx, struct sql_tx *tx, int64_t job_id,
				int64_t manifest_id, struct doomed_follower **ret,
				size_t *ret_count);
/* At most `max` of either kind; until there are none. */
err_t db_garbage_forget_doomed(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, size_t max,
			       int64_t *ret_count);

/* What would be condemned, by the blobs' ids: of what is due now, or (`only_doomed`) of what is not
 * and only goes with what the job has doomed. */
struct would_free {
	struct condemned blob;
	bool with_doomed;
};
struct would_free_query {
	int64_t job_id, after_id;
	size_t max;
	bool only_doomed;
};
err_t db_garbage_would_free(struct ctx *ctx, struct sql_tx *tx,
			    const struct would_free_query *query, struct would_free **ret,
			    size_t *ret_count);

/* --- untagged artifacts ----------------------------------------------------------------------- */

/* Artifacts that have been without a tag, a parent and a subject for longer than `age_us`. */
struct loose_artifact {
	int64_t id, tenant_id, project_id, repository_id, size_bytes;
	str repository, digest_text;
};
err_t db_garbage_loose_page(struct ctx *ctx, struct sql_tx *tx, int64_t after_id, int64_t age_us,
			    size_t max, struct loose_artifact **ret, size_t *ret_count);
/* Whether a manifest, which the caller has locked, is one of those. */
err_t db_garbage_is_loose(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id, int64_t age_us,
			  bool *ret);

/* --- what was removed ------------------------------------------------------------------------- */

struct garbage_freed {
	int64_t id;
	str kind; /* "blob", "artifact", "upload" */
	int64_t tenant_id;
	str repository;	 /* of an artifact */
	str digest_text; /* of an upload its id */
	int64_t size_bytes;
	str why;
};
err_t db_garbage_report(struct ctx *ctx, struct sql_tx *tx, int64_t job_id,
			const struct garbage_freed *freed);
err_t db_garbage_freed_page(struct ctx *ctx, struct sql_tx *tx, int64_t job_id, int64_t after_id,
			    size_t max, struct garbage_freed **ret, size_t *ret_count);

#define GARBAGE_COUNT_MAX 100000
struct garbage_count {
	int64_t due;	 /* GARBAGE_COUNT_MAX: so many or more */
	int64_t late_us; /* of the oldest */
};
err_t db_garbage_count(struct ctx *ctx, struct sql_tx *tx, struct garbage_count *ret);
