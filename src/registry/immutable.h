/* SPDX-License-Identifier: Apache-2.0 */
/*
 * immutable.h - rules by which tags may not move or go: kept per project, and asked in every
 * transaction that moves or deletes a tag.
 *
 * *Whoever moves or deletes tags* (a push, Harbor's API, retention, a trash) finds the rules before
 * his transaction, from memory as a rule, and asks in it, for each tag as he has locked or deleted
 * it there:
 *
 *	struct immutability rules;
 *	TRY(immutability_find(ctx, registry, repository, &rules));
 *	… in the transaction, with `state` of db_tag_lock(), db_tag_delete() … :
 *	TRY(immutability_check(ctx, &rules, &state, 0));
 *
 * registry/listing.h does so for all that is below here. A project without rules costs a look into
 * memory. Who only wants to know, to pass over such a tag and say why, uses immutability_rule_of().
 *
 * A rule counts for every request that this node begins after it was made, and on other nodes when
 * they are told (db/README.md). A push that was under way may still move its tag.
 */
#pragma once

#include "db/tag.h"
#include "model/immutable.h"
#include "registry/registry.h"

struct immutability {
	str repository; /* full */
	const struct immutable_rule *rules;
	size_t count;
};

/* Of the project that the repository is in; none when there is no such project. */
err_t immutability_find(struct ctx *ctx, struct registry *registry, str repository,
			struct immutability *ret);
err_t immutability_find_in(struct ctx *ctx, struct registry *registry, int64_t project_id,
			   str repository, struct immutability *ret);

/* By the repository's id; none when it is gone. */
err_t immutability_find_by_id(struct ctx *ctx, struct registry *registry, int64_t repository_id,
			      struct immutability *ret);

/* ERR_IMMUTABLE when the tag may not be pointed to manifest `to_id`, or (0) may not be deleted, by
 * ctx->actor. */
err_t immutability_check(struct ctx *ctx, const struct immutability *of,
			 const struct tag_state *state, int64_t to_id);

/* The same question without a failure: the rule that forbids it, or NULL. */
const struct immutable_rule *immutability_rule_of(const struct ctx *ctx,
						  const struct immutability *of,
						  const struct tag_state *state, int64_t to_id);

/* Whether a rule means the tag, for lists. */
bool immutability_shows(const struct immutability *of, str tag, int64_t pushed_at_us);

/* Whether a rule keeps a manifest for one of its tags: for who passes over it then. */
err_t immutability_keeps(struct ctx *ctx, struct sql_tx *tx, const struct immutability *of,
			 int64_t manifest_id, bool *ret);

/* ERR_IMMUTABLE when one of the repository's tags may not be deleted. */
err_t immutability_check_all(struct ctx *ctx, struct sql_tx *tx, const struct immutability *of,
			     int64_t repository_id);

/* --- the rules ----------------------------------------------------------------------------------
 */

/* In the order in which they were made. */
err_t immutable_rules(struct ctx *ctx, struct registry *registry, int64_t project_id,
		      struct immutable_rule **ret, size_t *ret_count);

/* ERR_NOT_FOUND when the project has no such rule. */
err_t immutable_rule_get(struct ctx *ctx, struct registry *registry, int64_t project_id, int64_t id,
			 struct immutable_rule *ret);

/* With id 0 it is made, else changed. ERR_REQUEST_INVALID for what a rule cannot say, and when
 * there are IMMUTABLE_RULES_MAX already; ERR_EXISTS when another one means the same. */
err_t immutable_rule_put(struct ctx *ctx, struct registry *registry, int64_t project_id,
			 struct immutable_rule *rule);
err_t immutable_rule_delete(struct ctx *ctx, struct registry *registry, int64_t project_id,
			    int64_t id);
