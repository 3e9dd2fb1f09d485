/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expiry.h - tags of images that say how long they want to be there (codec/expiry.h) go when the
 * time is over: so long after the tag was set, as Quay does, or at the time named. With its last
 * tag the artifact goes, unless an index names it; one that never had a tag goes by when it was
 * pushed. Tagging or pushing again renews.
 *
 * What a cluster reports as running (inventory.h) stays, and is looked at again in an hour. The
 * cost follows what is due.
 */
#pragma once

#include "db/expiry.h"
#include "registry/registry.h"
#include "registry/retention.h"

/* When a tag that was set at a time expires. */
int64_t expiry_time(const struct expiry *expiry, int64_t set_at_us);

/* In the transaction that makes a manifest: remembers what it says, if anything. */
err_t expiry_remember(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
		      const struct expiry *expiry);

struct expiry_run {
	/* In the transaction that deletes it, with ctx in its tenant. */
	err_t (*gone)(struct ctx *ctx, struct sql_tx *tx, const struct retention_gone *gone,
		      void *arg);
	/* What was due and stays. */
	void (*kept)(str repository, str digest_text, const char *why, void *arg);
	void *arg;
};
/* All that is due in all tenants. */
err_t expiry_run(struct ctx *ctx, struct registry *registry, const struct expiry_run *run);

/* What comes next in a project. */
err_t expiry_list(struct ctx *ctx, struct registry *registry, const struct expiry_row *after,
		  int64_t max, struct expiry_row **ret, size_t *ret_count);
err_t expiry_tags(struct ctx *ctx, struct registry *registry, int64_t manifest_id,
		  struct retention_tag **ret, size_t *ret_count);
