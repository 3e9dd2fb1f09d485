/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention_internal.h - a repository as a run sees it; private to retention_*.c.
 *
 * Its memory is an arena of its own, which goes when the repository is done.
 */
#pragma once

#include "registry/retention.h"

/* An artifact with its tags, or what one of its tags is in a policy of tags. */
struct retention_subject {
	const struct retention_artifact *artifact;
	const struct retention_tag *tags; /* of the artifact, all of them */
	size_t tag_count;
	const struct retention_tag *tag; /* that this candidate is; NULL: the artifact */
	bool failed;			 /* it was to go and did not */
	bool all_failed; /* of the first tag: its artifact was to go with all of them */
};

struct retention_set {
	struct retention_repository repository;
	const struct retention_policy *policy;
	struct retention_chosen chosen;
	bool untouched; /* no rule is for it */
	struct retention_candidate *candidates;
	struct retention_subject *subjects; /* beside each */
	size_t count;
};

/* What was to stay, and what was to go and did not. */
bool retention_stayed(const struct retention_set *set, size_t at);

/* That a repository is done, for whom `plan` is made: with the rules, unless they are very long,
 * and as many of what was deleted as RETENTION_TOLD_MAX bytes name. In the transaction that says
 * so. */
#define RETENTION_TOLD_MAX KIB(16)
struct event_plan;
err_t retention_add_event(struct ctx *ctx, struct sql_tx *tx, struct event_plan *plan,
			  const struct retention_run *run, const struct retention_set *set,
			  const struct retention_task *task);

/* Reads a repository into ctx's arena and decides. */
err_t retention_load(struct ctx *ctx, struct registry *registry,
		     const struct retention_policy *policy,
		     const struct retention_repository *repository, struct retention_set *ret);
