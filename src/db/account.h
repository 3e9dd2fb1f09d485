/* SPDX-License-Identifier: Apache-2.0 */
/* account.h - local accounts. */
#pragma once

#include "sql/sql.h"

struct account {
	int64_t id;
	str password; /* argon2id record */
	bool is_admin;
};

err_t db_account_find(struct ctx *ctx, struct sql_tx *tx, str name, struct account *ret);
/* ERR_EXISTS when the name is taken. */
err_t db_account_insert(struct ctx *ctx, struct sql_tx *tx, str name, str password, bool is_admin);
