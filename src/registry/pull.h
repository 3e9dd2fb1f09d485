/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pull.h - manifests and blobs out. Warm, neither touches the database nor parses JSON.
 */
#pragma once

#include "base/cache.h"
#include "codec/cidr.h"
#include "codec/reference.h"
#include "registry/registry.h"
#include "registry/storage.h"

/* A manifest, pinned in the cache. */
struct manifest_view {
	struct cache_value *pin;
	int64_t id, repository_id;
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

/* It was pulled, by a tag or (empty) by its digest. Waits for nothing. */
void manifest_pulled(struct registry *registry, const struct manifest_view *view, str tag);

/* Up to this size a blob's bytes are kept in the cache, once they were proved to match its digest.
 */
#define BLOB_CACHED_BYTES_MAX KIB(128)

/* A blob, open for reading: pinned in the cache, or in its store. */
struct blob_view {
	struct storage *storage;
	struct store_blob stored; /* the registry's own */
	struct cache_value *pin;  /* likewise */
	uint64_t size_bytes;
	str bytes; /* all of them, when they are in memory */
	int fd;	   /* >= 0 when they are a local file that can be sent directly */
	str url;   /* where they are to be read instead of here; nothing is open then */
};
#define BLOB_VIEW_INIT                                                                             \
	{                                                                                          \
		.stored = STORE_BLOB_INIT, .fd = -1                                                \
	}
void blob_view_done(struct blob_view *view); /* CLEANUP */

/* Opens a blob of the repository. ERR_NAME_UNKNOWN, ERR_BLOB_UNKNOWN, ERR_CORRUPT (a small one
 * whose bytes no longer match its digest). */
err_t blob_open(struct ctx *ctx, struct registry *registry, str repository, digest d,
		struct blob_view *ret);

/*
 * The same for a client that may be sent elsewhere for it: `url` is set when its storage sends
 * whoever is there to the bytes themselves. What memory has, or is to have, never is: that is
 * faster. Who `relies` on the blob's being there will refer to it, and is sure of it for three
 * quarters of garbage.window (collect.h); that costs a look at the database at most four times a
 * window.
 */
struct blob_reader {
	bool (*address)(const void *arg, ip *ret); /* asked when it matters; false: read it here */
	const void *arg;
	bool relies;
};
err_t blob_open_for(struct ctx *ctx, struct registry *registry, str repository, digest d,
		    const struct blob_reader *reader, struct blob_view *ret);

/* Reads up to `len` bytes at `offset`; `*ret_len` is 0 at the end. */
err_t blob_read(struct ctx *ctx, struct blob_view *view, uint64_t offset, void *into, size_t len,
		size_t *ret_len);
