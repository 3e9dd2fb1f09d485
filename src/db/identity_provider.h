/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_provider.h - who vouches for users besides ourselves, as rows; what their settings mean
 * is auth/identity_provider.h's.
 */
#pragma once

#include "sql/sql.h"

struct identity_provider_row {
	int64_t id;
	int64_t tenant_id;
	str name; /* unique in its tenant */
	str kind;
	int64_t position; /* the smallest is asked first */
	bool enabled;
	str settings; /* JSON */
	str secrets;  /* sealed JSON; empty for none */
	int64_t created_at_us;
	int64_t updated_at_us;
};

/* All of a tenant's, in their order. */
err_t db_identity_provider_list(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
				struct identity_provider_row **ret, size_t *ret_count);

err_t db_identity_provider_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
				struct identity_provider_row *ret);

/* Fills `id` and the times of the row. ERR_EXISTS when the name is taken in the tenant. */
err_t db_identity_provider_insert(struct ctx *ctx, struct sql_tx *tx,
				  struct identity_provider_row *row);

/* All but tenant and kind, found by tenant and id. ERR_ABSENT; ERR_EXISTS when the name is taken.
 */
err_t db_identity_provider_update(struct ctx *ctx, struct sql_tx *tx,
				  struct identity_provider_row *row);

err_t db_identity_provider_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
				  int64_t id);
