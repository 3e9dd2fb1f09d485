/* SPDX-License-Identifier: Apache-2.0 */
/* setting.h - values that somebody has set, as text under their names. */
#pragma once

#include "sql/sql.h"

struct setting_row {
	str name;
	str value;
};

err_t db_setting_list(struct ctx *ctx, struct sql_tx *tx, struct setting_row **ret,
		      size_t *ret_count);
err_t db_setting_put(struct ctx *ctx, struct sql_tx *tx, str name, str value);
