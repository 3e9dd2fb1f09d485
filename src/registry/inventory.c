/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.c - see inventory.h. */
#include "registry/inventory.h"
#include "base/clock.h"
#include "db/db.h"
#include "internal.h"

#include "base/banned.h"

static err_t report_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct inventory_report *report = arg;
	int64_t now_us = clock_wall_us();
	struct inventory_row row = { .cluster = report->cluster,
				     .reported_at_us = now_us,
				     .expires_at_us = now_us + report->ttl_s * 1000000 };
	for (size_t i = 0; i < report->count; i++) {
		struct digest_text text = digest_format(report->digests[i]);
		row.digest_text = str_from(text.text);
		TRY(db_inventory_put(ctx, tx, ctx->tenant_id, &row));
	}
	if (report->adds)
		return OK;
	return db_inventory_drop_older(ctx, tx, ctx->tenant_id, report->cluster, now_us);
}

err_t inventory_report(struct ctx *ctx, struct registry *registry,
		       const struct inventory_report *report)
{
	struct inventory_report copy = *report;
	return db_run(ctx, registry->db, SQL_WRITE, report_body, &copy);
}

struct forgetting {
	str cluster;
	int64_t count;
};

static err_t forget_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct forgetting *f = arg;
	TRY(db_inventory_delete(ctx, tx, ctx->tenant_id, f->cluster, &f->count));
	return f->count ? OK : ERR_ABSENT;
}

err_t inventory_forget(struct ctx *ctx, struct registry *registry, str cluster)
{
	struct forgetting f = { .cluster = cluster };
	err_t err = db_run(ctx, registry->db, SQL_WRITE, forget_body, &f);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no cluster of this name reported")
				 : err;
}

err_t inventory_list(struct ctx *ctx, struct registry *registry, const struct inventory_row *after,
		     int64_t max, struct inventory_row **ret, size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_inventory_page(ctx, &tx, ctx->tenant_id, after, max, ret, ret_count);
}

static err_t expire_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_inventory_delete_expired(ctx, tx, clock_wall_us(), arg);
}

err_t inventory_expire(struct ctx *ctx, struct registry *registry, int64_t *ret_count)
{
	return db_run(ctx, registry->db, SQL_WRITE_RELAXED, expire_body, ret_count);
}
