/* SPDX-License-Identifier: Apache-2.0 */
/* binding.h - which robot a foreign token or a client certificate stands for. */
#pragma once

#include "sql/sql.h"

struct binding_row {
	int64_t id;
	int64_t tenant_id;
	int64_t issuer_id; /* 0: of certificates */
	int64_t robot_id;
	str name;
	int64_t position;
	bool enabled;
	str conditions; /* JSON, model/condition.h */
	int64_t lifetime_s;
	int64_t created_at_us;
	int64_t updated_at_us;
	int64_t used_at_us; /* 0: never */
	str robot_name;	    /* without the prefix; only read */
	bool robot_visible; /* false: the robot is this binding's own; only read */
};

/* Fills the id. ERR_EXISTS, unrecorded, when there is one of this name beside it. */
err_t db_binding_insert(struct ctx *ctx, struct sql_tx *tx, struct binding_row *row);
err_t db_binding_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t issuer_id,
		     int64_t id, struct binding_row *ret);

struct binding_page {
	int64_t tenant_id, issuer_id; /* which */
	int64_t limit, offset;
	struct binding_row
		*rows; /* the answer, in the arena, in the order in which they are tried */
	size_t count;
	int64_t total;
};
err_t db_binding_page(struct ctx *ctx, struct sql_tx *tx, struct binding_page *page);
/* The enabled ones of certificates, of a tenant or (0) of all. */
err_t db_binding_of_certificates(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, size_t max,
				 struct binding_row **ret, size_t *ret_count);

/* Position, enabled, conditions, lifetime and robot. */
err_t db_binding_update(struct ctx *ctx, struct sql_tx *tx, const struct binding_row *row);
err_t db_binding_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);
err_t db_binding_used(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t used_at_us);
