/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload_sweep.h - what a storage still has of uploads that are over.
 *
 * A session's row is there before its first byte, and no id comes twice: what a storage has under
 * an id without a session is never asked for again. It is left there by a process that ends at the
 * wrong moment, by a request that the storage held up until nobody waited for it any more, and by
 * what was tried for health (health.h) when the storage went away. A sweep walks what each storage
 * has of uploads, which is little, and removes those.
 */
#pragma once

#include "registry/registry.h"

struct upload_sweep {
	bool dry_run; /* only says what would go */
	/* Each one, when it is gone; may be NULL. A failure ends the sweep. */
	err_t (*gone)(struct ctx *ctx, str id, uint64_t size_bytes, void *arg);
	void *arg;
};

/* A storage that cannot be had is passed over, with a line in the log. `*ret_count` is also set
 * when it fails. */
err_t registry_sweep_uploads(struct ctx *ctx, struct registry *registry,
			     const struct upload_sweep *sweep, int64_t *ret_count);

/* Whether a storage has the bytes of an upload that somebody may go on with, or of a blob on its
 * way to there. On a standby: as far as it knows. */
err_t upload_has_session(struct ctx *ctx, struct registry *registry, int64_t storage_id, str id,
			 bool *ret);
