/* SPDX-License-Identifier: Apache-2.0 */
/* access_token.h - personal access tokens. The token itself is nowhere: a row has its keyed hash.
 */
#pragma once

#include "sql/sql.h"

struct access_token_row {
	int64_t id;
	int64_t account_id;
	str name;
	str hint; /* its first letters, to know it by */
	int64_t created_at_us;
	int64_t expires_at_us; /* 0: never */
	int64_t used_at_us;    /* 0: never */
	str hash;	       /* only for inserting */
};

/* Fills the id. ERR_EXISTS, unrecorded, when the account has one of this name or hash. */
err_t db_access_token_insert(struct ctx *ctx, struct sql_tx *tx, struct access_token_row *row);
err_t db_access_token_find(struct ctx *ctx, struct sql_tx *tx, str hash,
			   struct access_token_row *ret);
err_t db_access_token_get(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t id,
			  struct access_token_row *ret);
err_t db_access_token_count(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t *ret);
err_t db_access_token_page(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t limit,
			   int64_t offset, struct access_token_row **ret, size_t *ret_count);

err_t db_access_token_used(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t used_at_us);

/* ERR_ABSENT, unrecorded, when there is none. */
err_t db_access_token_delete(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t id);
err_t db_access_token_delete_named(struct ctx *ctx, struct sql_tx *tx, int64_t account_id,
				   str name);
err_t db_access_token_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t account_id);
/* At most `limit` of those that expired until `until_us`. */
err_t db_access_token_delete_expired(struct ctx *ctx, struct sql_tx *tx, int64_t until_us,
				     int64_t limit, int64_t *ret_count);
