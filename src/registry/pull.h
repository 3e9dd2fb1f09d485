/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pull.h - manifests and blobs out. Warm, neither touches the database nor parses JSON.
 */
#pragma once

#include "base/cache.h"
#include "codec/reference.h"
#include "registry/registry.h"

/* A manifest, pinned in the cache. */
struct manifest_view {
	struct cache_value *pin;
	digest digest; /* the one it was pushed with */
	str media_type;
	str bytes;
};
#define MANIFEST_VIEW_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}
void manifest_view_done(struct manifest_view *view); /* CLEANUP */

/* ERR_NAME_UNKNOWN, ERR_MANIFEST_UNKNOWN, ERR_CORRUPT (its bytes no longer match its digest). */
err_t manifest_get(struct ctx *ctx, struct registry *registry, str repository,
		   const struct reference *reference, struct manifest_view *ret);

/* Opens a blob of the repository. ERR_NAME_UNKNOWN, ERR_BLOB_UNKNOWN. Close with store_blob_done.
 */
err_t blob_open(struct ctx *ctx, struct registry *registry, str repository, digest d,
		struct store_blob *ret);
