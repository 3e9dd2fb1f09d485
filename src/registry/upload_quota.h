/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload_quota.h - room for bytes that are still coming; private to registry.
 *
 * Where there is no limit nothing happens here. Otherwise an upload may store so many bytes without
 * asking (UPLOAD_UNASKED_BYTES), then looks for room, and from UPLOAD_RESERVE_BYTES on reserves it
 * in steps of that size, in its session's row, so that nobody else gets it and a restart keeps it.
 * The reservation goes with the session, however that ends.
 *
 * Only a hint says whether there is a limit: it may be QUOTA_HINT_S old on a node that did not set
 * it. What is linked in the end is charged exactly by whoever links it.
 */
#pragma once

#include "registry/upload.h"

#define UPLOAD_UNASKED_BYTES KIB(128)
#define UPLOAD_RESERVE_BYTES MIB(16)
#define QUOTA_HINT_S	     5

/* Before the upload has `total_bytes`; looks only when that is more than was granted. ERR_QUOTA. */
err_t upload_quota_grant(struct ctx *ctx, struct upload *up, uint64_t total_bytes);

/* The same when so many will come, and no more is to be reserved: `want` (may be NULL) is what they
 * will be, and what the project has needs no room. */
err_t upload_quota_announce(struct ctx *ctx, struct upload *up, uint64_t total_bytes,
			    const digest *want);

/* Whether upload_quota_settle() has something to do. */
err_t upload_quota_is_limited(struct ctx *ctx, const struct upload *up, bool *ret);

/* In a transaction, before the bytes become the blob `d`: all of it is reserved unless the project
 * has it, so that what does not fit is refused before it is published. ERR_QUOTA. */
err_t upload_quota_settle(struct ctx *ctx, struct sql_tx *tx, const struct upload *up, digest d);
