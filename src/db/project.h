/* SPDX-License-Identifier: Apache-2.0 */
/* project.h - projects: the first path segment of every repository name. A name is one in its
 * tenant. */
#pragma once

#include "sql/sql.h"

struct project {
	int64_t id;
	str name;
	bool is_public;
	int64_t created_at_us;
	int64_t updated_at_us;
};

err_t db_project_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
		      struct project *ret);

err_t db_project_find_id(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			 struct project *ret);

/* ERR_EXISTS when the name is taken. */
err_t db_project_insert(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
			bool is_public);

/* ERR_ABSENT when there is no such project. */
err_t db_project_set_public(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
			    bool is_public);

struct project_query {
	int64_t tenant_id;
	str last; /* by name after this one */
	bool all; /* otherwise only public ones */
	size_t max;
};
err_t db_project_page(struct ctx *ctx, struct sql_tx *tx, const struct project_query *query,
		      struct project **ret, size_t *ret_count);
