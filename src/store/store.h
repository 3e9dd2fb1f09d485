/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - where bytes live: uploads in progress and published blobs, behind one vtable.
 *
 * A driver keeps two kinds of things:
 *	an upload   append-only bytes under an id the caller chose (a UUID);
 *	a blob      immutable bytes under their name, once per store.
 *
 * store_publish() turns the first into the second and returns only when the blob is durable: a
 * power cut after it loses nothing. Rows come after (design: bytes before row). All calls block,
 * honour ctx->deadline_ns (and set it anew when bytes have moved: ctx_progress), and are safe from
 * many threads; two writers on one upload are the caller's to prevent.
 *
 * An id may hold lower-case hex digits and dashes only; any other id names no upload
 * (ERR_UPLOAD_UNKNOWN).
 *
 * Errors: ERR_UPLOAD_UNKNOWN, ERR_BLOB_UNKNOWN, ERR_DEADLINE and ERR_CANCELLED (see ctx_check),
 * ERR_BUSY (the server that keeps the bytes wants fewer requests), ERR_STORAGE_FULL (no space,
 * quota of the disk), ERR_CORRUPT (bytes that are not what was stored, where the driver can tell),
 * ERR_STORAGE_ERASED, ERR_STORAGE (everything else). On an error nothing half-made is visible under
 * its final name.
 */
#pragma once

#include "base/ctx.h"
#include "codec/cidr.h"
#include "store/blob_name.h"

#define STORE_DIRECT_BYTES MIB(1)

struct store;

/* A blob opened for reading. `fd` is >= 0 when the bytes are a local file that can be sent
 * directly. */
struct store_blob {
	struct store *store;
	int fd;
	void *handle;
	uint64_t size_bytes;
};

/* An upload opened for appending. */
struct store_upload {
	struct store *store;
	int fd;
	void *handle;
	uint64_t size_bytes; /* bytes already there */
	uint64_t version; /* another one than at the last open or flush: somebody else has written
			     since */
};

/*
 * Called for each item of a walk, in the order of their names; a failure ends the walk and is
 * returned from it. Names live for the call only. What comes or goes during the walk may be missed.
 * Without `blob` none of them is listed.
 */
struct store_walk {
	err_t (*blob)(struct ctx *ctx, void *arg, blob_name name, uint64_t size_bytes);
	err_t (*upload)(struct ctx *ctx, void *arg, str id, uint64_t size_bytes);
	err_t (*stray)(struct ctx *ctx, void *arg, str name); /* neither: reported, never touched */
	void *arg;
};

/* One of a driver's `settings` or `secrets`. */
struct store_setting {
	str name;
	str value;
};

/* What a store is opened with; all of it is read during the call only. */
struct store_place {
	const char *location; /* the driver's own: a directory for "filesystem", a prefix of keys
				 for "s3" and "swift" */
	const struct store_setting *settings;
	size_t setting_count;
};

struct store_check_report; /* store_check.h */
struct store_removal;	   /* store_remove.h */

struct store_driver {
	const char *name;
	bool in_files; /* a location is a directory of this machine */

	/* Names of what may be set beside the location, NULL behind the last; `secrets` are sealed
	 * where they are kept. */
	const char *const *settings;
	const char *const *secrets;

	/* Whether a place that a tenant gives makes sense, without asking anybody: ERR_CONFIG, with
	 * a text for who gave it. NULL where all that has the right names does. */
	err_t (*check)(struct ctx *ctx, const struct store_place *place);
	/* Tries what the driver needs of a server that is somebody else's: store_check.h. NULL
	 * where there is none. */
	err_t (*try_out)(struct ctx *ctx, const struct store_place *place,
			 const struct store_check_report *report);
	/* Creates what is missing. ERR_CONFIG for settings that make no sense. */
	err_t (*open)(struct ctx *ctx, const struct store_place *place, struct store **ret);
	void (*close)(struct store *store);
	/* What it keeps is to be read no more: its key is gone. All calls fail from here on, those
	 * on what is open too. Any thread. NULL where there is no key. */
	void (*forget)(struct store *store);

	/* Opens upload `id`, creating it when `create`; positions at its end. One open at a time.
	 */
	err_t (*upload_open)(struct ctx *ctx, struct store *store, str id, bool create,
			     struct store_upload *ret);
	/* Appends all of `bytes` or fails; after a failure the upload is cut back to its old size.
	 * At least STORE_DIRECT_BYTES that are aligned to pages, in memory and in the upload, may
	 * go around the system's cache: that saves a copy, and leaves the cache to what is read.
	 */
	err_t (*upload_append)(struct ctx *ctx, struct store_upload *upload, str bytes);
	/* All that was appended is there for the next who opens it, after a crash of the process
	 * too. Without it the last appends may be lost at close. */
	err_t (*upload_flush)(struct ctx *ctx, struct store_upload *upload);
	/* Cuts it back to its first `size_bytes`. For a store that lies in this one; NULL where
	 * none can. */
	err_t (*upload_cut)(struct ctx *ctx, struct store_upload *upload, uint64_t size_bytes);
	/* Reads up to `len` bytes at `offset`; `*ret_len` is 0 at the end. For re-hashing. */
	err_t (*upload_read)(struct ctx *ctx, struct store_upload *upload, uint64_t offset,
			     void *into, size_t len, size_t *ret_len);
	void (*upload_close)(struct store_upload *upload);
	/* Removes it; OK when it is already gone. */
	err_t (*upload_remove)(struct ctx *ctx, struct store *store, str id);

	/* Makes the bytes durable, gives them the name, makes the name durable. The caller has
	 * checked the digest. An existing blob of the same size is kept. The upload is gone
	 * afterwards. */
	err_t (*publish)(struct ctx *ctx, struct store *store, struct store_upload *upload, str id,
			 blob_name name);

	err_t (*blob_open)(struct ctx *ctx, struct store *store, blob_name name,
			   struct store_blob *ret);
	err_t (*blob_read)(struct ctx *ctx, struct store_blob *blob, uint64_t offset, void *into,
			   size_t len, size_t *ret_len);
	void (*blob_close)(struct store_blob *blob);
	err_t (*blob_size)(struct ctx *ctx, struct store *store, blob_name name,
			   uint64_t *ret_size_bytes);
	/* A URL at which who has this address may read the blob by GET for a while, whole or one
	 * range of it, in ctx->arena; `*ret_url` is empty when he is to get the bytes here. Nobody
	 * is asked whether the blob is there. NULL: always here. */
	err_t (*blob_url)(struct ctx *ctx, struct store *store, blob_name name, ip reader,
			  str *ret_url);
	/* Removes it; OK when it is already gone. */
	err_t (*blob_remove)(struct ctx *ctx, struct store *store, blob_name name);
	/* Removes many with less to do than for each alone: store_remove.h. NULL where one by one
	 * is as good. */
	err_t (*blobs_remove)(struct ctx *ctx, struct store *store,
			      const struct store_removal *removal);

	err_t (*walk)(struct ctx *ctx, struct store *store, const struct store_walk *visitor);

	/* How much room there is, and how much of it is left for this program; both 0 where there
	 * is no such bound. */
	err_t (*space)(struct ctx *ctx, struct store *store, uint64_t *ret_total_bytes,
		       uint64_t *ret_free_bytes);
};

/* Drivers embed this first. */
struct store {
	const struct store_driver *driver;
};

/* Lower-case hex digits and dashes, at least one and at most `len_max`. */
bool store_id_is(str id, size_t len_max);

/* NULL when there is no such driver. Names: "filesystem", "s3", "swift". */
const struct store_driver *store_driver_find(str name);

/*
 * What the driver's slots of these names do, as steps that are seen (base/step.h). For whoever uses
 * a store; a driver that lies in another one calls that one's slots.
 */
err_t store_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
			struct store_upload *ret);
err_t store_upload_append(struct ctx *ctx, struct store_upload *upload, str bytes);
err_t store_upload_flush(struct ctx *ctx, struct store_upload *upload);
err_t store_upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset, void *into,
			size_t len, size_t *ret_len);
err_t store_upload_remove(struct ctx *ctx, struct store *store, str id);
err_t store_publish(struct ctx *ctx, struct store_upload *upload, str id, blob_name name);
err_t store_blob_open(struct ctx *ctx, struct store *store, blob_name name, struct store_blob *ret);
err_t store_blob_read(struct ctx *ctx, struct store_blob *blob, uint64_t offset, void *into,
		      size_t len, size_t *ret_len);
err_t store_blob_size(struct ctx *ctx, struct store *store, blob_name name,
		      uint64_t *ret_size_bytes);
err_t store_blob_remove(struct ctx *ctx, struct store *store, blob_name name);

/* CLEANUP functions. */
void store_blob_done(struct store_blob *blob);
void store_upload_done(struct store_upload *upload);
#define STORE_BLOB_INIT                                                                            \
	{                                                                                          \
		.fd = -1                                                                           \
	}
#define STORE_UPLOAD_INIT                                                                          \
	{                                                                                          \
		.fd = -1                                                                           \
	}
