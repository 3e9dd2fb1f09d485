/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob.h - blobs: one row for the bytes in a storage, one more for each repository that may serve
 * them.
 *
 * A blob row is written only after its bytes are durable (store_driver.publish).
 */
#pragma once

#include "codec/digest.h"
#include "sql/sql.h"

struct blob {
	int64_t id;
	int64_t storage_id; /* where the bytes are */
	uint64_t size_bytes;
	uint32_t edition; /* of the bytes' name (store/store.h) */
};

/* In the domain of a storage, wherever the bytes are: that is its storage_id. */
err_t db_blob_find(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, digest d,
		   struct blob *ret);
err_t db_blob_find_in_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
				 digest d, struct blob *ret);
/* The same for who relies on it: it stays in the repository until the transaction ends. */
err_t db_blob_hold_in_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
				 digest d, struct blob *ret);

/* Which edition of a digest there is in the domain of a storage, or is to be published: the row's,
 * or the first that nobody may be removing. Stays so while an upload says that it is publishing the
 * digest. */
err_t db_blob_edition(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, digest d,
		      uint32_t *ret);

/* Bytes in a storage that a row is to mean. */
struct blob_bytes {
	int64_t storage_id;
	digest digest;
	uint32_t edition;
	uint64_t size_bytes;
};

/* OK when they have a row that means them, or are on a move; else ERR_ABSENT. */
err_t db_blob_is_at(struct ctx *ctx, struct sql_tx *tx, const struct blob_bytes *bytes);

/* Makes the row unless there is one in the storage's domain: that may say that the bytes are
 * elsewhere. ERR_ABSENT when there is none, and somebody may be removing that edition. */
err_t db_blob_ensure(struct ctx *ctx, struct sql_tx *tx, const struct blob_bytes *bytes,
		     struct blob *ret);
err_t db_blob_link(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, int64_t blob_id);

/* ERR_ABSENT when the repository does not have it. */
err_t db_blob_unlink(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, digest d,
		     int64_t *ret_blob_id);

/* Names of at most `max` repositories of the tenant that hold `d`. */
err_t db_blob_holders(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, digest d, size_t max,
		      str **ret, size_t *ret_count);

struct blob_row {
	str digest_text;
	uint64_t size_bytes;
	uint32_t edition;
};
/* At most `max` rows of a storage with digests after `last`, for walking them all. */
err_t db_blob_page(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, str last, size_t max,
		   struct blob_row **ret, size_t *ret_count);
