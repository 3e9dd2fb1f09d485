/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_gap.h - what purges remove from the audit trail, and the gaps that stand for it: rows of
 * notify/audit_purge.h.
 */
#pragma once

#include "db/audit_chain.h"

/* A record that may be purged. */
struct audit_old {
	struct audit_place at; /* in the order of times */
	int64_t seq;	       /* in the chain */
};

/* Those of a type that are not younger than `until_us`, the oldest first, after a place. */
struct audit_old_page {
	str operation, resource_type;
	int64_t until_us;
	struct audit_place after;
	size_t max;
};
err_t db_audit_old_page(struct ctx *ctx, struct sql_tx *tx, const struct audit_old_page *page,
			struct audit_old **ret, size_t *ret_count);

struct audit_gap {
	int64_t first, last; /* places, both included */
	str token;	     /* signed */
};
/* The one that a place is in; ERR_ABSENT, unrecorded. */
err_t db_audit_gap_find(struct ctx *ctx, struct sql_tx *tx, int64_t seq, struct audit_gap *ret);
/* Removes the records and places from `first` to `last`, which had better be a gap then. */
err_t db_audit_remove(struct ctx *ctx, struct sql_tx *tx, int64_t first, int64_t last);
/* Also removes the checkpoints inside of it. */
err_t db_audit_gap_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_gap *gap);
err_t db_audit_gap_delete(struct ctx *ctx, struct sql_tx *tx, int64_t first);
