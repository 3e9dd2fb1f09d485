/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h - manifests with their exact bytes, and what they refer to. */
#pragma once

#include "codec/digest.h"
#include "codec/manifest.h"
#include "sql/sql.h"

struct manifest_row {
	int64_t id;
	digest digest;
	str media_type;
	str content;
};

err_t db_manifest_find(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		       struct manifest_row *ret);
err_t db_manifest_find_by_tag(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str tag,
			      struct manifest_row *ret);
err_t db_manifest_find_id(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
			  int64_t *ret_id);
/* The same, and nobody points a tag to it before the transaction ends: for who deletes it. */
err_t db_manifest_lock(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		       int64_t *ret_id);

/*
 * Stores the manifest and its references unless the repository has it already; sets `row->id`
 * either way. Who makes one makes its artifact row too (db/artifact.h). ERR_ABSENT when the
 * repository was deleted.
 */
err_t db_manifest_ensure(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			 struct manifest_row *row, const struct manifest *parsed, bool *ret_made);

/* Deletes the row and its references; its tags and its artifact row must be gone. */
err_t db_manifest_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);

struct referrer {
	str digest_text;
	str media_type;
	str artifact_type;
	str annotations_json;
	int64_t size_bytes;
};

struct referrer_query {
	int64_t repository_id;
	digest subject;
	str artifact_type; /* empty: any */
	str last;	   /* digest text; empty: from the start */
	size_t max;
};
err_t db_manifest_referrers(struct ctx *ctx, struct sql_tx *tx, const struct referrer_query *query,
			    struct referrer **ret, size_t *ret_count);

/* The digest text of a manifest's subject, empty when it has none; ERR_ABSENT without the manifest.
 */
err_t db_manifest_subject(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			  str digest_text, str *ret);

struct manifest_of_repository {
	int64_t id;
	str repository;
	str digest_text;
	str content;
};
/* At most `max` manifests of the whole registry with ids after `last_id`. */
err_t db_manifest_page(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
		       struct manifest_of_repository **ret, size_t *ret_count);
