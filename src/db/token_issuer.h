/* SPDX-License-Identifier: Apache-2.0 */
/* token_issuer.h - whose tokens count in place of a robot's secret, and which of them were used up.
 */
#pragma once

#include "sql/sql.h"

struct token_issuer_row {
	int64_t id;
	int64_t tenant_id;
	str name;
	str url;       /* exactly as in `iss` of its tokens */
	str keys;      /* uploaded key set, JSON; empty: by discovery */
	str ca;	       /* PEM; empty: the system's */
	str audiences; /* JSON array of strings */
	bool enabled;
	bool skip_verify;
	bool single_use; /* each token counts once */
	int64_t created_at_us;
	int64_t updated_at_us;
};

/* Fills the id. ERR_EXISTS, unrecorded, when the tenant has one of this name or URL. */
err_t db_token_issuer_insert(struct ctx *ctx, struct sql_tx *tx, struct token_issuer_row *row);
err_t db_token_issuer_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			  struct token_issuer_row *ret);
struct token_issuer_page {
	int64_t tenant_id, limit, offset; /* which */
	struct token_issuer_row *rows;	  /* the answer, in the arena */
	size_t count;
	int64_t total;
};
err_t db_token_issuer_page(struct ctx *ctx, struct sql_tx *tx, struct token_issuer_page *page);
/* The enabled ones of a URL: one in each tenant, or (with an id) of that one alone. By tenant: the
 * default one goes first. */
err_t db_token_issuer_of_url(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str url,
			     size_t max, struct token_issuer_row **ret, size_t *ret_count);
err_t db_token_issuer_update(struct ctx *ctx, struct sql_tx *tx,
			     const struct token_issuer_row *row);
err_t db_token_issuer_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id);

/* ERR_EXISTS, unrecorded, when it was used before. */
err_t db_token_use(struct ctx *ctx, struct sql_tx *tx, int64_t issuer_id, str hash,
		   int64_t expires_at_us);
err_t db_token_use_forget(struct ctx *ctx, struct sql_tx *tx, int64_t until_us, int64_t *ret_count);
