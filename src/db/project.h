/* SPDX-License-Identifier: Apache-2.0 */
/* project.h - projects: the first path segment of every repository name. */
#pragma once

#include "sql/sql.h"

struct project {
	int64_t id;
	str name;
	bool is_public;
	int64_t created_at_us;
	int64_t updated_at_us;
};

err_t db_project_find(struct ctx *ctx, struct sql_tx *tx, str name, struct project *ret);

err_t db_project_find_id(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct project *ret);

/* ERR_EXISTS when the name is taken. */
err_t db_project_insert(struct ctx *ctx, struct sql_tx *tx, str name, bool is_public);

/* ERR_ABSENT when there is no such project. */
err_t db_project_set_public(struct ctx *ctx, struct sql_tx *tx, str name, bool is_public);

/* At most `max` projects by name after `last`, into the arena; only public ones unless `all`. */
err_t db_project_page(struct ctx *ctx, struct sql_tx *tx, str last, bool all, size_t max,
		      struct project **ret, size_t *ret_count);
