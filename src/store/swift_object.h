/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_object.h - what can be done with the objects of a container, a function for each; private
 * to store.
 *
 * Errors are swift_client.h's. A plain object's etag is the MD5 of its bytes. It goes along with
 * what is sent, so the server compares it, and the server's own is compared here: ERR_CORRUPT when
 * they differ. A large object is a manifest that names segments ("static large object"); its etag
 * is the MD5 of theirs. Segments are objects like others, and outlive a manifest that is removed.
 *
 * Rejected: having the server copy. Ceph copies a manifest as such, so that two of them share
 * segments; and Swift moves all bytes through a proxy.
 */
#pragma once

#include "crypto/md5.h"
#include "remote_reader.h"
#include "swift_client.h"

#define SWIFT_SEGMENTS_MAX     1000 /* of a manifest, where a server does not say otherwise */
#define SWIFT_SEGMENT_NAME_MAX 32
#define SWIFT_MANIFEST_TYPE    STR("application/x-berth-segments")

struct swift_object {
	uint64_t size_bytes;
	char etag[REMOTE_ETAG_MAX + 1]; /* without quotes */
	bool is_large;
	char upload[REMOTE_ID_MAX + 1]; /* of a large one: whose segments it names; or empty */
};

struct swift_segment {
	uint64_t size_bytes;
	char name[SWIFT_SEGMENT_NAME_MAX + 1]; /* in its folder */
	char etag[MD5_TEXT_LEN + 1];
};

/* `etag`, when not NULL: of what was stored. */
err_t swift_put(struct ctx *ctx, struct swift_client *client, str key, str bytes,
		char etag[MD5_TEXT_LEN + 1]);

/* `is_there`: it was just written, so that the server may only not have seen it yet. */
err_t swift_head(struct ctx *ctx, struct swift_client *client, str key, bool is_there,
		 struct swift_object *ret);

/* A large object of the segments in `folder` (which ends with a slash), for which `upload` says
 * whose they are. */
struct swift_manifest {
	str folder, upload;
	const struct swift_segment *segments;
	size_t count;
};
err_t swift_put_manifest(struct ctx *ctx, struct swift_client *client, str key,
			 const struct swift_manifest *manifest);

/* The etag that such an object has. */
void swift_whole_etag(const struct swift_segment *segments, size_t count,
		      char into[MD5_TEXT_LEN + 1]);

/* Gone afterwards, and OK when they were not there; many at once where the server can. */
err_t swift_remove(struct ctx *ctx, struct swift_client *client, const str *keys, size_t count);

/* All objects whose key begins with `prefix`, in the order of their keys, a page at a time. */
struct swift_visitor {
	err_t (*object)(struct ctx *ctx, void *arg, const struct swift_item *item);
	void *arg;
};
err_t swift_list(struct ctx *ctx, struct swift_client *client, str prefix,
		 const struct swift_visitor *visitor);

/* Removes all objects whose key begins with `prefix` and for which `is_kept` (NULL: none) is
 * false. */
err_t swift_remove_all(struct ctx *ctx, struct swift_client *client, str prefix,
		       bool (*is_kept)(void *arg, str key), void *arg);

/* What the server can do; ERR_ABSENT where it does not say. */
err_t swift_ask_info(struct ctx *ctx, struct swift_client *client, struct swift_info *ret);

/* The objects of the container, for remote_reader.h. */
struct remote_source swift_source(struct swift_client *client);
