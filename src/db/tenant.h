/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenant.h - tenants, the hosts by which they are called, and who administrates them.
 *
 * A deleted one keeps its row, because deleted projects refer to it, and is found by nobody.
 */
#pragma once

#include "sql/sql.h"

enum tenant_state { TENANT_ACTIVE, TENANT_READ_ONLY, TENANT_SUSPENDED, TENANT_STATE_COUNT };
#define TENANT_STATE_ANY (-1)

struct tenant_row {
	int64_t id;
	str name;  /* unique; never changes */
	str title; /* what people call it; may be empty */
	enum tenant_state state;
	str reason;	    /* of the state, for its clients; may be empty */
	int64_t storage_id; /* of no other tenant: where its new bytes go */
	int64_t left_id;    /* the storage that it is moving out of; 0: none. Only read */
	int64_t created_at_us;
	int64_t updated_at_us;
};

/* ERR_ABSENT, unrecorded, when there is none. */
err_t db_tenant_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct tenant_row *ret);
err_t db_tenant_find(struct ctx *ctx, struct sql_tx *tx, str name, struct tenant_row *ret);
/* `host` as codec/host.h writes it. */
err_t db_tenant_of_host(struct ctx *ctx, struct sql_tx *tx, str host, struct tenant_row *ret);

/* Fills the id. ERR_EXISTS, unrecorded, when the name is taken. */
err_t db_tenant_insert(struct ctx *ctx, struct sql_tx *tx, struct tenant_row *row);
/* Title, state and reason. ERR_ABSENT. */
err_t db_tenant_update(struct ctx *ctx, struct sql_tx *tx, const struct tenant_row *row);
/* Keeps everybody else who changes it waiting. ERR_ABSENT. */
err_t db_tenant_touch(struct ctx *ctx, struct sql_tx *tx, int64_t id);
/* Until the transaction ends it is not deleted: for who makes something in it. ERR_NOT_FOUND when
 * it was. */
err_t db_tenant_hold(struct ctx *ctx, struct sql_tx *tx, int64_t id);
/* Gives its name free. ERR_ABSENT. */
err_t db_tenant_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);
/* Everything that is its own, for one that was deleted and has no project: its hosts, people,
 * groups, roles, labels, robots, issuers and providers, with all secrets. What stays are records of
 * the audit trail, and rows of accounts and projects that are nothing but an id. */
err_t db_tenant_clear(struct ctx *ctx, struct sql_tx *tx, int64_t id);
err_t db_tenant_has_projects(struct ctx *ctx, struct sql_tx *tx, int64_t id, bool *ret);

enum tenant_order { TENANT_BY_ID, TENANT_BY_NAME, TENANT_BY_CREATION, TENANT_ORDER_COUNT };
struct tenant_query {
	str name_like; /* a pattern for LIKE; empty: all */
	int state;     /* TENANT_STATE_ANY */
	enum tenant_order order;
	bool descending;
	int64_t limit, offset;
};
err_t db_tenant_count(struct ctx *ctx, struct sql_tx *tx, const struct tenant_query *query,
		      int64_t *ret);
err_t db_tenant_page(struct ctx *ctx, struct sql_tx *tx, const struct tenant_query *query,
		     struct tenant_row **ret, size_t *ret_count);

/* --- hosts -------------------------------------------------------------------------------------
 */

err_t db_tenant_hosts(struct ctx *ctx, struct sql_tx *tx, int64_t id, size_t max, str **ret,
		      size_t *ret_count);
/* ERR_EXISTS, unrecorded, when it is any tenant's. */
err_t db_tenant_host_insert(struct ctx *ctx, struct sql_tx *tx, int64_t id, str host);
err_t db_tenant_host_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id, str host);

/* --- administrators ----------------------------------------------------------------------------
 */

struct tenant_admin {
	bool is_group;
	int64_t id;
	str name;
};
err_t db_tenant_admin_count(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret);
err_t db_tenant_admin_page(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t limit,
			   int64_t offset, struct tenant_admin **ret, size_t *ret_count);
