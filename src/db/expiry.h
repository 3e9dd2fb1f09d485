/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.h - manifests that want to be gone at some time: rows of registry/expiry.h. */
#pragma once

#include "codec/expiry.h"
#include "db/retention.h"

struct expiry_row {
	int64_t manifest_id, project_id, repository_id, tenant_id;
	struct expiry expiry;
	int64_t due_at_us;
	str digest_text, repository, project;
	int64_t parents, pushed_at_us;
};
err_t db_expiry_insert(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
		       const struct expiry *expiry, int64_t due_at_us);
/* Those to look at now, whoever's they are. */
err_t db_expiry_due(struct ctx *ctx, struct sql_tx *tx, int64_t now_us, int64_t max,
		    struct expiry_row **ret, size_t *ret_count);
/* Of a project, after the row that is due at a time and has this id. */
err_t db_expiry_page(struct ctx *ctx, struct sql_tx *tx, const struct expiry_row *after,
		     int64_t max, struct expiry_row **ret, size_t *ret_count);
err_t db_expiry_tags(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
		     struct retention_tag **ret, size_t *ret_count);
err_t db_expiry_put_off(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id, int64_t due_at_us);
