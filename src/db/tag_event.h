/* SPDX-License-Identifier: Apache-2.0 */
/* tag_event.h - what happened to tags: written in the transaction of each change. */
#pragma once

#include "sql/sql.h"

struct tag_event {
	int64_t id; /* grows with time */
	int64_t at_us;
	str how;		    /* "push", "delete", … */
	str actor_type, actor;	    /* as the audit trail names them */
	str from_digest, to_digest; /* empty: there was no such tag, there is none */
};

/* A change that is being made. */
struct tag_change {
	int64_t repository_id;
	str tag, how, actor_type, actor;
	int64_t from_id, to_id; /* manifests that are there in this transaction; 0: none */
};
err_t db_tag_event_insert(struct ctx *ctx, struct sql_tx *tx, const struct tag_change *change);

/* The newest first. */
struct tag_event_query {
	int64_t repository_id;
	str tag;
	int64_t before; /* only those before this number; INT64_MAX: all */
	int64_t max;
};
err_t db_tag_event_page(struct ctx *ctx, struct sql_tx *tx, const struct tag_event_query *query,
			struct tag_event **ret, size_t *ret_count);

/* Removes what is from before `before_us`, of the `max` oldest. `*ret_more`: perhaps not all. */
err_t db_tag_event_purge(struct ctx *ctx, struct sql_tx *tx, int64_t before_us, size_t max,
			 int64_t *ret_count, bool *ret_more);
