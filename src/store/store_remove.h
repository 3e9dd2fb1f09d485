/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_remove.h - many blobs of one store are removed together, and what came of each is told.
 *
 *	static void told(struct ctx *ctx, void *arg, const blob_name *name, err_t err) { … }
 *
 *	const struct store_removal removal = { names, count, until_ns, told, arg };
 *	TRY(store_blobs_remove(ctx, store, &removal));
 */
#pragma once

#include "store/store.h"

struct store_removal {
	const blob_name *names;
	size_t count;
	int64_t until_ns; /* clock_now_ns(): nothing is begun after it, nor told of */
	/* Once for each that was tried. OK: it is gone; else `ctx->failure` says why not, and is
	 * forgiven behind the call. */
	void (*told)(struct ctx *ctx, void *arg, const blob_name *name, err_t err);
	void *arg;
};

/* What a driver's slot `blobs_remove` does, as a step that is seen. One that is refused keeps no
 * other from going; not OK only when all is over: ctx_check(). */
err_t store_blobs_remove(struct ctx *ctx, struct store *store, const struct store_removal *removal);

/* For drivers, and seen by nobody: the slot of a store that may have none; and what it is worth
 * then, by `blob_remove` for each. */
err_t store_remove_blobs(struct ctx *ctx, struct store *store, const struct store_removal *removal);
err_t store_remove_each(struct ctx *ctx, struct store *store, const struct store_removal *removal);
