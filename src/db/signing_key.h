/* SPDX-License-Identifier: Apache-2.0 */
/* signing_key.h - sealed token keys, newest first. */
#pragma once

#include "sql/sql.h"

struct signing_key {
	str id;
	str sealed;
	int64_t created_at_us;
};

/* At most `max` into `into`. */
err_t db_signing_key_list(struct ctx *ctx, struct sql_tx *tx, struct signing_key *into, size_t max,
			  size_t *ret_count);
err_t db_signing_key_insert(struct ctx *ctx, struct sql_tx *tx, const struct signing_key *key);
err_t db_signing_key_delete_before(struct ctx *ctx, struct sql_tx *tx, int64_t created_at_us);
