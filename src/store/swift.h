/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift.h - the driver "swift": a container, or a part of one, of a Swift server; private to store.
 *
 *	<prefix>blobs/<algorithm>/<2 digits>/<hex>	a blob: its bytes, or a manifest
 *	<prefix>uploads/<id>				how far an upload has come, its last bytes
 *	<prefix>segments/<id>/<number>-<nonce>		its other bytes, and the blob's later
 *	<prefix>segments/<id>/of-<algorithm>-<hex>	which blob that is; an empty object
 *
 * Swift can neither append nor rename, but a manifest makes one object of many where they are.
 * So an upload is segments, each sent when it is full, and a tail in memory, which the flush
 * writes into the state's object. Publishing a small upload puts its bytes under the blob's name;
 * publishing a large one puts a manifest there, and no byte moves. Segments have names that are
 * never used twice.
 *
 * Whose segments are in a folder is said twice: the manifest names the upload, and the folder names
 * the blob. The second is written first. So a folder whose blob does not name it back, and of whose
 * upload there is no state, is what a crash left; a walk reports it as an upload, and removing that
 * removes it.
 *
 * Durable is what the server has acknowledged; its etags are compared with what was sent.
 */
#pragma once

#include "store/store.h"
#include "swift_object.h"

#include <pthread.h>

#define SWIFT_TURNS 64

struct swift_store {
	struct store store;
	struct swift_client *client;
	char *prefix;			    /* empty, or with a slash at its end */
	pthread_mutex_t turns[SWIFT_TURNS]; /* of publishing, by the digest's first byte; held while
					     * the server is asked */
};

extern const struct store_driver store_swift;

struct swift_store *swift_of(struct store *store);

/* Keys, NUL-terminated in the caller's array. A folder ends with a slash. */
str swift_blob_key(const struct swift_store *swift, blob_name name, char into[REMOTE_KEY_MAX]);
str swift_state_key(const struct swift_store *swift, str id, char into[REMOTE_KEY_MAX]);
str swift_folder_key(const struct swift_store *swift, str id, char into[REMOTE_KEY_MAX]);
str swift_segment_key(const struct swift_store *swift, str id, const char *name,
		      char into[REMOTE_KEY_MAX]);
str swift_marker_key(const struct swift_store *swift, str id, blob_name blob,
		     char into[REMOTE_KEY_MAX]);

/* Of a name in a folder: which blob it says it is of. */
bool swift_marker_parse(str name, blob_name *ret);

/* The client and the prefix that a place names. Asks nobody. */
err_t swift_store_new(struct ctx *ctx, const struct store_place *place, struct swift_store **ret);

/* That a blob is stored as it was meant: its size and, if one is given, its etag; its bytes where
 * the options say so. ERR_CORRUPT. */
err_t swift_verify_blob(struct ctx *ctx, struct swift_store *swift, blob_name blob,
			uint64_t size_bytes, const char *etag);

/* Whether blob `d` is made of the segments of upload `id`. */
err_t swift_blob_is_of(struct ctx *ctx, struct swift_store *swift, blob_name blob, str id,
		       bool *ret);

/* swift_upload.c */
err_t swift_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
			struct store_upload *ret);
void swift_upload_close(struct store_upload *upload);
err_t swift_upload_remove(struct ctx *ctx, struct store *store, str id);
err_t swift_publish(struct ctx *ctx, struct store *store, struct store_upload *upload, str id,
		    blob_name name);
/* How many bytes an upload has, by its state; ERR_ABSENT when there is none, ERR_CORRUPT when what
 * is there is none. */
err_t swift_upload_bytes(struct ctx *ctx, struct swift_store *swift, str id, uint64_t *ret_bytes);

/* swift_walk.c */
err_t swift_walk(struct ctx *ctx, struct store *store, const struct store_walk *visitor);
