/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote_parts.h - parts of an upload that are on their way to the server, several at a time;
 * private to store.
 *
 * The beginning of the tail (remote_upload.h) leaves with the memory it is in, on a thread of its
 * own. Parts land in the order in which they left, however the server took them, so what is known
 * to be there never has a gap. Of one that fails nothing is lost: its bytes, and those of all that
 * left after it, are the beginning of the tail again (remote_parts_return()), and go out another
 * time under their numbers.
 *
 *	while (parts->count && !remote_parts_have_room(parts, len))
 *		TRY(land(ctx, …));	remote_parts_land(), or remote_parts_return()
 *	if (!remote_parts_have_room(parts, len) || !remote_parts_leave(ctx, parts, …))
 *		…			one at a time, as without this
 *
 * Memory: at most REMOTE_PARTS_MAX of one upload and REMOTE_PARTS_BYTES_MAX bytes of them, and
 * REMOTE_PARTS_ALL_BYTES_MAX of all uploads of the process. One thread at a time calls these
 * functions for an upload.
 */
#pragma once

#include "codec/traceparent.h"
#include "remote_upload.h"

#include <pthread.h>
#include <stdatomic.h>

#define REMOTE_PARTS_MAX	   3
#define REMOTE_PARTS_BYTES_MAX	   MIB(32)
#define REMOTE_PARTS_ALL_BYTES_MAX MIB(256)

struct remote_parts;

struct remote_part {
	struct remote_parts *all;
	pthread_t thread;
	struct ctx ctx;
	struct trace trace; /* where ctx's is: others go on with theirs */
	unsigned number;
	char *bytes; /* kept when it has landed, for the next tail */
	size_t len, capacity;
	char etag[REMOTE_ETAG_MAX + 1];
	err_t err;
	bool done;
};

struct remote_parts {
	/* Sends one, on its thread: ERR_CANCELLED soon after ctx says so. */
	err_t (*put)(struct ctx *ctx, void *arg, unsigned number, str bytes,
		     char etag[REMOTE_ETAG_MAX + 1]);
	void *arg;
	struct remote_part items[REMOTE_PARTS_MAX];
	size_t first, count; /* those on their way, the oldest first */
	size_t bytes;	     /* of them */
	_Atomic(bool) cancelled;
	pthread_mutex_t lock; /* guards `done` */
	pthread_cond_t landed;
};

void remote_parts_init(struct remote_parts *parts);
/* Ends what is on its way; CLEANUP. */
void remote_parts_done(struct remote_parts *parts);

/* Whether one more of so many bytes may leave now. */
bool remote_parts_have_room(const struct remote_parts *parts, size_t len);
/* The first `len` bytes of the tail leave. False, and nothing has happened, when there is no thread
 * to be had. */
bool remote_parts_leave(struct ctx *ctx, struct remote_parts *parts, struct remote_upload *up,
			unsigned number, size_t len);
/* Waits for the oldest, which must be there: it is in `*ret` until the next call, and gone when
 * OK. What `put` failed with; then remote_parts_return() is next. */
err_t remote_parts_land(struct ctx *ctx, struct remote_parts *parts,
			const struct remote_part **ret);
/* Waits for all, and gives their bytes back to the tail. */
void remote_parts_return(struct remote_parts *parts, struct remote_upload *up);
/* Ends all, and forgets their bytes. */
void remote_parts_drop(struct remote_parts *parts);
