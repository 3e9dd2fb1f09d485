/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - sessions of browsers. What the cookie says is nowhere: a row has its hash. */
#pragma once

#include "sql/sql.h"

struct session_row {
	int64_t id;
	int64_t account_id;
	int64_t created_at_us;
	int64_t touched_at_us;
	int64_t expires_at_us;
	str address;
	str user_agent;
	int64_t provider_id; /* who vouched at login; 0: we did */
	str roles;	     /* JSON: what that provider gave him then; empty: nothing */

	/* Only for inserting. */
	str hash;
	str provider_session; /* its name there; empty: none */
	str id_token;	      /* sealed; empty: none */
};

err_t db_session_insert(struct ctx *ctx, struct sql_tx *tx, struct session_row *row);
err_t db_session_find(struct ctx *ctx, struct sql_tx *tx, str hash, struct session_row *ret);
err_t db_session_id_token(struct ctx *ctx, struct sql_tx *tx, int64_t id, str *ret);
err_t db_session_touch(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t touched_at_us,
		       int64_t expires_at_us);

/* Those of an account that are not over. */
err_t db_session_count(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t now_us,
		       int64_t *ret);
struct session_page {
	int64_t account_id;
	int64_t now_us;
	int64_t limit, offset;
};
err_t db_session_page(struct ctx *ctx, struct sql_tx *tx, const struct session_page *page,
		      struct session_row **ret, size_t *ret_count);

/* The ends; each gives back the hashes of what went. */
err_t db_session_delete(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t id,
			str **ret_hashes, size_t *ret_count);
err_t db_session_delete_hash(struct ctx *ctx, struct sql_tx *tx, str hash);
/* All of an account but `keep_id` (0: none). */
err_t db_session_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t keep_id,
			    str **ret_hashes, size_t *ret_count);
/* All but the `keep` that were used last. */
err_t db_session_delete_oldest(struct ctx *ctx, struct sql_tx *tx, int64_t account_id, int64_t keep,
			       str **ret_hashes, size_t *ret_count);

/* Sessions that a provider ends; one of `session` and `subject` may be empty. */
struct session_elsewhere {
	int64_t provider_id;
	str session, subject, issuer;
};
err_t db_session_delete_elsewhere(struct ctx *ctx, struct sql_tx *tx,
				  const struct session_elsewhere *which, str **ret_hashes,
				  size_t *ret_count);

/* At most `limit` of those that were over at `now_us`. */
err_t db_session_delete_expired(struct ctx *ctx, struct sql_tx *tx, int64_t now_us, int64_t limit,
				int64_t *ret_count);
