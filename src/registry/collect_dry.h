/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collect_dry.h - what would go with an untagged artifact: found out without deleting anything, and
 * written down for all of a dry run together (db/garbage.h), since a blob, or a child of two
 * indexes, may go only because two artifacts do. The same goes along as in delete.h.
 */
#pragma once

#include "registry/immutable.h"

struct doom {
	int64_t job_id, manifest_id;
	const struct immutability *rules; /* of its repository */
};
/* In the caller's transaction. */
err_t collect_doom(struct ctx *ctx, struct sql_tx *tx, const struct doom *doom);

/* All that a job wrote down. */
err_t collect_forget_doomed(struct ctx *ctx, struct registry *registry, int64_t job_id);
