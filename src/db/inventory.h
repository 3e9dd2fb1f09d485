/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.h - digests that clusters report as running, of a tenant, until they expire. */
#pragma once

#include "sql/sql.h"

struct inventory_row {
	str cluster, digest_text;
	int64_t reported_at_us, expires_at_us;
};
err_t db_inventory_put(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
		       const struct inventory_row *row);
/* Of a cluster: what was reported before a time. */
err_t db_inventory_drop_older(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str cluster,
			      int64_t before_us);
/* All of a cluster; how many there were. */
err_t db_inventory_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str cluster,
			  int64_t *ret_count);
err_t db_inventory_delete_expired(struct ctx *ctx, struct sql_tx *tx, int64_t now_us,
				  int64_t *ret_count);
/* By cluster and digest, after those two. */
err_t db_inventory_page(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
			const struct inventory_row *after, int64_t max, struct inventory_row **ret,
			size_t *ret_count);
