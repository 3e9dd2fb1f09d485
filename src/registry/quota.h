/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quota.h - what projects and tenants may hold, charged in the transaction that holds it.
 *
 *	struct quota_charge charge = { .repository_id = id };
 *	TRY(db_content_claim_link(ctx, tx, id, blob.id, &charge.more[QUOTA_STORAGE]));	…
 *	return quota_charge(ctx, tx, registry, &charge);
 */
#pragma once

#include "db/quota.h"
#include "registry/registry.h"

/* "storage" */
const char *quota_resource_text(enum quota_resource resource);

/* How many bytes a new project may hold unless somebody says otherwise. */
int64_t quota_default(const struct registry *registry);

/* The last statement of its transaction; does nothing when nothing is charged. ERR_QUOTA when it
 * does not fit; the detail says what of what, and is for the client. */
err_t quota_charge(struct ctx *ctx, struct sql_tx *tx, struct registry *registry,
		   const struct quota_charge *charge);

/*
 * Reports each quota of bytes that passed a threshold upwards since the last time, once in all
 * nodes; one that fell below may pass it again. Call it every some seconds: it looks only when
 * somebody who has a limit was charged, and then twice, for what was committed a moment later.
 */
struct quota_watcher {
	int64_t warning_percent; /* the first threshold; the other is 100 */
	void (*report)(void *arg, const struct quota *quota, int64_t percent);
	void *arg;
};
err_t quota_watch(struct ctx *ctx, struct registry *registry, const struct quota_watcher *watcher);

/* --- for people: quotas of projects of ctx's tenant, and of any tenant --------------------------
 */

/* ERR_NOT_FOUND. */
err_t quota_get(struct ctx *ctx, struct registry *registry, enum quota_scope scope,
		int64_t holder_id, struct quota *ret);

/* Projects, one page; `query->tenant_id` is filled in. */
err_t quota_list(struct ctx *ctx, struct registry *registry, const struct quota_query *query,
		 struct quota **ret, size_t *ret_count, int64_t *ret_total);

/* Takes `quota->limit`: each QUOTA_UNLIMITED or at most QUOTA_LIMIT_MAX, which the caller checks.
 * ERR_NOT_FOUND. */
err_t quota_limit(struct ctx *ctx, struct registry *registry, const struct quota *quota);

/* Counts anew what is used, from links and manifests, and writes down what is there. Reads alone
 * when nothing is wrong. */
#define QUOTA_RECOUNT_MAX 1000
struct quota_recounted {
	int64_t rows; /* blobs and manifests that counted and should not have, or the reverse */
	struct quota_wrong *holders; /* at most QUOTA_RECOUNT_MAX at a time */
	size_t count;
};
err_t quota_recount(struct ctx *ctx, struct registry *registry, struct quota_recounted *ret);
