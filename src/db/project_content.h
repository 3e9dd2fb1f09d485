/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project_content.h - what counts for a project's quota: its blobs and manifests, each once,
 * however many of its repositories have it.
 *
 * A blob counts from the moment a repository of the project gets it (a claim) until the last
 * manifest that refers to it goes, or the last repository lets go of it (freeing). One that is
 * still linked and counts no more counts again when a manifest refers to it. So a blob that is
 * linked and referred to always counts, one that is neither never does, and of what is between
 * the row itself says it.
 *
 * All of it happens in the transaction that changes links and manifests, and answers how many bytes
 * more or less the project has by it: the caller charges them (db/quota.h).
 */
#pragma once

#include "codec/digest.h"
#include "db/blob_link.h"
#include "db/artifact.h"
#include "sql/sql.h"

/* A repository got a blob: after the link. Adds to `*bytes` what is new to the project. ERR_BUSY
 * when others free it again and again. */
err_t db_content_claim_link(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			    int64_t blob_id, int64_t *bytes);

/* A manifest was made: after its references. Adds its own bytes and those of what it refers to,
 * where they are new to the project. */
err_t db_content_claim_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
				int64_t *bytes);

/* A repository let go of a blob: after the link is gone. Takes from `*bytes` what the project is
 * rid of. */
err_t db_content_free_link(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			   int64_t blob_id, int64_t *bytes);

/* The same of many, which gives what each project is rid of; a project may come more than once. */
struct content_freed {
	int64_t bytes, project_id;
};
err_t db_content_free_links(struct ctx *ctx, struct sql_tx *tx, const struct blob_link *links,
			    size_t count, struct content_freed **ret, size_t *ret_count);

/* A manifest, or a repository with all it has, is about to go. */
err_t db_content_free_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
			       int64_t *bytes);
err_t db_content_free_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
				 int64_t *bytes);

/* Whether the repository's project has a blob already: sending it again needs no room. */
err_t db_content_has_blob(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
			  bool *ret);

/* Makes rows as they should be by links and manifests; nobody should change them meanwhile.
 * `*ret_mended` rows were not. */
err_t db_content_mend(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_mended);

/* For fsck, as db_artifact_wrong(): blobs by their ids, with the project's name; manifests by their
 * projects; and repositories whose rows name another project. */
err_t db_content_wrong_blobs(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			     struct artifact_wrong **ret, size_t *ret_count);
err_t db_content_wrong_manifests(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
				 struct artifact_wrong **ret, size_t *ret_count);
err_t db_content_wrong_projects(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
				struct artifact_wrong **ret, size_t *ret_count);
