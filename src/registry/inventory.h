/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inventory.h - what runs in clusters: digests that they report, and that nothing which deletes by
 * itself takes away until the report expires. A report of a cluster replaces the one before it.
 */
#pragma once

#include "db/inventory.h"
#include "registry/registry.h"

#define INVENTORY_CLUSTER_MAX 128
#define INVENTORY_DIGESTS_MAX 4000 /* of one report */
#define INVENTORY_TTL_MAX_S   (31 * 86400)

struct inventory_report {
	str cluster;
	const digest *digests;
	size_t count;
	int64_t ttl_s;
	bool adds; /* what was reported before stays until it expires */
};
err_t inventory_report(struct ctx *ctx, struct registry *registry,
		       const struct inventory_report *report);
/* ERR_NOT_FOUND when the cluster has reported nothing. */
err_t inventory_forget(struct ctx *ctx, struct registry *registry, str cluster);
err_t inventory_list(struct ctx *ctx, struct registry *registry, const struct inventory_row *after,
		     int64_t max, struct inventory_row **ret, size_t *ret_count);
/* What has expired goes. */
err_t inventory_expire(struct ctx *ctx, struct registry *registry, int64_t *ret_count);
