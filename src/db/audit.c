/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - see audit.h. */
#include "db/audit.h"
#include "audit.sql.h"
#include "rows.h"

#include "base/banned.h"

err_t db_audit_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_row *row)
{
	return sql_exec(ctx, tx, &SQL_AUDIT_INSERT,
			SQL_ARGS(SQL_I64(row->time_us), SQL_I64(row->tenant_id),
				 SQL_I64(row->project_id), SQL_TEXT(row->project),
				 SQL_TEXT(row->actor_type), SQL_I64(row->actor_id),
				 SQL_TEXT(row->actor), SQL_TEXT(row->operation),
				 SQL_TEXT(row->resource_type), SQL_TEXT(row->resource),
				 SQL_TEXT_OR_NULL(row->digest), SQL_TEXT(row->address),
				 SQL_TEXT_OR_NULL(row->request_id), SQL_I64(row->result),
				 SQL_TEXT(row->detail)),
			NULL);
}
