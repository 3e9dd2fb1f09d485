/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live_uploads.h - which uploads somebody writes to right now, and how far each is hashed.
 *
 * One writer at a time per upload: take() gives ERR_UPLOAD_BUSY to the second. Between requests the
 * running hash stays here, so that the closing PUT need not read the bytes again; it is a memory of
 * work done, never the truth: after a restart, or when the entry was dropped for a newer one, the
 * hash is rebuilt from the stored bytes. It is dropped too when the store says that somebody else,
 * another node, wrote to the upload meanwhile.
 */
#pragma once

#include "base/ctx.h"
#include "crypto/hash.h"

#define LIVE_UPLOADS_IDLE_MAX 4096
#define UPLOAD_ID_MAX	      36

struct live_upload {
	char id[UPLOAD_ID_MAX + 1];
	struct hash hash;
	bool hashing; /* `hash` is initialised */
	uint64_t hashed_bytes;
	uint64_t version; /* of the stored upload that was hashed: store.h */
	bool busy;
	struct live_upload *chain;
	struct live_upload *newer, *older; /* idle ones by age */
};

struct live_uploads;

struct live_uploads *live_uploads_new(void);
void live_uploads_free(struct live_uploads *all);

/* Takes the writer's place. ERR_UPLOAD_BUSY when it is taken. */
err_t live_uploads_take(struct ctx *ctx, struct live_uploads *all, str id,
			struct live_upload **ret);

/* Gives it back; `forget` when the upload has ended. */
void live_uploads_release(struct live_uploads *all, struct live_upload *live, bool forget);

/* Throws the running hash away. */
void live_upload_forget_hash(struct live_upload *live);

/* Throws the running hash away: it is to start again from the first byte, with `algorithm`. */
void live_upload_restart(struct live_upload *live, enum digest_algorithm algorithm);
