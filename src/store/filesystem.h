/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem.h - the driver "filesystem": a directory of blobs and uploads; private to store.
 *
 *	<location>/blobs/<algorithm>/<first 2 hex digits>/<hex>[.<edition>]
 *	<location>/uploads/<id>
 *
 * Files are 0640, directories 0750. Every name is opened relative to a descriptor that is held from
 * open to close, so moving the location away under a running server cannot split it.
 */
#pragma once

#include "store/store.h"

#include <stdatomic.h>

#define FILESYSTEM_SHARDS	 256
#define FILESYSTEM_NAME_MAX	 (3 + BLOB_NAME_TEXT_MAX)
#define FILESYSTEM_UPLOAD_ID_MAX 64

struct filesystem_shelf { /* the blobs of one algorithm */
	int dir_fd;
	_Atomic(bool) shard_durable[FILESYSTEM_SHARDS]; /* exists, and its name has been synced */
};

struct filesystem {
	struct store store;
	int blobs_fd;
	int uploads_fd;
	struct filesystem_shelf shelves[DIGEST_SHA512 + 1];
};

extern const struct store_driver store_filesystem;

/* "ab/" and the text of the name */
void filesystem_blob_name(blob_name name, char into[FILESYSTEM_NAME_MAX]);

/* True, with a NUL-terminated copy, when `id` cannot be anything but a plain file name. */
bool filesystem_upload_name(str id, char into[FILESYSTEM_UPLOAD_ID_MAX + 1]);

/* ERR_STORAGE_FULL or ERR_STORAGE. */
err_t filesystem_error(int sys_errno);

err_t filesystem_walk(struct ctx *ctx, struct store *store, const struct store_walk *visitor);
