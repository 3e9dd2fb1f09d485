/* SPDX-License-Identifier: Apache-2.0 */
/* upload.h - upload sessions: which repository an id belongs to, and whether its bytes are being
 * published. */
#pragma once

#include "codec/digest.h"
#include "sql/sql.h"

struct upload_row {
	int64_t repository_id;
	int64_t storage_id; /* where its bytes are, and stay */
	enum digest_algorithm algorithm;
	digest publishing; /* none unless its bytes were about to become this blob */
	int64_t reserved_bytes;
};

/* In the storage of the repository's tenant; ERR_ABSENT when that is erased, or the repository
 * gone.
 */
err_t db_upload_insert(struct ctx *ctx, struct sql_tx *tx, str id, int64_t repository_id,
		       enum digest_algorithm algorithm);
/* ERR_ABSENT also when the session belongs to another repository. */
err_t db_upload_find(struct ctx *ctx, struct sql_tx *tx, str id, int64_t repository_id,
		     struct upload_row *ret);
/* ERR_ABSENT also when its bytes are in another storage. */
err_t db_upload_exists(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, str id);
err_t db_upload_touch(struct ctx *ctx, struct sql_tx *tx, str id);
/* Records the intent to publish under `d`; none clears it. */
err_t db_upload_set_publishing(struct ctx *ctx, struct sql_tx *tx, str id, digest d);
/* The session, whosever it is. */
err_t db_upload_get(struct ctx *ctx, struct sql_tx *tx, str id, struct upload_row *ret);
/* Adds to what it has reserved of its project's quota. ERR_ABSENT when it is gone. */
err_t db_upload_reserve(struct ctx *ctx, struct sql_tx *tx, str id, int64_t bytes);
/* ERR_ABSENT when it is gone; else what it had reserved. */
err_t db_upload_delete(struct ctx *ctx, struct sql_tx *tx, str id, int64_t *ret_reserved_bytes);

/* OK when some session is about to publish `d` in the storage, else ERR_ABSENT. */
err_t db_upload_is_publishing(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, digest d);

/* Sessions with an intent, and sessions not touched since: at most `max` ids. */
err_t db_upload_publishing_page(struct ctx *ctx, struct sql_tx *tx, str last, size_t max, str **ret,
				size_t *ret_count);
err_t db_upload_expired_page(struct ctx *ctx, struct sql_tx *tx, int64_t before_us, size_t max,
			     str **ret, size_t *ret_count);
