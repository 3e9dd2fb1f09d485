/* SPDX-License-Identifier: Apache-2.0 */
/* repository.h - repositories, found by their full name. */
#pragma once

#include "sql/sql.h"

struct repository {
	int64_t id;
	int64_t project_id;
	bool is_public;
};

err_t db_repository_find(struct ctx *ctx, struct sql_tx *tx, str name, struct repository *ret);

/* Makes the repository unless it is there. */
err_t db_repository_ensure(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str name);

/* At most `max` names after `last` of repositories with a manifest; only public ones unless `all`.
 */
err_t db_repository_page(struct ctx *ctx, struct sql_tx *tx, str last, bool all, size_t max,
			 str **ret, size_t *ret_count);
