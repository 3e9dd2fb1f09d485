/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_purge.h - removes old records and leaves a chain that still proves what is left.
 *
 * Records of some types that are older than a time are removed in batches, led by an index, so a
 * batch costs the same whatever is kept beside it. Where places went a signed gap stands
 * (audit_gap.h). Gaps that meet become one, so a trail that is purged by its age has one at its
 * beginning, and what a purge of single types leaves is bounded by what was kept.
 *
 * Only what is proved is removed: each record is compared with its hash first, and each checkpoint
 * on the way with the chain. What differs is kept, as evidence, and told. Records behind the last
 * checkpoint stay until the next one.
 *
 * The transaction of the first batch records the purge, with its types and its time, and a record
 * at the end says how many it removed. What concerns the trail itself is never purged: these
 * records, and those of erasures, which verifying needs.
 */
#pragma once

#include "notify/audit.h"

#define AUDIT_PURGE_KIND      "purge_audit" /* of its jobs */
#define AUDIT_PURGE_TITLE     "PURGE_AUDIT_LOG"
#define AUDIT_PURGE_HOURS_MAX 240000

struct json_value; /* codec/json.h */

struct audit_purged {
	int64_t records;
	int64_t by_type[AUDIT_TYPE_COUNT];
	int64_t differing;	 /* kept, because they are not what was sealed */
	int64_t first_differing; /* place of the first of them; 0: none */
	int64_t older_than_us;	 /* the time that was gone by, by the database's clock */
};

struct audit_purge {
	struct audit_types types; /* those that concern the trail itself do not count */
	int64_t older_than_s;
	bool dry_run;		      /* only counts */
	const struct audit_event *by; /* actor and request of its records */
	/* After each batch, with all so far. May be NULL. */
	void (*progress)(void *arg, const struct audit_purged *so_far);
	void *arg;
};

/* What was removed before an error stays removed, and `progress` was told. ERR_DATABASE and the
 * like; ERR_CONFIG where no key signs. Resets nothing of the ctx's arena. */
err_t audit_purge(struct ctx *ctx, struct audit *audit, const struct audit_purge *wanted,
		  struct audit_purged *ret);

/*
 * What Harbor's parameters want: audit_retention_hour, dry_run, and the types that go, as
 * include_event_types ("create_artifact,pull_artifact"), as include_operations ("create,pull": all
 * types of these), or both; `*` is all, and nothing is nothing. `given` is an object or NULL. Sets
 * types, older_than_s and dry_run. ERR_REQUEST_INVALID, with the member that is wrong.
 */
err_t audit_purge_read(struct ctx *ctx, const struct json_value *given, struct audit_purge *ret);
/* Those of its members that count, as text in the arena. */
err_t audit_purge_print(struct ctx *ctx, const struct json_value *given, str *ret);
