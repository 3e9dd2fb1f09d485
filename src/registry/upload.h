/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload.h - a blob on its way in: begin, append, finish; or cancel.
 *
 * An upload is a session row and a growing file. It survives restarts: the file's length is the
 * truth about how much has arrived. Bytes are hashed as they come; finish() makes them durable,
 * names them by their digest, and only then writes the rows.
 *
 * From UPLOAD_RING_BYTES in one request on, bytes are hashed and stored by two more threads (see
 * os/ring.h), for at most UPLOAD_RINGS_MAX uploads at a time; what then goes wrong shows a little
 * later. Nothing is acknowledged before upload_flush() or upload_finish().
 *
 *	upload_begin(ctx, registry, "library/app", …, id);
 *	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
 *	TRY(upload_open(ctx, registry, "library/app", id, &up));
 *	TRY(upload_append(ctx, &up, bytes));	…
 *	TRY(upload_finish(ctx, &up, digest));
 *
 * Errors: ERR_UPLOAD_UNKNOWN, ERR_UPLOAD_BUSY (somebody else writes to it), ERR_DIGEST_INVALID (the
 * session ends: its bytes are not what the client means), ERR_QUOTA (upload_quota.h; who gets it
 * ends the session, so that its bytes and its reservation are free), ERR_STORAGE_ERASED,
 * ERR_STORAGE_FULL, ERR_STORAGE.
 */
#pragma once

#include "registry/live_uploads.h"
#include "registry/repository.h"
#include "registry/storage.h"

#define UPLOAD_RING_BYTES MIB(16)
#define UPLOAD_RINGS_MAX  4

struct upload {
	struct registry *registry;
	str id;
	int64_t repository_id;
	enum digest_algorithm algorithm; /* what is being hashed while receiving */
	struct live_upload *live;	 /* the writer's place */
	struct storage *storage;
	struct store_upload file;
	uint64_t received_bytes; /* since it was opened */
	uint64_t total_bytes;	 /* with what was there */
	uint64_t granted_bytes;	 /* of the quota: so many may be stored before asking again */
	int64_t reserved_bytes;	 /* of the quota, in the session's row */
	struct ring *ring;	 /* while it is there, `file` and the hash are its readers' */
	bool ended;
};
#define UPLOAD_INIT                                                                                \
	{                                                                                          \
		.file = STORE_UPLOAD_INIT                                                          \
	}

/* A new session; `id` gets a UUID. Makes repository and project as repository_ensure() does. */
err_t upload_begin(struct ctx *ctx, struct registry *registry, str repository,
		   struct project_maker *maker, enum digest_algorithm algorithm,
		   char id[UPLOAD_ID_MAX + 1]);

/* How many bytes have arrived. Does not take the writer's place. */
err_t upload_size(struct ctx *ctx, struct registry *registry, str repository, str id,
		  uint64_t *ret_size_bytes);

/* Takes the writer's place. `id` must outlive `*ret`, which stays where it is from the first append
 * on. */
err_t upload_open(struct ctx *ctx, struct registry *registry, str repository, str id,
		  struct upload *ret);
void upload_done(
	struct upload *up); /* CLEANUP: gives the place back; the session stays unless ended */

err_t upload_append(struct ctx *ctx, struct upload *up, str bytes);

/* So many more bytes are to come, which will be `want` unless that is NULL: refuses them before the
 * first when there is no room for them. */
err_t upload_announce(struct ctx *ctx, struct upload *up, uint64_t bytes, const digest *want);

/* Where the next bytes are best put before they are appended, with room for `*ret_len` of them;
 * NULL when anywhere will do. */
char *upload_room(struct upload *up, size_t *ret_len);

/* All that was appended is stored: before a client is told so. */
err_t upload_flush(struct ctx *ctx, struct upload *up);

/* Names the digest's algorithm before the bytes come, which saves reading them twice. */
void upload_expect(struct upload *up, enum digest_algorithm algorithm);

/* Checks, publishes, and links the blob to the repository; the session ends. Once per open upload.
 */
err_t upload_finish(struct ctx *ctx, struct upload *up, digest want);

/*
 * Ends a session, whosever it is, without its bytes becoming a blob of the repository. If a publish
 * got as far as the blob's file and then failed (or the process died), the file gets its row,
 * linked nowhere: bytes without a row would be a difference, and removing them could hit another
 * upload of the same content. The caller holds the writer's place.
 */
err_t upload_end(struct ctx *ctx, struct registry *registry, str id);

/* upload_end() for one that nobody writes to; ERR_UPLOAD_BUSY otherwise. */
err_t upload_abandon(struct ctx *ctx, struct registry *registry, str id);

/* upload_end() for an open upload. */
err_t upload_cancel(struct ctx *ctx, struct upload *up);
