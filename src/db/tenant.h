/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.h - tenants, and the hosts by which they are called. */
#pragma once

#include "sql/sql.h"

enum tenant_state { TENANT_ACTIVE, TENANT_READ_ONLY, TENANT_SUSPENDED, TENANT_STATE_COUNT };

struct tenant_row {
	int64_t id;
	str name;  /* unique; never changes */
	str title; /* what people call it; may be empty */
	enum tenant_state state;
	str reason;	    /* of the state, for its clients; may be empty */
	int64_t storage_id; /* of no other tenant */
	int64_t created_at_us;
	int64_t updated_at_us;
};

/* ERR_ABSENT, unrecorded, when there is none. */
err_t db_tenant_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct tenant_row *ret);
err_t db_tenant_find(struct ctx *ctx, struct sql_tx *tx, str name, struct tenant_row *ret);
/* `host` as codec/host.h writes it. */
err_t db_tenant_of_host(struct ctx *ctx, struct sql_tx *tx, str host, struct tenant_row *ret);
